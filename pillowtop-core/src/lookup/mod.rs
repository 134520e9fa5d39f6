//! What a transform looks up elsewhere, in another document or a service, before it runs.
//!
//! A lookup is called between decoding and the transform, with the keys of many documents at once,
//! so a transform itself stays a pure function. What was found is cached for a while. A change of
//! what is looked up reindexes nothing.

mod erased;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

pub use erased::{AnyFetched, AnyLookup, BoxFuture, LookupKey, LookupValue};

/// A source of values for transforms: another database, a service, a file.
///
/// ```
/// use std::collections::HashMap;
///
/// use pillowtop_core::lookup::{Fetched, Lookup, LookupError};
///
/// struct OwnerNames(HashMap<String, String>);
///
/// impl Lookup for OwnerNames {
///     type Key = String;
///     type Value = String;
///
///     async fn fetch(&self, ids: Vec<String>) -> Result<Fetched<String, String>, LookupError> {
///         Ok(ids.into_iter().filter_map(|id| self.0.get(&id).cloned().map(|name| (id, name))).collect())
///     }
/// }
/// ```
pub trait Lookup: Send + Sync + 'static {
    /// What is asked for.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What is found for a key.
    type Value: Send + Sync + 'static;
    /// The bounds of its calls and of its cache.
    const OPTIONS: LookupOptions = LookupOptions::DEFAULT;

    /// Fetches the values of distinct keys, at most [`LookupOptions::batch_size`] of them. A key
    /// that is neither in the result nor marked as failed was not found. An error, a panic or a
    /// time-out fails all of the keys: the pillow waits, retries and loses nothing.
    fn fetch(
        &self,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<Fetched<Self::Key, Self::Value>, LookupError>> + Send;
}

/// The bounds of a lookup, for all databases of a pillow together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupOptions {
    /// The most keys of one call. Default: 100.
    pub batch_size: usize,
    /// The most calls at once. Default: 4.
    pub concurrency: usize,
    /// The time limit of one call, which then counts as failed. Default: 10 s.
    pub timeout: Duration,
    /// How long a value, or that there is none, is used again. Default: 60 s. Zero caches nothing.
    pub cache_ttl: Duration,
    /// The most keys that are cached. Default: 10,000.
    pub cache_size: usize,
}

impl LookupOptions {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        batch_size: 100,
        concurrency: 4,
        timeout: Duration::from_secs(10),
        cache_ttl: Duration::from_mins(1),
        cache_size: 10_000,
    };
}

impl Default for LookupOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a call of a lookup found.
#[derive(Debug, Clone)]
pub struct Fetched<Key, Value> {
    found: HashMap<Key, Value>,
    failed: HashMap<Key, String>,
}

impl<Key, Value> Default for Fetched<Key, Value> {
    fn default() -> Self {
        Self { found: HashMap::new(), failed: HashMap::new() }
    }
}

impl<Key: Eq + Hash, Value> Fetched<Key, Value> {
    /// A result in which nothing was found.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of a key.
    pub fn insert(&mut self, key: Key, value: Value) {
        self.found.insert(key, value);
    }

    /// Marks one key as failed for good. The documents that need it become dead letters of the
    /// stage `lookup`; those of other keys are not affected.
    pub fn fail(&mut self, key: Key, reason: impl fmt::Display) {
        self.failed.insert(key, reason.to_string());
    }
}

impl<Key: Eq + Hash, Value> FromIterator<(Key, Value)> for Fetched<Key, Value> {
    fn from_iter<Pairs: IntoIterator<Item = (Key, Value)>>(pairs: Pairs) -> Self {
        Self { found: pairs.into_iter().collect(), failed: HashMap::new() }
    }
}

/// Why a call of a lookup failed as a whole. `?` makes one of any error. It may work later, so the
/// call is repeated.
///
/// It is not an [`std::error::Error`] itself, so that any error can become one.
pub struct LookupError(String);

impl LookupError {
    /// An error with a reason for people. It is shown as the reason of a pause.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl<Cause: std::error::Error> From<Cause> for LookupError {
    fn from(cause: Cause) -> Self {
        let mut reason = cause.to_string();
        let mut source = cause.source();
        while let Some(inner) = source {
            reason = format!("{reason}: {inner}");
            source = inner.source();
        }
        Self(reason)
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for LookupError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LookupError").field(&self.0).finish()
    }
}

/// What was found for the keys of one document. A test of a transform collects one from pairs of a
/// key and a value.
pub struct Found<L: Lookup> {
    values: HashMap<L::Key, Arc<L::Value>>,
}

impl<L: Lookup> Found<L> {
    /// The value of a key of the document; `None` if it was not found.
    pub fn get<Key>(&self, key: &Key) -> Option<&L::Value>
    where
        L::Key: Borrow<Key>,
        Key: Eq + Hash + ?Sized,
    {
        self.values.get(key).map(AsRef::as_ref)
    }
}

impl<L: Lookup> Default for Found<L> {
    /// Nothing was found.
    fn default() -> Self {
        Self { values: HashMap::new() }
    }
}

impl<L: Lookup> FromIterator<(L::Key, L::Value)> for Found<L> {
    fn from_iter<Pairs: IntoIterator<Item = (L::Key, L::Value)>>(pairs: Pairs) -> Self {
        Self { values: pairs.into_iter().map(|(key, value)| (key, Arc::new(value))).collect() }
    }
}

impl<L: Lookup> fmt::Debug for Found<L> {
    /// Shows neither keys nor values, which may be parts of documents.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Found").field("values", &self.values.len()).finish()
    }
}

/// The lookup of a pillow that looks up nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLookup;

impl Lookup for NoLookup {
    type Key = Infallible;
    type Value = Infallible;

    async fn fetch(&self, _: Vec<Infallible>) -> Result<Fetched<Infallible, Infallible>, LookupError> {
        Ok(Fetched::default())
    }
}

/// A lookup that a registry can make by itself.
#[diagnostic::on_unimplemented(
    message = "the lookup `{Self}` has to be given to the registry",
    label = "registered without its lookup",
    note = "help: write `registry![Case => {Self} {{ … }}]` or `.with_lookup::<Case>(…)`, or implement `Default` for `{Self}`"
)]
pub trait DefaultLookup: Lookup {
    /// The lookup.
    fn instance() -> Self;
}

#[diagnostic::do_not_recommend]
impl<L: Lookup + Default> DefaultLookup for L {
    fn instance() -> Self {
        Self::default()
    }
}

/// A function that says which keys a document needs.
#[diagnostic::on_unimplemented(
    message = "this function does not give the keys of `{L}`",
    label = "not a `fn(&{Document}) -> Vec<Key>` with the lookup's type of keys",
    note = "help: write it as `fn(document: &{Document}) -> Vec<<{L} as pillowtop::Lookup>::Key>`"
)]
pub trait LookupKeys<Document, L: Lookup> {
    /// Calls it.
    fn apply(self, document: &Document) -> Vec<L::Key>;
}

#[diagnostic::do_not_recommend]
impl<Function, Document, L> LookupKeys<Document, L> for Function
where
    L: Lookup,
    Function: FnOnce(&Document) -> Vec<L::Key>,
{
    fn apply(self, document: &Document) -> Vec<L::Key> {
        self(document)
    }
}
