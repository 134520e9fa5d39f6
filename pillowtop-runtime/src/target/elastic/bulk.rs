//! A bulk and its response: the body in one buffer, and a response that is read
//! without a copy of what succeeded.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::classify::{Open, classify};
use super::item::{Item, unrouted};
use super::shard_terms::{ChangedTerm, ShardTerms};
use crate::operation::{Operation, Version};
use crate::target::bulk_body::{push_action, push_operation};
use crate::target::{Outcome, WriteError};

/// What is kept of the response. Each item keeps its status: a filter on errors alone would drop
/// the other items, and with them the positions of those that failed.
pub(super) const FILTER_PATH: &str = "items.*.status,items.*._id,items.*._primary_term,items.*.error.type,items.*.error.reason,\
                                      items.*.error.caused_by.type,items.*.error.caused_by.reason";

/// How long the server waits for a primary before it gives up: a third of the client's timeout.
pub(super) const SERVER_TIMEOUT: &str = "30s";

/// The body of a bulk that is sent to the private alias's own path, so that no line names an index.
/// A repeated request is accepted and a late one is not (`external_gte`), in a load too: its feed
/// may bring a document twice, the newer one later.
pub fn body(operations: &[Operation]) -> Bytes {
    let items = unrouted(operations, None);
    let mut body = Vec::with_capacity(body_bytes(&items));
    push_items(&mut body, &items);
    body.into()
}

/// About how many bytes the body of a bulk with these items has.
pub(super) fn body_bytes(items: &[Item<'_>]) -> usize {
    items.iter().map(|item| item.operation.body_bytes()).sum()
}

/// Appends the lines of items.
pub(super) fn push_items(body: &mut Vec<u8>, items: &[Item<'_>]) {
    for Item { operation, routing, is_removal, .. } in items {
        if *is_removal {
            push_action(body, "delete", operation.id.as_str(), operation.version, *routing);
        } else {
            push_operation(body, operation, *routing);
        }
    }
}

/// What a response reports of each item, in order.
#[derive(Debug, Default)]
pub(super) struct BulkResult {
    /// The outcomes. Where something has to be read first, it is the outcome if that cannot be
    /// read.
    pub(super) outcomes: Vec<Outcome>,
    /// What has to be read first, with the index of its outcome.
    pub(super) open: Vec<(usize, Open)>,
    /// Primary terms that were not seen before.
    pub(super) changed_terms: Vec<ChangedTerm>,
}

/// Reads a response. One that does not match what was sent tells no outcome: the outcome of the
/// bulk is unknown.
pub(super) fn read_response(
    response: &[u8],
    items: &[Item<'_>],
    ceiling: Version,
    terms: &ShardTerms,
) -> Result<BulkResult, WriteError> {
    let torn = |reason: &dyn fmt::Display| WriteError::Unreachable(format!("a torn bulk response: {reason}"));
    let mut deserializer = serde_json::Deserializer::from_slice(response);
    let mut reading = Reading { sent: items, ceiling, terms, result: BulkResult::default() };
    reading.result.outcomes.reserve_exact(items.len());
    (&mut reading).deserialize(&mut deserializer).map_err(|error| torn(&error))?;
    deserializer.end().map_err(|error| torn(&error))?;
    let (found, sent) = (reading.result.outcomes.len(), items.len());
    if found == sent {
        Ok(reading.result)
    } else {
        Err(torn(&format!("{found} items for {sent} that were sent")))
    }
}

struct Reading<'a> {
    sent: &'a [Item<'a>],
    ceiling: Version,
    terms: &'a ShardTerms,
    result: BulkResult,
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the response to a bulk")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if name == "items" {
                members.next_value_seed(Items(&mut *self))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Items<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the items of a bulk")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        while let Some(RawAction::Index(item) | RawAction::Delete(item)) = items.next_element()? {
            self.0.add(&item).map_err(S::Error::custom)?;
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn add(&mut self, item: &RawItem<'_>) -> Result<(), String> {
        let position = self.result.outcomes.len();
        let Some(sent) = self.sent.get(position) else {
            return Err(format!("more items than the {} that were sent", self.sent.len()));
        };
        let id = &sent.operation.id;
        if item.id != id.as_str() {
            return Err(format!("item {position} is about `{}` instead of `{id}`", item.id));
        }
        if let Some(changed) = item.term.and_then(|term| self.terms.changed(sent.leads_to(), term))
            && !self.result.changed_terms.contains(&changed)
        {
            self.result.changed_terms.push(changed);
        }
        let error = item.error.as_ref().map(|error| (&*error.error_type, error.describe()));
        let outcome = classify(item.status, error, self.ceiling).unwrap_or_else(|open| {
            let outcome = open.outcome_if_unreadable();
            self.result.open.push((position, open));
            outcome
        });
        self.result.outcomes.push(outcome);
        Ok(())
    }
}

/// An item is an object of one member, whose name is the action.
#[derive(Deserialize)]
enum RawAction<'a> {
    #[serde(rename = "index", borrow)]
    Index(RawItem<'a>),
    #[serde(rename = "delete", borrow)]
    Delete(RawItem<'a>),
}

#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(rename = "_id", borrow)]
    id: Cow<'a, str>,
    status: u16,
    #[serde(rename = "_primary_term", default)]
    term: Option<u64>,
    #[serde(default, borrow)]
    error: Option<RawError<'a>>,
}

#[derive(Deserialize)]
struct RawError<'a> {
    #[serde(rename = "type", default, borrow)]
    error_type: Cow<'a, str>,
    #[serde(default, borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    caused_by: Option<Box<RawError<'a>>>,
}

impl RawError<'_> {
    fn describe(&self) -> String {
        let own = self.reason.as_deref().unwrap_or_default();
        match &self.caused_by {
            Some(cause) => format!("{own}: {}: {}", cause.error_type, cause.describe()),
            None => own.to_owned(),
        }
    }
}

/// What the status of a whole request without success means.
pub(super) fn request_error(status: u16, reason: String) -> WriteError {
    match status {
        400 => WriteError::Refused(reason),
        413 => WriteError::TooLarge(reason),
        429 | 503 => WriteError::Busy(reason),
        408 | 500..=599 => WriteError::Unreachable(reason),
        // Forbidden, redirected, or another kind of server.
        _ => WriteError::Blocked(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shards::IndexShards;
    use super::*;
    use crate::operation::Action;

    fn operation(id: &str, source: Option<&'static [u8]>) -> Operation {
        let action = source.map_or(Action::Delete, |source| Action::Index(Bytes::from_static(source)));
        Operation::new(id.into(), Version(1_767_225_600_000_001), action)
    }

    #[test]
    fn a_body_needs_one_buffer() {
        let operations = [operation("0123456789abcdef", Some(b"{\"a\": 1}")), operation("b", None)];
        let estimated: usize = operations.iter().map(Operation::body_bytes).sum();
        assert!(body(&operations).len() <= estimated);
    }

    #[test]
    fn an_item_names_its_routing_value() {
        let moved = Operation { routing: Some("h1".into()), ..operation("p", Some(b"{}")) };
        let items = unrouted(std::slice::from_ref(&moved), Some("h1"));
        let removal = Item { routing: Some("7"), is_removal: true, ..items[0] };
        let mut body = Vec::new();
        push_items(&mut body, &[items[0], removal]);
        assert_eq!(
            String::from_utf8_lossy(&body),
            "{\"index\":{\"_id\":\"p\",\"routing\":\"h1\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n{}\n\
             {\"delete\":{\"_id\":\"p\",\"routing\":\"7\",\"version\":1767225600000001,\"version_type\":\"external_gte\"}}\n"
        );
    }

    fn read(response: &str, sent: &[&str]) -> Result<BulkResult, WriteError> {
        let operations: Vec<Operation> = sent.iter().map(|id| operation(id, None)).collect();
        let terms = ShardTerms::new(IndexShards::new(1, None));
        read_response(response.as_bytes(), &unrouted(&operations, None), Version(10), &terms)
    }

    #[test]
    fn items_are_classified_in_order() {
        let response = r#"{"took":3,"errors":true,"items":[
            {"index":{"_id":"a\n","_primary_term":2,"status":201}},
            {"index":{"_id":"b","status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n]",
                "caused_by":{"type":"number_format_exception","reason":"For input string: \"x\""}}}},
            {"delete":{"_id":"c","_primary_term":2,"status":404}},
            {"delete":{"_id":"d","status":409,"error":{"type":"version_conflict_engine_exception",
                "reason":"[d]: version conflict, current version [10] is higher than the one provided [5]"}}},
            {"delete":{"_id":"e","status":400,"error":{"type":"invalid_index_name_exception","reason":"must be lowercase"}}}]}"#;
        let found = read(response, &["a\n", "b", "c", "d", "e"]).unwrap();
        let rejected = Outcome::Rejected {
            error_type: "mapper_parsing_exception".to_owned(),
            reason: "failed to parse field [n]: number_format_exception: For input string: \"x\"".to_owned(),
        };
        assert_eq!(found.outcomes[..4], [Outcome::Done, rejected, Outcome::Absent, Outcome::Done]);
        assert!(matches!(found.open[..], [(4, Open::Fence { .. })]), "{:?}", found.open);
        assert_eq!(found.changed_terms, [(0, 2)]);
    }

    #[test]
    fn a_response_that_does_not_match_leaves_the_outcome_unknown() {
        let only_errors = r#"{"items":[{"index":{"error":{"type":"mapper_parsing_exception"}}}]}"#;
        let one = r#"{"items":[{"index":{"_id":"a","status":201}}]}"#;
        let swapped = r#"{"items":[{"index":{"_id":"b","status":201}},{"index":{"_id":"a","status":201}}]}"#;
        for (response, sent) in [
            (only_errors, &["a"][..]),
            (one, &["a", "b"]),
            (one, &[]),
            (swapped, &["a", "b"]),
            (&one[..20], &["a"]),
            ("", &["a"]),
            ("{}", &["a"]),
            ("[]", &["a"]),
        ] {
            assert!(
                matches!(read(response, sent), Err(WriteError::Unreachable(_))),
                "{response} for {sent:?}"
            );
        }
    }

    #[test]
    fn a_whole_request_is_classified_by_its_status() {
        let classified = |status| request_error(status, String::new());
        for (statuses, expected) in [
            (&[400][..], WriteError::Refused(String::new())),
            (&[413], WriteError::TooLarge(String::new())),
            (&[429, 503], WriteError::Busy(String::new())),
            (&[500, 502, 504, 507, 408], WriteError::Unreachable(String::new())),
            (&[401, 403, 404, 302], WriteError::Blocked(String::new())),
        ] {
            for status in statuses {
                assert_eq!(classified(*status), expected, "{status}");
            }
        }
    }
}
