//! `new-pillow`: writes the struct of a pillow from what a team already has.

mod limits;
mod samples;

mod from_docs;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pillowtop_core::canonical::to_readable;
use pillowtop_core::name::{index_name_problem, pillow_name_problem};
use pillowtop_core::normal_form::Note;
use pillowtop_runtime::target::elastic::{Cluster, ClusterOptions};
use serde_json::{Value, json};

use crate::arguments::NewPillow;
use crate::context::Context;
use crate::documents::{STANDARD_INPUT, is_url, read_to_string};
use crate::exit::{Failure, Outcome};
use crate::new_pillow::body::{self, Body};
use crate::new_pillow::model::Draft;
use crate::new_pillow::{from_mapping, lenient_json, mapping, names, placeholders, write};
use crate::output::counted;

/// A module that was written.
pub(in crate::commands) struct Module {
    /// The name of the document's struct.
    pub(in crate::commands) document: String,
    /// The crates that it uses, pillowtop aside.
    pub(in crate::commands) crates: Vec<&'static str>,
}

pub(crate) async fn run(context: &Context, arguments: &NewPillow) -> Result<Outcome, Failure> {
    let Module { crates, .. } = write_module(context, arguments).await?;
    let crates: Vec<String> = crates.iter().map(|name| format!("`{name}`")).collect();
    let (program, name) = (&context.program, &arguments.name);
    let audit = if arguments.from_docs.is_some() {
        format!(", then `{program} audit {name} --docs …`")
    } else {
        String::new()
    };
    context.ui.note(&format!(
        "\nhint: put it into a crate with {}, name it in `registry![…]`, and run `{program} make-mapping {name}`{audit}",
        crates.join(", ")
    ));
    Ok(Outcome::Done)
}

/// Writes the module and says what became of its source.
pub(in crate::commands) async fn write_module(
    context: &Context,
    arguments: &NewPillow,
) -> Result<Module, Failure> {
    let name = &arguments.name;
    if let Some(problem) = pillow_name_problem(name).or_else(|| index_name_problem(name)) {
        return Err(Failure::usage(format!("no pillow can be named `{name}`: it {problem}")));
    }
    if let Some(out) = arguments.out.as_deref().filter(|out| out.exists() && !arguments.force) {
        return Err(Failure::usage(format!("{} already exists", out.display()))
            .hint("give another `--out`, or `--force` to write over it"));
    }
    if let Some(source) = &arguments.from_docs {
        return from_docs::run(context, arguments, source).await;
    }
    let source = arguments.from_mapping.as_deref().unwrap_or_default();
    let value = read(context, source).await?;
    let unusable = |problem: String| Failure::new(format!("{}: {problem}", shown(source)));
    let Body { mappings, mut settings, alias, mut notes } = body::read(&value).map_err(unusable)?;
    let (mut draft, more) = from_mapping::draft(&mappings).map_err(unusable)?;
    notes.extend(more);
    let missing = placeholders::add(&mut settings, &mappings).map_err(unusable)?;
    fill_in(&mut draft, arguments, alias, &shown(source));
    draft.docs.extend(placeholders::docs(&missing));
    notes.extend(missing.notes);
    let settings = settings.as_object().is_some_and(|settings| !settings.is_empty()).then_some(settings);
    let settings_file = settings.as_ref().map(|settings| settings_attribute(arguments, settings));
    if let Some(file) = &settings_file {
        draft.pillow.settings = Some(file.value.clone());
    }
    let directory =
        arguments.out.as_deref().and_then(Path::parent).filter(|path| !path.as_os_str().is_empty());
    let text = text_of(context, &draft, directory);
    if let Some(directory) = directory {
        fs_err::create_dir_all(directory)?;
    }
    let written = settings_file.as_ref().and_then(|file| Some((file.path.as_deref()?, settings.as_ref()?)));
    if let Some((path, settings)) = written.filter(|_| arguments.out.is_some()) {
        if path.exists() && !arguments.force {
            return Err(Failure::usage(format!("{} already exists", path.display()))
                .hint("give `--force` to write over it"));
        }
        fs_err::write(path, format!("{}\n", to_readable(settings, 0)))?;
    }
    if let Some(out) = &arguments.out {
        fs_err::write(out, &text)?;
    } else {
        context.ui.text(text.trim_end());
    }
    let settings_path = written.map(|(path, _)| path.display().to_string());
    let warnings = limits::warn(context, &mapping::properties(&draft), settings.as_ref());
    let written = Written { text: &text, settings: settings_path, warnings };
    report(context, arguments, &draft, &notes, &written);
    Ok(Module { document: write::document_name(&draft), crates: write::crates(&draft) })
}

/// The module's text, as rustfmt writes it in that directory.
fn text_of(context: &Context, draft: &Draft, directory: Option<&Path>) -> String {
    let plain = write::module(draft);
    formatted(&plain, directory.unwrap_or(Path::new("."))).unwrap_or_else(|| {
        context.ui.note("note: rustfmt is not installed, so the text is not formatted");
        plain
    })
}

struct Written<'a> {
    text: &'a str,
    settings: Option<String>,
    /// Limits that are exceeded.
    warnings: Vec<Value>,
}

/// What became of the mapping, and what is to be done next.
fn report(context: &Context, arguments: &NewPillow, draft: &Draft, notes: &[Note], written: &Written<'_>) {
    for note in notes {
        context.ui.note(&format!("note: {note}"));
    }
    let document = write::document_name(draft);
    let (structs, fields) = (draft.structs.len(), draft.field_count());
    let crates = write::crates(draft);
    let out = arguments.out.as_ref().map(|path| path.display().to_string());
    let listed: Vec<Value> = notes
        .iter()
        .map(|note| json!({"path": note.path, "found": note.found, "became": note.became}))
        .collect();
    context.ui.json(&json!({
        "pillow": arguments.name, "struct": document, "structs": structs, "fields": fields, "out": out,
        "settings": written.settings, "crates": crates, "notes": listed,
        "warnings": written.warnings, "rust": out.is_none().then_some(written.text),
    }));
    let location = out.map_or_else(String::new, |out| format!(" in {out}"));
    let (fields, structs) = (counted(fields as u64, "field"), counted(structs as u64, "struct"));
    context.ui.note(&format!("`{document}`: {fields} in {structs}{location}"));
}

/// What only the command knows.
fn fill_in(draft: &mut Draft, arguments: &NewPillow, alias: Option<String>, source: &str) {
    let name = &arguments.name;
    let alias = alias.filter(|alias| index_name_problem(alias).is_none());
    draft.pillow.name.clone_from(name);
    draft.pillow.alias = alias.unwrap_or_else(|| name.clone());
    draft.pillow.type_field = (arguments.type_field != "doc_type").then(|| arguments.type_field.clone());
    draft.pillow.doc_types.clone_from(&arguments.doc_type);
    draft.pillow.deleted.clone_from(&arguments.deleted);
    if arguments.doc_type.is_empty() {
        draft.pillow.doc_types = vec![names::type_name(name)];
        draft.pillow.doc_type_comment = String::from(
            "The value of `doc_type` in the documents: a guess from the pillow's name, since a mapping does not have it.",
        );
    }
    draft.docs = vec![
        format!("The pillow `{name}`, from the mapping in `{}`.", source.replace('`', "'")),
        String::new(),
        "A mapping shows neither which members are always there nor which are lists: take `Option` away where a value".to_owned(),
        "is always there, and write `Vec` where there are several. Neither changes the mapping.".to_owned(),
    ];
}

async fn read(context: &Context, source: &str) -> Result<Value, Failure> {
    if !is_url(source) {
        let text = read_to_string(source).map_err(Failure::usage)?;
        return lenient_json::read(&text).map_err(|error| Failure::new(format!("{source}: {error}")));
    }
    let (server, index) = source.trim_end_matches('/').rsplit_once('/').unwrap_or((source, ""));
    if index.is_empty() || server.ends_with('/') || server.ends_with(':') {
        return Err(
            Failure::usage("the address names no index").hint("give it as `http://localhost:9200/INDEX`")
        );
    }
    let endpoint = context.config.elastic.endpoint(server).map_err(Failure::usage)?;
    let cluster = Cluster::connect(endpoint, ClusterOptions::default()).await?;
    Ok(cluster.index_description(index).await?)
}

/// A source without the credentials that an address may have.
fn shown(source: &str) -> String {
    match source.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with("http") => {
            let host = rest.find('/').unwrap_or(rest.len());
            let start = rest[..host].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[start..])
        }
        _ if source == STANDARD_INPUT => "standard input".to_owned(),
        _ => Path::new(source)
            .file_name()
            .map_or_else(|| source.to_owned(), |name| name.to_string_lossy().into_owned()),
    }
}

struct SettingsAttribute {
    /// What stands in the attribute.
    value: String,
    path: Option<PathBuf>,
}

/// Beside the module when that is in a crate; otherwise in the attribute itself.
fn settings_attribute(arguments: &NewPillow, settings: &Value) -> SettingsAttribute {
    let inline = || SettingsAttribute { value: settings.to_string(), path: None };
    let Some(out) = &arguments.out else { return inline() };
    let path = out.with_extension("settings.json");
    let Ok(absolute) = std::path::absolute(&path) else { return inline() };
    let from_crate = absolute.ancestors().skip(1).find_map(|directory| {
        directory.join("Cargo.toml").is_file().then(|| absolute.strip_prefix(directory).ok()).flatten()
    });
    let parts =
        from_crate.map(|path| path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"));
    parts.map_or_else(inline, |value| SettingsAttribute { value, path: Some(path) })
}

/// The text as rustfmt writes it with the configuration of a directory; none without a rustfmt that
/// takes it.
pub(in crate::commands) fn formatted(text: &str, directory: &Path) -> Option<String> {
    let directory = std::path::absolute(directory).ok()?;
    let directory = directory.ancestors().find(|directory| directory.is_dir())?;
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout"])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let sent = text.to_owned();
    // rustfmt may begin to answer before it has read all.
    let writer = std::thread::spawn(move || input.write_all(sent.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let is_sent = writer.join().is_ok_and(|sent| sent.is_ok());
    (is_sent && output.status.success()).then(|| String::from_utf8(output.stdout).ok()).flatten()
}
