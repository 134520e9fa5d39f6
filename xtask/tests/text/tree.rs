//! The text files of the workspace.

use std::path::{Path, PathBuf};

/// What is searched, by how the names of files end.
const ENDINGS: [&str; 9] =
    [".rs", ".md", ".stderr", ".toml", ".toml.in", ".yml", ".yaml", ".js", "Dockerfile"];

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Each text file: its path from the root, and its contents.
pub(crate) fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    assert!(found.len() > 500, "only {} files were found", found.len());
    found
}

fn walk(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            // A module may be named `target` too.
            let is_built = name == "target" && !path.join("mod.rs").exists();
            if !is_built && !matches!(name.as_str(), ".git" | "node_modules" | "shared") {
                walk(&path, found);
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let relative = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push((relative, fs_err::read_to_string(&path).unwrap()));
        }
    }
}

/// Each page of Markdown.
pub(crate) fn pages() -> Vec<(String, String)> {
    texts().into_iter().filter(|(path, _)| has_extension(path, "md")).collect()
}

/// Whether a file's name ends with this extension.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}
