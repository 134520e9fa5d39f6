//! `process`: documents that are named by their ids are processed again.

use std::collections::BTreeSet;
use std::io::Read as _;

use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_core::{DatabaseName, DocumentId};
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::index_id::index_id;
use pillowtop_runtime::request::RequestKind;
use pillowtop_runtime::touch::parts;

use super::touching::{self, Job, check_database, choose};
use crate::arguments::Process;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::counted;
use crate::servers::{Servers, WhenUnreachable};
use crate::stop::Stop;

pub(crate) async fn run(context: &Context, arguments: &Process) -> Result<Outcome, Failure> {
    let pillow = context.pillow(&arguments.name)?;
    let ids = read_ids(&arguments.ids)?;
    require_fresh(std::slice::from_ref(pillow))?;
    let stop = Stop::on_signals(&context.ui);
    let servers =
        Servers::connect(context, "process", std::slice::from_ref(pillow), WhenUnreachable::Fail).await?;
    let served = servers.served(context, pillow)?;
    let ended = process(context, &servers, served, ids, arguments, &stop).await;
    servers.end().await;
    ended.map_err(|failure| failure.for_pillow(&pillow.definition().pillow))
}

async fn process(
    context: &Context,
    servers: &Servers,
    served: Served,
    ids: Vec<DocumentId>,
    arguments: &Process,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    check_database(&served.databases, arguments.database.as_deref())?;
    let all = parts(&servers.engine, &served).await?;
    let chosen = choose(all, arguments.database.as_deref())?;
    for database in chosen.iter().map(|part| &part.database).collect::<BTreeSet<_>>() {
        note_long_ids(context, &served, database, &ids);
    }
    let job = |part| Job { served: served.clone(), part, ids: ids.clone() };
    let jobs: Vec<Job> = chosen.into_iter().map(job).collect();
    if arguments.dry_run {
        return Ok(touching::dry_run(context, jobs));
    }
    let ended = touching::run(context, servers, jobs, RequestKind::Touch, stop).await?;
    Ok(touching::show(context, &ended))
}

fn note_long_ids(context: &Context, served: &Served, database: &DatabaseName, ids: &[DocumentId]) {
    let is_prefixed = served.databases.prefixes_ids();
    let is_long = |id: &&DocumentId| index_id(database, id, is_prefixed).as_str().len() > MAX_INDEX_ID_BYTES;
    let long = ids.iter().filter(is_long).count() as u64;
    if long > 0 {
        context.ui.note(&format!(
            "{} of database `{database}`: longer than the {MAX_INDEX_ID_BYTES} bytes that an index accepts; a document with such an id becomes a dead letter",
            counted(long, "id")
        ));
    }
}

pub(super) fn read_ids(file: &str) -> Result<Vec<DocumentId>, Failure> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        fs_err::read(file).map_err(Failure::usage)?
    };
    let name = if file == "-" { "standard input" } else { file };
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{name} is not UTF-8")))?;
    parse_ids(&text).map_err(|problem| {
        Failure::usage(format!("{name}: {problem}"))
            .hint("ids are given one on each line, or as a JSON array of strings")
    })
}

/// The ids, each once.
fn parse_ids(text: &str) -> Result<Vec<DocumentId>, String> {
    let ids: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(|error| format!("it is not a JSON array of strings: {error}"))?
    } else {
        let is_json = |line: &str| line.trim_start().starts_with('{');
        if let Some(position) = text.lines().position(is_json) {
            return Err(format!("line {} is a JSON object, not an id", position + 1));
        }
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    };
    if let Some(position) = ids.iter().position(String::is_empty) {
        return Err(format!("id {} is empty", position + 1));
    }
    if ids.is_empty() {
        return Err("there are no ids".to_owned());
    }
    let mut seen = BTreeSet::new();
    Ok(ids.into_iter().filter(|id| seen.insert(id.clone())).map(DocumentId::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<String>, String> {
        parse_ids(text).map(|ids| ids.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn ids_are_lines_or_a_json_array() {
        let expected = Ok(vec!["a".to_owned(), " b c".to_owned(), "é".to_owned()]);
        assert_eq!(parse("a\r\n b c\n\n  \né\na\n"), expected);
        assert_eq!(parse(" [\"a\", \" b c\",\n\"é\", \"a\"]\n"), expected);
        assert_eq!(parse(&"x".repeat(600)).map(|ids| ids[0].len()), Ok(600));
    }

    #[test]
    fn what_is_not_an_id_is_reported() {
        for (text, expected) in [
            ("", "there are no ids"),
            ("\n \n", "there are no ids"),
            ("[]", "there are no ids"),
            ("[\"a\", \"\"]", "id 2 is empty"),
            ("[\"a\", 1]", "not a JSON array of strings"),
            ("a\n\n {\"_id\": \"b\"}", "line 3 is a JSON object"),
            ("[\"a\"", "not a JSON array of strings"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
