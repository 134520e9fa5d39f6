//! What a document is: its types, where it lives, and what is known of a change to it.

use std::marker::PhantomData;

use crate::index_field::IndexObject;
use crate::message::panic_with;
use crate::name::{DatabaseName, DocumentId, Revision};
use crate::tree::Object;

/// A struct whose JSON form is a CouchDB document, a part of one, or what a transform makes of one.
///
/// Derive it. Without `#[couch(doc_type = …)]` the struct is a part or a transform's result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a document struct, so it has no mapping",
    label = "does not derive `CouchDocument`",
    note = "help: write `#[derive(CouchDocument)]` on `{Self}`"
)]
pub trait CouchDocument: Sized {
    /// What its fields become in an index.
    const MAPPING: &'static Object;
    /// How its documents are distinguished from others.
    const DOCUMENT: DocumentInfo;
}

/// Asks whether a type is written as objects: `Probe::<Type>::IS_OBJECT`, with [`NoObject`] in
/// scope for those that are not.
#[derive(Debug)]
pub struct Probe<Type: ?Sized>(PhantomData<Type>);

/// A struct or enum that serde writes as objects. The derive of [`CouchDocument`] says it.
pub trait WritesObjects {}

impl<Type: WritesObjects> Probe<Type> {
    /// Being inherent, it comes before [`NoObject::IS_OBJECT`].
    pub const IS_OBJECT: bool = true;
}

impl<Type: IndexObject> Probe<Type> {
    /// What it is as an object. Being inherent, it comes before [`NoMapping::OBJECT`].
    pub const OBJECT: Option<&'static Object> = Some(Type::OBJECT);
}

/// A type without a mapping.
pub trait NoMapping {
    /// There is none.
    const OBJECT: Option<&'static Object> = None;
}

impl<Type: ?Sized> NoMapping for Probe<Type> {}

/// A type that is not written as objects, or of which that is not known.
pub trait NoObject {
    /// It is not, as far as is known.
    const IS_OBJECT: bool = false;
}

impl<Type: ?Sized> NoObject for Probe<Type> {}

/// Refuses a struct in a field that is mapped as one value.
///
/// # Panics
///
/// In const evaluation, hence as a compile error at the declared type.
#[track_caller]
pub const fn assert_no_object(is_object: bool, name: &str, type_name: &str, rust_type: &str) {
    if is_object {
        panic_with(&[
            "`",
            name,
            "` is mapped as `",
            type_name,
            "`, which rejects objects, and `",
            rust_type,
            "` is written as one\nhelp: write `#[es(object)]`, `#[es(nested)]` or `#[es(flattened)]`",
        ]);
    }
}

/// How the documents of a struct are distinguished from others: `#[couch(...)]` in data.
#[derive(Debug, Clone, Copy)]
pub struct DocumentInfo {
    /// The member that holds the type, `doc_type` by default.
    pub type_field: &'static str,
    /// The values of that member that make a document one of these. Empty: not a document of its
    /// own.
    pub types: &'static [&'static str],
    /// The values that say it was deleted.
    pub deleted_types: &'static [&'static str],
    /// The database, unless configuration names another.
    pub database: Option<&'static str>,
    /// Whether members that the struct does not name go along as they are (`unknown = carry`).
    pub carry_unknown: bool,
    /// Whether a document never changes to or from these types, so that a foreign type needs no
    /// delete.
    pub type_is_immutable: bool,
}

impl DocumentInfo {
    /// What a part of a document says: nothing.
    pub const PART: Self = Self {
        type_field: "doc_type",
        types: &[],
        deleted_types: &[],
        database: None,
        carry_unknown: false,
        type_is_immutable: false,
    };
}

/// What a transform may know about the change that it is given the document of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeMeta {
    /// The document's `_id`.
    pub id: DocumentId,
    /// Its `_rev` as the change names it.
    pub revision: Revision,
    /// The database that it came from.
    pub database: DatabaseName,
}

impl ChangeMeta {
    /// What is known about a change.
    pub fn new(id: DocumentId, revision: Revision, database: DatabaseName) -> Self {
        Self { id, revision, database }
    }
}
