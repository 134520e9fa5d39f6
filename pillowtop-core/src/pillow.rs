//! A pillow: a named consumer of changes, with its index, its filter and its transform.

use serde::{Deserialize, Serialize};

use crate::document::{ChangeMeta, CouchDocument, DocumentInfo};
use crate::field_types::Target;
use crate::fingerprint::{Fingerprint, hash_text, mix};
use crate::lookup::{Found, Lookup};
use crate::tree::Object;

/// The name of the object that the runtime adds to each document: its id, revision and database.
/// Without a stored revision nothing could be verified.
pub const RESERVED: &str = "pillowtop";

/// A document struct that is followed into an index. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a pillow",
    label = "does not derive `Pillow`",
    note = "help: write `#[derive(CouchDocument, Pillow)]` and `#[pillow(name = \"…\", alias = \"…\")]` on `{Self}`"
)]
pub trait Pillow: CouchDocument {
    /// The struct as it is read from a document's text: the struct itself, its lifetime, if it has
    /// one, that of the text.
    type Document<'text>: Deserialize<'text>;
    /// What is indexed: the document itself, or what the transform makes of it.
    type Index: CouchDocument + Serialize;
    /// What its transform looks up; [`NoLookup`](crate::lookup::NoLookup) for nothing.
    type Lookup: Lookup;
    /// `#[pillow(...)]` in data.
    const PILLOW: PillowInfo;
    /// The committed mapping that this build was checked against.
    const COMMITTED: Committed;
    /// The fingerprint of all that the committed file says.
    const FINGERPRINT: Fingerprint =
        fingerprint(&Self::PILLOW, &Self::DOCUMENT, <Self::Index as CouchDocument>::MAPPING);

    /// Whether the document belongs in the index.
    fn accepts(&self) -> bool;
    /// What to index for it; `None` deletes it from the index. With a lookup: what to index if
    /// nothing is found.
    fn transform(self, change: &ChangeMeta) -> Option<Self::Index>;
    /// Its routing value, where the pillow declares one; `None` leaves the document to its id.
    fn routing(&self) -> Option<String> {
        None
    }
    /// What its transform looks up for it.
    fn lookup_keys(&self) -> Vec<<Self::Lookup as Lookup>::Key> {
        Vec::new()
    }
    /// What to index for it, given what was found.
    fn transform_with(self, change: &ChangeMeta, _: &Found<Self::Lookup>) -> Option<Self::Index> {
        self.transform(change)
    }
}

/// A function that makes of a document what is indexed.
#[diagnostic::on_unimplemented(
    message = "this function is not a transform of `{Document}`",
    label = "not a `fn({Document}, &ChangeMeta) -> Option<{Index}>`",
    note = "help: write it as `fn(document: {Document}, change: &pillowtop::ChangeMeta) -> Option<{Index}>`; `None` leaves the document out"
)]
pub trait Transform<Document, Index> {
    /// Calls it.
    fn apply(self, document: Document, change: &ChangeMeta) -> Option<Index>;
}

#[diagnostic::do_not_recommend]
impl<Function, Document, Index> Transform<Document, Index> for Function
where
    Function: FnOnce(Document, &ChangeMeta) -> Option<Index>,
{
    fn apply(self, document: Document, change: &ChangeMeta) -> Option<Index> {
        self(document, change)
    }
}

/// A function that makes of a document, and of what was looked up for it, what is indexed.
#[diagnostic::on_unimplemented(
    message = "this function is not a transform of `{Document}` with the lookup `{L}`",
    label = "not a `fn({Document}, &ChangeMeta, &Found<{L}>) -> Option<{Index}>`",
    note = "help: write it as `fn(document: {Document}, change: &pillowtop::ChangeMeta, found: &pillowtop::Found<{L}>) -> Option<{Index}>`"
)]
pub trait TransformWith<Document, L: Lookup, Index> {
    /// Calls it.
    fn apply(self, document: Document, change: &ChangeMeta, found: &Found<L>) -> Option<Index>;
}

#[diagnostic::do_not_recommend]
impl<Function, Document, L, Index> TransformWith<Document, L, Index> for Function
where
    L: Lookup,
    Function: FnOnce(Document, &ChangeMeta, &Found<L>) -> Option<Index>,
{
    fn apply(self, document: Document, change: &ChangeMeta, found: &Found<L>) -> Option<Index> {
        self(document, change, found)
    }
}

/// What `#[pillow(...)]` says.
#[derive(Debug, Clone, Copy)]
pub struct PillowInfo {
    /// The pillow's name.
    pub name: &'static str,
    /// The name that users search.
    pub alias: &'static str,
    /// The filter's source in normal token form.
    pub filter: Option<&'static str>,
    /// A Mango selector, as JSON, that every document that the filter accepts passes.
    pub selector: Option<&'static str>,
    /// Whether the fields that the filter reads never change. No part of any hash.
    pub filter_is_immutable: bool,
    /// Where the routing value of a document comes from: a field or a function, as it is declared.
    pub routing: Option<&'static str>,
    /// Raised by its author whenever the transform changes what is indexed.
    pub transform_version: u32,
    /// Index settings, as JSON text.
    pub settings: Option<&'static str>,
    /// [`hash_text`] of the canonical JSON of the normal settings; 0 without settings.
    pub settings_hash: u128,
    /// The servers that the mapping is for; empty when none is named. No part of any hash.
    pub targets: &'static [Target],
    /// Sample documents, one a line, whose outcome is committed beside the mapping. No part of any
    /// hash.
    pub samples: Option<&'static str>,
}

impl PillowInfo {
    /// What a pillow says that has a name and an alias alone: all documents are indexed, as they
    /// are.
    #[must_use]
    pub const fn named(name: &'static str, alias: &'static str) -> Self {
        Self {
            name,
            alias,
            filter: None,
            selector: None,
            filter_is_immutable: false,
            routing: None,
            transform_version: 1,
            settings: None,
            settings_hash: 0,
            targets: &[],
            samples: None,
        }
    }
}

/// Where the committed mapping of a pillow is.
#[derive(Debug, Clone, Copy)]
pub enum Committed {
    /// Its bytes, compared by the compiler.
    Embedded(&'static [u8]),
    /// Its path, in a build with `bless`: the file may be missing or stale.
    OnDisk(&'static str),
    /// The pillow said `mapping = unchecked`.
    Unchecked,
}

/// Refuses a mapping with a property at its root that no index can have.
///
/// # Panics
///
/// In const evaluation, hence as a compile error.
#[track_caller]
pub const fn assert_root(index: &Object) {
    assert!(
        !index.has_property(hash_text(RESERVED)),
        "the property name `pillowtop` is reserved for the runtime\nhelp: rename the field, or its JSON name with `#[serde(rename = \"…\")]`"
    );
    assert!(
        !index.has_property(hash_text("pillowtop.db"))
            && !index.has_property(hash_text("pillowtop.id"))
            && !index.has_property(hash_text("pillowtop.rev")),
        "the property names `pillowtop.db`, `pillowtop.id` and `pillowtop.rev` are reserved for the runtime\nhelp: rename the field, or its JSON name with `#[serde(rename = \"…\")]`"
    );
    assert!(
        !index.has_property(hash_text("_id")),
        "no index can have the property `_id` at its root\nhelp: leave it out with `#[es(skip)]`; every document has `pillowtop.id`"
    );
}

const fn fingerprint(pillow: &PillowInfo, document: &DocumentInfo, index: &Object) -> Fingerprint {
    let mut parts = mix(hash_text("mapping"), index.root_hash());
    parts = parts.wrapping_add(mix(hash_text("alias"), hash_text(pillow.alias)));
    parts = parts.wrapping_add(mix(hash_text("settings"), pillow.settings_hash));
    if let Some(filter) = pillow.filter {
        parts = parts.wrapping_add(mix(hash_text("filter"), hash_text(filter)));
    }
    if let Some(routing) = pillow.routing {
        parts = parts.wrapping_add(mix(hash_text("routing"), hash_text(routing)));
    }
    parts = parts.wrapping_add(mix(hash_text("transform_version"), pillow.transform_version as u128));
    if let Some(database) = document.database {
        parts = parts.wrapping_add(mix(hash_text("database"), hash_text(database)));
    }
    parts = parts.wrapping_add(mix(hash_text("type_field"), hash_text(document.type_field)));
    parts = parts.wrapping_add(mix(hash_text("types"), sum_texts(document.types)));
    parts = parts.wrapping_add(mix(hash_text("deleted_types"), sum_texts(document.deleted_types)));
    if document.carry_unknown {
        parts = parts.wrapping_add(mix(hash_text("unknown"), hash_text("carry")));
    }
    Fingerprint(mix(hash_text(pillow.name), parts))
}

const fn sum_texts(texts: &[&str]) -> u128 {
    let mut total = 0_u128;
    let mut position = 0;
    while position < texts.len() {
        total = total.wrapping_add(hash_text(texts[position]));
        position += 1;
    }
    total
}
