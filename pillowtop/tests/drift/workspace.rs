//! A user's workspace: a crate of documents, a tool that makes mappings, and `mappings/` at the
//! root.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its workspace fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tests share one target directory, so that dependencies are built once; cargo would block them
/// anyway.
static TARGET: Mutex<()> = Mutex::new(());

const WORKSPACE: &str = r#"
[workspace]
resolver = "3"
members = ["documents", "xtask"]
"#;

const DOCUMENTS: &str = r#"
[package]
name = "drift-documents"
version = "0.0.0"
edition = "2024"

[features]
bless = ["pillowtop/bless"]

[dependencies]
pillowtop = { path = "CHECKOUT/pillowtop" }
serde = { version = "1", features = ["derive"] }
"#;

const XTASK: &str = r#"
[package]
name = "drift-xtask"
version = "0.0.0"
edition = "2024"

[features]
bless = ["drift-documents/bless"]

[dependencies]
drift-documents = { path = "../documents" }
pillowtop = { path = "CHECKOUT/pillowtop" }
"#;

const LIBRARY: &str = r#"
use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Case")]
#[pillow(name = "case", alias = "hqcases", settings = "analysis.json", filter = self.domain != "demo")]
pub struct Case {
    pub domain: String,
    #[es(text)]
    pub note: String,
    #[es(nested)]
    pub actions: Vec<inner::Action>,
}

pub mod inner {
    use super::*;

    #[derive(Serialize, Deserialize, CouchDocument)]
    pub struct Action {
        pub kind: String,
    }
}
"#;

/// Under `bless` the committed file is known by its path on disk.
const MAIN: &str = r#"
fn main() {
    let definition = pillowtop::Definition::of::<drift_documents::Case>();
    let pillowtop::Committed::OnDisk(path) = definition.committed else { panic!("built without bless") };
    let file = pillowtop::CommittedFile::of(&definition);
    file.write(std::path::Path::new(path)).unwrap();
}
"#;

const ANALYSIS: &str =
    r#"{"analysis": {"normalizer": {"lower": {"type": "custom", "filter": ["lowercase"]}}}}"#;

pub(crate) struct Workspace {
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Workspace {
    pub(crate) fn create() -> Self {
        let alone = TARGET.lock().unwrap_or_else(PoisonError::into_inner);
        // Always the same, or the target directory would gather builds of crates that are gone.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift");
        if folder.is_dir() {
            fs_err::remove_dir_all(&folder).unwrap();
        }
        let workspace = Self { folder, _alone: alone };
        let checkout = checkout();
        let here = checkout.to_str().unwrap().replace('\\', "/");
        workspace.write("Cargo.toml", WORKSPACE);
        workspace.write("documents/Cargo.toml", &DOCUMENTS.replace("CHECKOUT", &here));
        workspace.write("documents/analysis.json", ANALYSIS);
        workspace.write("documents/src/lib.rs", LIBRARY);
        workspace.write("xtask/Cargo.toml", &XTASK.replace("CHECKOUT", &here));
        workspace.write("xtask/src/main.rs", MAIN);
        // The versions that are here already, since nothing is fetched.
        fs_err::copy(checkout.join("Cargo.lock"), workspace.path("Cargo.lock")).unwrap();
        workspace
    }

    /// The output of a build that fails.
    #[track_caller]
    pub(crate) fn check_fails(&self) -> String {
        let (passed, output) = self.cargo(&["check", "--package", "drift-documents"]);
        assert!(!passed, "the build passed");
        output
    }

    /// What a build that passes had to build.
    #[track_caller]
    pub(crate) fn check_passes(&self) -> String {
        let (passed, output) = self.cargo(&["check", "--package", "drift-documents"]);
        assert!(passed, "{output}");
        built(&output)
    }

    /// What `cargo xtask` does, and what had to be built for it.
    #[track_caller]
    pub(crate) fn make_mapping(&self) -> String {
        let (passed, output) = self.cargo(&["run", "--package", "drift-xtask", "--features", "bless"]);
        assert!(passed, "{output}");
        built(&output)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs_err::remove_file(self.path(path)).unwrap();
    }

    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replacen(from, to, 1));
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    fn cargo(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--offline", "--color", "never"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", checkout().join("target/drift-tests"))
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The root of this workspace.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The lines that name crates which were built.
fn built(output: &str) -> String {
    let lines = output.lines().map(str::trim_start);
    lines
        .filter(|line| line.starts_with("Checking") || line.starts_with("Compiling"))
        .collect::<Vec<_>>()
        .join("\n")
}
