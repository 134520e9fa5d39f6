//! The smallest workspace of a user's own, as a new user meets it: it builds, a changed field stops
//! the build, and one command fixes it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of the template, beside the repository's own build so that dependencies are built once.
struct Workspace {
    directory: PathBuf,
    target: PathBuf,
}

impl Workspace {
    fn copy() -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let repository = repository.canonicalize().expect("the repository");
        let target =
            Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory").to_owned();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("template");
        if directory.exists() {
            fs_err::remove_dir_all(&directory).expect("an empty directory");
        }
        copy_tree(&repository.join("examples/template"), &directory);
        let manifest = directory.join("Cargo.toml");
        let text = fs_err::read_to_string(&manifest).expect("a manifest");
        let text = text.replace("../../pillowtop", &repository.join("pillowtop").display().to_string());
        fs_err::write(&manifest, text).expect("a manifest");
        // The same versions as here, so that nothing is built twice.
        fs_err::copy(repository.join("Cargo.lock"), directory.join("Cargo.lock")).expect("a lock file");
        Self { directory, target }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Command::new(cargo)
            .args(arguments)
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .expect("cargo")
    }

    fn edit(&self, from: &str, to: &str) {
        let path = self.directory.join("documents/src/book.rs");
        let text = fs_err::read_to_string(&path).expect("the documents");
        assert!(text.contains(from), "{text}");
        fs_err::write(&path, text.replacen(from, to, 1)).expect("the documents");
    }

    /// What sample documents become is committed beside the mapping, and the check tells of a
    /// transform that changes it.
    fn changes_a_transform(&self) {
        let samples = self.directory.join("documents/samples.jsonl");
        let emma = r#"{"_id":"emma","_rev":"1-a","doc_type":"Book","title":"Emma"}"#;
        fs_err::write(samples, format!("{emma}\n")).expect("samples");
        let pillow = "filter = !self.withdrawn";
        self.edit(
            &format!("{pillow})]"),
            &format!("{pillow}, transform = Book::loud, samples = \"samples.jsonl\")]"),
        );
        self.edit(
            "/// A book of a lending library.",
            "impl Book {
                fn loud(self, _: &pillowtop::ChangeMeta) -> Option<Self> {
                    Some(Self { title: self.title.to_uppercase(), ..self })
                }
            }

            /// A book of a lending library.",
        );
        let text = printed(&self.cargo(&["xtask", "make-mapping", "book"]), 0);
        assert!(text.contains("mappings/book.samples.jsonl"), "{text}");
        printed(&self.cargo(&["xtask", "make-mapping", "--all", "--check"]), 0);
        self.edit("to_uppercase", "to_lowercase");
        let text = printed(&self.cargo(&["xtask", "make-mapping", "--all", "--check"]), 4);
        assert!(text.contains("sample documents of `Book` become something else"), "{text}");
        assert!(text.contains("`emma`") && text.contains("transform_version"), "{text}");
        self.edit("to_lowercase", "to_uppercase");
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("a directory");
    for entry in fs_err::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (name, path) = (entry.file_name(), entry.path());
        if name == "target" {
            continue;
        }
        if path.is_dir() {
            copy_tree(&path, &to.join(name));
        } else {
            fs_err::copy(&path, to.join(name)).expect("a copy");
        }
    }
}

#[track_caller]
fn printed(output: &Output, code: i32) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[test]
fn a_changed_field_stops_the_build_until_its_mapping_is_made() {
    let workspace = Workspace::copy();
    let check = ["check", "--profile", "xtask", "--package", "documents"];
    printed(&workspace.cargo(&check), 0);

    workspace.edit(
        "pub struct Book {",
        "pub struct Book {\n    /// Where it stands.\n    pub shelf: Option<String>,",
    );
    let text = printed(&workspace.cargo(&check), 101);
    assert!(text.contains("mappings/book.json") && text.contains("make-mapping book"), "{text}");

    let text = printed(&workspace.cargo(&["xtask", "make-mapping", "--all", "--check"]), 4);
    assert!(text.contains("the committed mapping `mappings/book.json` is stale"), "{text}");
    let text = printed(&workspace.cargo(&["xtask", "make-mapping", "book", "--diff"]), 4);
    assert!(text.contains("+ shelf") && text.contains("additive"), "{text}");
    // What touches an index refuses as well.
    printed(&workspace.cargo(&["xtask", "fast-reindex", "book"]), 4);

    let text = printed(&workspace.cargo(&["xtask", "make-mapping", "book"]), 0);
    assert!(text.contains("updated"), "{text}");
    printed(&workspace.cargo(&["xtask", "make-mapping", "--all", "--check"]), 0);
    printed(&workspace.cargo(&check), 0);
    // The test of one line that the template has.
    let text = printed(&workspace.cargo(&["test", "--profile", "xtask", "--package", "documents"]), 0);
    assert!(text.contains("mappings_are_committed ... ok"), "{text}");

    workspace.changes_a_transform();

    // A hand edit is not a stale file, and an orphan is named.
    let mapping = workspace.directory.join("mappings/book.json");
    let text = fs_err::read_to_string(&mapping).expect("a mapping");
    fs_err::write(&mapping, text.replacen("\"dynamic\": false", "\"dynamic\": true", 1)).expect("a mapping");
    fs_err::write(workspace.directory.join("mappings/gone.json"), &text).expect("a mapping");
    let text = printed(&workspace.cargo(&["xtask", "make-mapping", "--all", "--check"]), 4);
    assert!(text.contains("was edited by hand") && text.contains("gone.json"), "{text}");
}
