//! A pillow: a named consumer of changes, with its index, its filter and its transform.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::document::{ChangeMeta, CouchDocument, DocumentInfo};
use crate::field_types::Target;
use crate::fingerprint::{Fingerprint, hash_text, mix};
use crate::tree::Object;

/// The name of the object that the runtime adds to each document: its id, revision and database. Without a stored revision
/// nothing could be verified.
pub const RESERVED: &str = "pillowtop";

/// A document struct that is followed into an index. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no pillow",
    label = "does not derive `Pillow`",
    note = "write `#[derive(CouchDocument, Pillow)]` and `#[pillow(name = \"…\", alias = \"…\")]` on `{Self}`"
)]
pub trait Pillow: CouchDocument + DeserializeOwned + Send + 'static {
    /// What is indexed: the document itself, or what the transform makes of it.
    type Index: CouchDocument + Serialize;
    /// `#[pillow(...)]` in data.
    const PILLOW: PillowInfo;
    /// The committed mapping that this build was checked against.
    const COMMITTED: Committed;
    /// The fingerprint of all that the committed file says.
    const FINGERPRINT: Fingerprint =
        fingerprint(&Self::PILLOW, &Self::DOCUMENT, <Self::Index as CouchDocument>::MAPPING);

    /// Whether the document belongs in the index.
    fn accepts(&self) -> bool;
    /// What to index for it; `None` deletes it from the index.
    fn transform(self, change: &ChangeMeta) -> Option<Self::Index>;
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
    /// Raised by its author whenever the transform changes what is indexed.
    pub transform_version: u32,
    /// Index settings, as JSON text.
    pub settings: Option<&'static str>,
    /// [`hash_text`] of the canonical JSON of the normal settings; 0 without settings.
    pub settings_hash: u128,
    /// The servers that the mapping is for; empty when none is named. No part of any hash.
    pub targets: &'static [Target],
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

const fn fingerprint(pillow: &PillowInfo, document: &DocumentInfo, index: &Object) -> Fingerprint {
    assert!(
        !index.has_property(hash_text(RESERVED)),
        "the property name `pillowtop` is the runtime's own; rename the field"
    );
    assert!(
        !index.has_property(hash_text("pillowtop.db"))
            && !index.has_property(hash_text("pillowtop.id"))
            && !index.has_property(hash_text("pillowtop.rev")),
        "the property names `pillowtop.db`, `pillowtop.id` and `pillowtop.rev` are the runtime's own; rename the field"
    );
    assert!(
        !index.has_property(hash_text("_id")),
        "no index can have the property `_id` at its root; every document has `pillowtop.id`"
    );
    let mut parts = mix(hash_text("mapping"), index.root_hash());
    parts = parts.wrapping_add(mix(hash_text("alias"), hash_text(pillow.alias)));
    parts = parts.wrapping_add(mix(hash_text("settings"), pillow.settings_hash));
    if let Some(filter) = pillow.filter {
        parts = parts.wrapping_add(mix(hash_text("filter"), hash_text(filter)));
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
