//! Annotated document structs, followed from CouchDB into Elasticsearch or OpenSearch.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use pillowtop::{ChangeMeta, CouchDocument, Pillow, Registry};
//! use serde::{Deserialize, Serialize};
//!
//! /// A case: one person or household, followed over time.
//! #[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
//! #[couch(doc_type = "CommCareCase", deleted = "CommCareCase-Deleted", database = "commcarehq", unknown = carry)]
//! #[pillow(
//!     name = "case",
//!     alias = "hqcases",
//!     filter = self.domain != "demo" && self.case_type.is_some(),
//!     transform = CaseIndex::from_case,
//!     transform_version = 2,
//!     mapping = unchecked, // Only here: a crate commits `mappings/case.json`, which each build is compared with.
//! )]
//! pub struct Case {
//!     pub domain: String,
//!     #[serde(rename = "type")]
//!     pub case_type: Option<String>,
//!     pub opened_on: DateTime<Utc>,
//!     pub actions: Vec<CaseAction>,
//! }
//!
//! #[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
//! pub struct CaseAction {
//!     pub action_type: String,
//! }
//!
//! /// What is searched.
//! #[derive(Debug, Serialize, CouchDocument)]
//! pub struct CaseIndex {
//!     pub domain: String,
//!     #[serde(rename = "type")]
//!     #[es(text, analyzer = "english", fields(exact(keyword)))]
//!     pub case_type: Option<String>,
//!     pub opened_on: DateTime<Utc>,
//!     #[es(nested)]
//!     pub actions: Vec<CaseAction>,
//!     #[es(skip)]
//!     pub export_tag: Vec<String>,
//! }
//!
//! impl CaseIndex {
//!     fn from_case(case: Case, _change: &ChangeMeta) -> Option<Self> {
//!         let Case { domain, case_type, opened_on, actions } = case;
//!         Some(Self { domain, case_type, opened_on, actions, export_tag: Vec::new() })
//!     }
//! }
//!
//! pub fn registry() -> Registry {
//!     pillowtop::registry![Case]
//! }
//!
//! let registry = registry();
//! let definition = registry.pillows()[0].definition();
//! assert_eq!(definition.mappings["properties"]["type"]["fields"]["exact"]["type"], "keyword");
//! assert_eq!(definition.mappings["properties"]["actions"]["type"], "nested");
//! assert_eq!(definition.filter, Some(r#"self.domain != "demo" && self.case_type.is_some()"#));
//! ```
//!
//! `docs/attributes.md` has every attribute. A document crate links this crate alone: it re-exports
//! the derives and what they need. The drift check lives here, because it is the one thing that the
//! feature `bless` turns off: with it, `cargo xtask make-mapping` builds while a mapping is missing
//! or stale.

pub use pillowtop_core::*;
/// A rule says which fields it is for, and then what would be in `#[es(...)]`. Attributes come
/// before rules, rules before the defaults of Rust types; of the rules that fit a field the first
/// one holds.
///
/// ```
/// use pillowtop::CouchDocument;
///
/// pillowtop::rules! {
///     /// How this crate maps what its attributes do not say.
///     pub(crate) rules {
///         type Decimal => scaled_float, scaling_factor = 100;
///         strings named "*_id" | "id" => keyword;
///         strings => text, fields(exact(keyword, ignore_above = 8191));
///         objects => dynamic = strict;
///         root => dynamic = strict;
///     }
/// }
///
/// # #[derive(serde::Serialize)]
/// # struct Decimal(String);
/// #[derive(CouchDocument)]
/// #[es(rules = crate::rules)]
/// struct Sale {
///     sale_id: String,
///     title: String,
///     price: Option<Decimal>,
///     #[es(keyword)]
///     colour: String,
/// }
/// # fn main() {
/// let mapping = pillowtop::definition::root_mapping(Sale::MAPPING);
/// assert_eq!(mapping["properties"]["sale_id"]["type"], "keyword");
/// assert_eq!(mapping["properties"]["title"]["type"], "text");
/// assert_eq!(mapping["properties"]["price"]["type"], "scaled_float");
/// assert_eq!(mapping["dynamic"], "strict");
/// # }
/// ```
pub use pillowtop_derive::rules;
pub use pillowtop_derive::{CouchDocument, Pillow};

/// The list of a workspace's pillows: `pillowtop::registry![Case, Form, User]`. A pillow whose
/// transform has a lookup names it: `registry![Case => OwnerNames::new(url), Form]`, unless it is
/// made by `Default`.
#[macro_export]
macro_rules! registry {
    ($($pillow:ty $(=> $lookup:expr)?),* $(,)?) => {{
        let registry = $crate::Registry::new();
        $(let registry = $crate::__register!(registry, $pillow $(, $lookup)?);)*
        registry
    }};
}

/// A registry with one pillow more.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($registry:ident, $pillow:ty) => {
        $registry.with::<$pillow>()
    };
    ($registry:ident, $pillow:ty, $lookup:expr) => {
        $registry.with_lookup::<$pillow>($lookup)
    };
}

/// Holds the committed mappings to their structs, as a test of the crate that has them:
///
/// ```no_run
/// # fn registry() -> pillowtop::Registry { pillowtop::registry![] }
/// #[test]
/// fn mappings_are_committed() {
///     pillowtop::assert_committed(&registry());
/// }
/// ```
///
/// The compiler says by itself what is stale; the test also finds files that no registered pillow
/// has, and says with the feature `bless` what changed. `cargo xtask make-mapping --check` says the
/// same, word for word.
///
/// Several crates of documents may share the `mappings/` of their workspace, each with this test: a
/// crate leaves files alone whose names stand in the sources of another one, as pillows' names do
/// there. The command sees the list of all, and tells what is left.
///
/// # Panics
///
/// When a mapping is not as it should be: with each pillow, its state, its file, what changed, and
/// the command to run.
#[track_caller]
pub fn assert_committed(registry: &Registry) {
    let directory = std::env::var_os("CARGO_MANIFEST_DIR").map(std::path::PathBuf::from).unwrap_or_default();
    let report = drift::report(registry, &directory, "cargo xtask");
    assert!(report.is_empty(), "{report}");
}

/// What the derives write down. Not for users: it changes without notice, and its name changes with
/// each release, so that a derive and a facade of two releases cannot be linked silently.
#[doc(hidden)]
pub mod __private_0_1_0 {
    pub use core::option::Option;
    pub use pillowtop_core::document::{NoMapping, NoObject, Probe, WritesObjects, assert_no_object};
    pub use pillowtop_core::field_types::Target;
    pub use pillowtop_core::filter::{Contains, Optional, Plain, Step, Text};
    pub use pillowtop_core::index_field::Flattened;
    pub use pillowtop_core::lookup::{Found, Lookup, LookupKeys, NoLookup};
    pub use pillowtop_core::pillow::{Committed, Pillow, PillowInfo, Transform, TransformWith};
    pub use pillowtop_core::requirement::Requirement;
    pub use pillowtop_core::routing::{RoutingField, RoutingFunction};
    pub use pillowtop_core::tree::{Field, Member, Object, Parameter};
    pub use pillowtop_core::unmet::DefinedNames;
    pub use pillowtop_core::{ChangeMeta, CouchDocument, DocumentInfo, IndexField, IndexObject};
    pub use pillowtop_derive::__derive_with_rules as derive_with_rules;

    /// A property that is mapped as its Rust type says.
    #[must_use]
    pub const fn property<Type: IndexField + ?Sized>(name: &'static str, name_hash: u128) -> Member {
        Member::property(name, name_hash, Type::FIELD)
    }

    /// Refuses a property at the root of a pillow's mapping that no index can have, and documents
    /// that need a routing value where the pillow declares none.
    ///
    /// # Panics
    ///
    /// In const evaluation, hence as a compile error at the struct, or at the type that a transform
    /// makes.
    #[track_caller]
    pub const fn assert_root<Asked: Pillow>() {
        super::pillow::assert_root(<Asked::Index as CouchDocument>::MAPPING);
        if Asked::PILLOW.routing.is_none() {
            super::unmet::assert_without_routing(<Asked::Index as CouchDocument>::MAPPING);
        }
    }

    /// Refuses a target that lacks something that a pillow's mapping asks for.
    ///
    /// # Panics
    ///
    /// In const evaluation, hence as a compile error at the target.
    #[track_caller]
    pub const fn assert_target<Asked: Pillow>(target: Target) {
        super::unmet::assert_target(<Asked::Index as CouchDocument>::MAPPING, target);
    }

    /// Refuses names in a pillow's mapping that neither its settings define nor a server.
    ///
    /// # Panics
    ///
    /// In const evaluation, hence as a compile error at the settings, or at the struct without
    /// settings.
    #[track_caller]
    pub const fn assert_names<Asked: Pillow>(defined: DefinedNames<'_>) {
        super::unmet::assert_names(<Asked::Index as CouchDocument>::MAPPING, defined);
    }

    /// Both of a pillow with neither settings nor a transform.
    ///
    /// # Panics
    ///
    /// In const evaluation, hence as a compile error at the struct.
    #[track_caller]
    pub const fn assert_plain<Asked: Pillow>() {
        assert_root::<Asked>();
        assert_names::<Asked>(DefinedNames::NONE);
    }

    /// The same under a rule for fields that hold a struct.
    #[must_use]
    pub const fn property_by_rule<Type: IndexField + ?Sized>(
        name: &'static str,
        name_hash: u128,
        parameters: &'static [Parameter],
        requirements: &'static [Requirement],
    ) -> Member {
        Member::property(name, name_hash, Type::FIELD.with_rule_for_objects(parameters, requirements))
    }

    /// Compares the fingerprint that a struct derives with that of its committed mapping.
    ///
    /// # Panics
    ///
    /// With `message`, when they differ: in const evaluation, hence as a compile error at the
    /// struct.
    #[track_caller]
    pub const fn assert_fresh(derived: super::Fingerprint, committed: u128, message: &str) {
        assert!(derived.0 == committed, "{}", message);
    }
}

/// Keeps its tokens, unless the build may have stale mappings.
#[doc(hidden)]
#[cfg(not(feature = "bless"))]
#[macro_export]
macro_rules! __unless_bless {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Drops its tokens: the build may have stale mappings.
#[doc(hidden)]
#[cfg(feature = "bless")]
#[macro_export]
macro_rules! __unless_bless {
    ($($tokens:tt)*) => {};
}

/// A committed mapping that exists, by its path from the crate's directory. cargo tracks the file;
/// no absolute path gets into the build.
#[doc(hidden)]
#[cfg(not(feature = "bless"))]
#[macro_export]
macro_rules! __committed {
    (present $path:literal) => {
        $crate::Committed::Embedded(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), $path)))
    };
    (missing $path:literal) => {
        $crate::Committed::Unchecked
    };
}

/// A committed mapping by its place on disk: embedded bytes would be those of the last build.
#[doc(hidden)]
#[cfg(feature = "bless")]
#[macro_export]
macro_rules! __committed {
    ($state:ident $path:literal) => {
        $crate::Committed::OnDisk(concat!(env!("CARGO_MANIFEST_DIR"), $path))
    };
}

/// The examples of the guide, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
struct Guide;
