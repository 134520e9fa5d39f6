//! `make-mapping`: derives mappings and writes, compares or explains them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pillowtop_core::diff::{diff, summary};
use pillowtop_core::drift::{self, Finding, State, finding, samples_finding};
use pillowtop_core::{AnyPillow, CommittedFile, Definition, samples};
use serde_json::{Value, json};

use super::explain::explain;
use super::limits::check_limits;
use crate::arguments::MakeMapping;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::{shown, shown_file};

pub(crate) fn run(context: &Context, arguments: &MakeMapping) -> Result<Outcome, Failure> {
    let is_all = arguments.names.is_empty();
    if is_all && !(arguments.all || arguments.check || arguments.diff || arguments.explain) {
        return Err(Failure::usage("no pillow is named, and files would be written")
            .hint("name pillows, or write those of all: `PROGRAM make-mapping --all`"));
    }
    let pillows =
        if is_all { context.registry.pillows().to_vec() } else { context.pillows(&arguments.names)? };
    if arguments.explain {
        let explained: Vec<Value> = pillows.iter().map(|pillow| explain(context, pillow.as_ref())).collect();
        context.ui.json(&json!({"pillows": explained}));
        return Ok(Outcome::Done);
    }
    let (mut usable, mut failures, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for pillow in &pillows {
        match check_limits(context, pillow.definition()) {
            Ok(found) => {
                warnings.extend(found);
                usable.push(Arc::clone(pillow));
            }
            Err(failure) => failures.push(failure),
        }
    }
    let failure = Failure::of_several(failures);
    if arguments.diff || arguments.check {
        let found = compare(context, &usable, is_all && arguments.check, arguments.diff)?;
        let outcome =
            if usable.is_empty() && failure.is_some() { None } else { Some(found.say(context, &warnings)) };
        return failure.map_or_else(|| Ok(outcome.unwrap_or(Outcome::Done)), Err);
    }
    let mut written = Vec::new();
    for pillow in &usable {
        written.push(write(context, pillow.definition())?);
        written.extend(write_samples(context, pillow.as_ref())?);
    }
    if failure.is_none() || !usable.is_empty() {
        context.ui.json(&json!({"mappings": written, "warnings": warnings}));
    }
    failure.map_or(Ok(Outcome::Done), Err)
}

fn write(context: &Context, definition: &Definition) -> Result<Value, Failure> {
    let name = &definition.pillow;
    let Some(path) = drift::path(definition) else {
        let failure = Failure::usage(format!(
            "this program was built with the committed mapping of `{name}`, and writes none"
        ));
        return Err(
            failure.hint("run it through the alias `cargo xtask`, which builds with the feature `bless`")
        );
    };
    let (before, old) = drift::state(definition);
    let file = CommittedFile::of(definition);
    let changed =
        file.write(&path).map_err(|error| Failure::new(format!("writing {}: {error}", shown(&path))))?;
    let state = match (&before, changed) {
        (_, false) => "unchanged",
        (State::New, true) => "new",
        (_, true) => "updated",
    };
    context.ui.text(&format!("{state:>10}  {}", shown(&path)));
    if let Some(old) = old.filter(|_| changed) {
        diff(&old, &file).iter().for_each(|change| context.ui.text(&format!("            {change}")));
        if let Some(summary) = summary(&old, &file, &context.program) {
            context.ui.text(&format!("            {summary}"));
        }
    }
    Ok(json!({"pillow": name, "path": shown(&path), "state": state, "hash": file.hash}))
}

/// Writes what the sample documents of a pillow become, if it has samples.
fn write_samples(context: &Context, pillow: &dyn AnyPillow) -> Result<Option<Value>, Failure> {
    let (Some(new), Some(mapping)) = (samples::snapshot(pillow), drift::path(pillow.definition())) else {
        return Ok(None);
    };
    let path = samples::path_beside(&mapping);
    let old = fs_err::read_to_string(&path).unwrap_or_default();
    let changed = samples::changed(&old, &new);
    let state = if old == new { "unchanged" } else { "updated" };
    if old != new {
        fs_err::write(&path, &new)
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", shown(&path))))?;
    }
    context.ui.text(&format!("{state:>10}  {}", shown(&path)));
    Ok(Some(
        json!({"pillow": pillow.definition().pillow, "path": shown(&path), "state": state, "changed": changed}),
    ))
}

/// How committed mappings stand to their structs.
struct Comparison {
    states: Vec<Value>,
    changes: Vec<Value>,
    is_fine: bool,
}

impl Comparison {
    /// Says a finding, unless nothing is to be done about it, and adds it to what is for scripts.
    fn add(
        &mut self,
        context: &Context,
        pillow: Option<&str>,
        file: &str,
        finding: &Finding,
        with_changes: bool,
    ) {
        let mut state = json!({"path": file, "state": finding.state.to_string()});
        if let Some(pillow) = pillow {
            state["pillow"] = json!(pillow);
        }
        if !finding.state.is_fine() {
            self.is_fine = false;
            state["message"] = json!(finding.sentence);
            state["help"] = json!(finding.help);
            finding.lines(with_changes).iter().for_each(|line| context.ui.text(line));
        }
        self.states.push(state);
        if with_changes {
            self.changes.extend(finding.changes.iter().map(|change| {
                json!({
                    "pillow": pillow, "path": change.path, "before": change.before, "after": change.after,
                    "class": change.class.to_string(), "reason": change.reason,
                })
            }));
        }
    }

    /// The summary, and all of it for scripts.
    fn say(&self, context: &Context, warnings: &[Value]) -> Outcome {
        let Self { states, changes, is_fine } = self;
        let differs: Vec<&Value> = states
            .iter()
            .filter(|state| state["state"] != "fresh" && state["state"] != "unchecked")
            .collect();
        context
            .ui
            .json(&json!({"states": states, "differs": differs, "changes": changes, "warnings": warnings}));
        if !is_fine {
            return Outcome::Differs;
        }
        context.ui.text(&match states.len() {
            1 => "1 committed mapping is what its struct derives".to_owned(),
            number => format!("{number} committed mappings are what their structs derive"),
        });
        Outcome::Done
    }
}

/// Says the state of each committed mapping, with `with_changes` what changed, and with `all` what
/// no pillow has.
fn compare(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    all: bool,
    with_changes: bool,
) -> Result<Comparison, Failure> {
    let mut found = Comparison { states: Vec::new(), changes: Vec::new(), is_fine: true };
    for pillow in pillows {
        let definition = pillow.definition();
        let (name, file) = (definition.pillow.as_str(), shown_file(definition));
        found.add(context, Some(name), &file, &finding(definition, &file, &context.program), with_changes);
        if let Some(mapping) = drift::path(definition) {
            let file = shown(&samples::path_beside(&mapping));
            let finding = samples_finding(pillow.as_ref(), &mapping, &file, &context.program);
            if let Some(finding) = finding.filter(|finding| !finding.state.is_fine()) {
                found.add(context, Some(name), &file, &finding, with_changes);
            }
        }
    }
    let orphans = if all { orphans(context)? } else { Vec::new() };
    for file in orphans.iter().map(|path| shown(path)) {
        found.add(context, None, &file, &Finding::orphaned(&file, &context.program), with_changes);
    }
    Ok(found)
}

/// Files in the mappings' directories that no registered pillow has.
fn orphans(context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let pillows = context.registry.pillows().iter();
    let files: Vec<PathBuf> = pillows.filter_map(|pillow| drift::path(pillow.definition())).collect();
    let directories: BTreeSet<&Path> =
        files.iter().filter_map(|path| path.parent()).filter(|path| path.is_dir()).collect();
    let mut orphans = Vec::new();
    for directory in directories {
        orphans.extend(drift::orphans(&context.registry, directory)?);
    }
    Ok(orphans)
}
