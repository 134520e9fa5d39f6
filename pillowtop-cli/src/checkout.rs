//! The checkout that a command runs in. A build with the feature `bless` contains the absolute
//! paths of its committed mappings, and cargo reuses such a build in a copy of the workspace:
//! without this check, the copy would read and write the original's files.

use std::path::{Component, Path, PathBuf};

use pillowtop_core::pillow::Committed;
use pillowtop_core::{Definition, Registry};

use crate::exit::Failure;

/// Fails if the program was compiled in another checkout than the one it runs in: that of
/// `CARGO_MANIFEST_DIR`, which `cargo run` sets, or else of the current directory.
pub(crate) fn require_own_checkout(registry: &Registry) -> Result<(), Failure> {
    let compiled = |definition: &Definition| match definition.committed {
        Committed::OnDisk(path) => Some(PathBuf::from(path)),
        _ => None,
    };
    let mut paths = registry.pillows().iter().filter_map(|pillow| compiled(pillow.definition())).peekable();
    if paths.peek().is_none() {
        return Ok(());
    }
    let here = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => std::env::current_dir()?,
    };
    match paths.find(|path| !is_own(path, &here)) {
        Some(path) => Err(foreign(&path, &here)),
        None => Ok(()),
    }
}

/// Whether a path that was compiled in belongs to the checkout of a directory.
fn is_own(compiled: &Path, here: &Path) -> bool {
    let leads_up = compiled.components().any(|part| part == Component::ParentDir);
    if leads_up && !crate_directory(compiled).is_dir() {
        return false;
    }
    let compiled = existing_part_resolved(compiled);
    let here = existing_part_resolved(here);
    if repository_of(&compiled) != repository_of(&here) {
        return false;
    }
    match (workspace_of(&compiled), workspace_of(&here)) {
        // A workspace of tools may lie inside the workspace of the documents.
        (Some(compiled), Some(here)) => compiled.starts_with(here) || here.starts_with(compiled),
        (None, None) => compiled.starts_with(&here),
        _ => false,
    }
}

/// The nearest repository above a path. A worktree and a submodule have a file in place of the
/// directory `.git`.
fn repository_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|directory| directory.join(".git").exists())
}

fn workspace_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|directory| is_workspace_root(directory))
}

/// The directory of the crate that a path was compiled into: it ends before `..` or `mappings`.
fn crate_directory(compiled: &Path) -> PathBuf {
    let is_of_crate = |part: &Component<'_>| {
        *part != Component::ParentDir && part.as_os_str() != pillowtop_core::committed::FOLDER
    };
    compiled.components().take_while(is_of_crate).collect()
}

fn is_workspace_root(directory: &Path) -> bool {
    manifest(directory).is_some_and(|manifest| manifest.contains_key("workspace"))
}

fn manifest(directory: &Path) -> Option<toml::Table> {
    fs_err::read_to_string(directory.join("Cargo.toml")).ok()?.parse().ok()
}

/// A path without `..`, and without links as far as it exists.
fn existing_part_resolved(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    let resolved = plain.ancestors().find_map(|existing| {
        let rest = plain.strip_prefix(existing).ok()?;
        Some(existing.canonicalize().ok()?.join(rest))
    });
    // Joining an empty rest leaves a slash behind, which `components` removes.
    resolved.map_or(plain, |path| path.components().collect())
}

fn foreign(compiled: &Path, here: &Path) -> Failure {
    let here = existing_part_resolved(here);
    let root = workspace_of(&here).unwrap_or(&here);
    let package = package_of(compiled, root).map(|name| format!(" --package {name}")).unwrap_or_default();
    Failure::usage(format!(
        "this program was compiled in another checkout: it would use `{}`, and runs in `{}`",
        existing_part_resolved(compiled).display(),
        root.display()
    ))
    .hint(format!(
        "the build directory was probably copied from there; compile again: `cargo clean --profile xtask{package}`, then run the same command"
    ))
}

/// The package here whose build contains a path of another checkout.
fn package_of(compiled: &Path, root: &Path) -> Option<String> {
    let directory = crate_directory(compiled);
    let parts: Vec<Component<'_>> = directory.components().collect();
    let inner = (0..parts.len()).map(|first| parts[first..].iter().collect::<PathBuf>());
    let manifest = inner.filter(|path| path.is_relative()).find_map(|path| manifest(&root.join(path)))?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(root: &Path) {
        for (path, text) in [
            ("Cargo.toml", "[workspace]\nmembers = [\"documents\", \"xtask\"]\n"),
            ("documents/Cargo.toml", "[package]\nname = \"library-documents\"\n"),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
        ] {
            let path = root.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
    }

    fn compiled(root: &Path) -> PathBuf {
        root.join("documents/../mappings/book.json")
    }

    #[test]
    fn a_copied_build_does_not_use_the_mappings_of_the_original() {
        let directory = tempfile::tempdir().unwrap();
        let (original, copy) = (directory.path().join("original"), directory.path().join("copy"));
        workspace(&original);
        workspace(&copy);
        assert!(is_own(&compiled(&original), &original.join("xtask")));
        assert!(is_own(&compiled(&original), &original));
        assert!(!is_own(&compiled(&original), &copy.join("xtask")));
        let failure = foreign(&compiled(&original), &copy.join("xtask"));
        assert_eq!(failure.code, 2);
        assert!(failure.message.contains("original/mappings/book.json"), "{failure:?}");
        let hint = failure.hint.unwrap();
        assert!(hint.contains("`cargo clean --profile xtask --package library-documents`"), "{hint}");
        // The original may be gone, as in a layer of an image.
        fs_err::remove_dir_all(&original).unwrap();
        assert!(!is_own(&compiled(&original), &copy.join("xtask")));
    }

    #[test]
    fn a_worktree_inside_a_checkout_is_another_checkout() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("trees/inner");
        workspace(directory.path());
        workspace(&inner);
        fs_err::create_dir(directory.path().join(".git")).unwrap();
        fs_err::write(inner.join(".git"), "gitdir: ../../.git/worktrees/inner\n").unwrap();
        assert!(!is_own(&compiled(&inner), &directory.path().join("xtask")));
        assert!(!is_own(&compiled(directory.path()), &inner.join("xtask")));
        assert!(is_own(&compiled(&inner), &inner.join("xtask")));
        assert!(is_own(&compiled(directory.path()), &directory.path().join("xtask")));
    }

    #[test]
    fn tools_may_have_a_workspace_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let tools = directory.path().join("tools");
        workspace(directory.path());
        workspace(&tools);
        assert!(is_own(&compiled(directory.path()), &tools.join("xtask")));
        fs_err::create_dir(directory.path().join(".git")).unwrap();
        assert!(is_own(&compiled(directory.path()), &tools.join("xtask")));
    }

    #[test]
    fn a_copy_beside_the_original_in_one_repository_is_another_checkout() {
        let directory = tempfile::tempdir().unwrap();
        let (original, copy) =
            (directory.path().join("examples/original"), directory.path().join("examples/copy"));
        for root in [directory.path(), &original, &copy] {
            workspace(root);
        }
        fs_err::create_dir(directory.path().join(".git")).unwrap();
        assert!(is_own(&compiled(&original), &original.join("xtask")));
        assert!(!is_own(&compiled(&original), &copy.join("xtask")));
        fs_err::remove_dir_all(&original).unwrap();
        assert!(!is_own(&compiled(&original), &copy.join("xtask")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_checkout_is_that_checkout() {
        let directory = tempfile::tempdir().unwrap();
        let (original, link) = (directory.path().join("original"), directory.path().join("link"));
        workspace(&original);
        std::os::unix::fs::symlink(&original, &link).unwrap();
        assert!(is_own(&compiled(&original), &link.join("xtask")));
        assert!(is_own(&compiled(&link), &original.join("xtask")));
    }
}
