//! The sample documents of `new-pillow --from-docs`: which type is meant, and at most `--limit`
//! documents of each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pillowtop_runtime::row::Row;
use serde_json::{Map, Value};

use crate::arguments::NewPillow;
use crate::context::Context;
use crate::documents::{Address, Input, is_url};
use crate::exit::Failure;
use crate::new_pillow::from_docs::Samples;
use crate::output::counted;

const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

/// The samples that a struct is inferred from.
pub(super) struct Chosen {
    pub(super) doc_types: Vec<String>,
    pub(super) samples: Samples,
    /// The database that they are from.
    pub(super) database: Option<String>,
}

/// Documents of one type.
#[derive(Default)]
struct OfType {
    samples: Samples,
    /// How many there are in what was read.
    count: u64,
}

/// Documents by their type, and how many were read in all.
#[derive(Default)]
struct ByType {
    types: BTreeMap<String, OfType>,
    /// Those of the types that are named on the command line, together.
    named: Samples,
    read: u64,
    untyped: u64,
}

pub(super) async fn read(context: &Context, arguments: &NewPillow, source: &str) -> Result<Chosen, Failure> {
    if !is_url(source) {
        let mut input = Input::open(context, source).await?;
        let mut by_type = ByType::default();
        by_type.read(context, arguments, &mut input).await?;
        let (doc_types, samples) = by_type.choose(arguments, input.shown())?;
        return Ok(Chosen { doc_types, samples, database: None });
    }
    let address = Address::parse(context, source)?;
    let documents = address.count().await?;
    let mut by_type = ByType::default();
    if arguments.doc_type.is_empty() {
        let page = address.of_any_type(arguments.limit).await?;
        page.documents.iter().for_each(|document| by_type.add(arguments, document));
        if page.has_more {
            context.ui.note(&format!(
                "note: only the first {} of {documents} documents were read, in the order of their ids; `--doc-type` chooses a type of the \
                 whole database",
                arguments.limit
            ));
        }
    }
    for doc_type in &arguments.doc_type {
        let page = address.of_type(&arguments.type_field, doc_type, arguments.limit).await?;
        page.documents.iter().for_each(|document| by_type.add(arguments, document));
        if page.has_more {
            note_limit(context, arguments, doc_type, None);
        }
    }
    if !arguments.doc_type.iter().all(|doc_type| by_type.types.contains_key(doc_type)) {
        // The error about the missing type lists those that there are.
        let page = address.of_any_type(arguments.limit).await?;
        page.documents.iter().for_each(|document| by_type.add(arguments, document));
    }
    let (doc_types, samples) = by_type.choose(arguments, &address.to_string())?;
    Ok(Chosen { doc_types, samples, database: Some(address.database) })
}

/// Says that more documents of a type exist than were read.
fn note_limit(context: &Context, arguments: &NewPillow, doc_type: &str, count: Option<u64>) {
    let of = count.map_or_else(|| "more".to_owned(), |count| count.to_string());
    context.ui.note(&format!(
        "note: there are {of} documents of the type `{doc_type}`, of which the first {} were read; `--limit` raises it",
        arguments.limit
    ));
}

impl ByType {
    async fn read(
        &mut self,
        context: &Context,
        arguments: &NewPillow,
        input: &mut Input,
    ) -> Result<(), Failure> {
        let mut last = Instant::now();
        while let Some(rows) = input.next().await? {
            for row in rows.iter().filter(|row| !row.deleted) {
                if let Some(document) = document_of(row)? {
                    self.add(arguments, &document);
                }
            }
            if last.elapsed() >= PROGRESS_INTERVAL {
                context.ui.note(&format!("reading samples: {}", counted(self.read, "document")));
                last = Instant::now();
            }
        }
        let wanted =
            |doc_type: &String| arguments.doc_type.is_empty() || arguments.doc_type.contains(doc_type);
        for (doc_type, found) in self.types.iter().filter(|(doc_type, _)| wanted(doc_type)) {
            if found.count > arguments.limit {
                note_limit(context, arguments, doc_type, Some(found.count));
            }
        }
        Ok(())
    }

    /// Takes in a document, up to the limit of its type.
    fn add(&mut self, arguments: &NewPillow, document: &Map<String, Value>) {
        self.read += 1;
        let Some(doc_type) = document.get(&arguments.type_field).and_then(Value::as_str) else {
            self.untyped += 1;
            return;
        };
        let is_wanted = arguments.doc_type.is_empty() || arguments.doc_type.iter().any(|it| it == doc_type);
        let found = self.types.entry(doc_type.to_owned()).or_default();
        found.count += 1;
        if is_wanted && found.count <= arguments.limit {
            let id = document.get("_id").and_then(Value::as_str).unwrap_or_default();
            let samples = if arguments.doc_type.is_empty() { &mut found.samples } else { &mut self.named };
            samples.add(id, document);
        }
    }

    /// The samples of the types that are named, or of the only one that there is.
    fn choose(mut self, arguments: &NewPillow, shown: &str) -> Result<(Vec<String>, Samples), Failure> {
        let listed: Vec<String> =
            self.types.iter().map(|(doc_type, found)| format!("`{doc_type}` ({})", found.count)).collect();
        let listed = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
        let (read, untyped) = (counted(self.read, "document"), self.untyped);
        if !arguments.doc_type.is_empty() {
            let missing = arguments.doc_type.iter().filter(|doc_type| !self.types.contains_key(*doc_type));
            let missing: Vec<&str> = missing.map(String::as_str).collect();
            if missing.is_empty() {
                return Ok((arguments.doc_type.clone(), self.named));
            }
            return Err(Failure::usage(format!(
                "no document of {shown} is of the type {}",
                missing.join(", ")
            ))
            .hint(format!("of {read}, the types in `{}` are: {listed}", arguments.type_field)));
        }
        match (self.types.pop_first(), self.types.is_empty()) {
            (Some((doc_type, found)), true) => Ok((vec![doc_type], found.samples)),
            _ => Err(Failure::usage(format!(
                "no type was chosen: the {read} of {shown} have the types: {listed}; {untyped} have none"
            ))
            .hint(format!(
                "choose one with `--doc-type TYPE`, or name another member than `{}` with `--type-field`",
                arguments.type_field
            ))),
        }
    }
}

fn document_of(row: &Row) -> Result<Option<Map<String, Value>>, Failure> {
    let Some(text) = row.document() else { return Ok(None) };
    let mut document: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| Failure::new(format!("document `{}` cannot be read: {error}", row.id)))?;
    // A document without an id is named by its place.
    document.entry("_id").or_insert_with(|| Value::from(row.id.as_str()));
    Ok(Some(document))
}
