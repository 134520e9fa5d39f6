//! What is said of a mapping's limits, settings and references when it is made: an error for what no server takes, past a limit too, a warning
//! near one.

use pillowtop_core::Definition;
use pillowtop_core::creation::{doubts, of_products, problems};
use pillowtop_core::limits::examine;
use pillowtop_core::references::wrong_references;
use pillowtop_core::settings::{suggestion, unknown_names};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Failure;

/// Warns of what is near a limit or not known, and returns the warnings as data. Fails with all that is past a limit, or names what it cannot.
pub(crate) fn check_limits(context: &Context, definitions: &[&Definition]) -> Result<Vec<Value>, Failure> {
    let (mut past, mut warnings) = (Vec::new(), Vec::new());
    for definition in definitions {
        let name = &definition.pillow;
        for finding in examine(&definition.mappings, &definition.settings, definition.targets) {
            if finding.is_past() {
                past.push((format!("{name}: {finding}"), finding.limited.setting()));
            } else {
                context.talk.note(&format!("warning: {name}: {finding}"));
                warnings.push(json!({
                    "pillow": name, "warning": finding.to_string(), "setting": finding.limited.setting(),
                    "count": finding.count, "limit": finding.limit, "path": finding.path,
                }));
            }
        }
        for doubt in doubts(&definition.mappings) {
            context.talk.note(&format!("warning: {name}: {doubt}; {}", doubt.help));
            warnings.push(json!({"pillow": name, "warning": doubt.to_string(), "path": doubt.path}));
        }
        for unknown in unknown_names(&definition.settings) {
            let meant =
                suggestion(&unknown).map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"));
            let warning = format!("no server is known to have the setting `{unknown}`{meant}");
            context.talk.note(&format!("warning: {name}: {warning}"));
            warnings.push(json!({"pillow": name, "warning": warning, "setting": unknown}));
        }
    }
    let wrong: Vec<String> = definitions
        .iter()
        .flat_map(|definition| {
            let name = &definition.pillow;
            wrong_references(&definition.mappings).into_iter().map(move |wrong| format!("{name}: {wrong}"))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Failure::new(wrong.join("; "))
            .hint("a path has the JSON names of all objects from the root, joined by dots"));
    }
    refuse_problems(definitions)?;
    let Some((_, setting)) = past.first() else { return Ok(warnings) };
    let hint = format!(
        "leave fields out (`#[es(skip)]`, `#[es(object, dynamic = false)]`, `flattened`), or raise `{setting}` in the pillow's settings"
    );
    let said: Vec<String> = past.iter().map(|(text, _)| text.clone()).collect();
    Err(Failure::new(said.join("; ")).hint(hint))
}

/// Fails with what no server takes of a mapping with its settings, or what a target of the pillow does not.
fn refuse_problems(definitions: &[&Definition]) -> Result<(), Failure> {
    let mut said = Vec::new();
    let mut help = None;
    for definition in definitions {
        let mut found = problems(&definition.mappings, &definition.settings);
        found.extend(of_products(&definition.settings));
        for problem in found.into_iter().filter(|problem| problem.concerns_any(definition.targets)) {
            let targets = definition.targets.iter().filter(|target| problem.concerns(**target));
            let targets: Vec<String> = targets.map(ToString::to_string).collect();
            let on = if targets.is_empty() { String::new() } else { format!(" (on {})", targets.join(", ")) };
            said.push(format!("{}: {problem}{on}", definition.pillow));
            help.get_or_insert(problem.help);
        }
    }
    match help {
        None => Ok(()),
        Some(help) => Err(Failure::new(said.join("; ")).hint(help)),
    }
}
