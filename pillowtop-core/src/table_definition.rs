//! The definition of a table of SQL: what a struct that derives one says, in owned values.

use serde_json::{Value, json};

use crate::definition::{Content, Definition, content_hash, document_json};
use crate::document::DocumentInfo;
use crate::fingerprint::Fingerprint;
use crate::pillow::Committed;

/// The member of a committed file's mappings that describes a table of SQL.
pub const TABLE: &str = "table";

/// What a struct that derives a table says.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// The pillow's name, which is the view's.
    pub name: &'static str,
    /// How its documents are distinguished from others.
    pub document: DocumentInfo,
    /// The filter as text.
    pub filter: Option<&'static str>,
    /// Raised by its author whenever its code changes what rows there are.
    pub version: u32,
    /// `{"table": …, "_meta": …}`; what `_meta` says does not decide the rows.
    pub description: Value,
    /// What the compiler compares.
    pub fingerprint: Fingerprint,
    /// Where the committed file is.
    pub committed: Committed,
    /// The Rust type, for messages.
    pub rust_type: &'static str,
}

impl Definition {
    /// The definition of a table of SQL: its description takes the place of a mapping.
    #[must_use]
    pub fn of_table(table: TableDefinition) -> Self {
        let TableDefinition { name, document, filter, version, description, .. } = table;
        let settings = json!({});
        let hash = content_hash(&Content {
            mappings: &description,
            settings: &settings,
            document: &document_json(&document),
            filter,
            routing: None,
            transform_version: version,
        });
        Self {
            pillow: name.into(),
            alias: name.into(),
            document,
            filter,
            selector: None,
            filter_is_immutable: false,
            routing: None,
            transform_version: version,
            settings,
            targets: &[],
            samples: None,
            mappings: description,
            fingerprint: table.fingerprint,
            hash,
            committed: table.committed,
            rust_type: table.rust_type,
        }
    }

    /// Whether it is a table of SQL, not an index.
    pub fn is_table(&self) -> bool {
        self.mappings.get(TABLE).is_some()
    }
}
