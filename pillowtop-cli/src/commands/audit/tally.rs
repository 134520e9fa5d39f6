//! What was found, per path.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_conformance::{Effect, Finding};
use serde::Serialize;

/// What stands for the effect of a document that its struct does not read.
pub(super) const UNDECODABLE: &str = "not decodable";

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

/// What became of a value, or of a document as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Its struct does not read the document, for this reason.
    Undecodable(String),
    Effect(Effect),
}

impl Kind {
    /// The effect of a mapping; none if the document does not get that far.
    pub(super) fn effect(&self) -> Option<Effect> {
        match self {
            Self::Effect(effect) => Some(*effect),
            Self::Undecodable(_) => None,
        }
    }
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
    pub(super) found: BTreeMap<Kind, Found>,
}

impl PathTally {
    /// How often any of these was found.
    pub(super) fn count(&self, is_meant: impl Fn(&Kind) -> bool) -> u64 {
        self.found.iter().filter(|(kind, _)| is_meant(kind)).map(|(_, found)| found.count).sum()
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
        let found = path.found.entry(Kind::Effect(finding.effect)).or_insert_with(|| Found {
            effect: finding.effect.to_string(),
            count: 0,
            id: id.to_owned(),
            value: finding.value.clone(),
            reason: finding.reason.clone(),
            hint: finding.hint.clone(),
        });
        found.count += 1;
    }

    /// The struct does not read a document. Each reason is a finding of its own.
    pub(super) fn add_undecodable(&mut self, id: &str, reason: &str) {
        self.documents.undecodable += 1;
        let reason = without_position(reason);
        let document = self.paths.entry(String::new()).or_default();
        let found = document.found.entry(Kind::Undecodable(reason.to_owned())).or_insert_with(|| Found {
            effect: UNDECODABLE.to_owned(),
            count: 0,
            id: id.to_owned(),
            value: String::new(),
            reason: reason.to_owned(),
            hint: "change the struct so that it reads such documents, or fix the document".to_owned(),
        });
        found.count += 1;
    }

    /// Whether anything would be rejected.
    pub(super) fn is_rejecting(&self) -> bool {
        self.documents.rejected + self.documents.undecodable > 0
    }
}

/// A reason without where in the document's JSON text it was found, which differs between documents
/// with the same fault.
fn without_position(reason: &str) -> &str {
    reason
        .rsplit_once(" at line ")
        .filter(|(_, position)| {
            position.split_once(" column ").is_some_and(|(line, column)| {
                line.bytes().chain(column.bytes()).all(|byte| byte.is_ascii_digit())
            })
        })
        .map_or(reason, |(cause, _)| cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_loses_its_position_alone() {
        for (reason, expected) in [
            ("missing field `shelf` at line 1 column 45", "missing field `shelf`"),
            ("waits at line 1 column x", "waits at line 1 column x"),
            ("missing field `shelf`", "missing field `shelf`"),
        ] {
            assert_eq!(without_position(reason), expected);
        }
    }
}
