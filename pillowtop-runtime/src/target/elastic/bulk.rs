//! A bulk on the wire: the body that is sent, and the answer with one item for each operation, in order.

use bytes::Bytes;
use memchr::memchr2;
use pillowtop_core::DocumentId;
use serde::Deserialize;

use super::answer::{Judgement, judge};
use crate::operation::{Action, Operation, Version};
use crate::sink::WriteError;

/// What is kept of the answer. Each item keeps its status: a filter on errors alone would drop the other items, and with them
/// the positions of those that failed.
pub(super) const FILTER_PATH: &str = "took,errors,items.*.status,items.*._id,items.*.error.type,items.*.error.reason,\
                                      items.*.error.caused_by.type,items.*.error.caused_by.reason";

/// How long the server waits for a primary before it gives up; a third of the client's time-out.
pub(super) const SERVER_TIMEOUT: &str = "30s";

/// The body of a bulk that is sent to the private alias's own path, so no line names an index. A repeated request is accepted and a
/// late one is not (`external_gte`), in a load too: its feed may bring a document twice, the newer one later.
pub fn body(operations: &[Operation]) -> Bytes {
    let mut body = Vec::with_capacity(operations.iter().map(Operation::body_bytes).sum());
    for operation in operations {
        let action = match &operation.action {
            Action::Index(_) => "index",
            Action::Delete => "delete",
        };
        push_action(&mut body, action, operation.id.as_str(), operation.version);
        if let Action::Index(source) = &operation.action {
            push_line(&mut body, source);
        }
    }
    body.into()
}

/// The line of an operation with a version.
pub(super) fn push_action(body: &mut Vec<u8>, action: &str, id: &str, version: Version) {
    body.extend_from_slice(b"{\"");
    body.extend_from_slice(action.as_bytes());
    body.extend_from_slice(b"\":{\"_id\":");
    push_text(body, id);
    body.extend_from_slice(b",\"version\":");
    body.extend_from_slice(version.to_string().as_bytes());
    body.extend_from_slice(b",\"version_type\":\"external_gte\"}}\n");
}

/// A text as JSON.
fn push_text(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

/// JSON as one line. Carried members are as CouchDB sent them and may have line breaks between tokens; inside a JSON text a raw
/// line break cannot be.
pub(super) fn push_line(body: &mut Vec<u8>, json: &[u8]) {
    let mut rest = json;
    while let Some(position) = memchr2(b'\n', b'\r', rest) {
        body.extend_from_slice(&rest[..position]);
        body.push(b' ');
        rest = &rest[position + 1..];
    }
    body.extend_from_slice(rest);
    body.push(b'\n');
}

/// One item of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) judgement: Judgement,
    /// The server's error type, empty without an error.
    pub(super) error_type: String,
    /// The server's reason with its causes, empty without an error.
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct BulkAnswer {
    items: Vec<RawAction>,
}

/// An item is an object of one member, whose name is the action.
#[derive(Deserialize)]
enum RawAction {
    #[serde(rename = "index")]
    Index(RawItem),
    #[serde(rename = "delete")]
    Delete(RawItem),
}

#[derive(Deserialize)]
struct RawItem {
    #[serde(rename = "_id")]
    id: String,
    status: u16,
    #[serde(default)]
    error: Option<RawError>,
}

#[derive(Deserialize)]
struct RawError {
    #[serde(rename = "type", default)]
    error_type: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    caused_by: Option<Box<RawError>>,
}

impl RawError {
    fn text(&self) -> String {
        let own = self.reason.clone().unwrap_or_default();
        match &self.caused_by {
            Some(cause) => format!("{own}: {}: {}", cause.error_type, cause.text()),
            None => own,
        }
    }
}

/// Reads an answer. One that does not fit what was sent tells nothing: the bulk's outcome is unknown.
pub(super) fn read_answer<'a>(
    answer: &[u8],
    sent: impl ExactSizeIterator<Item = &'a DocumentId>,
) -> Result<Vec<Item>, WriteError> {
    let torn = |reason: String| WriteError::Unreachable(reason);
    let answer: BulkAnswer =
        serde_json::from_slice(answer).map_err(|error| torn(format!("a torn bulk answer: {error}")))?;
    if answer.items.len() != sent.len() {
        return Err(torn(format!(
            "a bulk answer of {} items for {} operations",
            answer.items.len(),
            sent.len()
        )));
    }
    let pairs = answer.items.into_iter().zip(sent);
    pairs
        .map(|(RawAction::Index(item) | RawAction::Delete(item), sent)| {
            if item.id != sent.as_str() {
                return Err(torn(format!("a bulk answer for `{}` in the place of `{sent}`", item.id)));
            }
            let reason = item.error.as_ref().map(RawError::text).unwrap_or_default();
            let error_type = item.error.map(|error| error.error_type);
            let judgement =
                judge(item.status, error_type.as_deref().map(|error_type| (error_type, reason.as_str())));
            Ok(Item { judgement, error_type: error_type.unwrap_or_default(), reason })
        })
        .collect()
}

/// What the status of a whole request that is no success means.
pub(super) fn whole_request_error(status: u16, reason: String) -> WriteError {
    match status {
        400 => WriteError::Refused(reason),
        413 => WriteError::TooLarge(reason),
        429 | 503 => WriteError::Busy(reason),
        408 | 500..=599 => WriteError::Unreachable(reason),
        // Forbidden, redirected, or some other server altogether.
        _ => WriteError::Held(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(id: &str, source: Option<&'static [u8]>) -> Operation {
        Operation {
            id: id.into(),
            version: Version(1_767_225_600_000_001),
            action: source.map_or(Action::Delete, |source| Action::Index(Bytes::from_static(source))),
        }
    }

    #[test]
    fn a_body_is_lines() {
        let operations = [
            operation("a\"\n\u{1}ü", Some(b"{\"a\": {\n\r\n\"b\": \"\\n\"}}\n")),
            operation("b", None),
            operation("c", Some(b"{}")),
        ];
        assert_eq!(
            String::from_utf8_lossy(&body(&operations)),
            "{\"index\":{\"_id\":\"a\\\"\\n\\u0001ü\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n\
             {\"a\": {   \"b\": \"\\n\"}} \n\
             {\"delete\":{\"_id\":\"b\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n\
             {\"index\":{\"_id\":\"c\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n\
             {}\n"
        );
    }

    #[track_caller]
    fn read(answer: &str, sent: &[&str]) -> Result<Vec<Judgement>, WriteError> {
        let ids: Vec<DocumentId> = sent.iter().map(|id| DocumentId::from(*id)).collect();
        read_answer(answer.as_bytes(), ids.iter())
            .map(|items| items.into_iter().map(|item| item.judgement).collect())
    }

    #[test]
    fn items_are_judged_in_order() {
        let answer = r#"{"took":3,"errors":true,"items":[
            {"index":{"_id":"a","status":201}},
            {"index":{"_id":"b","status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n]",
                "caused_by":{"type":"number_format_exception","reason":"For input string: \"x\""}}}},
            {"delete":{"_id":"c","status":404}},
            {"delete":{"_id":"d","status":409,"error":{"type":"version_conflict_engine_exception",
                "reason":"[d]: version conflict, current version [10] is higher than the one provided [5]"}}}]}"#;
        assert_eq!(
            read(answer, &["a", "b", "c", "d"]),
            Ok(vec![Judgement::Done, Judgement::Rejected, Judgement::Done, Judgement::Conflict(Some(10))])
        );
        let ids = ["a", "b", "c", "d"].map(DocumentId::from);
        let items = read_answer(answer.as_bytes(), ids.iter()).unwrap();
        assert_eq!(
            items[1].reason,
            "failed to parse field [n]: number_format_exception: For input string: \"x\""
        );
    }

    #[test]
    fn an_answer_that_does_not_fit_leaves_the_outcome_unknown() {
        let only_errors = r#"{"items":[{"index":{"error":{"type":"mapper_parsing_exception"}}}]}"#;
        let one = r#"{"items":[{"index":{"_id":"a","status":201}}]}"#;
        let swapped = r#"{"items":[{"index":{"_id":"b","status":201}},{"index":{"_id":"a","status":201}}]}"#;
        for (answer, sent) in [
            (only_errors, &["a"][..]),
            (one, &["a", "b"]),
            (one, &[]),
            (swapped, &["a", "b"]),
            (&one[..20], &["a"]),
            ("", &["a"]),
            ("{}", &["a"]),
        ] {
            assert!(matches!(read(answer, sent), Err(WriteError::Unreachable(_))), "{answer} for {sent:?}");
        }
    }

    #[test]
    fn a_whole_request_is_judged_by_its_status() {
        let judged = |status| whole_request_error(status, String::new());
        for (statuses, expected) in [
            (&[400][..], WriteError::Refused(String::new())),
            (&[413], WriteError::TooLarge(String::new())),
            (&[429, 503], WriteError::Busy(String::new())),
            (&[500, 502, 504, 507, 408], WriteError::Unreachable(String::new())),
            (&[401, 403, 404, 302], WriteError::Held(String::new())),
        ] {
            for status in statuses {
                assert_eq!(judged(*status), expected, "{status}");
            }
        }
    }
}
