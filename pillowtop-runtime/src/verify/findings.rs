//! What a comparison found: counts, a few examples of each kind, and the ids to repair.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use pillowtop_core::{DocumentId, Revision};
use serde::Serialize;

/// How a document differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// It should be in the target.
    Missing,
    /// The target has another revision.
    Stale,
    /// It should not be in the target.
    Extra,
    /// The target has the revision, but not what filter and transform produce.
    Body,
    /// The target has a document of another database under its id, although ids are declared to
    /// be the same in all databases.
    Collision,
    /// Its last change was not applied in time, or nobody applies it.
    Pending,
    /// It has an open dead letter. This is not a difference: the target holds all it can.
    DeadLetter,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Missing,
        Self::Stale,
        Self::Extra,
        Self::Body,
        Self::Collision,
        Self::Pending,
        Self::DeadLetter,
    ];

    /// Whether processing such a document again can make it equal. Of two that collide, the other
    /// one would be lost.
    fn is_repairable(self) -> bool {
        !matches!(self, Self::Collision | Self::Pending | Self::DeadLetter)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Extra => "extra",
            Self::Body => "other body",
            Self::Collision => "collision",
            Self::Pending => "pending",
            Self::DeadLetter => "dead letter",
        })
    }
}

/// A document that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its `_id` in the database, or its id in the target if it is of no database.
    pub id: DocumentId,
    /// Its revision in the database; empty if it does not exist there.
    pub database_revision: Revision,
    /// Its revision in the target; `None` if it is missing.
    pub index_revision: Option<Revision>,
    /// What is known beside that: the path that differs, or why it should not be in the target.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The differences of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How many there are.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<Difference>,
}

impl Found {
    pub(super) fn add(&mut self, difference: Difference, most_examples: usize) {
        self.count += 1;
        if self.examples.len() < most_examples {
            self.examples.push(difference);
        }
    }
}

/// The differences of all kinds.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) found: BTreeMap<Kind, Found>,
    pub(super) repairable: Ids,
    most_examples: usize,
}

impl Findings {
    pub(super) fn new(most_examples: usize) -> Self {
        Self { found: BTreeMap::new(), repairable: Ids::default(), most_examples }
    }

    /// Adds a difference. Blocks for the moment that a buffer is written.
    pub(super) fn add(&mut self, kind: Kind, difference: Difference) -> io::Result<()> {
        if kind.is_repairable() {
            self.repairable.push(&difference.id)?;
        }
        self.add_unrepairable(kind, difference);
        Ok(())
    }

    /// Adds a difference that processing the document again does not remove.
    pub(super) fn add_unrepairable(&mut self, kind: Kind, difference: Difference) {
        self.found.entry(kind).or_default().add(difference, self.most_examples);
    }
}

/// Any number of ids, in a temporary file.
#[derive(Debug, Default)]
pub struct Ids {
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Ids {
    fn push(&mut self, id: &DocumentId) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        let length = u32::try_from(id.as_str().len()).map_err(io::Error::other)?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(id.as_str().as_bytes())?;
        self.count += 1;
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The ids, so many at a time.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn into_chunks(
        self,
        size: usize,
    ) -> io::Result<impl Iterator<Item = io::Result<Vec<DocumentId>>> + Send> {
        let mut reader = match self.file {
            Some(file) => {
                let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.rewind()?;
                Some(BufReader::new(file))
            }
            None => None,
        };
        let mut left = self.count;
        Ok(std::iter::from_fn(move || {
            let reader = reader.as_mut().filter(|_| left > 0)?;
            let count = left.min(size as u64);
            left -= count;
            Some((0..count).map(|_| read_id(reader)).collect())
        }))
    }
}

fn read_id(reader: &mut BufReader<File>) -> io::Result<DocumentId> {
    let mut length = [0; 4];
    reader.read_exact(&mut length)?;
    let mut id = vec![0; u32::from_le_bytes(length) as usize];
    reader.read_exact(&mut id)?;
    String::from_utf8(id).map(DocumentId::from).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_in_chunks() {
        let mut ids = Ids::default();
        let all: Vec<DocumentId> = (0..25).map(|number| format!("é{number}").into()).collect();
        all.iter().for_each(|id| ids.push(id).unwrap());
        assert_eq!(ids.count(), 25);
        let chunks: Vec<Vec<DocumentId>> = ids.into_chunks(10).unwrap().collect::<io::Result<_>>().unwrap();
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        assert_eq!(chunks.concat(), all);
        assert_eq!(Ids::default().into_chunks(10).unwrap().count(), 0);
    }

    #[test]
    fn examples_are_few_and_counts_are_not() {
        let mut findings = Findings::new(2);
        for kind in Kind::ALL {
            for number in 0..5 {
                let difference = Difference {
                    id: format!("{kind}{number}").into(),
                    database_revision: "1-a".into(),
                    index_revision: None,
                    detail: String::new(),
                };
                findings.add(kind, difference).unwrap();
            }
        }
        assert!(findings.found.values().all(|found| found.count == 5 && found.examples.len() == 2));
        assert_eq!(findings.repairable.count(), 20);
    }
}
