//! Documents in a JSON value: a document, a list of them, or a response of CouchDB that contains
//! documents.

use pillowtop_core::fingerprint::hash_text;
use pillowtop_runtime::row::{Row, RowError};
use pillowtop_runtime::scan;
use serde_json::value::RawValue;

/// Members whose list has the documents, each with the other members of such a response.
const CONTAINERS: [(&str, &[&str]); 3] = [
    ("results", &["last_seq", "pending"]),
    ("rows", &["total_rows", "offset", "update_seq"]),
    ("docs", &["bookmark", "warning", "execution_stats", "new_edits"]),
];

/// The rows of a JSON value. `place` names a document that has no id.
pub(super) fn rows(value: &str, location: &str) -> Result<Vec<Row>, String> {
    let Some(items) = items(value) else { return item(value, location) };
    let items = items.map_err(|error| error.to_string())?;
    let mut rows = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let location = if items.len() == 1 { location.to_owned() } else { format!("item {}", index + 1) };
        rows.extend(self::item(item.get(), &location).map_err(|reason| format!("{location}: {reason}"))?);
    }
    Ok(rows)
}

/// The items of a list, or of a response that contains one.
fn items(value: &str) -> Option<serde_json::Result<Vec<&RawValue>>> {
    if value.starts_with('[') {
        return Some(serde_json::from_str(value));
    }
    contained(value).map(serde_json::from_str)
}

/// The list in a response. A document may have a member of such a name: then it has others, too.
fn contained(value: &str) -> Option<&str> {
    CONTAINERS.iter().find_map(|(name, others)| {
        let list = scan::member(value, name).filter(|list| list.starts_with('['))?;
        let is_known = |member: &str| member == *name || others.contains(&member);
        let mut members = scan::members(value).ok()?;
        members.all(|member| member.is_ok_and(|(member, _)| is_known(member))).then_some(list)
    })
}

/// What is wrong with a row that carries no document.
fn no_document() -> String {
    "it has no document: save the response with `include_docs=true`".to_owned()
}

/// A row of a changes feed or of a view, the revisions of a document from `_bulk_get`, or a
/// document by itself.
fn item(text: &str, location: &str) -> Result<Vec<Row>, String> {
    let has = |name: &str| scan::member(text, name).is_some();
    let invalid = |error: RowError| error.to_string();
    let one = |text: &str| document(text, location).map(|row| vec![row]).map_err(invalid);
    if has("_id") {
        return one(text);
    }
    if has("id") && has("changes") {
        let row = Row::parse(text.into()).map_err(invalid)?;
        return if row.unreadable.is_some() { Err(no_document()) } else { Ok(vec![row]) };
    }
    let is_row = has("key") && (has("value") || has("error")) || has("id") && has("doc");
    if is_row {
        return match scan::member(text, "doc") {
            Some("null") => Ok(Vec::new()),
            Some(inner) => one(inner),
            // `_all_docs?keys=…` responds so for an id that is not in the database.
            None if has("error") => Ok(Vec::new()),
            None => Err(no_document()),
        };
    }
    if let Some(revisions) = scan::member(text, "docs").filter(|_| has("id")) {
        let revisions: Vec<&RawValue> = serde_json::from_str(revisions).map_err(|error| error.to_string())?;
        let found = revisions.iter().filter_map(|revision| scan::member(revision.get(), "ok"));
        return found.map(|inner| document(inner, location).map_err(invalid)).collect();
    }
    one(text)
}

fn document(text: &str, location: &str) -> Result<Row, RowError> {
    Row::of_document(text.to_owned(), location, &format!("0-{:032x}", hash_text(text)))
}
