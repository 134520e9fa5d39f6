//! The listings of both sides, partitioned by a hash of the id, in bounded memory.
//!
//! Neither side's order is of use: CouchDB collates ids, a server sorts keywords by their bytes,
//! and the fastest listing of an index has no order at all. So every entry goes to the partition of
//! its id. Entries are kept in memory up to a budget, then all of them are appended to one
//! temporary file, a segment for each partition. Both sides of a partition are then compared in
//! memory.
//!
//! Memory: the budget while listing, then one partition. A document takes about 80 bytes of the
//! file on each side, so 10 million documents are 1.6 GB of disk, and a partition of them is 1.6
//! MB. The file has no name, so nothing is left of it after a crash.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

/// Partitions. Each has a thousandth of the documents.
const PARTITIONS: usize = 1024;

/// Which listing an entry is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Database,
    Index,
}

/// One entry of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) side: Side,
    pub(super) id: &'a str,
    pub(super) revision: &'a str,
    pub(super) deleted: bool,
}

/// A part of the file.
struct Segment {
    start: u64,
    length: usize,
}

/// The entries of both listings.
pub(super) struct Spill {
    buffers: Vec<Vec<u8>>,
    buffered: usize,
    /// Bytes that are kept in memory.
    budget: usize,
    file: Option<File>,
    end: u64,
    segments: Vec<Vec<Segment>>,
}

impl Spill {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            buffers: vec![Vec::new(); PARTITIONS],
            buffered: 0,
            budget,
            file: None,
            end: 0,
            segments: std::iter::repeat_with(Vec::new).take(PARTITIONS).collect(),
        }
    }

    /// How many partitions there are.
    pub(super) fn partitions(&self) -> usize {
        self.buffers.len()
    }

    /// Adds an entry. Blocks while the file is written.
    pub(super) fn add(&mut self, entry: Entry<'_>) -> io::Result<()> {
        let buffer = &mut self.buffers[partition_of(entry.id)];
        let before = buffer.len();
        let flags = u8::from(entry.side == Side::Index) | u8::from(entry.deleted) << 1;
        buffer.push(flags);
        for text in [entry.id, entry.revision] {
            // Ids and revisions are far below 4 GiB: they came in one response.
            let length = u32::try_from(text.len()).map_err(io::Error::other)?;
            buffer.extend(length.to_le_bytes());
            buffer.extend(text.as_bytes());
        }
        self.buffered += buffer.len() - before;
        if self.buffered > self.budget { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.end))?;
        for (buffer, segments) in self.buffers.iter_mut().zip(&mut self.segments) {
            if buffer.is_empty() {
                continue;
            }
            file.write_all(buffer)?;
            segments.push(Segment { start: self.end, length: buffer.len() });
            self.end += buffer.len() as u64;
            buffer.clear();
        }
        self.buffered = 0;
        Ok(())
    }

    /// The bytes of a partition, in the order in which its entries were added; see [`entries`].
    /// Blocks while the file is read.
    pub(super) fn take(&mut self, partition: usize) -> io::Result<Vec<u8>> {
        let segments = std::mem::take(&mut self.segments[partition]);
        let rest = std::mem::take(&mut self.buffers[partition]);
        let Some(file) = &mut self.file else { return Ok(rest) };
        let mut bytes =
            Vec::with_capacity(segments.iter().map(|segment| segment.length).sum::<usize>() + rest.len());
        for Segment { start, length } in segments {
            file.seek(SeekFrom::Start(start))?;
            let read = file.take(length as u64).read_to_end(&mut bytes)?;
            if read != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        bytes.extend(rest);
        Ok(bytes)
    }
}

fn partition_of(id: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    usize::try_from(hasher.finish() % PARTITIONS as u64).unwrap_or_default()
}

/// The entries of a partition.
pub(super) fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (flags, after) = rest.split_first()?;
        let (id, after) = text(after)?;
        let (revision, after) = text(after)?;
        rest = after;
        let side = if flags & 1 == 0 { Side::Database } else { Side::Index };
        Some(Entry { side, id, revision, deleted: flags & 2 != 0 })
    })
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_entry_comes_back_in_its_order(
            all in prop::collection::vec(("[a-d]{0,2}", "[0-9]-[a-f]{0,4}", any::<bool>(), any::<bool>()), 0..200),
            budget in 0_usize..2000,
        ) {
            let mut spill = Spill::new(budget);
            for (id, revision, is_index, deleted) in &all {
                let side = if *is_index { Side::Index } else { Side::Database };
                spill.add(Entry { side, id, revision, deleted: *deleted }).unwrap();
            }
            let mut found = Vec::new();
            for partition in 0..spill.partitions() {
                let bytes = spill.take(partition).unwrap();
                for entry in entries(&bytes) {
                    prop_assert_eq!(partition_of(entry.id), partition);
                    let of = |other: &str| other == entry.id;
                    // The same id is always in the same partition, so the order of each id is kept.
                    let before = found.iter().filter(|(id, ..): &&(String, String, bool, bool)| of(id)).count();
                    let expected = all.iter().filter(|(id, ..)| of(id)).nth(before);
                    let is_index = entry.side == Side::Index;
                    let entry = (entry.id.to_owned(), entry.revision.to_owned(), is_index, entry.deleted);
                    prop_assert_eq!(expected, Some(&entry));
                    found.push(entry);
                }
            }
            prop_assert_eq!(found.len(), all.len());
        }
    }
}
