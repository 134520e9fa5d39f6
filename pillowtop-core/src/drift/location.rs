//! Where committed mappings are.

use std::path::{Component, Path, PathBuf};

use crate::committed::FOLDER;
use crate::definition::Definition;
use crate::pillow::Committed;

/// Where the committed mapping of a definition is on disk, without `..`; a build without `bless`
/// does not know.
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

/// How many directories up from a crate its `mappings/` is, and how many its workspace's root: that
/// is where the first one is if there is none yet.
#[must_use]
pub fn levels(crate_directory: &Path) -> (usize, usize) {
    let to_root = crate_directory.ancestors().position(is_workspace_root).unwrap_or(0);
    let nearest =
        crate_directory.ancestors().take(to_root + 1).position(|directory| directory.join(FOLDER).is_dir());
    (nearest.unwrap_or(to_root), to_root)
}

/// What to do about a committed mapping that was not found, with the directories that were looked
/// in. `program` is how the commands are run; a crate that is built away from its workspace cannot
/// run them.
#[must_use]
pub fn help_for_missing(crate_directory: &Path, program: &str, pillow: &str) -> String {
    let (_, to_root) = levels(crate_directory);
    let looked: Vec<String> = (0..=to_root).map(|up| format!("`{}{FOLDER}/`", "../".repeat(up))).collect();
    let looked = format!("looked in {}, from the directory of the crate", looked.join(", "));
    if is_away_from_workspace(crate_directory) {
        return format!(
            "a vendored, packaged or sandboxed crate needs `{FOLDER}/{pillow}.json` beside its own `Cargo.toml`: commit it there, see docs/vendoring.md\nnote: {looked}"
        );
    }
    format!("run `{program} make-mapping {pillow}`\nnote: {looked}")
}

/// Whether a crate was copied out of its workspace: cargo's own marks of vendored and packaged
/// sources, or no command in reach.
fn is_away_from_workspace(crate_directory: &Path) -> bool {
    let marks = [".cargo-checksum.json", ".cargo_vcs_info.json", "Cargo.toml.orig"];
    let has_command = |directory: &Path| {
        let config = fs_err::read_to_string(directory.join(".cargo/config.toml"));
        config.is_ok_and(|text| text.contains("xtask"))
    };
    marks.iter().any(|mark| crate_directory.join(mark).is_file())
        || !crate_directory.ancestors().any(has_command)
}

fn is_workspace_root(directory: &Path) -> bool {
    let manifest = fs_err::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_away_from_its_workspace_is_shown_where_its_mapping_may_stand() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("crates/documents");
        fs_err::create_dir_all(&directory).unwrap();
        fs_err::create_dir_all(root.path().join(".cargo")).unwrap();
        fs_err::write(root.path().join("Cargo.toml"), "[workspace]").unwrap();
        let inside = "needs `mappings/case.json` beside its own `Cargo.toml`";
        // As in a sandbox without the workspace's configuration.
        assert!(help_for_missing(&directory, "cargo xtask", "case").contains(inside));

        fs_err::write(root.path().join(".cargo/config.toml"), "[alias]\nxtask = \"run\"").unwrap();
        assert_eq!(
            help_for_missing(&directory, "cargo xtask", "case"),
            "run `cargo xtask make-mapping case`\nnote: looked in `mappings/`, `../mappings/`, `../../mappings/`, from the directory of the crate"
        );
        // As `cargo vendor` marks it.
        fs_err::write(directory.join(".cargo-checksum.json"), "{}").unwrap();
        assert!(help_for_missing(&directory, "cargo xtask", "case").contains(inside));
    }
}
