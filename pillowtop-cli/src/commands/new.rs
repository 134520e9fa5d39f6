//! `new`: writes a workspace, with structs of what exists.

mod sources;

use std::path::Path;
use std::process::Command;

use serde_json::json;

use self::sources::Source;
use super::new_pillow::{formatted, write_module};
use crate::arguments::{New, NewPillow};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::counted;
use crate::workspace::{Content, Dependency, PillowModule};

/// Names of modules that mean something else in a crate of documents.
const TAKEN: [&str; 9] =
    ["alloc", "chrono", "core", "lib", "main", "pillowtop", "serde", "serde_json", "std"];

pub(crate) async fn run(context: &Context, arguments: &New) -> Result<Outcome, Failure> {
    let directory = arguments.directory.as_path();
    require_empty(directory)?;
    let dependency = arguments.pillowtop.clone().unwrap_or_else(Dependency::detect);
    let format = |text: &str| formatted(text, directory);
    let sources = sources::read(context, arguments).await?;
    if sources.is_empty() {
        let files = Content::example(dependency.clone()).write(directory, format)?;
        context.ui.json(&json!({"directory": directory, "files": files, "pillows": ["book"]}));
        done(context, directory, files.len(), &dependency);
        return Ok(Outcome::Done);
    }
    // A module says where its settings are in its crate, so the crate comes first.
    let mut content = Content::of(dependency.clone(), Vec::new());
    content.couch_url = sources::server_of(arguments.from_couch.as_deref());
    content.elastic_url = sources::server_of(arguments.from_index.as_deref());
    content.write(directory, format)?;
    for source in &sources {
        context.ui.note(&format!("\n{}", source.title));
        content.pillows.push(module(context, directory, source).await?);
    }
    let files = content.write(directory, format)?;
    let pillows: Vec<&str> = sources.iter().map(|source| source.arguments.name.as_str()).collect();
    context.ui.json(&json!({"directory": directory, "files": files, "pillows": pillows}));
    done(context, directory, files.len(), &dependency);
    if arguments.no_build {
        context.ui.note("hint: `cargo xtask make-mapping --all` makes the mappings");
        return Ok(Outcome::Done);
    }
    build(context, directory, &sources)
}

fn require_empty(directory: &Path) -> Result<(), Failure> {
    let entries = match fs_err::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::usage(error)),
    };
    for entry in entries {
        let name = entry?.file_name();
        if name != ".git" {
            return Err(Failure::usage(format!(
                "`{}` is not empty: it has `{}`",
                directory.display(),
                name.to_string_lossy()
            ))
            .hint(
                "name a new directory; `PROGRAM new-pillow --help` shows how to add a pillow to a workspace",
            ));
        }
    }
    Ok(())
}

async fn module(context: &Context, directory: &Path, source: &Source) -> Result<PillowModule, Failure> {
    let pillow = source.arguments.name.clone();
    let name = module_name(&pillow);
    let out = directory.join(format!("documents/src/{name}.rs"));
    let arguments = NewPillow { out: Some(out), ..source.arguments.clone() };
    let written = write_module(context, &arguments).await?;
    Ok(PillowModule {
        pillow,
        module: name,
        document: written.document,
        files: Vec::new(),
        crates: written.crates,
    })
}

/// The module of a pillow, by a name that Rust takes.
fn module_name(pillow: &str) -> String {
    let name = pillow.replace('-', "_");
    if TAKEN.contains(&name.as_str()) || crate::new_pillow::names::is_keyword(&name) {
        name + "_pillow"
    } else {
        name
    }
}

fn done(context: &Context, directory: &Path, files: usize, dependency: &Dependency) {
    let files = counted(files, "file");
    context.ui.note(&format!("\nwrote {files} to {}, with pillowtop from {dependency}", directory.display()));
    context.ui.note("hint: its README.md has the next steps; begin with `cargo test` there");
}

/// Makes the mappings and audits documents, with cargo in the workspace.
fn build(context: &Context, directory: &Path, sources: &[Source]) -> Result<Outcome, Failure> {
    let made = xtask(context, directory, &["make-mapping", "--all"])?;
    let (mut outcome, mut failed) = (Outcome::Done, Vec::new());
    for source in sources {
        let name = source.arguments.name.as_str();
        let Some(audit) = &source.audit else { continue };
        let samples = directory.join("target/audit").join(format!("{name}.jsonl"));
        let documents = match audit {
            sources::Audit::Address(address) => address.clone(),
            sources::Audit::Documents(lines) => {
                fs_err::create_dir_all(directory.join("target/audit"))?;
                fs_err::write(&samples, lines.join("\n"))?;
                format!("target/audit/{name}.jsonl")
            }
        };
        let limit = source.arguments.limit.to_string();
        match xtask(context, directory, &["audit", name, "--docs", &documents, "--limit", &limit])? {
            0 => {}
            4 => outcome = Outcome::Differs,
            _ => failed.push(name),
        }
    }
    if made != 0 {
        return Err(Failure::new("not all mappings were made: see above")
            .hint("change the structs, and run `cargo xtask make-mapping --all` in the workspace"));
    }
    if !failed.is_empty() {
        return Err(Failure::new(format!("not all documents could be audited: {}", failed.join(", "))));
    }
    if outcome == Outcome::Differs {
        context
            .ui
            .note("\nhint: some documents would be rejected; change the structs, then run the audit again");
    }
    Ok(outcome)
}

/// Runs a command of the workspace and returns its exit code.
fn xtask(context: &Context, directory: &Path, arguments: &[&str]) -> Result<i32, Failure> {
    context.ui.note(&format!("\n$ cargo xtask {}", arguments.join(" ")));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg("xtask").args(arguments).current_dir(directory);
    let status = command.status().map_err(|error| Failure::new(format!("cargo cannot be run: {error}")))?;
    status.code().ok_or_else(|| Failure::new("cargo was stopped by a signal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_never_has_the_name_of_a_crate_or_a_keyword() {
        for (pillow, module) in
            [("case-search", "case_search"), ("serde", "serde_pillow"), ("type", "type_pillow")]
        {
            assert_eq!(module_name(pillow), module);
        }
    }

    #[test]
    fn a_directory_with_files_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        fs_err::create_dir(directory.path().join(".git")).unwrap();
        assert!(require_empty(directory.path()).is_ok());
        assert!(require_empty(&directory.path().join("missing")).is_ok());
        fs_err::write(directory.path().join("notes.txt"), "").unwrap();
        assert_eq!(require_empty(directory.path()).unwrap_err().code, 2);
    }
}
