//! What is reported of a mapping's limits, settings and references when it is made: an error for
//! what no server takes, past a limit too, a warning near one.

use pillowtop_core::Definition;
use pillowtop_core::creation::{doubts, of_products, problems};
use pillowtop_core::limits::examine;
use pillowtop_core::references::wrong_references;
use pillowtop_core::settings::{suggestion, unknown_names};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Failure;

/// Warns of what is near a limit or not known, and returns the warnings as data. Fails with all
/// limits that the mapping exceeds, or with all names in it that it does not have.
pub(crate) fn check_limits(context: &Context, definition: &Definition) -> Result<Vec<Value>, Failure> {
    let name = &definition.pillow;
    if definition.is_table() {
        // Its limits are checked by the compiler.
        return Ok(Vec::new());
    }
    let (mut past, mut warnings) = (Vec::new(), Vec::new());
    for finding in examine(&definition.mappings, &definition.settings, definition.targets) {
        if finding.is_past() {
            past.push((format!("{name}: {finding}"), finding.limited.setting()));
        } else {
            context.ui.note(&format!("warning: {name}: {finding}"));
            warnings.push(json!({
                "pillow": name, "warning": finding.to_string(), "setting": finding.limited.setting(),
                "count": finding.count, "limit": finding.limit, "path": finding.path,
            }));
        }
    }
    for doubt in doubts(&definition.mappings) {
        context.ui.note(&format!("warning: {name}: {doubt}; {}", doubt.help));
        warnings.push(json!({"pillow": name, "warning": doubt.to_string(), "path": doubt.path}));
    }
    for unknown in unknown_names(&definition.settings) {
        let meant =
            suggestion(&unknown).map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"));
        let warning = format!("no known server has the setting `{unknown}`{meant}");
        context.ui.note(&format!("warning: {name}: {warning}"));
        warnings.push(json!({"pillow": name, "warning": warning, "setting": unknown}));
    }
    let wrong = wrong_references(&definition.mappings);
    if !wrong.is_empty() {
        let wrong: Vec<String> = wrong.into_iter().map(|wrong| format!("{name}: {wrong}")).collect();
        return Err(Failure::new(wrong.join("; "))
            .hint("a path has the JSON names of all objects from the root, joined by dots"));
    }
    refuse_problems(definition)?;
    let Some((_, setting)) = past.first() else { return Ok(warnings) };
    let hint = format!(
        "leave fields out (`#[es(skip)]`, `#[es(object, dynamic = false)]`, `flattened`), or raise `{setting}` in the pillow's settings"
    );
    let messages: Vec<String> = past.iter().map(|(text, _)| text.clone()).collect();
    Err(Failure::new(messages.join("; ")).hint(hint))
}

/// Fails with what no server accepts of a mapping with its settings, or what a target of the pillow
/// does not.
fn refuse_problems(definition: &Definition) -> Result<(), Failure> {
    let mut found = problems(&definition.mappings, &definition.settings);
    found.extend(of_products(&definition.settings));
    found.retain(|problem| problem.concerns_any(definition.targets));
    let Some(help) = found.first().map(|problem| problem.help.clone()) else { return Ok(()) };
    let messages: Vec<String> = found
        .iter()
        .map(|problem| {
            let targets = definition.targets.iter().filter(|target| problem.concerns(**target));
            let targets: Vec<String> = targets.map(ToString::to_string).collect();
            let on = if targets.is_empty() { String::new() } else { format!(" (on {})", targets.join(", ")) };
            format!("{}: {problem}{on}", definition.pillow)
        })
        .collect();
    Err(Failure::new(messages.join("; ")).hint(help))
}
