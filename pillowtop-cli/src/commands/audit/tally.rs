//! What was found, per path.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_conformance::{Effect, Finding};
use serde::Serialize;

/// What became of the documents.
#[derive(Debug, Default, Serialize)]
pub(super) struct Documents {
    /// All that were read.
    pub(super) read: u64,
    /// Those that are sent to the index.
    pub(super) indexed: u64,
    /// Those of them that a server refuses.
    pub(super) rejected: u64,
    /// Those that their struct does not read.
    pub(super) undecodable: u64,
    pub(super) filtered: u64,
    pub(super) deleted: u64,
    pub(super) of_other_types: u64,
}

/// How often something was found, and the first example.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub(super) effect: String,
    pub(super) count: u64,
    /// The first document with it.
    pub(super) id: String,
    /// Its value, cut.
    pub(super) value: String,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) hint: String,
}

/// What was found at a path.
#[derive(Debug, Default)]
pub(super) struct PathTally {
    /// Documents with a value there.
    pub(super) seen: u64,
    pub(super) found: BTreeMap<Effect, Found>,
}

impl PathTally {
    /// How often any of these was found.
    pub(super) fn count(&self, is_meant: impl Fn(Effect) -> bool) -> u64 {
        self.found.iter().filter(|(effect, _)| is_meant(**effect)).map(|(_, found)| found.count).sum()
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) documents: Documents,
    pub(super) paths: BTreeMap<String, PathTally>,
}

impl Tally {
    /// A document had values at these paths.
    pub(super) fn saw(&mut self, paths: &BTreeSet<String>) {
        for path in paths {
            match self.paths.get_mut(path) {
                Some(known) => known.seen += 1,
                None => {
                    self.paths.insert(path.clone(), PathTally { seen: 1, found: BTreeMap::new() });
                }
            }
        }
    }

    /// Something was found in a document.
    pub(super) fn add(&mut self, id: &str, finding: &Finding) {
        let path = self.paths.entry(finding.path.clone()).or_default();
        let found = path.found.entry(finding.effect).or_insert_with(|| Found {
            effect: finding.effect.to_string(),
            count: 0,
            id: id.to_owned(),
            value: finding.value.clone(),
            reason: finding.reason.clone(),
            hint: finding.hint.clone(),
        });
        found.count += 1;
    }

    /// Whether anything would be rejected.
    pub(super) fn is_rejecting(&self) -> bool {
        self.documents.rejected + self.documents.undecodable > 0
    }
}
