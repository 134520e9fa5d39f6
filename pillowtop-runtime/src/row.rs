//! One row of a changes feed, and the lines that feeds are made of.

use std::borrow::Cow;

use bytestring::ByteString;
use pillowtop_core::{DocumentId, Revision, Sequence};

use crate::scan::{self, ScanError};

/// One row of a changes feed: a document that was changed, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The position after this row, if the row carries one.
    pub sequence: Option<Sequence>,
    /// The document's `_id`.
    pub id: DocumentId,
    /// Its winning revision.
    pub revision: Revision,
    /// Whether it was deleted. A document that was fetched by its id and does not exist counts as
    /// deleted, too.
    pub deleted: bool,
    /// Why the document is missing although it was not deleted. Such a row becomes a dead letter of
    /// stage `read`.
    pub unreadable: Option<Box<Unreadable>>,
    /// A part of what was read from the network, without a copy.
    line: ByteString,
    document: Option<Span>,
    /// Name and value of each member at the document's root: found on the way to the document's
    /// end.
    members: Vec<(Span, Span)>,
}

/// A part of a line. Half as large as a range of `usize`, because a row has dozens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The span of a part of a line that is [short enough](check_length).
    #[expect(clippy::cast_possible_truncation, reason = "the length of the line was checked")]
    fn of(line: &str, part: &str) -> Self {
        let start = part.as_ptr() as usize - line.as_ptr() as usize;
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }

    fn in_line(self, line: &str) -> Option<&str> {
        line.get(self.start as usize..self.end as usize)
    }
}

/// Refuses a line of 4 GiB or more, which CouchDB cannot send: it limits requests, and so
/// documents, to 4 GiB.
fn check_length(line: &str) -> Result<(), ScanError> {
    u32::try_from(line.len()).map(|_| ()).map_err(|_| ScanError { position: line.len() })
}

/// Why a document could not be read. Neither string quotes the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The server's error type, or a name of the runtime's own.
    pub error_type: String,
    /// The reason, for people.
    pub reason: String,
}

impl Unreadable {
    /// A reason with its type.
    pub fn new(error_type: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), reason: reason.into() }
    }
}

/// Members of a document that there is room for at once.
const USUAL_MEMBERS: usize = 40;

/// Why a line is not one of a changes feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// It is not JSON.
    #[error(transparent)]
    Malformed(#[from] ScanError),
    /// It lacks a member.
    #[error("a row without `{0}`")]
    Missing(&'static str),
    /// The row reports a change and carries no document that can be read.
    #[error("{}", .0.reason)]
    Unreadable(Box<Unreadable>),
    /// CouchDB reports an error in the middle of a feed.
    #[error("the server reports: {0}")]
    Server(String),
}

impl Row {
    /// Reads a row: `{"seq": …, "id": …, "changes": [{"rev": …}], "deleted": …, "doc": {…}}`.
    ///
    /// # Errors
    ///
    /// When it is not an object, or has no id or no revision. A row of an existing document that
    /// does not carry it is [unreadable](Row::unreadable).
    pub fn parse(line: ByteString) -> Result<Self, RowError> {
        let (mut sequence, mut id, mut revision, mut deleted, mut document) = (None, None, None, false, None);
        let (mut error, mut reason) = (None, None);
        check_length(&line)?;
        let mut members = Vec::with_capacity(USUAL_MEMBERS);
        let mut row = scan::members(&line)?;
        while let Some(name) = row.name()? {
            if name == "doc"
                && let Some(mut inner) = row.object()
            {
                while let Some((name, value)) = inner.next().transpose()? {
                    members.push((Span::of(&line, name), Span::of(&line, value)));
                }
                document = Some(Span::of(&line, row.resume(&inner)));
                continue;
            }
            let value = row.value()?;
            match name {
                "seq" => sequence = sequence_of(value),
                "id" => id = string_of(value).map(DocumentId::new),
                "changes" => revision = first_revision(value).map(Revision::new),
                "deleted" => deleted = value == "true",
                "error" => error = Some(string_of(value).unwrap_or(Cow::Borrowed(value)).into_owned()),
                "reason" => reason = string_of(value).map(Cow::into_owned),
                _ => {}
            }
        }
        let id = match (id, &error) {
            (Some(id), _) => id,
            (None, None) => return Err(RowError::Missing("id")),
            (None, Some(error)) => {
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                return Err(RowError::Server(format!("{error}{reason}")));
            }
        };
        let revision = revision.ok_or(RowError::Missing("changes"))?;
        let unreadable = (document.is_none() && !deleted).then(|| Box::new(no_document(error)));
        Ok(Self { sequence, id, revision, deleted, unreadable, line, document, members })
    }

    /// A row of a document that does not exist.
    pub fn missing(id: DocumentId) -> Self {
        Self { deleted: true, ..Self::without_document(id) }
    }

    /// A row of a document that could not be read.
    pub fn of_unreadable(id: DocumentId, unreadable: Unreadable) -> Self {
        Self { unreadable: Some(Box::new(unreadable)), ..Self::without_document(id) }
    }

    fn without_document(id: DocumentId) -> Self {
        Self {
            sequence: None,
            id,
            revision: Revision::new(""),
            deleted: false,
            unreadable: None,
            line: ByteString::new(),
            document: None,
            members: Vec::new(),
        }
    }

    /// Takes the place of the feed's row of the same document, whose position it then has.
    pub(crate) fn in_place_of(self, row: &Self) -> Self {
        Self { sequence: row.sequence.clone(), ..self }
    }

    /// Whether it is of a document that was fetched and does not exist. A deleted document has a
    /// revision, a missing one has none.
    pub fn is_missing(&self) -> bool {
        self.deleted && self.revision.as_str().is_empty()
    }

    /// A row of a document that came without a feed. The id and revision are the document's `_id`
    /// and `_rev`, or those given.
    ///
    /// # Errors
    ///
    /// When the bytes are not a JSON object.
    pub fn of_document(text: impl Into<ByteString>, id: &str, revision: &str) -> Result<Self, RowError> {
        let text = text.into();
        let (mut found_id, mut found_revision, mut deleted) = (None, None, false);
        check_length(&text)?;
        let mut members = Vec::with_capacity(USUAL_MEMBERS);
        for member in scan::members(&text)? {
            let (name, value) = member?;
            members.push((Span::of(&text, name), Span::of(&text, value)));
            match name {
                "_id" => found_id = string_of(value).map(DocumentId::new),
                "_rev" => found_revision = string_of(value).map(Revision::new),
                "_deleted" => deleted = value == "true",
                _ => {}
            }
        }
        Ok(Self {
            sequence: None,
            id: found_id.unwrap_or_else(|| DocumentId::new(id)),
            revision: found_revision.unwrap_or_else(|| Revision::new(revision)),
            deleted,
            unreadable: None,
            document: Some(Span::of(&text, &text)),
            line: text,
            members,
        })
    }

    /// The document's JSON, if the feed contained it.
    pub fn document(&self) -> Option<&str> {
        self.document?.in_line(&self.line)
    }

    /// The string value of a member at the document's root, for instance its type.
    pub fn document_text(&self, member: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.members.iter().find(|(name, _)| name.in_line(&self.line) == Some(member))?;
        string_of(value.in_line(&self.line)?)
    }

    /// The bytes that it holds.
    pub fn len(&self) -> usize {
        self.line.len()
    }

    /// Whether it is empty; no row is.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }
}

/// One line of a normal or continuous feed, as CouchDB lays it out.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A heartbeat, or the brackets around the rows.
    Nothing,
    /// A row.
    Row(Row),
    /// The end of a response.
    End {
        /// The position after everything in this response.
        last_sequence: Sequence,
        /// How many changes are left, unfiltered. Some servers do not report it.
        pending: Option<u64>,
    },
}

impl Line {
    /// Reads a line without its line break.
    ///
    /// # Errors
    ///
    /// When it is not one of a changes feed.
    pub fn parse(line: &ByteString) -> Result<Self, RowError> {
        let text = line.trim();
        let text = text.strip_suffix(',').unwrap_or(text);
        match text {
            "" | "{\"results\":[" | "]" => Ok(Self::Nothing),
            end if end.starts_with("\"last_seq\"") => Self::end(&format!("{{{end}")),
            end if end.starts_with("{\"last_seq\"") => Self::end(end),
            row => Row::parse(line.slice_ref(row)).map(Self::Row),
        }
    }

    fn end(text: &str) -> Result<Self, RowError> {
        let (mut last_sequence, mut pending) = (None, None);
        for member in scan::members(text)? {
            match member? {
                ("last_seq", value) => last_sequence = sequence_of(value),
                ("pending", value) => pending = value.parse().ok(),
                _ => {}
            }
        }
        Ok(Self::End { last_sequence: last_sequence.ok_or(RowError::Missing("last_seq"))?, pending })
    }
}

/// Why a row without a document is unreadable: the error that the row reports, or that it just
/// lacks the document.
fn no_document(error: Option<String>) -> Unreadable {
    match error {
        Some(error) => {
            let reason = format!("the server reports an error in place of the document: {error}");
            Unreadable::new(error, reason)
        }
        None => {
            Unreadable::new("no_document", "a row without its document, of a document that is not deleted")
        }
    }
}

/// A sequence is any JSON value: the contents of a string, or the JSON of anything else. `null` is
/// none.
fn sequence_of(value: &str) -> Option<Sequence> {
    match value {
        "null" => None,
        string if string.starts_with('"') => string_of(string).map(Sequence::new),
        other => Some(Sequence::new(other)),
    }
}

fn first_revision(changes: &str) -> Option<Cow<'_, str>> {
    let first = changes.strip_prefix('[')?.trim_start();
    let end = first.find('}')? + 1;
    string_of(scan::member(&first[..end], "rev")?)
}

/// The contents of a JSON string.
fn string_of(value: &str) -> Option<Cow<'_, str>> {
    let plain = value.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') {
        serde_json::from_str(value).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"seq":"2-g1AAA","id":"a\"b","changes":[{"rev":"2-78e"},{"rev":"1-0"}],"deleted":true,"doc":{"_id":"a\"b","doc_type":"Caf\u00e9","n":{"doc_type":1}}},"#;

    fn parse(line: &'static str) -> Result<Line, RowError> {
        Line::parse(&ByteString::from_static(line))
    }

    #[test]
    fn a_row_is_read() {
        let Ok(Line::Row(row)) = parse(ROW) else { panic!("no row") };
        assert_eq!(row.sequence, Some("2-g1AAA".into()));
        assert_eq!((row.id.as_str(), row.revision.as_str(), row.deleted), ("a\"b", "2-78e", true));
        assert!(row.document().is_some_and(|document| document.starts_with("{\"_id\"")));
        assert_eq!(row.document_text("doc_type").as_deref(), Some("Café"));
        assert_eq!(row.document_text("n"), None);
    }

    #[test]
    fn the_lines_of_both_feeds_are_told_apart() {
        for nothing in ["", "\r", "{\"results\":[", "],"] {
            assert_eq!(parse(nothing), Ok(Line::Nothing), "{nothing}");
        }
        let end = Line::End { last_sequence: "9-x".into(), pending: Some(0) };
        assert_eq!(parse("\"last_seq\":\"9-x\",\"pending\":0}"), Ok(end));
        let end = Line::End { last_sequence: "9".into(), pending: None };
        assert_eq!(parse("{\"last_seq\":9}"), Ok(end));
        let error = RowError::Server("timeout: too slow".to_owned());
        assert_eq!(parse("{\"error\":\"timeout\",\"reason\":\"too slow\"}"), Err(error));
        assert!(matches!(parse("{\"seq\":1,\"id\":\"a\"}"), Err(RowError::Missing("changes"))));
        assert!(matches!(parse("{\"seq\":1,"), Err(RowError::Malformed(_))));
    }

    #[test]
    fn a_row_of_an_interval_has_no_sequence() {
        let row = Row::parse(r#"{"seq":null,"id":"a","changes":[{"rev":"1-0"}],"doc":{}}"#.into()).unwrap();
        assert_eq!((row.sequence.clone(), row.document()), (None, Some("{}")));
    }

    #[test]
    fn only_a_deletion_may_lack_its_document() {
        let row = |rest: &str| {
            Row::parse(format!(r#"{{"seq":"1","id":"a","changes":[{{"rev":"1-0"}}]{rest}}}"#).into())
        };
        for lacking in ["", r#","doc":null"#, r#","deleted":false"#, r#","doc":"text""#, r#","doc":[]"#] {
            let unreadable = row(lacking).unwrap().unreadable;
            assert!(unreadable.is_some_and(|why| why.error_type == "no_document"), "{lacking}");
        }
        let failed = row(r#","error":"boom""#).unwrap().unreadable.unwrap();
        assert_eq!(failed.error_type, "boom");
        // The order of the members is the server's.
        for deletion in [
            r#","deleted":true"#,
            r#","doc":null,"deleted":true"#,
            r#","deleted":true,"doc":{"_deleted":true}"#,
        ] {
            assert!(row(deletion).is_ok_and(|row| row.deleted && row.unreadable.is_none()), "{deletion}");
        }
    }

    #[test]
    fn a_document_makes_a_row() {
        let row = Row::of_document(r#"{"_id":"x","_rev":"3-a","a":1}"#.to_owned(), "file", "0-0").unwrap();
        assert_eq!((row.id.as_str(), row.revision.as_str()), ("x", "3-a"));
        let row = Row::of_document("{}".to_owned(), "file", "0-0").unwrap();
        assert_eq!((row.id.as_str(), row.revision.as_str()), ("file", "0-0"));
        assert!(Row::of_document("[]".to_owned(), "file", "0-0").is_err());
    }
}
