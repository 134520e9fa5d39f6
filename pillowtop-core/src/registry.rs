//! The list of pillows that a crate registers, and a pillow without its type.

use std::any::TypeId;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::decode::{DecodeError, decode, decode_carrying};
use crate::definition::Definition;
use crate::document::{ChangeMeta, CouchDocument};
use crate::lookup::{AnyLookup, DefaultLookup, Found, LookupKey, LookupValue, NoLookup};
use crate::name::PillowName;
use crate::pillow::Pillow;
use crate::raw_json::RawObject;
use crate::source::write_source;
use crate::tree::Object;

/// What becomes of a document in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is indexed; its `_source` was appended.
    Index,
    /// The filter does not accept it: it is deleted from the index.
    Filtered,
    /// The transform gave nothing: it is deleted from the index.
    Dropped,
}

/// Why a document cannot be indexed. The older version stays in the index, and the change is a dead
/// letter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It is not what its struct says.
    #[error("decoding failed {0}")]
    Decode(#[from] DecodeError),
    /// What a calculator of a table gave cannot be stored.
    #[error("emitter `{emitter}` failed: {reason}")]
    Emit {
        /// The calculator and the emitter, or the field.
        emitter: String,
        /// Why.
        reason: String,
    },
    /// An indicator cannot be computed.
    #[error("indicator `{slug}` failed: {reason}")]
    Indicator {
        /// The indicator.
        slug: String,
        /// Why.
        reason: String,
    },
    /// What the transform made cannot be JSON.
    #[error("serialising the transformed document failed: {0}")]
    Serialize(#[from] serde_json::Error),
}

/// A pillow without its type.
pub trait AnyPillow: Send + Sync + 'static {
    /// What its struct says.
    fn definition(&self) -> &Definition;
    /// The mapping of what it indexes, as its struct says it: with where each field comes from.
    fn mapping_tree(&self) -> &'static Object;
    /// What its transform looks up, if it has a lookup. Default: none.
    fn lookup(&self) -> Option<Arc<dyn AnyLookup>> {
        None
    }
    /// What the transform looks up for a document whose type was checked: nothing if the filter
    /// does not accept it. Default: nothing.
    ///
    /// # Errors
    ///
    /// When the document does not fit its struct.
    fn lookup_keys(&self, document: &str) -> Result<Vec<LookupKey>, ProcessError> {
        let _ = document;
        Ok(Vec::new())
    }
    /// Decodes, filters and transforms a document whose type was checked, and appends its `_source`
    /// to `source` if it is indexed. `found` is what was found for its keys. `routing` becomes
    /// the routing value of a document that is indexed. On an error `source` is as before.
    ///
    /// # Errors
    ///
    /// When the document does not fit its struct, or what became of it cannot be JSON.
    fn process_with(
        &self,
        document: &str,
        change: &ChangeMeta,
        found: &[(LookupKey, LookupValue)],
        source: &mut Vec<u8>,
        routing: &mut Option<String>,
    ) -> Result<Verdict, ProcessError>;

    /// [`process_with`](AnyPillow::process_with) without a lookup, or as if it had found nothing,
    /// for the `_source` alone.
    ///
    /// # Errors
    ///
    /// When the document does not fit its struct, or what became of it cannot be JSON.
    fn process(
        &self,
        document: &str,
        change: &ChangeMeta,
        source: &mut Vec<u8>,
    ) -> Result<Verdict, ProcessError> {
        self.process_with(document, change, &[], source, &mut None)
    }
}

struct Typed<P: Pillow> {
    definition: Definition,
    lookup: Arc<P::Lookup>,
    pillow: PhantomData<fn() -> P>,
}

impl<P> AnyPillow for Typed<P>
where
    P: Pillow + 'static,
    for<'text> P::Document<'text>: Pillow<Lookup = P::Lookup>,
{
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn mapping_tree(&self) -> &'static Object {
        <P::Index as CouchDocument>::MAPPING
    }

    fn lookup(&self) -> Option<Arc<dyn AnyLookup>> {
        let is_none = TypeId::of::<P::Lookup>() == TypeId::of::<NoLookup>();
        (!is_none).then(|| Arc::clone(&self.lookup) as _)
    }

    fn lookup_keys(&self, document: &str) -> Result<Vec<LookupKey>, ProcessError> {
        let document = decode::<P::Document<'_>>(document)?;
        if !document.accepts() {
            return Ok(Vec::new());
        }
        Ok(document.lookup_keys().into_iter().map(LookupKey::new).collect())
    }

    fn process_with(
        &self,
        document: &str,
        change: &ChangeMeta,
        found: &[(LookupKey, LookupValue)],
        source: &mut Vec<u8>,
        routing: &mut Option<String>,
    ) -> Result<Verdict, ProcessError> {
        let (document, carried) = if P::DOCUMENT.carry_unknown {
            decode_carrying::<P::Document<'_>>(document)?
        } else {
            (decode::<P::Document<'_>>(document)?, RawObject::new())
        };
        if !document.accepts() {
            return Ok(Verdict::Filtered);
        }
        let routed_by = document.routing();
        let Some(indexed) = document.transform_with(change, &Found::of_any(found)) else {
            return Ok(Verdict::Dropped);
        };
        let start = source.len();
        if let Err(error) = write_source(&indexed, &carried, change, source) {
            source.truncate(start);
            return Err(error.into());
        }
        // An empty one is none to the servers too.
        *routing = routed_by.filter(|value| !value.is_empty());
        Ok(Verdict::Index)
    }
}

/// Why a list of pillows cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two structs have one pillow name.
    #[error("two pillows are named `{name}`: `{first}` and `{second}`")]
    SameName {
        /// The name.
        name: PillowName,
        /// The struct that has it.
        first: &'static str,
        /// The other struct.
        second: &'static str,
    },
    /// Two structs have one alias.
    #[error("two pillows have the alias `{alias}`: `{first}` and `{second}`")]
    SameAlias {
        /// The alias.
        alias: String,
        /// The struct that has it.
        first: &'static str,
        /// The other struct.
        second: &'static str,
    },
}

/// The pillows of a workspace. `pillowtop::registry![Case, Form]` makes one.
#[derive(Clone, Default)]
pub struct Registry {
    pillows: Vec<Arc<dyn AnyPillow>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.pillows.iter().map(|pillow| &pillow.definition().pillow)).finish()
    }
}

impl Registry {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// The list with one pillow more, whose lookup, if it has one, is made by `Default`.
    #[must_use]
    pub fn with<P>(self) -> Self
    where
        P: Pillow + 'static,
        for<'text> P::Document<'text>: Pillow<Lookup = P::Lookup>,
        P::Lookup: DefaultLookup,
    {
        self.with_lookup::<P>(P::Lookup::instance())
    }

    /// The list with one pillow more, and what its transform looks up. Making it should not connect
    /// to anything: the list is also made by commands that only read definitions.
    #[must_use]
    pub fn with_lookup<P>(mut self, lookup: P::Lookup) -> Self
    where
        P: Pillow + 'static,
        for<'text> P::Document<'text>: Pillow<Lookup = P::Lookup>,
    {
        let (definition, lookup) = (Definition::of::<P>(), Arc::new(lookup));
        self.pillows.push(Arc::new(Typed::<P> { definition, lookup, pillow: PhantomData }));
        self
    }

    /// The list with one pillow more that is not a [`Pillow`]: a table of SQL.
    #[must_use]
    pub fn with_pillow(mut self, pillow: Arc<dyn AnyPillow>) -> Self {
        self.pillows.push(pillow);
        self
    }

    /// The list with the pillows of another one: that of another crate.
    ///
    /// ```
    /// # use pillowtop_core::Registry;
    /// # let (clinic, library) = (Registry::new(), Registry::new());
    /// let all = clinic.and(&library);
    /// ```
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.pillows.extend(other.pillows.iter().cloned());
        self
    }

    /// The pillows, as they were registered.
    pub fn pillows(&self) -> &[Arc<dyn AnyPillow>] {
        &self.pillows
    }

    /// The pillow of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AnyPillow>> {
        self.pillows.iter().find(|pillow| pillow.definition().pillow.as_str() == name)
    }

    /// Whether the list can be used: no two pillows with one name or one alias.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub fn check(&self) -> Result<(), Vec<RegistryError>> {
        let mut errors = Vec::new();
        for (position, pillow) in self.pillows.iter().enumerate() {
            let second = pillow.definition();
            for first in self.pillows[..position].iter().map(|pillow| pillow.definition()) {
                let (first_type, second_type) = (first.rust_type, second.rust_type);
                if first.pillow == second.pillow {
                    let name = first.pillow.clone();
                    errors.push(RegistryError::SameName { name, first: first_type, second: second_type });
                }
                if first.alias == second.alias {
                    let alias = first.alias.to_string();
                    errors.push(RegistryError::SameAlias { alias, first: first_type, second: second_type });
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
