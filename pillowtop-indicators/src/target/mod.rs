//! Where indicators are written, by compare-and-set on the revisions of documents.

mod fan_out;
mod separate;
mod watched;

use pillowtop_runtime::operation::{Action, Operation};
use pillowtop_runtime::source::CouchError;
use pillowtop_runtime::target::{Outcome, WriteError};

use crate::pillow::Evaluated;

pub(crate) use fan_out::FanOutTarget;
pub(crate) use separate::SeparateTarget;
pub(crate) use watched::WatchedTarget;

/// Documents of one request.
const CHUNK: usize = 200;

/// What was computed for the document of an operation; `None` if it is a deletion.
fn evaluated(operation: &Operation) -> Result<Option<Evaluated<'_>>, Outcome> {
    match &operation.action {
        Action::Delete => Ok(None),
        Action::Index(source) => serde_json::from_slice(source).map(Some).map_err(|error| rejected(&error)),
    }
}

fn rejected(error: &serde_json::Error) -> Outcome {
    Outcome::Rejected { error_type: "malformed".to_owned(), reason: error.to_string() }
}

/// What became of a document that CouchDB did not accept.
fn refused(error: String, reason: String) -> Outcome {
    match error.as_str() {
        // The first two come from a validation function of the database.
        "forbidden" | "unauthorized" | "document_too_large" => {
            Outcome::Rejected { error_type: error, reason }
        }
        _ => Outcome::Unknown { error_type: error, reason },
    }
}

/// Why a request failed as a whole.
#[expect(clippy::needless_pass_by_value, reason = "it maps the error of a result")]
fn failed(error: CouchError) -> WriteError {
    let text = error.to_string();
    match error {
        CouchError::Refused { status: 413, .. } => WriteError::TooLarge(text),
        CouchError::Refused { status: 429 | 503, .. } => WriteError::Busy(text),
        CouchError::Refused { status: 400..=499, .. } => WriteError::Refused(text),
        CouchError::Unreachable { .. } | CouchError::Refused { .. } | CouchError::Malformed { .. } => {
            WriteError::Unreachable(text)
        }
        _ => WriteError::Blocked(text),
    }
}
