//! `new-pillow --from-docs`: samples are read, those of the type are taken in, and the struct that reads them is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{shown, text_of};
use crate::arguments::NewPillow;
use crate::commands::audit::input::Input;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::new_pillow::from_docs::{Remark, Samples};
use crate::new_pillow::model::Draft;
use crate::new_pillow::write;

const SAY_EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context, arguments: &NewPillow, source: &str) -> Result<Outcome, Failure> {
    let (doc_types, samples) = read(context, arguments, source).await?;
    let (mut draft, remarks) = samples.draft(&arguments.nested);
    let name = &arguments.name;
    draft.pillow.name.clone_from(name);
    draft.pillow.alias.clone_from(name);
    draft.pillow.doc_types = doc_types;
    draft.pillow.type_field = (arguments.type_field != "doc_type").then(|| arguments.type_field.clone());
    draft.docs = vec![
        format!(
            "The pillow `{name}`, inferred from {} documents in `{}`.",
            samples.count(),
            shown(source).replace('`', "'")
        ),
        String::new(),
        "A member that a sample lacks, or that is null, is an `Option`. Others may lack more than the samples do.".to_owned(),
    ];
    let folder = arguments.out.as_deref().and_then(Path::parent).filter(|path| !path.as_os_str().is_empty());
    let text = text_of(context, &draft, folder);
    if let Some(folder) = folder {
        fs_err::create_dir_all(folder)?;
    }
    match &arguments.out {
        Some(out) => fs_err::write(out, &text)?,
        None => context.talk.text(text.trim_end()),
    }
    report(context, arguments, &draft, &remarks, &text, samples.count());
    Ok(Outcome::Done)
}

/// The types and the documents of them.
async fn read(
    context: &Context,
    arguments: &NewPillow,
    source: &str,
) -> Result<(Vec<String>, Samples), Failure> {
    let mut input = Input::open(context, source).await?;
    let mut by_type: BTreeMap<String, Samples> = BTreeMap::new();
    let (mut read, mut untyped) = (0_u64, 0_u64);
    let mut chosen = Samples::default();
    let mut said = Instant::now();
    'reading: while let Some(rows) = input.next().await? {
        for row in rows {
            if read >= arguments.limit {
                break 'reading;
            }
            read += 1;
            let Some(text) = row.document().filter(|_| !row.deleted) else { continue };
            let id = row.id.as_str();
            let document: Map<String, Value> = serde_json::from_str(text)
                .map_err(|error| Failure::new(format!("document `{id}` is not read: {error}")))?;
            match document.get(&arguments.type_field).and_then(Value::as_str) {
                Some(named) if arguments.doc_type.is_empty() => {
                    by_type.entry(named.to_owned()).or_default().add(id, &document);
                }
                Some(named) if arguments.doc_type.iter().any(|wanted| wanted == named) => {
                    chosen.add(id, &document);
                }
                Some(named) => {
                    by_type.entry(named.to_owned()).or_default().add(id, &Map::new());
                }
                None => untyped += 1,
            }
        }
        if said.elapsed() >= SAY_EVERY {
            context.talk.note(&format!("reading samples: {read} documents"));
            said = Instant::now();
        }
    }
    if chosen.count() > 0 {
        return Ok((arguments.doc_type.clone(), chosen));
    }
    let found: Vec<String> =
        by_type.iter().map(|(named, samples)| format!("`{named}` ({})", samples.count())).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    if !arguments.doc_type.is_empty() {
        return Err(Failure::usage(format!(
            "no sample in {} is of the type {}",
            input.shown(),
            arguments.doc_type.join(", ")
        ))
        .hint(format!("the types in `{}` are: {found}", arguments.type_field)));
    }
    if by_type.len() == 1
        && let Some((named, samples)) = by_type.into_iter().next()
    {
        return Ok((vec![named], samples));
    }
    let member = &arguments.type_field;
    Err(Failure::usage(format!(
        "which type of document is meant? {read} samples in {} have the types: {found}; {untyped} have none",
        input.shown()
    ))
    .hint(format!("choose by `--doc-type TYPE`, or name another member than `{member}` by `--type-field`")))
}

fn report(
    context: &Context,
    arguments: &NewPillow,
    draft: &Draft,
    remarks: &[Remark],
    text: &str,
    samples: usize,
) {
    for remark in remarks {
        context.talk.note(&format!("note: `{}`: {}", remark.path, remark.said));
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
        .map(|remark| json!({"path": remark.path, "said": remark.said, "kinds": kinds(remark)}))
        .collect();
    context.talk.json(&json!({
        "pillow": arguments.name, "struct": document, "structs": structs, "fields": fields, "out": out,
        "samples": samples, "crates": crates, "notes": listed, "rust": out.is_none().then_some(text),
    }));
    let place = out.map_or_else(String::new, |out| format!(" in {out}"));
    context
        .talk
        .note(&format!("`{document}`: {fields} fields in {structs} structs{place}, from {samples} samples"));
    context.talk.note(&format!(
        "\nhint: put it into a crate with {}, name it in `registry![…]`, run `{program} make-mapping {name}`, then `{program} audit {name} --docs …`",
        crates.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        program = context.program,
        name = arguments.name
    ));
}
