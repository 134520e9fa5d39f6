//! What is reported of each committed mapping: the same for `make-mapping --check` and for the test
//! `assert_committed`.

use std::path::Path;

use super::location::{levels, path};
use super::orphans::orphans_of_crate;
use super::state::{State, rust_name, state};
use crate::committed::{CommittedFile, FOLDER};
use crate::definition::Definition;
use crate::diff::{PathChange, diff, summary};
use crate::registry::{AnyPillow, Registry};
use crate::samples;

/// How one committed mapping stands to its struct, and what is to be done about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// Its state.
    pub state: State,
    /// What is so, as one sentence.
    pub sentence: String,
    /// What changed since it was made, where the two can be compared.
    pub changes: Vec<PathChange>,
    /// The changes in one line.
    pub summary: Option<String>,
    /// What to do about it.
    pub help: String,
}

impl Finding {
    /// Of a file that no registered pillow has.
    #[must_use]
    pub fn orphaned(shown: &str, program: &str) -> Self {
        let state = State::Orphaned;
        let (sentence, help) = (state.sentence("", shown), state.help(program, "", shown));
        Self { state, sentence, changes: Vec::new(), summary: None, help }
    }

    /// As people read it: the sentence, perhaps what changed, and the help if there is something to
    /// be done.
    #[must_use]
    pub fn lines(&self, with_changes: bool) -> Vec<String> {
        let mut lines = vec![self.sentence.clone()];
        if with_changes {
            lines.extend(self.changes.iter().map(|change| format!("  {change}")));
            lines.extend(self.summary.iter().map(|summary| format!("  {summary}")));
        }
        if !self.state.is_fine() {
            lines.push(format!("help: {}", self.help));
        }
        lines
    }
}

/// What is reported of a definition's committed mapping. `shown` is the file as people write its
/// path, `program` how the commands are run.
#[must_use]
pub fn finding(definition: &Definition, shown: &str, program: &str) -> Finding {
    let (state, old) = state(definition);
    let new = CommittedFile::of(definition);
    let old = old.filter(|_| state == State::Stale);
    Finding {
        sentence: state.sentence(rust_name(definition), shown),
        changes: old.as_ref().map(|old| diff(old, &new)).unwrap_or_default(),
        summary: old.as_ref().and_then(|old| summary(old, &new, program)),
        help: state.help(program, definition.pillow.as_str(), shown),
        state,
    }
}

/// What is reported of the snapshot of a pillow's samples beside its committed mapping; none for a
/// pillow without samples. `shown` is the snapshot as people write its path.
#[must_use]
pub fn samples_finding(
    pillow: &dyn AnyPillow,
    mapping: &Path,
    shown: &str,
    program: &str,
) -> Option<Finding> {
    let new = samples::snapshot(pillow)?;
    let state = match fs_err::read_to_string(samples::path_beside(mapping)) {
        Ok(old) if old == new => State::Fresh,
        Ok(old) => State::SamplesChanged(samples::changed(&old, &new)),
        Err(_) => State::SamplesNew,
    };
    let definition = pillow.definition();
    let sentence = state.sentence(rust_name(definition), shown);
    let help = state.help(program, definition.pillow.as_str(), shown);
    Some(Finding { state, sentence, changes: Vec::new(), summary: None, help })
}

/// What is to be done about the committed mappings of a crate's pillows, each with what changed;
/// empty if all are fresh. `crate_directory` is that of the crate.
#[must_use]
pub fn report(registry: &Registry, crate_directory: &Path, program: &str) -> String {
    let (up, to_root) = levels(crate_directory);
    let ancestor = |levels: usize| crate_directory.ancestors().nth(levels).unwrap_or(crate_directory);
    let directory = ancestor(up).join(FOLDER);
    let shown = |path: &Path| path.strip_prefix(ancestor(to_root)).unwrap_or(path).display().to_string();
    let mut findings: Vec<Finding> = Vec::new();
    for pillow in registry.pillows() {
        let definition = pillow.definition();
        let path = path(definition).unwrap_or_else(|| directory.join(format!("{}.json", definition.pillow)));
        findings.push(finding(definition, &shown(&path), program));
        let snapshot = shown(&samples::path_beside(&path));
        findings.extend(samples_finding(pillow.as_ref(), &path, &snapshot, program));
    }
    let orphans = orphans_of_crate(registry, &directory, crate_directory);
    findings.extend(orphans.iter().flatten().map(|path| Finding::orphaned(&shown(path), program)));
    findings.retain(|finding| !finding.state.is_fine());
    let mut lines: Vec<String> = findings.iter().flat_map(|finding| finding.lines(true)).collect();
    match orphans {
        // Without the directory there is nothing to be left over.
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            lines.push(format!("listing `{}`: {error}", shown(&directory)));
        }
        _ => {}
    }
    lines.join("\n")
}
