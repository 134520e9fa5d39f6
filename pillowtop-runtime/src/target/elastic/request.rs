//! Requests to a cluster, and the errors in its responses.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde_json::Value;

use super::error::{ClusterError, UNKNOWN_ERROR};

/// A response of any status.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// What is sent where.
#[derive(Clone)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Bytes>,
    /// Shorter than the client's own timeout.
    pub(super) timeout: Option<Duration>,
    /// Whether sending it twice does the same as sending it once, so that it is retried.
    pub(super) is_repeatable: bool,
}

impl<'a> Request<'a> {
    pub(super) fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self { method, path, query: &[], body: None, timeout: None, is_repeatable: false }
    }

    /// A request that reads, which is repeatable.
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self::new(Method::GET, path).repeatable()
    }

    pub(super) fn post(path: &'a [&'a str]) -> Self {
        Self::new(Method::POST, path)
    }

    pub(super) fn put(path: &'a [&'a str]) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(super) fn delete(path: &'a [&'a str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(super) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    pub(super) fn within(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub(super) fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    pub(super) fn repeatable(self) -> Self {
        Self { is_repeatable: true, ..self }
    }
}

/// The error in a response without success.
pub(super) fn error_in(response: &Response, doing: &str, url: &str) -> ClusterError {
    let (status, doing) = (response.status, doing.to_owned());
    let (error_type, reason) = type_and_reason(response);
    // A block is a state of the index, not of the credentials.
    if matches!(status, 401 | 403) && error_type != "cluster_block_exception" {
        return ClusterError::Forbidden { doing, url: url.to_owned(), status, reason };
    }
    ClusterError::Refused { doing, status, error_type, reason }
}

/// Type and reason of an error. A body that is not a search server's is the reason itself, cut.
pub(super) fn type_and_reason(response: &Response) -> (String, String) {
    let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let string = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    match value.get("error") {
        Some(Value::String(error)) => ("error".to_owned(), error.clone()),
        Some(error) => (string(error.get("type")).unwrap_or_else(|| "error".to_owned()), reason_of(error)),
        None if is_missing_document(&value) => ("document_missing".to_owned(), String::new()),
        None => {
            let body: String = String::from_utf8_lossy(&response.body).chars().take(200).collect();
            (UNKNOWN_ERROR.to_owned(), body)
        }
    }
}

/// The reason of an error, with its root cause if that is another one.
fn reason_of(error: &Value) -> String {
    let reason = error.get("reason").and_then(Value::as_str).unwrap_or_default();
    match error.pointer("/root_cause/0/reason").and_then(Value::as_str) {
        Some(root) if root != reason => format!("{reason}: {root}"),
        _ => reason.to_owned(),
    }
}

/// A search server's response with status 404 for a document that does not exist.
fn is_missing_document(body: &Value) -> bool {
    body.get("found") == Some(&Value::Bool(false))
        || body.get("result").and_then(Value::as_str) == Some("not_found")
}

/// An error if not all nodes confirmed a change.
pub(super) fn acknowledged(response: &Value, doing: &str) -> Result<(), ClusterError> {
    if response.get("acknowledged") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    Err(ClusterError::NotAcknowledged { doing: doing.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn error(status: u16, body: &'static str) -> ClusterError {
        error_in(&Response { status, body: body.into() }, "reading", "http://host")
    }

    #[test]
    fn only_the_search_server_itself_says_what_is_missing() {
        for body in [
            r#"{"_index":"a","_id":"x","found":false}"#,
            r#"{"_id":"x","result":"not_found"}"#,
            r#"{"error":{"type":"index_not_found_exception","reason":"no such index [a]"},"status":404}"#,
            r#"{"error":"alias [x] missing","status":404}"#,
        ] {
            assert!(error(404, body).is_missing(), "{body}");
        }
        for body in ["<html>404 Not Found</html>", "", "{}", r#"{"message":"no Route matched"}"#] {
            assert!(!error(404, body).is_missing(), "{body}");
        }
    }

    #[test]
    fn an_error_has_its_root_cause() {
        let body = r#"{"error":{"type":"x_content_parse_exception","reason":"failed to parse field [actions]",
            "root_cause":[{"type":"x_content_parse_exception","reason":"unknown field [must_exist]"}]}}"#;
        let text = error(400, body).to_string();
        assert!(text.contains("[actions]: unknown field [must_exist]"), "{text}");
    }

    #[test]
    fn a_block_is_not_a_missing_permission() {
        let block =
            r#"{"error":{"type":"cluster_block_exception","reason":"index [a] blocked"},"status":403}"#;
        assert!(matches!(error(403, block), ClusterError::Refused { status: 403, .. }));
        assert!(matches!(error(403, "{}"), ClusterError::Forbidden { .. }));
    }

    #[test]
    fn a_change_that_is_not_acknowledged_failed() {
        use serde_json::json;
        assert_eq!(acknowledged(&json!({"acknowledged": true}), "x"), Ok(()));
        for response in [json!({"acknowledged": false}), json!({})] {
            assert!(matches!(acknowledged(&response, "x"), Err(ClusterError::NotAcknowledged { .. })));
        }
    }
}
