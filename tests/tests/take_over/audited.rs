//! Sample documents → `new-pillow` → a crate that is built → `make-mapping` → `audit` of the same
//! documents finds nothing that a server would reject.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use pillowtop_cli::App;
use pillowtop_core::Registry;
use serde_json::{Value, json};

/// As in a user's workspace, with the profile that the tests' own dependencies are built with.
const MANIFEST: &str = r#"
[workspace]

[package]
name = "audited"
version = "0.0.0"
edition = "2024"

[features]
bless = ["pillowtop/bless"]

[dependencies]
chrono = { version = "0.4", default-features = false, features = ["std", "clock", "serde"] }
pillowtop = { path = "CHECKOUT/pillowtop" }
pillowtop-cli = { path = "CHECKOUT/pillowtop-cli" }
serde = { version = "1", features = ["derive"] }
serde_json = "1"

"#;

#[test]
fn an_inferred_pillow_passes_the_audit_of_its_samples() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audited");
    if directory.is_dir() {
        fs_err::remove_dir_all(&directory).unwrap();
    }
    for inside in ["src", "mappings"] {
        fs_err::create_dir_all(directory.join(inside)).unwrap();
    }
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = MANIFEST.replace("CHECKOUT", &checkout.to_str().unwrap().replace('\\', "/"));
    fs_err::write(directory.join("Cargo.toml"), manifest + &profile(checkout)).unwrap();
    fs_err::copy(checkout.join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
    let (mut modules, mut structs) = (String::new(), Vec::new());
    let sets = sets();
    for (name, documents) in &sets {
        let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
        fs_err::write(samples(&directory, name), lines.join("\n")).unwrap();
        let structure = new_pillow(&directory, name);
        writeln!(modules, "mod {name};").unwrap();
        structs.push(format!("{name}::{structure}"));
    }
    let main = format!(
        "//! The commands.\n\n{modules}\nfn main() -> std::process::ExitCode {{\n    pillowtop_cli::main(pillowtop::registry![{}])\n}}\n",
        structs.join(", ")
    );
    fs_err::write(directory.join("src/main.rs"), main).unwrap();
    check(&directory, &["make-mapping", "--all"], 0, "");
    for name in sets.keys() {
        let docs = samples(&directory, name);
        check(&directory, &["audit", name, "--docs", docs.to_str().unwrap()], 0, "");
    }
    // The samples are not just any documents.
    let mut other = sets["visits"][0].clone();
    other["count"] = json!("three");
    let docs = samples(&directory, "other");
    fs_err::write(&docs, other.to_string()).unwrap();
    check(&directory, &["audit", "visits", "--docs", docs.to_str().unwrap()], 4, "count");
}

fn samples(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.jsonl"))
}

/// The name of the struct.
fn new_pillow(directory: &Path, name: &str) -> String {
    let printed = tempfile::NamedTempFile::new().unwrap();
    let (docs, out) = (samples(directory, name), directory.join(format!("src/{name}.rs")));
    let arguments =
        ["pillowtop", "--json", "new-pillow", name, "--from-docs", docs.to_str().unwrap(), "--out"];
    let arguments = arguments.into_iter().chain([out.to_str().unwrap()]);
    let code = App::new(Registry::new()).run(arguments, printed.reopen().unwrap(), std::io::stderr());
    assert_eq!(code, 0, "{name}");
    let report: Value = serde_json::from_reader(printed.reopen().unwrap()).unwrap();
    report["struct"].as_str().unwrap().to_owned()
}

#[track_caller]
fn check(directory: &Path, arguments: &[&str], code: i32, expected: &str) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--offline", "--profile", "xtask", "--features", "bless", "--"]);
    let output =
        command.args(arguments).current_dir(directory).env("CARGO_TARGET_DIR", target).output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(expected), "{arguments:?}: {text}");
}

/// The tables of the workspace's manifest that say how it is built, so that nothing is built twice.
fn profile(checkout: &Path) -> String {
    let manifest = fs_err::read_to_string(checkout.join("Cargo.toml")).unwrap();
    let tables: Vec<&str> =
        manifest.split("\n[").filter(|table| table.starts_with("profile.xtask")).collect();
    format!("[{}\n", tables.join("\n["))
}

/// Documents that are hard to type, and the example's samples by their types.
fn sets() -> BTreeMap<String, Vec<Value>> {
    let mut sets = BTreeMap::from([("visits".to_owned(), visits())]);
    for (doc_type, documents) in commcare::samples::versions_by_type() {
        sets.insert(format!("sample_{}", doc_type.to_lowercase().replace('-', "_")), documents);
    }
    sets
}

fn visits() -> Vec<Value> {
    vec![
        json!({"_id": "a", "_rev": "1-a", "doc_type": "Visit", "count": 1, "at": "2024-01-02T03:04:05Z", "day": "2024-01-02",
            "some": "", "local": "02/01/2024", "tags": ["x", null], "mixed": "text", "place": {"lat": 1.5, "lon": 2.5},
            "measured": [{"kind": "w", "value": 1}], "big": u64::MAX, "long": "word ".repeat(9000), "a.b": 1,
            "type": {"self": {"": 1}}, "none": null}),
        json!({"_id": "b", "_rev": "1-b", "doc_type": "Visit", "count": 2, "at": "2024-01-02T03:04:05Z", "day": "2024-02-29",
            "some": "2024-01-02", "local": "31/12/2023", "tags": [], "mixed": {"a": 1}, "place": {"lat": -1.5, "lon": 2.5},
            "measured": [{"kind": "h", "value": 1.5}], "big": 1, "long": "x".repeat(40_000), "type": {"self": {}}}),
    ]
}
