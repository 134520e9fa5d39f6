//! The pillow `group`: users who share cases, or are reported on together.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A group as it is in `CouchDB`, and as it is indexed. Members that are not named here are
/// dropped.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Group", deleted = "Group-Deleted", database = "commcarehq")]
#[es(rules = crate::rules)]
#[pillow(name = "group", alias = "hqgroups", settings = "analysis/hq.json")]
pub struct Group {
    /// Always [`Group`]'s own type; HQ's searches still name it.
    pub doc_type: String,
    /// The project that the group belongs to.
    pub domain: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Its users' ids.
    #[serde(default)]
    pub users: Vec<String>,
    /// The ids of those who left, whose phones have yet to hear of it.
    #[serde(default)]
    pub removed_users: Vec<String>,
    /// The names of the groups that it is in, of the time when groups were a tree.
    #[serde(default)]
    #[es(text)]
    pub path: Vec<String>,
    /// Whether its users see each other's cases.
    pub case_sharing: Option<bool>,
    /// Whether reports can be asked for it.
    pub reporting: Option<bool>,
    /// What the project notes about it. Nothing searches for it.
    #[es(skip)]
    pub metadata: Option<Box<RawValue>>,
    /// When it was changed last.
    #[es(skip)]
    pub last_modified: Option<String>,
}
