//! A lookup without its types, as whatever calls it handles it.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;

use super::{Fetched, Found, Lookup, LookupError, LookupOptions};

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A key without its type.
#[derive(Clone)]
pub struct LookupKey(Arc<dyn Key>);

/// A value without its type.
pub type LookupValue = Arc<dyn Any + Send + Sync>;

trait Key: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn is_equal(&self, other: &dyn Any) -> bool;
    fn hash_into(&self, hasher: &mut dyn Hasher);
}

struct Typed<K>(K);

impl<K: Eq + Hash + Send + Sync + 'static> Key for Typed<K> {
    fn as_any(&self) -> &dyn Any {
        &self.0
    }
    fn is_equal(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<K>().is_some_and(|other| *other == self.0)
    }
    fn hash_into(&self, mut hasher: &mut dyn Hasher) {
        self.0.hash(&mut hasher);
    }
}

impl LookupKey {
    /// A key of a lookup.
    pub fn new<K: Eq + Hash + Send + Sync + 'static>(key: K) -> Self {
        Self(Arc::new(Typed(key)))
    }

    fn typed<K: Clone + 'static>(&self) -> Option<K> {
        self.0.as_any().downcast_ref::<K>().cloned()
    }
}

impl PartialEq for LookupKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.is_equal(other.0.as_any())
    }
}

impl Eq for LookupKey {}

impl Hash for LookupKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
}

impl fmt::Debug for LookupKey {
    /// Does not show the key, which may be a part of a document.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LookupKey")
    }
}

/// [`Fetched`] without its types.
#[derive(Debug, Default)]
pub struct AnyFetched {
    /// The values that were found.
    pub found: Vec<(LookupKey, LookupValue)>,
    /// The keys that failed for good, with the reasons.
    pub failed: Vec<(LookupKey, String)>,
}

/// A lookup without its types.
pub trait AnyLookup: Send + Sync + 'static {
    /// Its bounds.
    fn options(&self) -> LookupOptions;
    /// Fetches the values of distinct keys of this lookup; keys of others are left out.
    fn fetch<'a>(&'a self, keys: &'a [LookupKey]) -> BoxFuture<'a, Result<AnyFetched, LookupError>>;
}

impl<L: Lookup> AnyLookup for L {
    fn options(&self) -> LookupOptions {
        L::OPTIONS
    }

    fn fetch<'a>(&'a self, keys: &'a [LookupKey]) -> BoxFuture<'a, Result<AnyFetched, LookupError>> {
        Box::pin(async move {
            let keys = keys.iter().filter_map(LookupKey::typed).collect();
            let Fetched { found, failed } = Lookup::fetch(self, keys).await?;
            let found = found.into_iter().map(|(key, value)| (LookupKey::new(key), Arc::new(value) as _));
            let failed = failed.into_iter().map(|(key, reason)| (LookupKey::new(key), reason));
            Ok(AnyFetched { found: found.collect(), failed: failed.collect() })
        })
    }
}

impl<L: Lookup> Found<L> {
    /// What was found, with its types; what is of another lookup is left out.
    pub fn of_any(found: &[(LookupKey, LookupValue)]) -> Self {
        let typed = |(key, value): &(LookupKey, LookupValue)| {
            Some((key.typed::<L::Key>()?, Arc::clone(value).downcast::<L::Value>().ok()?))
        };
        Self { values: found.iter().filter_map(typed).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The lengths of words, of which `"?"` has none and `"!"` fails.
    struct Lengths;

    impl Lookup for Lengths {
        type Key = String;
        type Value = usize;

        async fn fetch(&self, keys: Vec<String>) -> Result<Fetched<String, usize>, LookupError> {
            let mut fetched = Fetched::new();
            for key in keys {
                match key.as_str() {
                    "?" => {}
                    "!" => fetched.fail(key, "no word"),
                    _ => fetched.insert(key.clone(), key.len()),
                }
            }
            Ok(fetched)
        }
    }

    fn ready<T>(future: impl Future<Output = T>) -> T {
        let mut future = Box::pin(future);
        match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("waits"),
        }
    }

    #[test]
    fn keys_are_compared_as_what_they_are() {
        let keys: HashSet<LookupKey> =
            [LookupKey::new(1_u8), LookupKey::new(1_u8), LookupKey::new(1_u16), LookupKey::new("1")]
                .into_iter()
                .collect();
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn a_lookup_without_its_types_finds_what_it_finds_with_them() {
        let keys = ["two", "?", "!"].map(|key| LookupKey::new(key.to_owned()));
        let fetched = ready(AnyLookup::fetch(&Lengths, &keys)).unwrap();
        assert_eq!(fetched.failed, [(LookupKey::new("!".to_owned()), "no word".to_owned())]);
        let found = Found::<Lengths>::of_any(&fetched.found);
        assert_eq!((found.get("two"), found.get("?"), found.get("!")), (Some(&3), None, None));
    }

    #[test]
    fn any_error_becomes_one_with_its_causes() {
        let parse = || -> Result<u8, LookupError> { Ok("x".parse::<u8>()?) };
        assert_eq!(parse().unwrap_err().to_string(), "invalid digit found in string");
        assert_eq!(LookupError::new("down").to_string(), "down");
    }
}
