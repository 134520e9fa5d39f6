//! The fields that a document adds to a mapping.

use serde_json::{Map, Value};

/// The fields that a document adds.
#[derive(Debug, Default)]
pub(super) struct Additions {
    /// Path and mapping, in the document's order: an object comes before what is below it.
    pub(super) fields: Vec<(String, Map<String, Value>)>,
    /// The document is refused only after the mapping has them.
    pub(super) stay: bool,
}

impl Additions {
    /// The mapping that the document gives a path.
    pub(super) fn get(&self, path: &str) -> Option<&Map<String, Value>> {
        self.fields.iter().find(|(known, _)| known == path).map(|(_, mapping)| mapping)
    }

    /// Adds a field.
    pub(super) fn add(&mut self, path: &str, mapping: &Map<String, Value>) {
        self.fields.push((path.to_owned(), mapping.clone()));
    }
}
