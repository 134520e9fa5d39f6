//! The mappings that are taken over: our own, those of every type and parameter, and those of other
//! products where they are here.

use std::path::Path;

use serde_json::Value;

use crate::every_type;

/// A body to take over, by a name that a module can have.
pub(crate) struct Existing {
    pub(crate) name: String,
    pub(crate) body: Value,
}

/// All of them, in order of names.
pub(crate) fn all() -> Vec<Existing> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = in_directory(&here.join("tests/take_over/mappings"));
    assert!(!all.is_empty());
    all.extend(in_directory(&here.join("../../shared/data/mappings")));
    all.push(Existing { name: "every_type".to_owned(), body: every_type::body() });
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

fn in_directory(directory: &Path) -> Vec<Existing> {
    let Ok(entries) = fs_err::read_dir(directory) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_json = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "json");
    paths
        .filter(is_json)
        .map(|path| Existing {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            body: serde_json::from_str(&fs_err::read_to_string(&path).unwrap()).unwrap(),
        })
        .collect()
}
