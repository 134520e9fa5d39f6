//! `new-pillow --from-docs`: samples are read, those of the type are taken in, and the struct that
//! reads them is written.

use std::path::Path;

use serde_json::{Value, json};

use super::limits;
use super::samples::{self, Chosen};
use super::{Module, shown, text_of};
use crate::arguments::NewPillow;
use crate::context::Context;
use crate::exit::Failure;
use crate::new_pillow::from_docs::Remark;
use crate::new_pillow::model::Draft;
use crate::new_pillow::{mapping, write};
use crate::output::counted;

pub(super) async fn run(context: &Context, arguments: &NewPillow, source: &str) -> Result<Module, Failure> {
    let Chosen { doc_types, samples, database } = samples::read(context, arguments, source).await?;
    let (mut draft, remarks) = samples.draft(&arguments.nested);
    let name = &arguments.name;
    draft.pillow.name.clone_from(name);
    draft.pillow.alias.clone_from(name);
    draft.pillow.doc_types = doc_types;
    draft.pillow.deleted.clone_from(&arguments.deleted);
    draft.pillow.database = database;
    draft.pillow.type_field = (arguments.type_field != "doc_type").then(|| arguments.type_field.clone());
    draft.docs = vec![
        format!(
            "The pillow `{name}`, inferred from {} in `{}`.",
            counted(samples.count() as u64, "document"),
            shown(source).replace('`', "'")
        ),
        String::new(),
        "A member that a sample lacks, or that is null, is an `Option`. Others may lack more than the samples do.".to_owned(),
    ];
    let directory =
        arguments.out.as_deref().and_then(Path::parent).filter(|path| !path.as_os_str().is_empty());
    let text = text_of(context, &draft, directory);
    if let Some(directory) = directory {
        fs_err::create_dir_all(directory)?;
    }
    match &arguments.out {
        Some(out) => fs_err::write(out, &text)?,
        None => context.ui.text(text.trim_end()),
    }
    let warnings = limits::warn(context, &mapping::properties(&draft), None);
    report(
        context,
        arguments,
        &draft,
        &remarks,
        &Written { text: &text, samples: samples.count(), warnings },
    );
    Ok(Module { document: write::document_name(&draft), crates: write::crates(&draft) })
}

struct Written<'a> {
    text: &'a str,
    /// How many documents the struct was inferred from.
    samples: usize,
    /// Limits that are exceeded.
    warnings: Vec<Value>,
}

fn report(
    context: &Context,
    arguments: &NewPillow,
    draft: &Draft,
    remarks: &[Remark],
    written: &Written<'_>,
) {
    for remark in remarks {
        context.ui.note(&format!("note: `{}`: {}", remark.path, remark.found));
    }
    let document = write::document_name(draft);
    let (structs, fields) = (draft.structs.len(), draft.field_count());
    let crates = write::crates(draft);
    let out = arguments.out.as_ref().map(|path| path.display().to_string());
    let kinds = |remark: &Remark| -> Vec<Value> {
        let kinds = remark.kinds.iter();
        kinds.map(|(kind, count, ids)| json!({"kind": kind, "count": count, "ids": ids})).collect()
    };
    let listed: Vec<Value> = remarks
        .iter()
        .map(|remark| json!({"path": remark.path, "found": remark.found, "kinds": kinds(remark)}))
        .collect();
    context.ui.json(&json!({
        "pillow": arguments.name, "struct": document, "structs": structs, "fields": fields, "out": out,
        "samples": written.samples, "crates": crates, "notes": listed, "warnings": written.warnings,
        "rust": out.is_none().then_some(written.text),
    }));
    let location = out.map_or_else(String::new, |out| format!(" in {out}"));
    let (fields, structs) = (counted(fields as u64, "field"), counted(structs as u64, "struct"));
    let samples = counted(written.samples as u64, "sample");
    context.ui.note(&format!("`{document}`: {fields} in {structs}{location}, from {samples}"));
}
