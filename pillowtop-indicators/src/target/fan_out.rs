//! The owner of indicators, which is requested to compute them again.
//!
//! The ids of a whole bulk are one request, whose documents and lookups are read in batches. A
//! change is acknowledged once they are done. While nobody owns the indicators, it waits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use pillowtop_runtime::claim::{ClaimKey, ClaimStore as _, StoreError};
use pillowtop_runtime::operation::{Action, Operation};
use pillowtop_runtime::request::{RequestKind, submit, wait, withdraw};
use pillowtop_runtime::target::{Destination, Outcome, Target, WriteError};

use super::rejected;
use crate::claims::CouchClaimStore;
use crate::fan_out::Affected;

/// How long an owner may take: less than a call of a target may.
const WITHIN: Duration = Duration::from_mins(1);

/// The claims on the indicators that are computed again.
#[derive(Debug)]
pub(crate) struct FanOutTarget {
    pub(crate) store: CouchClaimStore,
    pub(crate) indicators: Arc<dyn Destination>,
}

impl FanOutTarget {
    async fn touch(&self, ids: &[DocumentId]) -> Result<(), WriteError> {
        let targets =
            self.indicators.targets().await.map_err(|error| WriteError::Unreachable(error.to_string()))?;
        for target in targets {
            let claim = ClaimKey::whole(target.uuid);
            let keys = submit(&self.store, &claim, RequestKind::Touch, ids).await.map_err(failed)?;
            match tokio::time::timeout(WITHIN, wait(&self.store, &keys, |_| ())).await {
                Ok(waited) => drop(waited.map_err(failed)?),
                Err(_) => {
                    withdraw(&self.store, &keys).await.map_err(failed)?;
                    let reason = format!("the owner of `{}` does not process requests", target.name);
                    return Err(WriteError::Busy(reason));
                }
            }
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps the error of a result")]
fn failed(error: StoreError) -> WriteError {
    WriteError::Unreachable(error.to_string())
}

impl Target for FanOutTarget {
    fn describe(&self) -> String {
        format!("requests in {}", self.store.describe())
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        async move {
            let (mut outcomes, mut ids) = (Vec::new(), BTreeSet::new());
            for operation in operations {
                let Action::Index(source) = &operation.action else {
                    outcomes.push(Outcome::Absent);
                    continue;
                };
                match serde_json::from_slice::<Affected>(source) {
                    Ok(found) => {
                        ids.extend(found.affected.into_iter().map(DocumentId::from));
                        outcomes.push(Outcome::Done);
                    }
                    Err(error) => outcomes.push(rejected(&error)),
                }
            }
            if !ids.is_empty() {
                let ids: Vec<DocumentId> = ids.into_iter().collect();
                self.touch(&ids).await?;
            }
            Ok(outcomes)
        }
        .boxed()
    }
}
