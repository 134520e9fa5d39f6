//! The files of bulk requests: numbered, and written whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::files::{sync_directory, write_whole};
use crate::operation::Operation;
use crate::target::bulk_body::push_operation;

/// The name of the file with the next number.
const NEXT: &str = "next-number";

/// The directory of the files, and the file that is being filled. It is in memory until it is
/// finished: it is small, and a failed write leaves nothing torn behind.
#[derive(Debug)]
pub(super) struct BulkFiles {
    directory: PathBuf,
    max_bytes: usize,
    next: u64,
    body: Vec<u8>,
}

impl BulkFiles {
    /// Opens the directory, which is created, and removes what a crash left unfinished.
    pub(super) fn open(directory: PathBuf, max_bytes: usize) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        let mut next = match fs::read_to_string(directory.join(NEXT)) {
            Ok(number) => number.trim().parse().map_err(|error| {
                let path = directory.join(NEXT);
                io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {error}", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 1,
            Err(error) => return Err(error),
        };
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(&path)?;
            } else if let Some(number) = number(&path) {
                next = next.max(number + 1);
            }
        }
        Ok(Self { directory, max_bytes, next, body: Vec::new() })
    }

    /// Appends operations, and finishes files that are full. After an error only the first of them
    /// are appended, or none.
    pub(super) fn append(&mut self, operations: &[Operation]) -> io::Result<()> {
        for operation in operations {
            let start = self.body.len();
            push_operation(&mut self.body, operation, operation.routing.as_deref());
            if self.body.len() > self.max_bytes && start > 0 {
                let first_of_next = self.body.split_off(start);
                self.finish()?;
                self.body = first_of_next;
            }
        }
        Ok(())
    }

    /// Finishes the file that is being filled. After an error it is kept, and finished later.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.body.is_empty() {
            return Ok(());
        }
        // First: a number that a crash skips is harmless, and one that is used twice may be mistaken for a
        // file that was replayed.
        let number = self.next;
        write_whole(&self.directory.join(NEXT), format!("{}\n", number + 1).as_bytes())?;
        write_whole(&self.directory.join(format!("bulk-{number:010}.ndjson")), &self.body)?;
        sync_directory(&self.directory)?;
        self.next = number + 1;
        self.body.clear();
        Ok(())
    }
}

fn number(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("bulk-")?.strip_suffix(".ndjson")?.parse().ok()
}
