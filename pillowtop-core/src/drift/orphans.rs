//! Committed mappings that no pillow has any more.
//!
//! A list of all pillows knows which those are. A crate's own list does not, where several crates
//! of documents share the directory of a workspace: it leaves files alone that another crate may
//! have. What another crate has shows in its sources, where a pillow's name is a string in a file
//! that names pillows. Should that be another text of the same letters, the list of all still
//! tells.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::location::{levels, path};
use crate::committed::FOLDER;
use crate::pillow::Committed;
use crate::registry::Registry;

/// The committed mappings in a directory that no pillow of a list has; the list is of all pillows
/// that have theirs there.
///
/// # Errors
///
/// When the directory cannot be listed.
pub fn orphans(registry: &Registry, directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let definitions = || registry.pillows().iter().map(|pillow| pillow.definition());
    let by_path: BTreeSet<PathBuf> = definitions()
        .map(|known| path(known).unwrap_or_else(|| directory.join(format!("{}.json", known.pillow))))
        .collect();
    // A build without `bless` knows no paths. Where `mapping = "…"` says another one, the contents
    // tell.
    let by_bytes: BTreeSet<&[u8]> = definitions()
        .filter_map(|known| match known.committed {
            Committed::Embedded(bytes) => Some(bytes),
            _ => None,
        })
        .collect();
    let mut orphans = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let is_known = || {
            by_path.contains(&path) || fs_err::read(&path).is_ok_and(|bytes| by_bytes.contains(&bytes[..]))
        };
        if path.extension().is_some_and(|extension| extension == "json") && !is_known() {
            orphans.push(path);
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// The same by the list of one crate, without what another crate may have.
///
/// # Errors
///
/// When the directory cannot be listed.
pub fn orphans_of_crate(
    registry: &Registry,
    directory: &Path,
    crate_directory: &Path,
) -> std::io::Result<Vec<PathBuf>> {
    let mut orphans = orphans(registry, directory)?;
    if let Some(above) = directory.parent() {
        Others { directory, crate_directory }.take(&mut orphans, above, false);
    }
    Ok(orphans)
}

/// The sources of the other crates whose committed mappings are in a directory.
struct Others<'a> {
    directory: &'a Path,
    crate_directory: &'a Path,
}

impl Others<'_> {
    /// Takes away what the sources in `current` and below may have; `is_other` says whether they
    /// are of such a crate. What cannot be read has nothing.
    fn take(&self, orphans: &mut Vec<PathBuf>, current: &Path, is_other: bool) {
        let is_other =
            if current.join("Cargo.toml").is_file() { self.is_another_crate(current) } else { is_other };
        let Ok(entries) = fs_err::read_dir(current) else { return };
        for entry in entries.flatten() {
            if orphans.is_empty() {
                return;
            }
            let path = entry.path();
            // Links are not followed: they may lead back up.
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && !is_left_out(&path) {
                self.take(orphans, &path, is_other);
            } else if is_other && path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs_err::read_to_string(&path).unwrap_or_default();
                orphans.retain(|orphan| !may_have(&source, orphan));
            }
        }
    }

    fn is_another_crate(&self, package: &Path) -> bool {
        let above = package.ancestors().nth(levels(package).0);
        package != self.crate_directory && above.is_some_and(|above| above.join(FOLDER) == self.directory)
    }
}

/// Hidden directories, and what tools mark as theirs: cargo's `target`.
fn is_left_out(directory: &Path) -> bool {
    let is_hidden = directory.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    is_hidden || directory.join("CACHEDIR.TAG").is_file()
}

/// Whether a source file may declare the pillow of a committed mapping: by its name, or by the
/// file's.
fn may_have(source: &str, mapping: &Path) -> bool {
    let Some(name) = mapping.file_stem().map(|name| name.to_string_lossy()) else { return false };
    source.to_ascii_lowercase().contains("pillow")
        && (source.contains(&format!("\"{name}\"")) || source.contains(&format!("{name}.json\"")))
}
