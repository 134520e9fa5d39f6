//! A workspace of a user's own: the files that `new` writes.

mod dependency;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

pub use dependency::Dependency;

/// The files of a workspace, each with its contents, in which names in double braces are replaced.
const FILES: [(&str, &str); 16] = [
    (".cargo/config.toml", include_str!("template/cargo-config.toml")),
    (".dockerignore", include_str!("template/dockerignore")),
    (".github/workflows/ci.yml", include_str!("template/ci.yml")),
    (".gitignore", include_str!("template/gitignore")),
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("Dockerfile", include_str!("template/Dockerfile")),
    ("README.md", include_str!("template/README.md")),
    ("compose.yaml", include_str!("template/compose.yaml")),
    ("documents/Cargo.toml", include_str!("template/documents-Cargo.toml")),
    ("documents/src/lib.rs", include_str!("template/documents.rs")),
    ("pillowtop.toml", include_str!("template/pillowtop.toml")),
    ("rust-toolchain.toml", include_str!("template/rust-toolchain.toml")),
    ("service/Cargo.toml", include_str!("template/service-Cargo.toml")),
    ("service/src/main.rs", include_str!("template/service.rs")),
    ("xtask/Cargo.toml", include_str!("template/xtask-Cargo.toml")),
    ("xtask/src/main.rs", include_str!("template/xtask.rs")),
];

/// A pillow in a module of its own.
#[derive(Debug, Clone)]
pub(crate) struct PillowModule {
    pub(crate) pillow: String,
    /// The module's name.
    pub(crate) module: String,
    /// The name of its struct.
    pub(crate) document: String,
    /// Its files: their paths in the workspace, and their contents. Empty if they are written
    /// already.
    pub(crate) files: Vec<(&'static str, &'static str)>,
    /// The crates that it uses, pillowtop aside.
    pub(crate) crates: Vec<&'static str>,
}

impl PillowModule {
    /// The pillow of a new workspace, and what it has with it.
    fn example() -> Self {
        Self {
            pillow: "book".to_owned(),
            module: "book".to_owned(),
            document: "Book".to_owned(),
            files: vec![
                ("documents/src/book.rs", include_str!("template/book.rs")),
                ("mappings/book.json", include_str!("template/book.json")),
                ("samples/books.json", include_str!("template/books.json")),
            ],
            crates: vec!["serde"],
        }
    }
}

/// What a workspace is written with.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) dependency: Dependency,
    pub(crate) pillows: Vec<PillowModule>,
    /// The servers, where they are not those of the compose file.
    pub(crate) couch_url: Option<String>,
    pub(crate) elastic_url: Option<String>,
    /// Whether the pillows are the example, whose documents come along.
    is_example: bool,
}

impl Content {
    /// A workspace with one pillow of books.
    pub(crate) fn example(dependency: Dependency) -> Self {
        let pillows = vec![PillowModule::example()];
        Self { dependency, pillows, couch_url: None, elastic_url: None, is_example: true }
    }

    /// A workspace with these pillows.
    pub(crate) fn of(dependency: Dependency, pillows: Vec<PillowModule>) -> Self {
        Self { dependency, pillows, couch_url: None, elastic_url: None, is_example: false }
    }

    /// Writes it; `format` formats a Rust file.
    pub(crate) fn write(
        &self,
        directory: &Path,
        format: impl Fn(&str) -> Option<String>,
    ) -> io::Result<Vec<PathBuf>> {
        let mut files: Vec<(String, String)> =
            FILES.iter().map(|(path, text)| ((*path).to_owned(), self.filled(text))).collect();
        let own = self.pillows.iter().flat_map(|pillow| &pillow.files);
        files.extend(own.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        let mut written = Vec::new();
        for (path, text) in files {
            let path_in = directory.join(&path);
            fs_err::create_dir_all(path_in.parent().unwrap_or(directory))?;
            let text = if path_in.extension().is_some_and(|ending| ending == "rs") {
                format(&text).unwrap_or(text)
            } else {
                text
            };
            fs_err::write(&path_in, text)?;
            written.push(PathBuf::from(path));
        }
        written.sort();
        Ok(written)
    }

    fn filled(&self, template: &str) -> String {
        let first = self.pillows.first().map_or("book", |pillow| pillow.pillow.as_str());
        let lines = |of: &dyn Fn(&PillowModule) -> String| self.pillows.iter().map(of).collect::<Vec<_>>();
        let crates: BTreeSet<&str> = self
            .pillows
            .iter()
            .flat_map(|pillow| pillow.crates.iter().copied())
            .chain(["pillowtop"])
            .collect();
        let crates: Vec<String> = crates.iter().map(|name| format!("{name}.workspace = true")).collect();
        let replaced = [
            ("{{dependencies}}", self.dependency.manifest()),
            ("{{context}}", self.dependency.dockerfile()),
            ("{{context_note}}", self.dependency.dockerfile_note().to_owned()),
            ("{{additional_contexts}}", self.dependency.compose()),
            ("{{pillowtop_note}}", self.dependency.readme()),
            ("{{crates}}", crates.join("\n")),
            ("{{modules}}", lines(&|pillow| format!("pub mod {};", pillow.module)).join("\n")),
            ("{{pillows}}", lines(&|pillow| format!("{}::{}", pillow.module, pillow.document)).join(", ")),
            ("{{pillow}}", first.to_owned()),
            ("{{couch}}", server(self.couch_url.as_deref(), "COUCH", "http://localhost:5984", true)),
            ("{{elastic}}", server(self.elastic_url.as_deref(), "ELASTIC", "http://localhost:9200", false)),
        ];
        let mut text = template.replace("{{first_steps}}", &self.first_steps());
        for (name, value) in replaced {
            text = text.replace(name, &value);
        }
        format!("{}\n", text.trim_end())
    }

    fn first_steps(&self) -> String {
        let steps: &[&str] = if self.is_example {
            &[
                "cargo xtask audit book --docs samples/books.json",
                "docker compose up --detach --wait",
                "curl --request PUT http://admin:admin@localhost:5984/library",
                "curl --json @samples/books.json http://admin:admin@localhost:5984/library/_bulk_docs",
                "cargo xtask fast-reindex book       # builds books_<hash>_1 from the database",
                "cargo xtask es-manage flip book     # the alias `books` is what you search",
                "curl 'http://localhost:9200/books/_search?q=title:sun'",
                "cargo xtask run book                # follows the changes until ctrl-c",
            ]
        } else {
            &[
                "cargo xtask pillows                 # what each indexes",
                "cargo xtask fast-reindex {{pillow}}",
                "cargo xtask es-manage flip {{pillow}}",
                "cargo xtask run                     # follows the changes until ctrl-c",
            ]
        };
        steps.join("\n")
    }
}

/// The lines of a server in `pillowtop.toml`: one of the compose file, or another one whose
/// password belongs in the environment.
fn server(url: Option<&str>, variable: &str, own: &str, has_user: bool) -> String {
    match url {
        Some(url) => format!(
            "url = {url:?}\n# The user and password are in PILLOWTOP_{variable}_USER and PILLOWTOP_{variable}_PASSWORD."
        ),
        None if has_user => format!("url = {own:?}\nuser = \"admin\"\npassword = \"admin\""),
        None => format!("url = {own:?}"),
    }
}

/// Writes a workspace with an example pillow into a directory that is empty or missing, and returns
/// the paths of its files. What `cargo xtask new` writes.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write_workspace(directory: &Path, pillowtop: &Dependency) -> io::Result<Vec<PathBuf>> {
    Content::example(pillowtop.clone()).write(directory, |_| None)
}
