//! Dead letters as files in a folder: one a document, whole or not at all.
//!
//! A letter goes when its document is indexed or deleted later, and only once that is committed: until then the failure is
//! what the index shows. To find that out costs nothing while there are no letters: the names of the files are held in memory.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;
use pillowtop_core::DocumentId;
use pillowtop_core::fingerprint::hash_text;

use crate::dead_letter::DeadLetter;

/// The folder, for who writes.
#[derive(Debug)]
pub(crate) struct Letters {
    folder: PathBuf,
    /// The letters that are there.
    names: HashSet<String>,
    /// Those whose documents went well since the last commit.
    settled: HashSet<String>,
}

impl Letters {
    /// Opens the folder, or makes it.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let names = names(&folder)?;
        Ok(Self { folder, names, settled: HashSet::new() })
    }

    /// Stores letters; when it returns they are on the disk.
    pub(crate) fn bury(&mut self, letters: &[DeadLetter]) -> io::Result<()> {
        for letter in letters {
            let name = file_name(&letter.id);
            let text = serde_json::to_vec_pretty(letter)?;
            let unfinished = self.folder.join(format!("{name}.new"));
            let mut file = fs::File::create(&unfinished)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&unfinished, self.folder.join(&name))?;
            self.settled.remove(&name);
            self.names.insert(name);
        }
        sync_folder(&self.folder)
    }

    /// A document was indexed or deleted.
    pub(crate) fn settle(&mut self, id: &DocumentId) {
        if self.names.is_empty() {
            return;
        }
        let name = file_name(id);
        if self.names.contains(&name) {
            self.settled.insert(name);
        }
    }

    /// What was settled is committed: the letters go. One that cannot be removed is tried again after the next commit.
    pub(crate) fn committed(&mut self) {
        let (folder, names) = (&self.folder, &mut self.names);
        self.settled.retain(|name| {
            let gone = match fs::remove_file(folder.join(name)) {
                Ok(()) => true,
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            };
            if gone {
                names.remove(name);
            }
            !gone
        });
    }
}

/// All letters of a folder, by the time of failure. A letter that went meanwhile is left out.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for name in names(folder)? {
        match fs::read(folder.join(&name)) {
            Ok(text) => letters.push(serde_json::from_slice::<DeadLetter>(&text).map_err(io::Error::from)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    letters.sort_by(|one, other| (&one.time, &one.id).cmp(&(&other.time, &other.id)));
    Ok(letters)
}

/// The files with letters; not those that a crash left unfinished.
fn names(folder: &Path) -> io::Result<HashSet<String>> {
    let mut names = HashSet::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "json") {
            names.insert(name);
        }
    }
    Ok(names)
}

/// A readable part of the id and a hash of all of it: ids have any characters and up to any length.
fn file_name(id: &DocumentId) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let readable: String = id.as_str().chars().take(40).map(plain).collect();
    format!("{readable}.{:032x}.json", hash_text(id.as_str()))
}

/// A renamed file is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
