//! Files that are written whole or not at all, and file names for keys of any characters and any
//! length.

use std::io::{self, Write as _};
use std::path::Path;

use fs_err as fs;
use pillowtop_core::fingerprint::hash_text;

/// How many characters of a key a file name shows.
const READABLE: usize = 40;

/// The name of the JSON file of a key: a readable part of the key, and a hash of all of it.
pub(crate) fn file_name(key: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let readable: String = key.chars().take(READABLE).map(plain).collect();
    format!("{readable}.{:032x}.json", hash_text(key))
}

/// Writes a file under a temporary name and renames it. The new name is durable after
/// [`sync_directory`].
pub(crate) fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// Makes renamed and removed files of a directory durable.
#[cfg(unix)]
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Directories cannot be synced here.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}
