//! The quickstart on real servers: a sample database, hashed indices, following, and aliases.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::{DatabaseSelection, Served};
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::CouchDatabase;
use pillowtop_runtime::target::elastic::{Cluster, SearchRequest};
use serde_json::{Value, json};

use super::hit_line;
use crate::commands::fast_reindex;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Progress, Summary, WithoutTerminal, counted};
use crate::samples::Samples;
use crate::servers::{self, Servers, WhenUnreachable};
use crate::stop::Stop;

/// The database that is created and filled.
const DATABASE: &str = "pillowtop_quickstart";
/// A document that says that the database is ours.
const MARK: &str = "pillowtop-quickstart";
/// A document that says that the whole story is in it.
const TOLD: &str = "pillowtop-quickstart-told";
/// What the indices begin with by default.
const PREFIX: &str = "quickstart";
/// Documents of one request.
const BATCH: usize = 200;

pub(super) async fn run(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    samples: &Samples,
) -> Result<Outcome, Failure> {
    // Aliases are moved at the end: never those that somebody searches already.
    let prefix = context.config.prefix.as_deref().unwrap_or(PREFIX);
    let cluster = servers::cluster_with_prefix(context, Some(prefix), WhenUnreachable::Fail).await?;
    // Without credentials.
    let url = cluster.url();
    let servers = Servers::connect_to(context, "quickstart", cluster, WhenUnreachable::Fail).await?;
    let ended = run_on(context, &servers, pillows, samples).await;
    servers.end().await;
    ended?;
    show_what_next(context, &url, prefix);
    Ok(Outcome::Done)
}

async fn run_on(
    context: &Context,
    servers: &Servers,
    pillows: &[Arc<dyn AnyPillow>],
    samples: &Samples,
) -> Result<(), Failure> {
    let cluster = servers.cluster()?;
    let couch = servers.couch.database(DatabaseName::from(DATABASE));
    make_ours(context, &couch).await?;
    let stop = Stop::on_signals(&context.ui);
    let served = served(context, servers, pillows)?;
    let lines = (samples.changes)();
    // The first half is loaded, the second half comes while the indices are followed.
    let (first, second) = lines.split_at(lines.len() / 2);
    let is_told = couch.revision(TOLD).await?.is_some();
    let mut revisions = HashMap::new();
    if !is_told {
        load(&couch, first, &mut revisions).await?;
    }
    let loaded = build(context, servers, &served, &stop).await?;
    if !is_told {
        load(&couch, second, &mut revisions).await?;
        couch.write(&[json!({"_id": TOLD, "doc_type": "quickstart"})]).await?;
    }
    let summary = follow(context, servers, served, &stop).await?;
    let flipped = flip(context, cluster, pillows).await?;
    let searches = search(context, cluster, pillows, samples).await?;
    let mut done = summary.to_json();
    done["loaded"] = loaded.map_or_else(|| json!([]), |summary| summary.to_json()["pillows"].take());
    done["database"] = json!(DATABASE);
    done["aliases"] = flipped;
    done["searches"] = searches;
    context.ui.json(&done);
    Ok(())
}

/// The pillows, all of them on the sample database.
fn served(
    context: &Context,
    servers: &Servers,
    pillows: &[Arc<dyn AnyPillow>],
) -> Result<Vec<Served>, Failure> {
    let database = || DatabaseSelection::One(DatabaseName::from(DATABASE));
    let all =
        pillows.iter().map(|pillow| Ok(Served { databases: database(), ..servers.served(context, pillow)? }));
    all.collect()
}

/// Builds the indices that are not complete yet, and shows what was loaded into them.
async fn build(
    context: &Context,
    servers: &Servers,
    served: &[Served],
    stop: &Stop,
) -> Result<Option<Summary>, Failure> {
    let mut loaded: Option<Summary> = None;
    for served in served {
        let (done, summary) =
            fast_reindex::build(context, servers, served.clone(), fast_reindex::How::default(), stop).await?;
        if done.stopped {
            return Err(Failure::new("stopped").hint("the next run resumes from here"));
        }
        if !done.already_complete {
            loaded = Some(match loaded {
                Some(before) => before.then(summary),
                None => summary,
            });
        }
    }
    if let Some(summary) = &loaded {
        context.ui.text("\nloaded what was there:");
        summary.print();
    }
    Ok(loaded)
}

/// Makes the database, or sees that it is one that an earlier run made.
async fn make_ours(context: &Context, couch: &CouchDatabase) -> Result<(), Failure> {
    if couch.create().await? {
        context.ui.note(&format!("created database `{DATABASE}`"));
    } else if couch.revision(MARK).await?.is_some() {
        context.ui.note(&format!("continuing with database `{DATABASE}`"));
        return Ok(());
    } else if couch.info().await?.documents > 0 {
        return Err(Failure::new(format!("database `{DATABASE}` exists and was not created by quickstart"))
            .hint("delete it, or start from another CouchDB"));
    }
    couch.write(&[json!({"_id": MARK, "doc_type": "quickstart"})]).await?;
    Ok(())
}

/// Moves the aliases that are searched to the indices that were filled.
async fn flip(
    context: &Context,
    cluster: &Cluster,
    pillows: &[Arc<dyn AnyPillow>],
) -> Result<Value, Failure> {
    let mut flipped = Vec::new();
    for pillow in pillows {
        let definition = pillow.definition();
        let hashed = definition.hashed_alias(cluster.prefix());
        let Some(index) = cluster.index_of(&hashed).await? else { continue };
        let plan = cluster.plan_flip(&definition.search_alias(cluster.prefix()), &index).await?;
        cluster.flip(&plan).await?;
        cluster.refresh(&index).await?;
        context.ui.text(&format!("alias {} is on {}", plan.alias, plan.to));
        flipped.push(json!({"alias": plan.alias, "index": plan.to}));
    }
    Ok(json!(flipped))
}

fn show_what_next(context: &Context, url: &str, prefix: &str) {
    let program = &context.program;
    context.ui.text("\nwhat to try next");
    for line in [
        format!("change a document of database `{DATABASE}`, and run this again"),
        format!("{program} es-manage status --prefix {prefix}     the indices"),
        format!("{program} dead-letters list --prefix {prefix}    what could not be indexed"),
        format!("curl '{}/{prefix}-*/_search?q=pregnancy'", url.trim_end_matches('/')),
    ] {
        context.ui.text(&format!("  {line}"));
    }
}

/// Writes the story as it happened: each change over the revision that is there.
async fn load(
    couch: &CouchDatabase,
    lines: &[String],
    revisions: &mut HashMap<String, Value>,
) -> Result<(), Failure> {
    let mut batch: Vec<Value> = Vec::new();
    let mut ids = HashSet::new();
    for line in lines {
        let row: Value = serde_json::from_str(line.trim_end_matches(',')).map_err(Failure::new)?;
        let mut document = row["doc"].clone();
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        if ids.contains(&id) || batch.len() >= BATCH {
            write(couch, std::mem::take(&mut batch), revisions).await?;
            ids.clear();
        }
        if let Some(members) = document.as_object_mut() {
            members.remove("_rev");
        }
        ids.insert(id);
        batch.push(document);
    }
    write(couch, batch, revisions).await
}

async fn write(
    couch: &CouchDatabase,
    mut batch: Vec<Value>,
    revisions: &mut HashMap<String, Value>,
) -> Result<(), Failure> {
    for _ in 0..3 {
        if batch.is_empty() {
            return Ok(());
        }
        for document in &mut batch {
            match document["_id"].as_str().and_then(|id| revisions.get(id)) {
                Some(revision) => document["_rev"] = revision.clone(),
                None => drop(document.as_object_mut().and_then(|members| members.remove("_rev"))),
            }
        }
        let answers = couch.write(&batch).await?;
        let mut conflicts = Vec::new();
        for (document, response) in batch.into_iter().zip(&answers) {
            let id = document["_id"].as_str().unwrap_or_default().to_owned();
            match response.get("error").and_then(Value::as_str) {
                None => drop(revisions.insert(id, response["rev"].clone())),
                Some("conflict" | "not_found") => conflicts.push(document),
                Some(error) => return Err(Failure::new(format!("document `{id}` was not written: {error}"))),
            }
        }
        // They were written by an earlier part of the story.
        for document in &conflicts {
            let id = document["_id"].as_str().unwrap_or_default();
            match couch.revision(id).await? {
                Some(revision) => drop(revisions.insert(id.to_owned(), json!(revision))),
                None => drop(revisions.remove(id)),
            }
        }
        // What is deleted already needs no deletion.
        conflicts.retain(|document| {
            document["_deleted"] != true
                || document["_id"].as_str().is_some_and(|id| revisions.contains_key(id))
        });
        batch = conflicts;
    }
    Err(Failure::new(format!("another process writes to database `{DATABASE}`")))
}

async fn follow(
    context: &Context,
    servers: &Servers,
    served: Vec<Served>,
    stop: &Stop,
) -> Result<Summary, Failure> {
    // What was loaded was counted by itself.
    let served: Vec<Served> =
        served.into_iter().map(|served| Served { counters: Arc::default(), ..served }).collect();
    let shown = served
        .iter()
        .map(|served| (served.pillow.definition().pillow.clone(), Arc::clone(&served.counters)))
        .collect();
    let progress = Progress::start(&context.ui, "following", shown, WithoutTerminal::Lines);
    let options = ServiceOptions {
        mode: ReadMode::ToEnd,
        acquire: servers::acquire(context, WhenHeld::Fail),
        when_failing: WhenFailing::Stop,
    };
    let ended = serve(&servers.engine, served, &options, stop.token()).await;
    let summary = progress.finish();
    ended?;
    if stop.token().is_cancelled() {
        return Err(Failure::new("stopped").hint("the next run resumes from here"));
    }
    if summary.is_empty() {
        context.ui.text("\nnothing new since the last run");
    } else {
        context.ui.text("\nfollowed the changes that came since:");
        summary.print();
    }
    context.ui.text("");
    Ok(summary)
}

async fn search(
    context: &Context,
    cluster: &Cluster,
    pillows: &[Arc<dyn AnyPillow>],
    samples: &Samples,
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for (name, path, words) in samples.searches {
        let Some(pillow) = pillows.iter().find(|pillow| pillow.definition().pillow.as_str() == *name) else {
            continue;
        };
        let alias = pillow.definition().search_alias(cluster.prefix());
        let request = SearchRequest { text: (*words).to_owned(), field: Some((*path).to_owned()), size: 5 };
        let response = cluster.search(alias.as_str(), &request).await?;
        context.ui.text(&format!(
            "\nsearch `{alias}` for {path} = {words}: {}",
            counted(response.total, "document")
        ));
        for hit in &response.hits {
            context.ui.text(&hit_line(hit.id.as_str(), hit.score, &hit.source));
        }
        let ids: Vec<&str> = response.hits.iter().map(|hit| hit.id.as_str()).collect();
        all.push(json!({"alias": alias, "path": path, "words": words, "total": response.total, "ids": ids}));
    }
    Ok(json!(all))
}
