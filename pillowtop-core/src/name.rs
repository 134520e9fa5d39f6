//! Names and ids as types of their own, with the rules that CouchDB, Elasticsearch and OpenSearch
//! set for them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_type {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    };
}

text_type!(
    /// The name of a pillow: of its mapping file, its checkpoints and its metrics.
    PillowName
);
text_type!(
    /// The name that users search; see [`index_name_problem`] for what it may be.
    AliasName
);
text_type!(
    /// The name of a physical index.
    IndexName
);
text_type!(
    /// The name of a CouchDB database.
    DatabaseName
);
text_type!(
    /// A document's `_id`.
    DocumentId
);
text_type!(
    /// A document's `_rev`.
    Revision
);
text_type!(
    /// A position in a changes feed: stored and sent back, never parsed, ordered or compared with another but for equality
    /// of its bytes. CouchDB gives other sequences for the same position at each request.
    Sequence
);

impl Sequence {
    /// The position before the first change.
    pub fn start() -> Self {
        Self::new("0")
    }
}

/// The longest `_id` that Elasticsearch and OpenSearch accept, in bytes. CouchDB has no such bound.
pub const MAX_INDEX_ID_BYTES: usize = 512;

/// The longest index name, in bytes, that both products accept.
pub const MAX_INDEX_NAME_BYTES: usize = 255;

/// What an index or alias name lacks, as a clause that follows the name; `None` if it may be used.
///
/// The rules are those of Elasticsearch's and OpenSearch's create-index API.
#[must_use]
pub fn index_name_problem(name: &str) -> Option<String> {
    const FORBIDDEN: [char; 14] = ['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '%', '@'];
    if name.is_empty() {
        return Some("is empty".to_owned());
    }
    if name == "." || name == ".." {
        return Some("is `.` or `..`".to_owned());
    }
    if name.starts_with(['-', '_', '+', '.']) {
        return Some(format!("starts with `{}`", &name[..1]));
    }
    if let Some(upper) = name.chars().find(|letter| letter.is_uppercase()) {
        return Some(format!("has the capital letter `{upper}`"));
    }
    if let Some(bad) = name.chars().find(|letter| FORBIDDEN.contains(letter) || letter.is_control()) {
        return Some(format!("has the character `{}`", bad.escape_default()));
    }
    // The physical name adds a prefix, the hash and a number.
    (name.len() > MAX_INDEX_NAME_BYTES - 64)
        .then(|| format!("is {} bytes long, over {}", name.len(), MAX_INDEX_NAME_BYTES - 64))
}

/// What a pillow name lacks, as a clause that follows the name; `None` if it may be used. It is a
/// file name and part of an id in the control index: lower-case letters, digits, `-` and `_`,
/// starting with a letter.
#[must_use]
pub fn pillow_name_problem(name: &str) -> Option<String> {
    match name.chars().next() {
        None => return Some("is empty".to_owned()),
        Some(first) if !first.is_ascii_lowercase() => {
            return Some(format!("starts with `{first}`, not with a lower-case letter"));
        }
        Some(_) => {}
    }
    if let Some(bad) = name.chars().find(|letter| {
        !(letter.is_ascii_lowercase() || letter.is_ascii_digit() || *letter == '-' || *letter == '_')
    }) {
        return Some(format!("has the character `{}`", bad.escape_default()));
    }
    (name.len() > 64).then(|| format!("is {} bytes long, over 64", name.len()))
}

/// What a database name lacks, as a clause that follows the name; `None` if CouchDB takes it.
#[must_use]
pub fn database_name_problem(name: &str) -> Option<String> {
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        return Some("does not start with a lower-case letter".to_owned());
    }
    name.chars()
        .find(|letter| {
            !(letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_$()+-/".contains(*letter))
        })
        .map(|bad| format!("has the character `{}`", bad.escape_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_index_may_have_are_reported() {
        for (name, part) in [
            ("", "empty"),
            ("Cases", "capital"),
            ("_cases", "starts with `_`"),
            ("a b", "character ` `"),
            ("a:b", "`:`"),
            ("..", "`..`"),
            (&"a".repeat(250), "bytes long"),
        ] {
            let problem = index_name_problem(name).unwrap_or_default();
            assert!(problem.contains(part), "{name}: {problem}");
        }
        assert_eq!(index_name_problem("hqcases"), None);
        assert_eq!(index_name_problem("cases-2024.ümlaut"), None);
    }

    #[test]
    fn pillow_and_database_names_have_rules() {
        assert_eq!(pillow_name_problem("case-search_2"), None);
        assert!(pillow_name_problem("Case").is_some());
        assert!(pillow_name_problem("a/b").is_some());
        assert_eq!(database_name_problem("commcarehq"), None);
        assert!(database_name_problem("Commcare").is_some());
    }
}
