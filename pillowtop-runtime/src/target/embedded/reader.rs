//! Asking an index: searches, counts, single documents, its state and its dead letters.

use std::path::Path;

use pillowtop_core::{Definition, IndexName};
use serde_json::Value;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, Index, IndexReader, ReloadPolicy, Searcher, TantivyDocument, Term};

use super::error::EmbeddedError;
use super::folder::Place;
use super::letters;
use super::mapping::Plan;
use super::query;
use crate::dead_letter::DeadLetter;
use crate::state::IndexState;

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult {
    /// How many documents fit.
    pub total: usize,
    /// The best of them, best first.
    pub hits: Vec<Hit>,
}

/// A document that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its `_id`.
    pub id: String,
    /// How well it fits; comparable within one search.
    pub score: f32,
    /// The document as it was indexed.
    pub source: Value,
}

/// An index that is only read. Any number of processes may have one open while one follows into it.
///
/// All methods read files that are mapped into memory: short, yet blocking; call them from a blocking thread where many are
/// searched at once.
pub struct EmbeddedReader {
    place: Place,
    definition: Definition,
    index: Index,
    pub(super) plan: std::sync::Arc<Plan>,
    reader: IndexReader,
}

impl std::fmt::Debug for EmbeddedReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddedReader").field("place", &self.place).finish_non_exhaustive()
    }
}

impl EmbeddedReader {
    /// Opens the definition's index below `folder` as it is committed now; [`EmbeddedReader::refresh`] sees later commits.
    pub fn open(folder: &Path, definition: &Definition) -> Result<Self, EmbeddedError> {
        let place = Place::of(folder, definition);
        match place.open_existing(definition)? {
            Some((index, plan)) => Self::of(place, definition.clone(), index, plan),
            None => Err(EmbeddedError::Missing { folder: place.folder }),
        }
    }

    pub(super) fn of(
        place: Place,
        definition: Definition,
        index: Index,
        plan: Plan,
    ) -> Result<Self, EmbeddedError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(|error| place.damaged(error.to_string()))?;
        Ok(Self { place, definition, index, plan: std::sync::Arc::new(plan), reader })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The index's name.
    pub fn name(&self) -> &IndexName {
        &self.place.name
    }

    /// The folder of this index.
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// Sees what was committed since.
    pub fn refresh(&self) -> Result<(), EmbeddedError> {
        self.reader.reload().map_err(|error| self.place.library("reading commits", error))
    }

    /// The state as last committed, read anew; `None` before the first commit.
    pub fn stored_state(&self) -> Result<Option<IndexState>, EmbeddedError> {
        self.place.state(&self.index, &self.definition)
    }

    /// All dead letters, oldest first.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, EmbeddedError> {
        letters::list(&self.place.letters_folder())
            .map_err(|error| self.place.io("reading dead letters", error))
    }

    /// How many documents are committed.
    pub fn count(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// The document of an id, as committed.
    pub fn get(&self, id: &str) -> Result<Option<Value>, EmbeddedError> {
        let searcher = self.reader.searcher();
        let query = TermQuery::new(Term::from_field_text(self.plan.id, id), IndexRecordOption::Basic);
        let found = searcher
            .search(&query, &TopDocs::with_limit(1).order_by_score())
            .map_err(|error| self.place.library("searching", error))?;
        found
            .first()
            .map(|(score, address)| self.hit(&searcher, *score, *address).map(|hit| hit.source))
            .transpose()
    }

    /// Finds documents. The language:
    ///
    /// | query | finds documents |
    /// |---|---|
    /// | `anna kovac` | with one of the words in any text or keyword field; more words, better score |
    /// | `+anna -kovac`, `a AND (b OR c)` | by what must, must not and may be there |
    /// | `name:anna`, `owner.name.exact:"Anna K"` | by a field, an inner one, a multi-field |
    /// | `name:"anna k"`, `name:"anna k"~2` | with the words in this order, at most 2 places apart |
    /// | `name:an*`, `name:/an.+a/` | with words that start so, or match an expression |
    /// | `age:[5 TO 9]`, `age:{5 TO *}` | in a range: `[` with its end, `{` without |
    /// | `opened:2024-02`, `opened:[2024-01-01 TO 2024-02-15]` | by dates in the field's formats; a date without a time is its whole day |
    /// | `name:*`, `*` | with a value, or all |
    pub fn search(&self, query: &str, limit: usize) -> Result<SearchResult, EmbeddedError> {
        let read = query::read(&self.plan, &self.index, query)
            .map_err(|reason| EmbeddedError::Query { query: query.to_owned(), reason })?;
        let searcher = self.reader.searcher();
        let failed = |error| self.place.library("searching", error);
        if limit == 0 {
            let total = searcher.search(&read, &Count).map_err(failed)?;
            return Ok(SearchResult { total, hits: Vec::new() });
        }
        let collectors = (Count, TopDocs::with_limit(limit).order_by_score());
        let (total, found) = searcher.search(&read, &collectors).map_err(failed)?;
        let hits: Result<Vec<Hit>, EmbeddedError> =
            found.into_iter().map(|(score, address)| self.hit(&searcher, score, address)).collect();
        Ok(SearchResult { total, hits: hits? })
    }

    fn hit(&self, searcher: &Searcher, score: f32, address: DocAddress) -> Result<Hit, EmbeddedError> {
        let document: TantivyDocument =
            searcher.doc(address).map_err(|error| self.place.library("reading a document", error))?;
        let id = document.get_first(self.plan.id).and_then(|value| value.as_str().map(str::to_owned));
        let source = document.get_first(self.plan.source);
        let source = source.and_then(|value| serde_json::from_slice(value.as_bytes()?).ok());
        match (id, source) {
            (Some(id), Some(source)) => Ok(Hit { id, score, source }),
            _ => Err(self.place.damaged("a document has no id or no source")),
        }
    }
}
