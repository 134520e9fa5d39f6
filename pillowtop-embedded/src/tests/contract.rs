//! The embedded index keeps the contract of targets.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{acquire, database, destination, mapped};
use crate::EmbeddedDestination;
use pillowtop_runtime::target::contract::{self, TargetUnderTest};
use pillowtop_runtime::target::{GuardedTarget, Target};

struct Embedded(EmbeddedDestination);

impl TargetUnderTest for Embedded {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Target>> {
        async { acquire(&self.0, Some(database())).await.unwrap().guarded(GuardedTarget::LIMIT).target }
            .boxed()
    }

    fn read<'a>(&'a mut self, id: &'a str) -> BoxFuture<'a, Option<Value>> {
        async move { self.0.reader().unwrap().get(id).unwrap() }.boxed()
    }

    fn rejected(&self) -> Option<Value> {
        Some(json!({"n": "many"}))
    }
}

#[tokio::test]
async fn the_embedded_index_keeps_the_contract_of_targets() {
    let directory = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    contract::holds(&mut Embedded(destination(directory.path(), &definition))).await;
}
