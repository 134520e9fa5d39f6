//! Where committed mappings are.

use std::path::{Component, Path, PathBuf};

use crate::committed::FOLDER;
use crate::definition::Definition;
use crate::pillow::Committed;

/// Where the committed mapping of a definition is on disk, without `..`; a build without `bless` does not know.
#[must_use]
pub fn path(definition: &Definition) -> Option<PathBuf> {
    let Committed::OnDisk(path) = definition.committed else { return None };
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// How many folders up from a crate its `mappings/` is, and how many its workspace's root: that is where the first one is if there
/// is none yet.
#[must_use]
pub fn levels(crate_folder: &Path) -> (usize, usize) {
    let to_root = crate_folder.ancestors().position(is_workspace_root).unwrap_or(0);
    let nearest = crate_folder.ancestors().take(to_root + 1).position(|folder| folder.join(FOLDER).is_dir());
    (nearest.unwrap_or(to_root), to_root)
}

fn is_workspace_root(folder: &Path) -> bool {
    let manifest = fs_err::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}
