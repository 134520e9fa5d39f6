//! `make-mapping`: derives mappings and writes, compares or explains them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pillowtop_core::diff::diff;
use pillowtop_core::{CommittedFile, Definition};
use serde_json::{Value, json};

use super::limits::check_limits;
use crate::arguments::MakeMapping;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::{Freshness, freshness, path_of, shown};

pub(crate) fn run(context: &Context, arguments: &MakeMapping) -> Result<Outcome, Failure> {
    // clap asks for names, or for `--all`, where something is written.
    let is_all = arguments.names.is_empty();
    let pillows =
        if is_all { context.registry.pillows().to_vec() } else { context.pillows(&arguments.names)? };
    let definitions: Vec<&Definition> = pillows.iter().map(|pillow| pillow.definition()).collect();
    if arguments.explain {
        let explained: Vec<Value> =
            definitions.iter().map(|definition| explain(context, definition)).collect();
        context.talk.json(&json!({"pillows": explained}));
        return Ok(Outcome::Done);
    }
    // Before anything is written.
    let warnings = check_limits(context, &definitions)?;
    if arguments.diff {
        return Ok(show_differences(context, &definitions, &warnings));
    }
    if arguments.check {
        return check(context, &definitions, is_all, &warnings);
    }
    let mut written = Vec::new();
    for definition in definitions {
        written.push(write(context, definition)?);
    }
    context.talk.json(&json!({"mappings": written, "warnings": warnings}));
    Ok(Outcome::Done)
}

fn write(context: &Context, definition: &Definition) -> Result<Value, Failure> {
    let name = &definition.pillow;
    let Some(path) = path_of(definition) else {
        let failure = Failure::usage(format!(
            "this program was built with the committed mapping of `{name}`, and writes none"
        ));
        return Err(
            failure.hint("run it through the alias `cargo xtask`, which builds with the feature `bless`")
        );
    };
    let (before, old) = freshness(definition);
    let file = CommittedFile::of(definition);
    let changed =
        file.write(&path).map_err(|error| Failure::new(format!("writing {}: {error}", shown(&path))))?;
    let said = match (&before, changed) {
        (_, false) => "unchanged",
        (Freshness::New, true) => "new",
        (_, true) => "updated",
    };
    context.talk.text(&format!("{said:>10}  {}", shown(&path)));
    if let Some(old) = old.filter(|_| changed) {
        diff(&old, &file).iter().for_each(|change| context.talk.text(&format!("            {change}")));
    }
    Ok(json!({"pillow": name, "path": shown(&path), "state": said, "hash": file.hash}))
}

fn show_differences(context: &Context, definitions: &[&Definition], warnings: &[Value]) -> Outcome {
    let mut outcome = Outcome::Done;
    let mut listed = Vec::new();
    for definition in definitions {
        let (state, old) = freshness(definition);
        let name = &definition.pillow;
        if matches!(state, Freshness::Fresh | Freshness::Unchecked) {
            context.talk.text(&format!("{name}: no change"));
            continue;
        }
        outcome = Outcome::Differs;
        context.talk.text(&format!("{name}: {state}"));
        let changes = old.map(|old| diff(&old, &CommittedFile::of(definition))).unwrap_or_default();
        for change in &changes {
            context.talk.text(&format!("  {change}"));
            listed.push(json!({
                "pillow": name, "path": change.path, "before": change.before, "after": change.after,
                "class": change.class.to_string(), "reason": change.reason,
            }));
        }
    }
    context.talk.json(&json!({"changes": listed, "warnings": warnings}));
    outcome
}

fn check(
    context: &Context,
    definitions: &[&Definition],
    all: bool,
    warnings: &[Value],
) -> Result<Outcome, Failure> {
    let mut wrong = Vec::new();
    for definition in definitions {
        let (state, _) = freshness(definition);
        let why = match &state {
            Freshness::Fresh | Freshness::Unchecked => continue,
            Freshness::EditedByHand(why) | Freshness::Broken(why) => format!(" ({why})"),
            Freshness::New | Freshness::Stale => String::new(),
        };
        let name = &definition.pillow;
        context.talk.text(&format!("{name}: {state}{why}"));
        wrong.push(json!({"pillow": name, "state": state.to_string()}));
    }
    if all {
        for path in orphans(context)? {
            context.talk.text(&format!("{}: no registered pillow has this file", shown(&path)));
            wrong.push(json!({"path": shown(&path), "state": "orphaned"}));
        }
    }
    context.talk.json(&json!({"differs": wrong, "warnings": warnings}));
    if wrong.is_empty() {
        context.talk.text(&match definitions.len() {
            1 => "1 committed mapping is what its struct derives".to_owned(),
            number => format!("{number} committed mappings are what their structs derive"),
        });
        return Ok(Outcome::Done);
    }
    let stale: Vec<&str> = wrong.iter().filter_map(|entry| entry["pillow"].as_str()).collect();
    if !stale.is_empty() {
        let names = stale.join(" ");
        context
            .talk
            .note(&format!("\nhint: run `{} make-mapping {names}` and commit the result", context.program));
    }
    Ok(Outcome::Differs)
}

/// Files in the mappings' folders that no registered pillow has.
fn orphans(context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let known: BTreeSet<PathBuf> =
        context.registry.pillows().iter().filter_map(|pillow| path_of(pillow.definition())).collect();
    let folders: BTreeSet<_> =
        known.iter().filter_map(|path| path.parent()).filter(|path| path.is_dir()).collect();
    let mut orphans = Vec::new();
    for folder in folders {
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") && !known.contains(&path) {
                orphans.push(path);
            }
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// Each field of the index with its type and parameters.
fn explain(context: &Context, definition: &Definition) -> Value {
    context.talk.text(&format!("{} ({})", definition.pillow, definition.rust_type));
    let mut fields = Vec::new();
    collect(&definition.mappings, "", &mut fields);
    for (path, kind, rest) in &fields {
        context.talk.text(&format!("  {path}: {kind}{rest}"));
    }
    let listed: Vec<Value> =
        fields.iter().map(|(path, kind, _)| json!({"path": path, "type": kind})).collect();
    json!({"pillow": definition.pillow, "rust_type": definition.rust_type, "fields": listed})
}

fn collect(mapping: &Value, above: &str, fields: &mut Vec<(String, String, String)>) {
    for group in ["properties", "fields"] {
        for (name, field) in mapping.get(group).and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{above}{name}");
            let kind = field.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
            let parameters: Vec<String> = field
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| !matches!(name.as_str(), "type" | "properties" | "fields"))
                .map(|(name, value)| format!("{name} = {value}"))
                .collect();
            let rest =
                if parameters.is_empty() { String::new() } else { format!(", {}", parameters.join(", ")) };
            fields.push((path.clone(), kind, rest));
            collect(field, &format!("{path}."), fields);
        }
    }
}
