//! Annotated document structs, followed from CouchDB into Elasticsearch or OpenSearch.
//!
//! A document crate links this crate alone: it re-exports the derives and what they need. The drift check lives here, because it
//! is the one thing that the feature `bless` turns off: with it, `cargo xtask make-mapping` builds while a mapping is missing or stale.

pub use pillowtop_core::*;
pub use pillowtop_derive::{CouchDocument, Pillow};

/// The list of a workspace's pillows: `pillowtop::registry![Case, Form, User]`.
#[macro_export]
macro_rules! registry {
    ($($pillow:ty),* $(,)?) => {
        $crate::Registry::new()$(.with::<$pillow>())*
    };
}

/// What the derives write down. Not for users: it changes without notice, and its name changes with each release, so that a
/// derive and a facade of two releases cannot be linked silently.
#[doc(hidden)]
pub mod __private_0_1_0 {
    pub use core::option::Option;
    pub use pillowtop_core::filter::{Contains, Plain, Step};
    pub use pillowtop_core::pillow::{Committed, Pillow, PillowInfo};
    pub use pillowtop_core::tree::{Field, Member, Object, Parameter};
    pub use pillowtop_core::{ChangeMeta, CouchDocument, DocumentInfo, IndexField, IndexObject};

    /// A property that is mapped as its Rust type says.
    #[must_use]
    pub const fn property<Type: IndexField + ?Sized>(name: &'static str, name_hash: u128) -> Member {
        Member::property(name, name_hash, Type::FIELD)
    }

    /// Compares the fingerprint that a struct derives with that of its committed mapping.
    ///
    /// # Panics
    ///
    /// With `message`, when they differ: in const evaluation, hence as a compile error at the struct.
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

/// A committed mapping that exists, by its path from the crate's folder. cargo tracks the file; no absolute path gets into the build.
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
