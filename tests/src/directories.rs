//! Where things lie: what is installed, and the data of each server that runs.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// `test-servers` in the cargo target directory. Everything this crate writes is in there.
pub(crate) fn root() -> io::Result<PathBuf> {
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => std::path::absolute(directory)?,
        None => workspace().join("target"),
    };
    Ok(target.join("test-servers"))
}

/// The workspace's directory.
pub(crate) fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// The definition of a server (pom, package.json, scripts) in the source tree.
pub(crate) fn definition(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(name)
}

/// The directory of one running server: data, configuration, log. Removed when dropped.
///
/// A lock on a file in it tells other processes that it is in use. A process that was killed leaves
/// its directory behind without the lock; the next one to start a server removes it.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
    _owner: File,
}

impl RunDirectory {
    /// Makes an empty directory, after removing those that nobody owns any more.
    pub(crate) fn create(name: &str) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let all = root()?.join("run");
        fs_err::create_dir_all(&all)?;
        // Held till the new directory's own lock is taken: else another process might take it for an
        // abandoned one.
        let gate = lock_file(&all.join("gate"))?;
        gate.lock()?;
        sweep(&all)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = all.join(format!("{name}-{}-{number}", std::process::id()));
        fs_err::create_dir_all(&path)?;
        let owner = lock_file(&path.join("owner"))?;
        owner.lock()?;
        Ok(Self { path, _owner: owner })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next sweep.
        let _ = fs_err::remove_dir_all(&self.path);
    }
}

fn sweep(all: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(all)? {
        let path = entry?.path();
        if path.is_dir() && lock_file(&path.join("owner")).is_ok_and(|owner| owner.try_lock().is_ok()) {
            // A server that is just ending may still write; then the next sweep gets it.
            let _ = fs_err::remove_dir_all(&path);
        }
    }
    Ok(())
}

/// Opens (or makes) a file that is only there to be locked.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    Ok(fs_err::OpenOptions::new().create(true).write(true).truncate(false).open(path)?.into_file())
}

/// The last `count` lines of a file; a note if it cannot be read.
pub fn tail(path: &Path, count: usize) -> String {
    let bytes = match fs_err::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return format!("({error})"),
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_directory_is_kept_while_owned_and_swept_when_abandoned() {
        let mine = RunDirectory::create("directory-test").unwrap();
        let abandoned = root().unwrap().join("run").join("directory-test-abandoned");
        fs_err::create_dir_all(&abandoned).unwrap();
        let other = RunDirectory::create("directory-test").unwrap();
        assert!(mine.path().is_dir());
        assert!(!abandoned.is_dir());
        let path = mine.path().to_path_buf();
        drop(mine);
        assert!(!path.is_dir());
        assert!(other.path().is_dir());
    }

    #[test]
    fn the_tail_of_a_file_is_its_last_lines() {
        let directory = RunDirectory::create("directory-test").unwrap();
        let file = directory.path().join("log");
        fs_err::write(&file, "a\nb\nc\n").unwrap();
        assert_eq!(tail(&file, 2), "b\nc");
        assert_eq!(tail(&file, 9), "a\nb\nc");
        assert!(tail(&directory.path().join("none"), 9).starts_with('('));
    }
}
