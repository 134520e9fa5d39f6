//! What a new workspace's pillows are made of: the types of a database's documents, or indices.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_core::name::{index_name_problem, pillow_name_problem};
use pillowtop_runtime::target::elastic::{Cluster, ClusterOptions};
use serde_json::{Map, Value};

use crate::arguments::{New, NewPillow};
use crate::context::Context;
use crate::documents::{Address, search_documents};
use crate::exit::Failure;
use crate::new_pillow::names;
use crate::output::counted;

const TYPE_FIELD: &str = "doc_type";
/// What CouchDB's users put behind the type of a deleted document.
const DELETED: &str = "-Deleted";
/// So many documents for each document of a type are read to find the types of a database.
const LOOKED_AT: u64 = 20;
/// The longest name of a pillow.
const LONGEST: usize = 64;

/// A pillow to be.
pub(super) struct Source {
    /// What it is made of, for people.
    pub(super) title: String,
    pub(super) arguments: NewPillow,
    pub(super) audit: Option<Audit>,
}

/// The documents of an audit.
pub(super) enum Audit {
    /// A database.
    Address(String),
    /// Documents of an index, a line each.
    Documents(Vec<String>),
}

/// The sources that the command line names; none for a workspace with an example.
pub(super) async fn read(context: &Context, arguments: &New) -> Result<Vec<Source>, Failure> {
    match (&arguments.from_couch, &arguments.from_index) {
        (Some(url), _) => of_database(context, arguments, url).await,
        (None, Some(url)) => of_indices(context, arguments, url).await,
        (None, None) => Ok(Vec::new()),
    }
}

/// The address of a server without credentials, from that of a database or an index.
pub(super) fn server_of(url: Option<&str>) -> Option<String> {
    let (scheme, rest) = url?.split_once("://")?;
    let (server, _) = rest.trim_end_matches('/').rsplit_once('/')?;
    let host_starts = server.split('/').next()?.rfind('@').map_or(0, |at| at + 1);
    Some(format!("{scheme}://{}", &server[host_starts..]))
}

fn new_pillow(name: String, arguments: &New) -> NewPillow {
    NewPillow {
        name,
        from_mapping: None,
        from_docs: None,
        doc_type: Vec::new(),
        deleted: Vec::new(),
        type_field: TYPE_FIELD.to_owned(),
        nested: Vec::new(),
        limit: arguments.limit,
        out: None,
        force: true,
    }
}

async fn of_database(context: &Context, arguments: &New, url: &str) -> Result<Vec<Source>, Failure> {
    let address = Address::parse(context, url)?;
    let count = address.count().await?;
    let page = address.of_any_type(arguments.limit.saturating_mul(LOOKED_AT)).await?;
    let mut types: BTreeMap<String, u64> = BTreeMap::new();
    for doc_type in page.documents.iter().filter_map(type_of) {
        *types.entry(doc_type.to_owned()).or_default() += 1;
    }
    if types.is_empty() {
        return Err(Failure::new(format!("no document of {address} has a `{TYPE_FIELD}`")).hint(
            "`PROGRAM new DIR` without `--from-couch` writes a workspace, and `PROGRAM new-pillow NAME --from-docs COUCH-URL --type-field MEMBER` a struct for it",
        ));
    }
    let read = page.documents.len();
    let more = if page.has_more { format!(", of {count}, in the order of their ids") } else { String::new() };
    context.ui.note(&format!("{address}: {} types in {read} documents{more}", types.len()));
    let mut taken = BTreeSet::new();
    // A type of deleted documents belongs to the type that they had.
    let is_deleted =
        |doc_type: &String| doc_type.strip_suffix(DELETED).is_some_and(|alive| types.contains_key(alive));
    let of = |(doc_type, count): (&String, &u64)| {
        let deleted = format!("{doc_type}{DELETED}");
        let arguments = NewPillow {
            from_docs: Some(url.to_owned()),
            doc_type: vec![doc_type.clone()],
            deleted: Some(deleted).filter(|deleted| types.contains_key(deleted)).into_iter().collect(),
            ..new_pillow(pillow_name(doc_type, &mut taken), arguments)
        };
        let title = format!("`{}`: documents of the type `{doc_type}`, {count} seen", arguments.name);
        Source { title, arguments, audit: Some(Audit::Address(url.to_owned())) }
    };
    Ok(types.iter().filter(|(doc_type, _)| !is_deleted(doc_type)).map(of).collect())
}

async fn of_indices(context: &Context, arguments: &New, url: &str) -> Result<Vec<Source>, Failure> {
    let split = url.trim_end_matches('/').rsplit_once('/').filter(|(server, index)| {
        server.split_once("://").is_some_and(|(_, host)| !host.is_empty() && host != "/") && !index.is_empty()
    });
    let (server, pattern) = split.ok_or_else(|| {
        Failure::usage("the address names no index").hint("write it as `http://localhost:9200/INDEX`")
    })?;
    let endpoint = context.config.elastic.endpoint(server).map_err(Failure::usage)?;
    let cluster = Cluster::connect(endpoint.clone(), ClusterOptions::default()).await?;
    let found = cluster.index_description(pattern).await?;
    let indices = found.as_object().cloned().unwrap_or_default();
    let mut sources = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, body) in &indices {
        let documents = search_documents(&endpoint, index, arguments.limit).await?;
        let doc_types: BTreeSet<&str> = documents.iter().filter_map(type_of).collect();
        let name = pillow_name(named_after(index, body, pattern), &mut taken);
        let title = format!(
            "`{name}`: the index `{index}`, with {} read",
            counted(documents.len() as u64, "document")
        );
        let pillow = NewPillow {
            from_mapping: Some(format!("{server}/{index}")),
            doc_type: doc_types.into_iter().map(str::to_owned).collect(),
            ..new_pillow(name, arguments)
        };
        // Without their type no document would be one of the pillow's.
        let lines: Vec<String> = documents
            .into_iter()
            .filter(|document| type_of(document).is_some())
            .map(|document| Value::from(document).to_string())
            .collect();
        let audit = (!lines.is_empty()).then_some(Audit::Documents(lines));
        sources.push(Source { title, arguments: pillow, audit });
    }
    if sources.is_empty() {
        return Err(Failure::new(format!("no index of {endpoint} is named `{pattern}`")));
    }
    Ok(sources)
}

/// What a pillow of an index is named after: the alias that the address names, or the index's only
/// alias, or else the index.
fn named_after<'a>(index: &'a str, body: &'a Value, named: &'a str) -> &'a str {
    let mut aliases = body.get("aliases").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    match (aliases.clone().any(|alias| alias == named), aliases.next(), aliases.next()) {
        (true, ..) => named,
        (false, Some(only), None) => only,
        _ => index,
    }
}

fn type_of(document: &Map<String, Value>) -> Option<&str> {
    document.get(TYPE_FIELD).and_then(Value::as_str)
}

/// A name that no other pillow has, from a type or an index.
fn pillow_name(from: &str, taken: &mut BTreeSet<String>) -> String {
    let mut stem: String = names::words(from).join("_");
    stem.retain(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    stem.truncate(LONGEST - 4);
    let stem = stem.trim_matches('_').to_owned();
    let is_usable = |name: &str| pillow_name_problem(name).or_else(|| index_name_problem(name)).is_none();
    let stem =
        if is_usable(&stem) { stem } else { format!("pillow_{stem}").trim_end_matches('_').to_owned() };
    let numbered = (2..).map(|number| format!("{stem}_{number}"));
    [stem.clone()].into_iter().chain(numbered).find(|name| taken.insert(name.clone())).unwrap_or(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pillow_is_named_after_its_type() {
        let mut taken = BTreeSet::new();
        for (from, name) in [
            ("CommCareCase", "comm_care_case"),
            ("hqcases_2016-03-04", "hqcases_2016_03_04"),
            ("Comm-Care-Case", "comm_care_case_2"),
            ("日本", "pillow"),
            ("2024", "pillow_2024"),
            ("", "pillow_2"),
        ] {
            assert_eq!(pillow_name(from, &mut taken), name, "{from}");
            assert_eq!(pillow_name_problem(name), None);
        }
    }

    #[test]
    fn a_pillow_is_named_after_the_alias_that_was_given() {
        let one = serde_json::json!({"aliases": {"groups": {}}});
        let two = serde_json::json!({"aliases": {"groups": {}, "groups-all": {}}});
        for (body, named, expected) in [
            (&one, "groups_1cf_1", "groups"),
            (&two, "groups", "groups"),
            (&two, "groups-all", "groups-all"),
            (&two, "groups_*", "groups_1cf_1"),
            (&Value::Null, "groups_1cf_1", "groups_1cf_1"),
        ] {
            assert_eq!(named_after("groups_1cf_1", body, named), expected, "{named}");
        }
    }

    #[test]
    fn the_address_of_a_server_has_no_secrets() {
        assert_eq!(server_of(Some("https://u:p@host:9200/a")).as_deref(), Some("https://host:9200"));
        assert_eq!(server_of(Some("http://localhost:5984/db/")).as_deref(), Some("http://localhost:5984"));
        assert_eq!(server_of(Some("http://u@proxy/couch/db")).as_deref(), Some("http://proxy/couch"));
        assert_eq!(server_of(None), None);
    }
}
