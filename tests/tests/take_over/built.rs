//! One crate with a module for each mapping, written by `new-pillow`, checked and run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use pillowtop_cli::App;
use pillowtop_core::Registry;
use serde_json::Value;

use crate::mappings::{Existing, all};

/// A mapping, and what its struct derives.
pub(crate) struct TakenOver {
    pub(crate) existing: Existing,
    /// What `--json` said.
    pub(crate) report: Value,
    /// The root of the mapping that the compiled struct derives.
    pub(crate) derived: Value,
    /// Its settings.
    pub(crate) settings: Value,
}

const MANIFEST: &str = r#"
[workspace]

[package]
name = "taken-over"
version = "0.0.0"
edition = "2024"

[dependencies]
chrono = { version = "0.4", default-features = false, features = ["std", "clock", "serde"] }
pillowtop = { path = "CHECKOUT/pillowtop" }
serde = { version = "1", features = ["derive"] }
serde_json = "1"

[profile.dev]
debug = false
incremental = false
"#;

const MAIN: &str = r#"
fn reads_nothing<T: serde::de::DeserializeOwned>() {
    let read = serde_json::from_str::<T>("{}");
    assert!(read.is_ok(), "an empty document is not read: {:?}", read.err());
}

fn show<T: pillowtop::Pillow>(name: &str) {
    let definition = pillowtop::Definition::of::<T>();
    println!("{}", serde_json::json!([name, definition.mappings, definition.settings]));
}

fn main() {
    // Large documents are large on the stack of an unoptimised build.
    let shown = std::thread::Builder::new().stack_size(256 << 20).spawn(|| {
SHOWN    });
    shown.expect("a thread").join().expect("all mappings are shown");
}
"#;

/// All mappings, taken over once a run.
pub(crate) fn taken_over() -> &'static [TakenOver] {
    static ALL: OnceLock<Vec<TakenOver>> = OnceLock::new();
    ALL.get_or_init(take_over)
}

fn take_over() -> Vec<TakenOver> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("taken-over");
    if directory.is_dir() {
        fs_err::remove_dir_all(&directory).unwrap();
    }
    let (source, bodies) = (directory.join("src"), directory.join("bodies"));
    fs_err::create_dir_all(&source).unwrap();
    fs_err::create_dir_all(&bodies).unwrap();
    let here = checkout().to_str().unwrap().replace('\\', "/");
    fs_err::write(directory.join("Cargo.toml"), MANIFEST.replace("CHECKOUT", &here)).unwrap();
    fs_err::copy(checkout().join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let existing = all();
    let (mut modules, mut shown, mut reports) = (String::new(), String::new(), Vec::new());
    for Existing { name, body } in &existing {
        let body_path = bodies.join(format!("{name}.json"));
        fs_err::write(&body_path, body.to_string()).unwrap();
        let report = new_pillow(name, &body_path, &source.join(format!("{name}.rs")));
        let structure = report["struct"].as_str().unwrap();
        // The largest is of the same kinds, and would keep clippy for minutes.
        let guard = if is_large(&report) { "#[cfg(not(clippy))]\n" } else { "" };
        writeln!(modules, "{guard}pub mod {name};").unwrap();
        let read =
            if is_large(&report) { String::new() } else { format!("reads_nothing::<{structure}>(); ") };
        writeln!(
            shown,
            "        {{ use taken_over::{name}::{structure}; {read}show::<{structure}>(\"{name}\"); }}"
        )
        .unwrap();
        reports.push(report);
    }
    fs_err::write(source.join("lib.rs"), format!("//! Modules that were written.\n\n{modules}")).unwrap();
    fs_err::write(source.join("main.rs"), MAIN.replace("SHOWN", &shown)).unwrap();
    formatted(&source.join("lib.rs"));
    // Nobody has committed mappings here.
    for Existing { name, .. } in &existing {
        let path = source.join(format!("{name}.rs"));
        let text = fs_err::read_to_string(&path).unwrap();
        fs_err::write(&path, text.replace("alias = \"", "mapping = unchecked, alias = \"")).unwrap();
    }
    let directory = kept(&directory);
    cargo(&directory, &["clippy", "--lib", "--", "-D", "warnings"]);
    let printed = cargo(&directory, &["run"]);
    let mut derived: Vec<(String, Value, Value)> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(derived.len(), existing.len(), "{printed}");
    let all = existing.into_iter().zip(reports).zip(derived.drain(..));
    all.map(|((existing, report), (name, derived, settings))| {
        assert_eq!(existing.name, name);
        TakenOver { existing, report, derived, settings }
    })
    .collect()
}

/// The crate in a directory where what is as it was keeps its time, so that a second run builds
/// nothing.
fn kept(made: &Path) -> PathBuf {
    let kept = made.with_file_name("taken-over-kept");
    let source = kept.join("src");
    fs_err::create_dir_all(&source).unwrap();
    for entry in fs_err::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        if !made.join("src").join(path.file_name().unwrap()).is_file() {
            fs_err::remove_file(path).unwrap();
        }
    }
    let entries = [made.to_owned(), made.join("src")].map(|directory| fs_err::read_dir(directory).unwrap());
    for path in entries.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
    {
        let there = kept.join(path.strip_prefix(made).unwrap());
        let bytes = fs_err::read(&path).unwrap();
        if !there.is_file()
            || there.file_name().is_some_and(|name| name != "Cargo.lock")
                && fs_err::read(&there).unwrap() != bytes
        {
            fs_err::write(&there, bytes).unwrap();
        }
    }
    kept
}

/// Of so many structs that optimising nothing still takes long.
fn is_large(report: &Value) -> bool {
    report["structs"].as_u64().is_some_and(|structs| structs > 500)
}

fn new_pillow(name: &str, body: &Path, out: &Path) -> Value {
    let printed = tempfile::NamedTempFile::new().unwrap();
    let words =
        ["pillowtop", "--json", "new-pillow", name, "--from-mapping", body.to_str().unwrap(), "--out"];
    let arguments = words.into_iter().chain([out.to_str().unwrap()]);
    let output_file = printed.reopen().unwrap();
    let code = App::new(Registry::new()).run(arguments, printed.reopen().unwrap(), std::io::stderr());
    assert_eq!(code, 0, "{name}");
    serde_json::from_reader(output_file).unwrap()
}

/// The modules of a crate are as rustfmt writes them by itself.
#[track_caller]
fn formatted(root: &Path) {
    let output = Command::new("rustfmt").args(["--edition", "2024", "--check"]).arg(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[track_caller]
fn cargo(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args(&arguments[..1]).args(["--quiet", "--offline", "--color", "never"]).args(&arguments[1..]);
    // The dependencies are those of the drift tests.
    command.current_dir(directory).env("CARGO_TARGET_DIR", checkout().join("target/drift-tests"));
    let output = command.output().unwrap();
    let output_file = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {output_file}");
    String::from_utf8(output.stdout).unwrap()
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
