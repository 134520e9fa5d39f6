//! Reading an index: searches, counts, single documents and its dead letters.

use std::path::Path;

use pillowtop_core::{Definition, IndexName};
use serde_json::Value;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{DocAddress, Index, IndexReader, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term};

use super::directory::IndexDirectory;
use super::error::EmbeddedError;
use super::mapping::Plan;
use super::query;
use pillowtop_runtime::dead_letter::DeadLetter;
use pillowtop_runtime::target::DeadLetterFiles;

/// As many documents are handed over at once.
const PAGE: usize = 1000;

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult {
    /// How many documents match.
    pub total: usize,
    /// The best of them, best first.
    pub hits: Vec<Hit>,
}

/// A document that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its `_id`.
    pub id: String,
    /// How well it matches; comparable within one search.
    pub score: f32,
    /// The document as it was indexed.
    pub source: Value,
}

/// An index that is only read. Any number of processes may have it open while one follows into it.
///
/// All methods block: they read files that are mapped into memory. Call them from a blocking thread
/// where many searches run at once.
pub struct EmbeddedReader {
    directory: IndexDirectory,
    index: Index,
    pub(super) plan: Plan,
    reader: IndexReader,
}

impl std::fmt::Debug for EmbeddedReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddedReader").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl EmbeddedReader {
    /// Opens the index of a definition below a directory, as it is committed now.
    /// [`EmbeddedReader::refresh`] shows later commits.
    ///
    /// # Errors
    ///
    /// When the index is missing or damaged.
    pub fn open(parent: &Path, definition: &Definition) -> Result<Self, EmbeddedError> {
        let directory = IndexDirectory::below(parent, definition);
        match directory.open_existing(definition)? {
            Some((index, plan)) => Self::of(directory, index, plan),
            None => Err(EmbeddedError::Missing { directory: directory.local.path }),
        }
    }

    pub(super) fn of(directory: IndexDirectory, index: Index, plan: Plan) -> Result<Self, EmbeddedError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(|error| directory.damaged(error.to_string()))?;
        Ok(Self { directory, index, plan, reader })
    }

    /// The index's name.
    pub fn name(&self) -> &IndexName {
        &self.directory.local.name
    }

    /// The directory of this index.
    pub fn directory(&self) -> &Path {
        &self.directory.local.path
    }

    /// Shows what was committed since.
    pub fn refresh(&self) -> Result<(), EmbeddedError> {
        self.reload().map_err(|error| self.directory.library("reading commits", error))
    }

    pub(super) fn reload(&self) -> Result<(), TantivyError> {
        self.reader.reload()
    }

    /// All dead letters, oldest first.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, EmbeddedError> {
        DeadLetterFiles::list(&self.directory.local.dead_letters())
            .map_err(|error| self.directory.local.io("reading dead letters", error).into())
    }

    /// Whether a document is committed.
    pub(super) fn contains(&self, id: &str) -> Result<bool, TantivyError> {
        Ok(self.reader.searcher().search(&self.with_id(id), &Count)? > 0)
    }

    fn with_id(&self, id: &str) -> TermQuery {
        TermQuery::new(Term::from_field_text(self.plan.id, id), IndexRecordOption::Basic)
    }

    /// How many documents are committed.
    pub fn count(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// The document of an id, as committed.
    pub fn get(&self, id: &str) -> Result<Option<Value>, EmbeddedError> {
        let searcher = self.reader.searcher();
        let found = searcher
            .search(&self.with_id(id), &TopDocs::with_limit(1).order_by_score())
            .map_err(|error| self.directory.library("searching", error))?;
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
    /// | `name:"anna k"`, `name:"anna k"~2` | with the words in this order, at most 2 positions apart |
    /// | `name:an*`, `name:/an.+a/` | with words that begin so, or match an expression |
    /// | `age:[5 TO 9]`, `age:{5 TO *}` | in a range: `[` with its end, `{` without |
    /// | `opened:2024-02`, `opened:[2024-01-01 TO 2024-02-15]` | by dates in the field's formats; a date without a time is its whole day |
    /// | `name:*`, `*` | with a value, or all |
    pub fn search(&self, query: &str, limit: usize) -> Result<SearchResult, EmbeddedError> {
        let read = query::read(&self.plan, &self.index, query)
            .map_err(|reason| EmbeddedError::Query { query: query.to_owned(), reason })?;
        let searcher = self.reader.searcher();
        let failed = |error| self.directory.library("searching", error);
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

    /// Hands over every committed document, page by page, until `take` wants no more.
    pub(super) fn pages(&self, mut take: impl FnMut(Vec<Hit>) -> bool) -> Result<(), EmbeddedError> {
        let searcher = self.reader.searcher();
        let mut page = Vec::new();
        for (segment, reader) in (0..).zip(searcher.segment_readers()) {
            for document in reader.doc_ids_alive() {
                page.push(self.hit(&searcher, 0.0, DocAddress::new(segment, document))?);
                if page.len() == PAGE && !take(std::mem::take(&mut page)) {
                    return Ok(());
                }
            }
        }
        take(page);
        Ok(())
    }

    fn hit(&self, searcher: &Searcher, score: f32, address: DocAddress) -> Result<Hit, EmbeddedError> {
        let document: TantivyDocument =
            searcher.doc(address).map_err(|error| self.directory.library("reading a document", error))?;
        let id = document.get_first(self.plan.id).and_then(|value| value.as_str().map(str::to_owned));
        let source = document.get_first(self.plan.source);
        let source = source.and_then(|value| serde_json::from_slice(value.as_bytes()?).ok());
        match (id, source) {
            (Some(id), Some(source)) => Ok(Hit { id, score, source }),
            _ => Err(self.directory.damaged("a document has no id or no source")),
        }
    }
}
