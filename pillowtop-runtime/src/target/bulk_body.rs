//! The body of a bulk request: lines of JSON, written without an allocation for each of them.

use memchr::memchr2;
use serde::Serialize;

use crate::operation::{Action, Operation, Version};

/// Appends the lines of an operation. `routing` leads to another shard than the id.
pub(crate) fn push_operation(body: &mut Vec<u8>, operation: &Operation, routing: Option<&str>) {
    let id = operation.id.as_str();
    match &operation.action {
        Action::Index(source) => {
            push_action(body, "index", id, operation.version, routing);
            push_line(body, source);
        }
        Action::Delete => push_action(body, "delete", id, operation.version, routing),
    }
}

/// Appends the action line of an operation. It names no index: the path of the request does. A
/// repeated request is accepted, and one that arrives late is not (`external_gte`).
pub(crate) fn push_action(
    body: &mut Vec<u8>,
    action: &str,
    id: &str,
    version: Version,
    routing: Option<&str>,
) {
    body.extend_from_slice(b"{\"");
    body.extend_from_slice(action.as_bytes());
    body.extend_from_slice(b"\":{\"_id\":");
    push_json(body, id);
    if let Some(routing) = routing {
        body.extend_from_slice(b",\"routing\":");
        push_json(body, routing);
    }
    body.extend_from_slice(b",\"version\":");
    push_json(body, &version.0);
    body.extend_from_slice(b",\"version_type\":\"external_gte\"}}\n");
}

/// Appends JSON as one line. Members that a document carries over are as CouchDB sent them,
/// possibly with line breaks between tokens. Within a JSON string there is no raw line break.
pub(crate) fn push_line(body: &mut Vec<u8>, json: &[u8]) {
    let mut rest = json;
    while let Some(position) = memchr2(b'\n', b'\r', rest) {
        body.extend_from_slice(&rest[..position]);
        body.push(b' ');
        rest = &rest[position + 1..];
    }
    body.extend_from_slice(rest);
    body.push(b'\n');
}

/// Appends a string or a number as JSON, without a string in between.
fn push_json<T: Serialize + ?Sized>(body: &mut Vec<u8>, value: &T) {
    if let Err(error) = serde_json::to_writer(body, value) {
        unreachable!("a string or a number is JSON, and a vector accepts any bytes: {error}");
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn operation(id: &str, source: Option<&'static [u8]>) -> Operation {
        let action = source.map_or(Action::Delete, |source| Action::Index(Bytes::from_static(source)));
        Operation::new(id.into(), Version(1_767_225_600_000_001), action)
    }

    #[test]
    fn a_body_is_lines() {
        let operations = [
            operation("a\"\n\u{1}ü", Some(b"{\"a\": {\n\r\n\"b\": \"\\n\"}}\n")),
            operation("b", None),
            operation("c", Some(b"{}")),
        ];
        let mut body = Vec::new();
        operations.iter().for_each(|operation| push_operation(&mut body, operation, None));
        assert_eq!(
            String::from_utf8_lossy(&body),
            "{\"index\":{\"_id\":\"a\\\"\\n\\u0001ü\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n\
             {\"a\": {   \"b\": \"\\n\"}} \n\
             {\"delete\":{\"_id\":\"b\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n\
             {\"index\":{\"_id\":\"c\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n\
             {}\n"
        );
        let mut probe = Vec::new();
        push_operation(&mut probe, &operation("p", None), Some("a b"));
        assert!(String::from_utf8_lossy(&probe).contains("\"_id\":\"p\",\"routing\":\"a b\","));
    }
}
