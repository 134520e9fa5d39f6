//! JSON text as a stream of rows: by lines where each is JSON by itself, by whole values
//! otherwise.

use std::collections::VecDeque;
use std::io::{BufRead, Cursor, Error, Lines, Read};

use pillowtop_runtime::row::Row;
use serde_json::de::{IoRead, StreamDeserializer};
use serde_json::value::RawValue;

use super::bytes::Bytes;
use super::container;
use crate::exit::Failure;

/// The rows of JSON text.
pub(super) struct Text {
    shown: String,
    /// The id of a document that has none; by default its position in the text.
    id: Option<String>,
    kind: Kind,
    ready: VecDeque<Row>,
}

enum Kind {
    Lines { lines: Lines<Bytes>, number: usize },
    Values { values: Box<StreamDeserializer<'static, IoRead<Bytes>, Box<RawValue>>>, number: usize },
}

impl Text {
    /// Looks at the first two lines, which tell how the text is laid out.
    pub(super) fn new(shown: String, id: Option<String>, mut bytes: Bytes) -> Result<Self, Failure> {
        let mut start = Vec::new();
        let mut first_lines: Vec<String> = Vec::new();
        while first_lines.len() < 2 {
            let from = start.len();
            if bytes.read_until(b'\n', &mut start).map_err(|error| unreadable(&shown, &error))? == 0 {
                break;
            }
            let line = String::from_utf8_lossy(&start[from..]);
            first_lines.extend(Some(trimmed(&line).to_owned()).filter(|line| !line.is_empty()));
        }
        let is_lines = is_laid_out_in_lines(&first_lines);
        let mark = if start.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let whole: Bytes = Box::new(Cursor::new(start.split_off(mark)).chain(bytes));
        let kind = if is_lines {
            Kind::Lines { lines: whole.lines(), number: 0 }
        } else {
            let values = serde_json::Deserializer::from_reader(whole).into_iter();
            Kind::Values { values: Box::new(values), number: 0 }
        };
        Ok(Self { shown, id, kind, ready: VecDeque::new() })
    }

    /// The next rows, at most so many; none at the end.
    pub(super) fn next(&mut self, most: usize) -> Result<Vec<Row>, Failure> {
        while self.ready.len() < most {
            let Some(more) = self.more()? else { break };
            self.ready.extend(more);
        }
        Ok(self.ready.drain(..self.ready.len().min(most)).collect())
    }

    /// The rows of the next line or value.
    fn more(&mut self) -> Result<Option<Vec<Row>>, Failure> {
        let shown = &self.shown;
        let broken = |location: &str, reason: &dyn std::fmt::Display| {
            Failure::new(format!("{location} of {shown} is not a document: {reason}"))
        };
        match &mut self.kind {
            Kind::Lines { lines, number } => {
                let Some(line) = lines.next() else { return Ok(None) };
                *number += 1;
                let line = line.map_err(|error| unreadable(shown, &error))?;
                let line = trimmed(&line);
                if is_layout(line) {
                    return Ok(Some(Vec::new()));
                }
                let location = format!("line {number}");
                let rows = container::rows(without_layout(line), self.id.as_deref().unwrap_or(&location));
                rows.map(Some).map_err(|reason| broken(&location, &reason))
            }
            Kind::Values { values, number } => {
                let Some(value) = values.next() else { return Ok(None) };
                *number += 1;
                let value = value.map_err(|error| match error.io_error_kind() {
                    Some(kind) => unreadable(shown, &Error::new(kind, error)),
                    None => Failure::new(format!("{shown} cannot be read as JSON: {error}")),
                })?;
                let location = format!("item {number}");
                let rows = container::rows(value.get(), self.id.as_deref().unwrap_or(&location));
                rows.map(Some).map_err(|reason| broken(&location, &reason))
            }
        }
    }
}

/// Whether each line is JSON by itself: documents line by line, or a response as CouchDB lays it
/// out.
fn is_laid_out_in_lines(first: &[String]) -> bool {
    let is_whole = |line: &String| serde_json::from_str::<&RawValue>(without_comma(line)).is_ok();
    match first {
        [] => true,
        [first, ..] if is_whole(first) => true,
        [first, second] if is_layout(first) => is_layout(second) || is_whole(second),
        _ => false,
    }
}

/// A line of the response around the rows: its beginning, as `{"total_rows":2,"rows":[`, or a line
/// of its end.
fn is_layout(line: &str) -> bool {
    line.is_empty()
        || line.starts_with([']', '"'])
        || line.starts_with("{\"last_seq\"")
        || line.ends_with('[') && (line == "[" || line.starts_with('{'))
        || line == "}"
}

/// Without white space around it, and without the mark that some editors put at the start of a
/// file.
fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn without_comma(line: &str) -> &str {
    line.strip_suffix(',').unwrap_or(line)
}

/// A line without what follows its JSON in a list: a comma, or the end of the list and of the
/// response around it.
fn without_layout(line: &str) -> &str {
    let plain = without_comma(line);
    if !plain.ends_with([']', '}']) || plain.starts_with('[') {
        return plain;
    }
    let mut values = serde_json::Deserializer::from_str(plain).into_iter::<&RawValue>();
    let Some(Ok(value)) = values.next() else { return plain };
    let rest = plain[values.byte_offset()..].trim_start();
    if rest.starts_with(']') { value.get() } else { plain }
}

pub(super) fn unreadable(shown: &str, error: &Error) -> Failure {
    let failure = Failure::new(format!("{shown} cannot be read: {error}"));
    if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied) {
        return failure;
    }
    failure.hint("documents are JSON in UTF-8, plain or compressed with gzip or zstd")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Result<Vec<String>, Failure> {
        let mut read = Text::new("samples".to_owned(), None, Box::new(Cursor::new(text.to_owned())))?;
        let mut ids = Vec::new();
        loop {
            let rows = read.next(2)?;
            if rows.is_empty() {
                return Ok(ids);
            }
            ids.extend(rows.iter().map(|row| row.id.to_string()));
        }
    }

    /// Documents `a` and `b`, as CouchDB and people write them.
    const FORMS: [&str; 23] = [
        "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n",
        "{\"_id\":\"a\"},\n\n{\"_id\":\"b\"}",
        "\u{feff}{\"_id\":\"a\"}\r\n{\"_id\":\"b\"}\r\n",
        "[{\"_id\":\"a\"},{\"_id\":\"b\"}]",
        "[\n{\"_id\":\"a\"},\n{\"_id\":\"b\"}\n]\n",
        "[\n  {\n    \"_id\": \"a\"\n  },\n  {\n    \"_id\": \"b\"\n  }\n]\n",
        "[{\"_id\":\"a\"}]\n[{\"_id\":\"b\"}]\n",
        "[\n{\"_id\":\"a\"},\n{\"_id\":\"b\"}]",
        "{\"results\":[\n{\"seq\":1,\"id\":\"a\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"a\"}},\n{\"seq\":2,\"id\":\"b\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"b\"}}],\"last_seq\":2}",
        "{\n  \"_id\": \"a\"\n}\n{\n  \"_id\": \"b\"\n}\n",
        "{\"total_rows\":2,\"offset\":0,\"rows\":[\n{\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"1-x\"},\"doc\":{\"_id\":\"a\"}},\n{\"id\":\"b\",\"key\":\"b\",\"value\":{\"rev\":\"1-x\"},\"doc\":{\"_id\":\"b\"}}\n]}\n",
        "{\"rows\":[{\"id\":\"a\",\"key\":\"a\",\"value\":null,\"doc\":{\"_id\":\"a\"}},{\"id\":\"b\",\"key\":1,\"value\":2,\"doc\":{\"_id\":\"b\"}}]}",
        "{\n \"rows\": [\n  {\"id\": \"a\", \"key\": \"a\", \"value\": {}, \"doc\": {\"_id\": \"a\"}},\n  {\"id\": \"b\", \"key\": \"b\", \"value\": {}, \"doc\": {\"_id\": \"b\"}}]}",
        "{\"rows\":[{\"id\":\"a\",\"key\":\"a\",\"value\":{},\"doc\":{\"_id\":\"a\"}},{\"key\":\"x\",\"error\":\"not_found\"},{\"id\":\"y\",\"key\":\"y\",\"value\":{\"rev\":\"2-x\",\"deleted\":true},\"doc\":null},{\"id\":\"b\",\"key\":\"b\",\"value\":{},\"doc\":{\"_id\":\"b\"}}]}",
        "{\"id\":\"a\",\"doc\":{\"_id\":\"a\"}}\n{\"id\":\"b\",\"doc\":{\"_id\":\"b\"}}\n",
        "{\"docs\":[\n{\"_id\":\"a\"},\n{\"_id\":\"b\"}\n],\n\"bookmark\": \"nil\"}\n",
        "{\"docs\": [{\"_id\": \"a\"}, {\"_id\": \"b\"}], \"new_edits\": false}",
        "{\"docs\": [\n  {\n    \"_id\": \"a\"\n  },\n  {\n    \"_id\": \"b\"\n  }\n]}",
        "{\"docs\":[{\"_id\":\"a\"}]}\n{\"docs\":[{\"_id\":\"b\"}]}\n",
        "{\"results\":[\n{\"seq\":1,\"id\":\"a\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"a\"}},\n{\"seq\":2,\"id\":\"b\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"b\"}}\n],\n\"last_seq\":2,\"pending\":0}\n",
        "{\"results\":[{\"seq\":1,\"id\":\"a\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"a\"}},{\"seq\":2,\"id\":\"b\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"b\"}}],\"last_seq\":2,\"pending\":0}",
        "{\"seq\":1,\"id\":\"a\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"a\"}}\n{\"seq\":2,\"id\":\"b\",\"changes\":[{\"rev\":\"1-x\"}],\"doc\":{\"_id\":\"b\"}}\n{\"last_seq\":2,\"pending\":0}",
        "{\"results\":[{\"id\":\"a\",\"docs\":[{\"ok\":{\"_id\":\"a\"}}]},{\"id\":\"b\",\"docs\":[{\"ok\":{\"_id\":\"b\"}}]}]}",
    ];

    #[test]
    fn documents_are_read_in_every_usual_container() {
        for text in FORMS {
            assert_eq!(ids(text).unwrap(), ["a", "b"], "{text}");
        }
        for empty in [
            "",
            "\n \n",
            "[]",
            "{\"rows\":[]}",
            "{\"total_rows\":0,\"offset\":0,\"rows\":[\n\n]}\n",
            "{\"results\":[\n\n],\n\"last_seq\":0,\"pending\":0}",
        ] {
            assert_eq!(ids(empty).unwrap(), [""; 0], "{empty}");
        }
    }

    #[test]
    fn a_document_with_a_list_named_like_a_container_is_a_document() {
        for text in [
            "{\"doc_type\": \"Table\", \"rows\": [{\"a\": 1}]}",
            "{\"_id\": \"item 1\", \"docs\": []}",
            "{\"docs\": [1], \"results\": [2]}",
        ] {
            let id = if text.contains("_id") { "item 1" } else { "line 1" };
            assert_eq!(ids(text).unwrap(), [id], "{text}");
        }
    }

    #[test]
    fn what_is_not_a_document_is_named_with_its_place() {
        for (text, expected) in [
            ("{\"_id\":\"a\"}\n{\"a\":\n", "line 2 of samples is not a document"),
            ("{\"_id\":\"a\"}\n7\n", "line 2 of samples is not a document"),
            ("[{\"_id\":\"a\"},7]", "item 2"),
            ("[\n{\"_id\":\"a\"", "samples cannot be read as JSON"),
            ("{\"rows\":[{\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"1-x\"}}]}", "include_docs=true"),
            (
                "{\"results\":[{\"seq\":1,\"id\":\"a\",\"changes\":[{\"rev\":\"1-x\"}]}],\"last_seq\":1}",
                "include_docs=true",
            ),
        ] {
            let failure = ids(text).unwrap_err();
            assert!(failure.message.contains(expected), "{text}: {failure:?}");
        }
    }
}
