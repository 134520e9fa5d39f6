//! The dead letters of all pillows, for commands: filtered, by pages, counted, and purged.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_core::{DatabaseName, DocumentId, IndexName, PillowName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::dead_letters::{id_hash, letter_key, refresh, remove};
use super::error::ClusterError;
use super::internal_index::InternalIndex;
use super::request::Request;
use super::search::{hits, total};
use crate::dead_letter::{DeadLetter, Stage};

/// How many dead letters are purged with one request.
const PURGED_AT_ONCE: usize = 1000;
/// More pillows than anyone has.
const MOST_PILLOWS: usize = 5000;

/// Which indices' dead letters are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeadLettersOf {
    /// Indices that exist.
    #[default]
    ExistingIndices,
    /// Indices that were deleted: these dead letters are never resolved.
    DeletedIndices,
    /// Both.
    AllIndices,
}

/// Which dead letters are meant: those that match everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Of existing indices, of deleted ones, or of both.
    pub of: DeadLettersOf,
    /// Of this pillow.
    pub pillow: Option<PillowName>,
    /// Of this physical index.
    pub index: Option<IndexName>,
    /// Of this database.
    pub database: Option<DatabaseName>,
    /// Of the document with this id.
    pub id: Option<DocumentId>,
    /// Of this stage.
    pub stage: Option<Stage>,
    /// With this error type.
    pub error_type: Option<String>,
    /// Failed at this time or later, RFC 3339 in UTC.
    pub since: Option<String>,
    /// Failed before this time, RFC 3339 in UTC.
    pub before: Option<String>,
}

/// A dead letter with what is known of its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// The dead letter.
    pub letter: DeadLetter,
    /// The uuid of its index.
    pub index_uuid: String,
    /// Whether that index still exists.
    pub index_exists: bool,
}

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq)]
pub struct NextPage(Value);

/// Some dead letters, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetterPage {
    /// The dead letters.
    pub dead_letters: Vec<StoredDeadLetter>,
    /// How many match, on all pages together.
    pub total: u64,
    /// The next page, if there is one.
    pub next: Option<NextPage>,
}

#[derive(Deserialize)]
struct LetterSource {
    index_uuid: String,
    #[serde(flatten)]
    letter: DeadLetter,
}

impl DeadLetterFilter {
    /// Whether a dead letter of an index that exists matches.
    pub fn matches(&self, letter: &DeadLetter) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        self.of != DeadLettersOf::DeletedIndices
            && is(self.pillow.as_ref(), &letter.pillow)
            && is(self.index.as_ref(), &letter.index)
            && is(self.database.as_ref(), &letter.database)
            && is(self.id.as_ref(), &letter.id)
            && is(self.stage.as_ref(), &letter.stage)
            && is(self.error_type.as_ref(), &letter.error_type)
            && self.since.as_ref().is_none_or(|since| letter.time >= *since)
            && self.before.as_ref().is_none_or(|before| letter.time < *before)
    }

    fn query(&self, existing: &BTreeSet<String>) -> Value {
        let mut required = Vec::new();
        let mut term = |name: &str, value: Option<Value>| {
            required.extend(value.map(|value| json!({"term": {name: value}})));
        };
        term("pillow", self.pillow.as_ref().map(|pillow| json!(pillow)));
        term("index", self.index.as_ref().map(|index| json!(index)));
        term("database", self.database.as_ref().map(|database| json!(database)));
        term("id_hash", self.id.as_ref().map(|id| json!(id_hash(id.as_str()))));
        term("stage", self.stage.map(|stage| json!(stage)));
        term("error_type", self.error_type.as_ref().map(|error_type| json!(error_type)));
        let mut range = serde_json::Map::new();
        range.extend(self.since.as_ref().map(|time| ("gte".to_owned(), json!(time))));
        range.extend(self.before.as_ref().map(|time| ("lt".to_owned(), json!(time))));
        if !range.is_empty() {
            required.push(json!({"range": {"time": range}}));
        }
        let of_existing = json!({"terms": {"index_uuid": existing}});
        match self.of {
            DeadLettersOf::AllIndices => json!({"bool": {"filter": required}}),
            DeadLettersOf::DeletedIndices => json!({"bool": {"filter": required, "must_not": of_existing}}),
            DeadLettersOf::ExistingIndices => {
                required.push(of_existing);
                json!({"bool": {"filter": required}})
            }
        }
    }
}

impl Cluster {
    /// A page of dead letters. Without the `next` of an earlier page it is the first one.
    pub async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        size: usize,
        page: Option<&NextPage>,
    ) -> Result<DeadLetterPage, ClusterError> {
        let doing = "reading dead letters";
        let nothing = DeadLetterPage { dead_letters: Vec::new(), total: 0, next: None };
        if page.is_none() && !refresh(self).await? {
            return Ok(nothing);
        }
        let existing = self.index_uuids().await?;
        let mut body = json!({"query": filter.query(&existing), "size": size, "track_total_hits": true,
            "sort": [{"time": "asc"}, {"key": "asc"}]});
        if let Some(NextPage(after)) = page {
            body["search_after"] = after.clone();
        }
        let index = InternalIndex::DeadLetters.name(self);
        let Some(response) = self.whole_search(&index, &body, doing).await? else { return Ok(nothing) };
        let found = hits(&response);
        let dead_letters = found.iter().map(|hit| {
            let source = LetterSource::deserialize(hit.get("_source").unwrap_or(&Value::Null));
            let LetterSource { index_uuid, letter } = source.map_err(|error| ClusterError::Malformed {
                doing: doing.to_owned(),
                reason: error.to_string(),
            })?;
            Ok(StoredDeadLetter { letter, index_exists: existing.contains(&index_uuid), index_uuid })
        });
        let next = found.last().filter(|_| found.len() == size).and_then(|hit| hit.get("sort"));
        Ok(DeadLetterPage {
            dead_letters: dead_letters.collect::<Result<_, ClusterError>>()?,
            total: total(&response, doing)?,
            next: next.map(|sort| NextPage(sort.clone())),
        })
    }

    /// How many dead letters match.
    pub async fn count_dead_letters(&self, filter: &DeadLetterFilter) -> Result<u64, ClusterError> {
        Ok(self.dead_letters(filter, 0, None).await?.total)
    }

    /// How many dead letters of these indices each pillow has, in one request; a pillow without any
    /// is left out. One that was stored within the last second may be left out too: nothing is
    /// refreshed, so that they can be counted where nothing can be written.
    pub async fn open_dead_letters(
        &self,
        index_uuids: &BTreeSet<String>,
    ) -> Result<BTreeMap<PillowName, u64>, ClusterError> {
        let doing = "counting dead letters";
        let query = DeadLetterFilter::default().query(index_uuids);
        let pillows = json!({"terms": {"field": "pillow", "size": MOST_PILLOWS}});
        let body = json!({"query": query, "size": 0, "aggs": {"pillows": pillows}});
        let index = InternalIndex::DeadLetters.name(self);
        let Some(response) = self.whole_search(&index, &body, doing).await? else {
            return Ok(BTreeMap::new());
        };
        let buckets = response.pointer("/aggregations/pillows/buckets").and_then(Value::as_array);
        let counts = buckets.into_iter().flatten().filter_map(|bucket| {
            Some((bucket.get("key")?.as_str()?.into(), bucket.get("doc_count")?.as_u64()?))
        });
        Ok(counts.collect())
    }

    /// Removes the dead letters that match, without doing anything about their documents. One that
    /// failed again meanwhile stays.
    pub async fn purge_dead_letters(&self, filter: &DeadLetterFilter) -> Result<u64, ClusterError> {
        let (mut purged, mut page) = (0, None);
        loop {
            let found = self.dead_letters(filter, PURGED_AT_ONCE, page.as_ref()).await?;
            if !found.dead_letters.is_empty() {
                let count = found.dead_letters.len();
                let keys =
                    found.dead_letters.iter().map(|StoredDeadLetter { letter, index_uuid, .. }| {
                        (letter_key(index_uuid, &letter.id), letter.version)
                    });
                self.retry(|| remove(self, keys.clone())).await?;
                purged += u64::try_from(count).unwrap_or(u64::MAX);
            }
            match found.next {
                Some(next) => page = Some(next),
                None => return Ok(purged),
            }
        }
    }

    /// The uuids of all indices under this prefix.
    pub(super) async fn index_uuids(&self) -> Result<BTreeSet<String>, ClusterError> {
        let pattern = self.prefixed("*");
        let path = [pattern.as_str(), "_settings", "index.uuid"];
        let query = [("expand_wildcards", "all")];
        let response =
            self.optional_value(Request::get(&path).query(&query), "listing the uuids of indices").await?;
        let indices = response.as_ref().and_then(Value::as_object).into_iter().flatten();
        let uuids = indices.filter_map(|(_, entry)| entry.pointer("/settings/index/uuid")?.as_str());
        Ok(uuids.map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_requires_everything_that_is_given() {
        let existing = BTreeSet::from(["u".to_owned()]);
        let of_existing = json!({"terms": {"index_uuid": ["u"]}});
        let filter = DeadLetterFilter {
            pillow: Some("case".into()),
            stage: Some(Stage::Index),
            since: Some("2026-01-01T00:00:00Z".to_owned()),
            ..DeadLetterFilter::default()
        };
        assert_eq!(
            filter.query(&existing),
            json!({"bool": {"filter": [
                {"term": {"pillow": "case"}},
                {"term": {"stage": "index"}},
                {"range": {"time": {"gte": "2026-01-01T00:00:00Z"}}},
                of_existing,
            ]}})
        );
        let deleted = DeadLetterFilter { of: DeadLettersOf::DeletedIndices, ..DeadLetterFilter::default() };
        assert_eq!(deleted.query(&existing), json!({"bool": {"filter": [], "must_not": of_existing}}));
        let all = DeadLetterFilter { of: DeadLettersOf::AllIndices, ..DeadLetterFilter::default() };
        assert_eq!(all.query(&existing), json!({"bool": {"filter": []}}));
    }
}
