//! Comparing the two sides of a partition.

use std::collections::HashMap;

use pillowtop_core::{DocumentId, Revision};

use super::spill::{Side, entries};

/// What the listings of a partition have of each id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// Entries of both listings.
    pub(super) entries: u64,
    /// Entries of the index.
    pub(super) indexed: u64,
    /// Documents of the database.
    pub(super) documents: u64,
    /// In the database only. Whether they should be in the index is to be decided.
    pub(super) absent: Vec<DocumentId>,
    /// In both, with different revisions: the database's.
    pub(super) unequal: Vec<(DocumentId, Revision)>,
    /// In the index only.
    pub(super) extra: Vec<DocumentId>,
    /// In the index more than once.
    pub(super) repeated: Vec<DocumentId>,
    /// In both, with the same revision: those that were chosen for comparing bodies.
    pub(super) chosen: Vec<DocumentId>,
}

/// The documents whose bodies are compared.
#[derive(Debug)]
pub(super) enum Choice {
    All,
    /// A sample of so many, in which each document is equally likely.
    Sample {
        size: usize,
        seen: usize,
        ids: Vec<DocumentId>,
    },
}

impl Choice {
    pub(super) fn sample(size: usize) -> Self {
        Self::Sample { size, seen: 0, ids: Vec::new() }
    }

    /// An equal document: whether it is chosen now. Those of a sample are only known at the end.
    fn offer(&mut self, id: &str) -> bool {
        let Self::Sample { size, seen, ids } = self else { return true };
        *seen += 1;
        if ids.len() < *size {
            ids.push(id.into());
        } else if *size > 0
            && let Some(slot) = ids.get_mut(fastrand::usize(..*seen))
        {
            *slot = id.into();
        }
        false
    }
}

/// What is known of one id.
#[derive(Default)]
struct Both<'a> {
    database: Option<&'a str>,
    index: Option<&'a str>,
    is_repeated: bool,
}

/// Compares the entries of a partition.
pub(super) fn compare(bytes: &[u8], choice: &mut Choice) -> Compared {
    let mut all: HashMap<&str, Both<'_>> = HashMap::new();
    let mut compared = Compared::default();
    for entry in entries(bytes) {
        compared.entries += 1;
        compared.indexed += u64::from(entry.side == Side::Index);
        let both = all.entry(entry.id).or_default();
        match entry.side {
            // The last entry of a feed counts.
            Side::Database => both.database = (!entry.deleted).then_some(entry.revision),
            Side::Index => both.is_repeated |= both.index.replace(entry.revision).is_some(),
        }
    }
    for (id, both) in all {
        compared.documents += u64::from(both.database.is_some());
        if both.is_repeated {
            compared.repeated.push(id.into());
        }
        match (both.database, both.index) {
            (Some(_), None) => compared.absent.push(id.into()),
            (None, Some(_)) => compared.extra.push(id.into()),
            (Some(revision), Some(indexed)) if revision != indexed => {
                compared.unequal.push((id.into(), revision.into()));
            }
            (Some(_), Some(_)) => {
                if choice.offer(id) {
                    compared.chosen.push(id.into());
                }
            }
            // A document that was deleted.
            (None, None) => {}
        }
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::super::spill::{Entry, Spill};
    use super::*;

    fn compared(listed: &[(Side, &str, &str, bool)], choice: &mut Choice) -> Compared {
        let mut spill = Spill::new(usize::MAX);
        for (side, id, revision, deleted) in listed {
            spill.add(Entry { side: *side, id, revision, deleted: *deleted }).unwrap();
        }
        let mut sum = Compared::default();
        for partition in 0..spill.partitions() {
            let part = compare(&spill.take(partition).unwrap(), choice);
            sum.indexed += part.indexed;
            sum.documents += part.documents;
            sum.absent.extend(part.absent);
            sum.unequal.extend(part.unequal);
            sum.extra.extend(part.extra);
            sum.repeated.extend(part.repeated);
            sum.chosen.extend(part.chosen);
        }
        sum
    }

    #[test]
    fn each_id_is_compared_by_its_last_entry() {
        let (database, index) = (Side::Database, Side::Index);
        let listed = [
            (database, "equal", "1-a", false),
            (index, "equal", "1-a", false),
            (database, "unequal", "1-a", false),
            (index, "unequal", "1-a", false),
            (database, "unequal", "2-a", false),
            (index, "extra", "1-a", false),
            (database, "deleted", "1-a", false),
            (database, "deleted", "2-a", true),
            (database, "absent", "1-a", false),
            (index, "twice", "1-a", false),
            (index, "twice", "1-a", false),
            (database, "twice", "1-a", false),
        ];
        let found = compared(&listed, &mut Choice::All);
        assert_eq!((found.indexed, found.documents), (5, 4));
        assert_eq!(found.absent, ["absent".into()]);
        assert_eq!(found.unequal, [("unequal".into(), "2-a".into())]);
        assert_eq!((found.extra, found.repeated), (vec!["extra".into()], vec!["twice".into()]));
        assert_eq!(found.chosen.len(), 2);
    }

    #[test]
    fn a_sample_has_its_size_and_any_document() {
        let ids: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let listed: Vec<_> = ids
            .iter()
            .flat_map(|id| {
                [(Side::Database, id.as_str(), "1-a", false), (Side::Index, id.as_str(), "1-a", false)]
            })
            .collect();
        let mut sampled = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let mut choice = Choice::sample(10);
            assert!(compared(&listed, &mut choice).chosen.is_empty());
            let Choice::Sample { ids, .. } = choice else { unreachable!() };
            assert_eq!(ids.len(), 10);
            sampled.extend(ids);
        }
        assert!(sampled.len() > 90, "{}", sampled.len());
        let mut none = Choice::sample(0);
        compared(&listed, &mut none);
        assert!(matches!(none, Choice::Sample { ids, .. } if ids.is_empty()));
    }
}
