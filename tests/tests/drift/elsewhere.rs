//! A crate of documents that is built outside its workspace: as a git dependency, and vendored and
//! read-only. It knows `pillowtop` by another name.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Workspace, checkout, profile};

const DOCUMENTS: &str = r#"
[package]
name = "documents"
version = "0.1.0"
edition = "2024"

[dependencies]
pt = { package = "pillowtop", version = "0.1" }
serde = { version = "1", features = ["derive"] }

[workspace]
"#;

/// Nobody has published `pillowtop`: the patch names this checkout for the whole graph.
const CONSUMER: &str = r#"
[package]
name = "consumer"
version = "0.1.0"
edition = "2024"

[dependencies]
documents = { git = "file://REPOSITORY" }

[patch.crates-io]
pillowtop = { path = "CHECKOUT/pillowtop" }

[workspace]

"#;

const MAIN: &str = "
fn main() {
    print!(\"{}\", documents::registry().get(\"visit\").is_some());
}
";

/// Two directories: the repository of the documents, and a crate that depends on it.
struct Elsewhere {
    repository: PathBuf,
    consumer: PathBuf,
    target: PathBuf,
}

impl Elsewhere {
    fn create(workspace: &Workspace) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere");
        if root.is_dir() {
            writable(&root, true);
            fs_err::remove_dir_all(&root).expect("an empty directory");
        }
        let elsewhere = Self {
            repository: root.join("repository"),
            consumer: root.join("consumer"),
            target: root.join("target"),
        };
        let library = workspace.read("visits/src/lib.rs").replace("pillowtop::", "pt::");
        write(&elsewhere.repository, "Cargo.toml", DOCUMENTS);
        write(&elsewhere.repository, "src/lib.rs", &library);
        write(&elsewhere.repository, "mappings/visit.json", &workspace.read("mappings/visit.json"));
        elsewhere.commit();
        let manifest = CONSUMER
            .replace("REPOSITORY", &text(&elsewhere.repository))
            .replace("CHECKOUT", &text(&checkout()));
        write(&elsewhere.consumer, "Cargo.toml", &(manifest + &profile(&checkout())));
        write(&elsewhere.consumer, "src/main.rs", MAIN);
        fs_err::copy(checkout().join("Cargo.lock"), elsewhere.consumer.join("Cargo.lock"))
            .expect("a lock file");
        elsewhere
    }

    /// Commits everything in the repository.
    fn commit(&self) {
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"];
            run(Command::new("git").args(identity).args(arguments).current_dir(&self.repository))
        };
        git(&["init", "--quiet"]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "Documents"]);
    }

    fn cargo(&self, arguments: &[&str]) -> String {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        run(Command::new(cargo)
            .args(arguments)
            .current_dir(&self.consumer)
            .env("CARGO_TARGET_DIR", &self.target))
    }
}

/// Runs a command that must succeed, and returns what it prints.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {printed}");
    printed
}

fn write(directory: &Path, path: &str, text: &str) {
    let path = directory.join(path);
    fs_err::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs_err::write(path, text).expect("a file");
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path of text").replace('\\', "/")
}

/// Lets everything below a directory be written, or nothing.
fn writable(directory: &Path, is_writable: bool) {
    for entry in fs_err::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            writable(&path, is_writable);
        } else if !path.is_symlink() {
            let mut permissions = fs_err::metadata(&path).expect("a file").permissions();
            permissions.set_readonly(!is_writable);
            fs_err::set_permissions(path, permissions).expect("permissions");
        }
    }
}

#[test]
fn a_crate_of_documents_builds_as_a_git_dependency_and_vendored() {
    let workspace = Workspace::create();
    let elsewhere = Elsewhere::create(&workspace);

    let printed = elsewhere.cargo(&["run", "--quiet", "--profile", "xtask"]);
    assert!(printed.ends_with("true"), "{printed}");

    let configuration = elsewhere.cargo(&["vendor", "--quiet"]);
    write(&elsewhere.consumer, ".cargo/config.toml", &configuration);
    let vendored = elsewhere.consumer.join("vendor/documents");
    assert!(vendored.join("mappings/visit.json").is_file(), "the mapping is a part of the crate");
    writable(&elsewhere.consumer.join("vendor"), false);
    let printed = elsewhere.cargo(&["run", "--quiet", "--profile", "xtask", "--frozen"]);
    assert!(printed.ends_with("true"), "{printed}");
}
