//! A user's workspace: two crates of documents, a tool that registers both, and `mappings/` at the
//! root.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// The tests are of one workspace, whose builds are kept; cargo would block them anyway.
static ALONE: Mutex<()> = Mutex::new(());

const ROOT: &str = r#"
[workspace]
resolver = "3"
members = ["visits", "people", "tool"]

[workspace.package]
version = "0.0.0"
edition = "2024"

[workspace.dependencies]
pillowtop = { path = "CHECKOUT/pillowtop" }
pillowtop-cli = { path = "CHECKOUT/pillowtop-cli" }
serde = { version = "1", features = ["derive"] }

"#;

const CRATE: &str = r#"
[package]
name = "CRATE"
version.workspace = true
edition.workspace = true

[features]
bless = ["pillowtop/bless"]

[dependencies]
pillowtop.workspace = true
serde.workspace = true
"#;

/// Has the test of one line, as the documentation shows it.
const LIBRARY: &str = r#"
use pillowtop::{CouchDocument, Pillow, Registry};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "STRUCT", database = "clinic")]
#[pillow(name = "PILLOW", alias = "PILLOW_alias")]
pub struct STRUCT {
    pub name: String,
}

pub fn registry() -> Registry {
    pillowtop::registry![STRUCT]
}

#[test]
fn mappings_are_committed() {
    pillowtop::assert_committed(&registry());
}
"#;

const TOOL: &str = r#"
[package]
name = "drift-tool"
version.workspace = true
edition.workspace = true

[features]
bless = ["drift-visits/bless", "drift-people/bless"]

[dependencies]
drift-visits = { path = "../visits" }
drift-people = { path = "../people" }
pillowtop-cli.workspace = true
"#;

const MAIN: &str = "
fn main() -> std::process::ExitCode {
    pillowtop_cli::main(drift_visits::registry().and(&drift_people::registry()))
}
";

/// How one of the three commands ended, and what it printed on both outputs.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

pub(crate) struct Workspace {
    directory: PathBuf,
    target: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Workspace {
    /// With the mappings of both crates made.
    pub(crate) fn create() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let checkout = checkout();
        // Beside the repository's own build, so that dependencies are built once.
        let target =
            Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory").to_owned();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift");
        if directory.is_dir() {
            fs_err::remove_dir_all(&directory).expect("an empty directory");
        }
        let workspace = Self { directory, target, _alone: alone };
        let here = checkout.to_str().expect("a path of text").replace('\\', "/");
        workspace.write("Cargo.toml", &(ROOT.replace("CHECKOUT", &here) + &profile(&checkout)));
        for (directory, rust_name, pillow) in [("visits", "Visit", "visit"), ("people", "Person", "person")] {
            let manifest = CRATE.replace("CRATE", &format!("drift-{directory}"));
            workspace.write(&format!("{directory}/Cargo.toml"), &manifest);
            let library = LIBRARY.replace("STRUCT", rust_name).replace("PILLOW", pillow);
            workspace.write(&format!("{directory}/src/lib.rs"), &library);
        }
        workspace.write("tool/Cargo.toml", TOOL);
        workspace.write("tool/src/main.rs", MAIN);
        fs_err::copy(checkout.join("Cargo.lock"), workspace.path("Cargo.lock")).expect("a lock file");
        let made = workspace.tool(&["make-mapping", "--all"]);
        assert_eq!(made.code, Some(0), "{made:?}");
        workspace
    }

    /// What the compiler prints about a crate.
    pub(crate) fn compile(&self, krate: &str) -> Printed {
        self.cargo(&["check", "--package", krate])
    }

    /// What the test of one line prints, in a build that may have stale mappings.
    pub(crate) fn test(&self, krate: &str) -> Printed {
        self.cargo(&["test", "--lib", "--features", "bless", "--package", krate])
    }

    /// What a command prints.
    pub(crate) fn tool(&self, arguments: &[&str]) -> Printed {
        let run = ["run", "--quiet", "--features", "bless", "--package", "drift-tool", "--"];
        self.cargo(&[&run[..], arguments].concat())
    }

    /// `make-mapping --check` for scripts.
    #[track_caller]
    pub(crate) fn checked_json(&self) -> (Option<i32>, Value) {
        let printed = self.tool(&["--json", "make-mapping", "--check"]);
        let json = printed.text.lines().find_map(|line| serde_json::from_str(line).ok());
        (printed.code, json.unwrap_or_else(|| panic!("no JSON: {printed:?}")))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.path(path)).expect("a file")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs_err::write(path, text).expect("a file");
    }

    /// Removes a file or a directory, if there is one.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() {
            fs_err::remove_dir_all(path).expect("no directory");
        } else if path.is_file() {
            fs_err::remove_file(path).expect("no file");
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Printed {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let (command, rest) = arguments.split_first().expect("a command");
        let Output { status, stdout, stderr } = Command::new(cargo)
            .args([command, "--offline", "--color", "never", "--profile", "xtask"])
            .args(rest)
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .expect("cargo");
        let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        Printed { code: status.code(), text }
    }
}

/// The directory of this repository.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

/// The profile that the template has, so that nothing is built twice.
pub(crate) fn profile(checkout: &Path) -> String {
    let manifest = fs_err::read_to_string(checkout.join("examples/template/Cargo.toml")).expect("a manifest");
    let start = manifest.find("[profile.xtask]").expect("a profile");
    manifest[start..].to_owned()
}
