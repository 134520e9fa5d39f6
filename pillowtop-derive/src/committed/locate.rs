//! Where a pillow's committed mapping is: in the nearest `mappings/` directory from the crate up to
//! its workspace's root.

use std::path::PathBuf;

use pillowtop_core::committed::FOLDER;
use pillowtop_core::drift::levels;

/// The crate that is compiled, by its directory.
#[derive(Clone)]
pub(crate) struct Crate {
    directory: PathBuf,
}

/// A file beside or above a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// Where it is read from.
    pub(crate) path: PathBuf,
    /// From the crate's directory, with a leading `/`: what the code names, so that no path of this
    /// machine gets into it.
    pub(crate) from_crate: String,
    /// From the workspace's root, as people write it.
    pub(crate) shown: String,
    /// The directory of the crate.
    pub(crate) crate_directory: PathBuf,
}

impl Crate {
    /// The crate that cargo compiles; none outside of cargo.
    pub(crate) fn of_environment() -> Option<Self> {
        std::env::var_os("CARGO_MANIFEST_DIR").map(|directory| Self::at(PathBuf::from(directory)))
    }

    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// A file that a user names from the crate's directory.
    pub(crate) fn file(&self, path: &str) -> Location {
        let path = path.trim_start_matches("./");
        Location {
            path: self.directory.join(path),
            from_crate: format!("/{path}"),
            shown: path.to_owned(),
            crate_directory: self.directory.clone(),
        }
    }

    /// The committed mapping of a pillow, whether it is there or not.
    pub(crate) fn mapping(&self, pillow: &str) -> Location {
        let (up, ups) = levels(&self.directory);
        let from_crate = format!("/{}{FOLDER}/{pillow}.json", "../".repeat(up));
        let above = self.directory.ancestors().nth(up).unwrap_or(&self.directory);
        let root = self.directory.ancestors().nth(ups).unwrap_or(&self.directory);
        let path = above.join(FOLDER).join(format!("{pillow}.json"));
        let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Location { path, from_crate, shown, crate_directory: self.directory.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    #[test]
    fn the_nearest_directory_up_to_the_workspace_is_taken() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("mappings")).unwrap();
        let workspace = root.path().join("workspace");
        write(&workspace, "Cargo.toml", "[workspace]\nmembers = []\n");
        write(&workspace, "crates/documents/Cargo.toml", "[package]\n");
        let documents = Crate::at(workspace.join("crates/documents"));

        let by_default = documents.mapping("case");
        assert_eq!(by_default.from_crate, "/../../mappings/case.json");
        assert_eq!(by_default.path, workspace.join("mappings/case.json"));
        assert_eq!(by_default.shown, "mappings/case.json");

        fs_err::create_dir_all(workspace.join("crates/mappings")).unwrap();
        let nearer = documents.mapping("case");
        assert_eq!(nearer.from_crate, "/../mappings/case.json");
        assert_eq!(nearer.shown, "crates/mappings/case.json");

        fs_err::create_dir_all(workspace.join("crates/documents/mappings")).unwrap();
        assert_eq!(documents.mapping("case").from_crate, "/mappings/case.json");
    }

    #[test]
    fn a_crate_without_a_workspace_looks_no_further() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("mappings")).unwrap();
        write(root.path(), "documents/Cargo.toml", "[package]\n");
        let location = Crate::at(root.path().join("documents")).mapping("case");
        assert_eq!(location.from_crate, "/mappings/case.json");
        assert_eq!(location.shown, "mappings/case.json");
    }
}
