//! What sample documents give, as a file to commit: a change of a calculator's code shows in it.

use std::path::Path;

use serde_json::{Value, json};

use crate::fluff::{Fluff, emit};

/// Compares what sample documents give, one JSON document for each line of `samples`, with the file
/// `snapshot`. The file begins with the versions of the table and its calculators, so a forgotten
/// version shows in review: values differ, and the first line does not. With the environment
/// variable `FLUFF_BLESS` the file is written.
///
/// # Panics
///
/// When they differ, or a file cannot be read or written.
#[track_caller]
pub fn assert_emits<F: Fluff>(samples: &str, snapshot: &Path) {
    let found = emitted::<F>(samples);
    if std::env::var_os("FLUFF_BLESS").is_some() {
        if let Err(error) = fs_err::write(snapshot, &found) {
            panic!("cannot write {}: {error}", snapshot.display());
        }
        return;
    }
    let committed = fs_err::read_to_string(snapshot).unwrap_or_default();
    let different =
        found.lines().zip(committed.lines().chain(std::iter::repeat(""))).find(|(one, other)| one != other);
    let is_same_version = found.lines().next() == committed.lines().next();
    let help = if is_same_version {
        "raise the version of the calculator or the table that changed, then run the test with FLUFF_BLESS=1"
    } else {
        "run the test with FLUFF_BLESS=1 and commit the file"
    };
    assert!(
        found == committed,
        "{} is not what the samples give: {:?}\nhelp: {help}",
        snapshot.display(),
        different
    );
}

/// A line with the versions, and one for each document.
fn emitted<F: Fluff>(samples: &str) -> String {
    let table = F::TABLE;
    let versions: Value =
        table.calculators.iter().map(|calculated| json!([calculated.name, calculated.version])).collect();
    let mut lines = vec![json!({"table": table.name, "version": table.version, "calculators": versions})];
    for sample in samples.lines().filter(|line| !line.trim().is_empty()) {
        let id = serde_json::from_str::<Value>(sample).ok().and_then(|value| value.get("_id").cloned());
        lines.push(match emit::<F>(sample) {
            Ok(rows) => json!({"id": id, "rows": rows}),
            Err(error) => json!({"id": id, "dead_letter": error.to_string()}),
        });
    }
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}
