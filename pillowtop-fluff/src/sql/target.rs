//! The table that is written.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_runtime::operation::{Action, Operation};
use pillowtop_runtime::target::{Outcome, Target, WriteError};

use super::pending::{Computed, Pending, Waiting};

/// The longest id of a document, in bytes: an index of `PostgreSQL` has a limit.
const ID_BYTES: usize = 2_000;

/// A table whose claim is held. What is written waits until the claim is saved, and is committed
/// with it.
#[derive(Debug)]
pub(crate) struct SqlTarget(pub(crate) Arc<Pending>);

impl Target for SqlTarget {
    fn describe(&self) -> String {
        format!("table {} of {}", self.0.table, self.0.database.describe())
    }

    fn write<'a>(&'a self, operations: &'a [Operation]) -> BoxFuture<'a, Result<Vec<Outcome>, WriteError>> {
        async move {
            let (mut outcomes, mut all) = (Vec::new(), Vec::new());
            for operation in operations {
                match waiting(operation) {
                    Ok(one) => {
                        all.push((operation.id.as_str().to_owned(), one));
                        outcomes.push(Outcome::Done);
                    }
                    Err(reason) => {
                        let error_type = "value_error".to_owned();
                        outcomes.push(Outcome::Rejected { error_type, reason });
                    }
                }
            }
            self.0.add(all).await;
            Ok(outcomes)
        }
        .boxed()
    }

    fn needs_save(&self) -> bool {
        !self.0.is_empty()
    }
}

fn waiting(operation: &Operation) -> Result<Waiting, String> {
    let id = operation.id.as_str();
    if id.contains('\0') || id.len() > ID_BYTES {
        return match operation.action {
            // No document of such an id was ever written.
            Action::Delete => Ok(Waiting { computed: None, bytes: 0, is_first: true }),
            Action::Index(_) => Err(format!("the id contains NUL or is longer than {ID_BYTES} bytes")),
        };
    }
    let computed: Option<Computed> = match &operation.action {
        Action::Delete => None,
        Action::Index(source) => Some(
            serde_json::from_slice(source).map_err(|error| format!("its rows cannot be read: {error}"))?,
        ),
    };
    Ok(Waiting { computed, bytes: operation.body_bytes(), is_first: operation.is_first })
}
