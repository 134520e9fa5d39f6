//! The pillow `book`: the books of a lending library.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

/// A book of a lending library.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Book", deleted = "Book-Deleted", database = "library")]
#[pillow(name = "book", alias = "books", filter = !self.withdrawn)]
pub struct Book {
    /// The title.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub title: String,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// How many pages it has.
    pub pages: Option<u32>,
    /// Whether it was taken off the shelves.
    #[serde(default)]
    pub withdrawn: bool,
}
