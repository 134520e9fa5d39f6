//! The quickstart on real servers: a sample database, hashed indices, following, and aliases.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::pipeline::PipelineOptions;
use pillowtop_runtime::reindex::open_following;
use pillowtop_runtime::sink::elastic::{Cluster, SearchRequest, WhenHeld};
use pillowtop_runtime::source::CouchDatabase;
use pillowtop_runtime::{ChangesSource, Member, Sink, catch_up};
use serde_json::{Value, json};

use super::hit_line;
use crate::app::Samples;
use crate::commands::fast_reindex;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::Progress;
use crate::servers;

/// The database that is created and filled.
const DATABASE: &str = "pillowtop_quickstart";
/// A document that says that the database is ours.
const MARK: &str = "pillowtop-quickstart";
/// Documents of one request.
const BATCH: usize = 200;

pub(super) async fn run(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    samples: &Samples,
) -> Result<Outcome, Failure> {
    let cluster = servers::cluster(context).await?;
    let database = DatabaseName::from(DATABASE);
    let couch = servers::couch(context, database.clone()).await?;
    let lines = (samples.changes)();
    // The first half is loaded, the second half comes while the indices are followed.
    let (first, second) = lines.split_at(lines.len() / 2);
    let is_new = couch.create().await?;
    if is_new {
        context.talk.note(&format!("created database `{DATABASE}`"));
        couch.write(&[json!({"_id": MARK, "doc_type": "quickstart"})]).await?;
        load(&couch, first, &mut HashMap::new()).await?;
    } else {
        require_ours(&couch).await?;
    }
    for pillow in pillows {
        fast_reindex::build(context, &cluster, database.clone(), pillow, false).await?;
    }
    if is_new {
        load(&couch, second, &mut HashMap::new()).await?;
    }
    follow(context, &cluster, &couch, pillows).await?;
    let mut flipped = Vec::new();
    for pillow in pillows {
        let definition = pillow.definition();
        let hashed = definition.hashed_alias(cluster.prefix());
        if let Some(index) = cluster.index_of(&hashed).await? {
            let plan = cluster.plan_flip(&definition.search_alias(cluster.prefix()), &index).await?;
            cluster.flip(&plan).await?;
            cluster.refresh(&index).await?;
            context.talk.text(&format!("alias {} is on {}", plan.alias, plan.to));
            flipped.push(json!({"alias": plan.alias, "index": plan.to}));
        }
    }
    let searches = search(context, &cluster, pillows, samples).await?;
    context.talk.json(&json!({"database": DATABASE, "aliases": flipped, "searches": searches}));
    context.talk.text(&format!(
        "\nwhat to try next\n  change a document of database `{DATABASE}` and run this again\n  {} es-manage status",
        context.program
    ));
    Ok(Outcome::Done)
}

async fn require_ours(couch: &CouchDatabase) -> Result<(), Failure> {
    let answer = couch.write(&[json!({"_id": MARK, "doc_type": "quickstart"})]).await?;
    if answer.first().is_some_and(|row| row.get("error").and_then(Value::as_str) == Some("conflict")) {
        return Ok(());
    }
    Err(Failure::new(format!("database `{DATABASE}` is there and was not made by quickstart"))
        .hint("delete it, or start from another CouchDB"))
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
    for _ in 0..2 {
        for document in &mut batch {
            if let Some(revision) = document["_id"].as_str().and_then(|id| revisions.get(id)) {
                document["_rev"] = revision.clone();
            }
        }
        let answers = couch.write(&batch).await?;
        let mut conflicts = Vec::new();
        for (document, answer) in batch.into_iter().zip(&answers) {
            let id = document["_id"].as_str().unwrap_or_default().to_owned();
            match answer.get("error").and_then(Value::as_str) {
                None => drop(revisions.insert(id, answer["rev"].clone())),
                Some("conflict") => conflicts.push(document),
                Some(error) => return Err(Failure::new(format!("document `{id}` was not written: {error}"))),
            }
        }
        if conflicts.is_empty() {
            return Ok(());
        }
        // They were written by an earlier part of the story.
        for document in &conflicts {
            let id = document["_id"].as_str().unwrap_or_default();
            if let Some(revision) = couch.revision(id).await? {
                revisions.insert(id.to_owned(), json!(revision));
            }
        }
        batch = conflicts;
    }
    Err(Failure::new(format!("somebody else writes to database `{DATABASE}`")))
}

async fn follow(
    context: &Context,
    cluster: &Cluster,
    couch: &CouchDatabase,
    pillows: &[Arc<dyn AnyPillow>],
) -> Result<(), Failure> {
    let mut members: Vec<Member> = Vec::new();
    for pillow in pillows {
        let index =
            open_following(cluster, pillow.definition(), servers::acquire("quickstart", WhenHeld::Fail))
                .await?;
        members.push(Member::new(Arc::clone(pillow), Arc::new(index) as Arc<dyn Sink>));
    }
    let shown = members.iter().map(|member| (member.name().clone(), Arc::clone(&member.counters))).collect();
    let progress = Progress::start(&context.talk, "following", shown);
    let source = ChangesSource::Couch(couch.clone());
    let stop = servers::stop_on_ctrl_c(&context.talk);
    let ended = catch_up(&members, &source, &PipelineOptions::default(), stop).await;
    let summary = progress.finish();
    for member in &members {
        member.sink.release().await?;
    }
    ended?;
    context.talk.text("\nfollowed the changes that came since:");
    summary.print();
    Ok(())
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
        let answer = cluster.search(alias.as_str(), &request).await?;
        context.talk.text(&format!("\nsearch `{alias}` for {path} = {words}: {} documents", answer.total));
        for hit in &answer.hits {
            context.talk.text(&hit_line(hit.id.as_str(), hit.score, &hit.source));
        }
        let ids: Vec<&str> = answer.hits.iter().map(|hit| hit.id.as_str()).collect();
        all.push(json!({"alias": alias, "path": path, "words": words, "total": answer.total, "ids": ids}));
    }
    Ok(json!(all))
}
