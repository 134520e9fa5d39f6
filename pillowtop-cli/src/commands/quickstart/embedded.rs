//! The quickstart with nothing but this machine: a file of changes, and an embedded index.

use std::path::Path;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_embedded::{EmbeddedDestination, EmbeddedOptions};
use pillowtop_runtime::claim::{AcquireOptions, WhenHeld};
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::{Counters, MemberOptions};
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::ChangesFile;
use pillowtop_runtime::target::Destination;
use serde_json::{Value, json};

use super::hit_line;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::shown;
use crate::output::{Progress, Summary, WithoutTerminal, counted};
use crate::samples::Samples;
use crate::stop::Stop;

pub(super) async fn run(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    samples: &Samples,
    directory: &Path,
) -> Result<Outcome, Failure> {
    let changes = directory.join("changes.jsonl");
    let indices = directory.join("index");
    if !changes.is_file() {
        fs_err::create_dir_all(directory)?;
        fs_err::write(&changes, (samples.changes)().join("\n") + "\n")?;
    }
    let database = DatabaseName::from("quickstart");
    let file = ChangesFile::open(&changes, database.clone())?;
    context.ui.note(&format!("{} changes in {}", file.rows(), shown(&changes)));
    let destinations: Vec<_> = pillows
        .iter()
        .map(|pillow| {
            let options = EmbeddedOptions::default();
            Arc::new(EmbeddedDestination::new(&indices, pillow.definition().clone(), options))
        })
        .collect();
    let stop = Stop::on_signals(&context.ui);
    let summary = index(context, pillows, &destinations, file, &database, &stop).await?;
    context.ui.text("");
    if stop.token().is_cancelled() {
        return Err(
            Failure::new("stopped before the end of the changes").hint("the next run resumes from here")
        );
    }
    if summary.is_empty() {
        context.ui.text("nothing new: the indices are at the end of the file");
    } else {
        context.ui.text(&format!("in {:.1} s:\n", summary.elapsed().as_secs_f64()));
        summary.print();
        context.ui.text("\n(a change that a later one of the same document replaced is not written)");
    }
    let mut found = summary.to_json();
    found["searches"] = search(context, pillows, &destinations, samples)?;
    context.ui.json(&found);
    show_where(context, &changes, &indices);
    Ok(Outcome::Done)
}

/// Indexes what is new in the file.
async fn index(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    destinations: &[Arc<EmbeddedDestination>],
    file: ChangesFile,
    database: &DatabaseName,
    stop: &Stop,
) -> Result<Summary, Failure> {
    let source = OneDatabase { name: database.clone(), source: Arc::new(file) };
    let engine = Engine::new(Arc::new(source), EngineOptions::default());
    let served: Vec<Served> = pillows
        .iter()
        .zip(destinations)
        .map(|(pillow, destination)| Served {
            pillow: Arc::clone(pillow),
            destination: Arc::clone(destination) as Arc<dyn Destination>,
            databases: DatabaseSelection::One(database.clone()),
            counters: Arc::new(Counters::default()),
            options: MemberOptions::default(),
        })
        .collect();
    let counters = served
        .iter()
        .map(|served| (served.pillow.definition().pillow.clone(), Arc::clone(&served.counters)))
        .collect();
    let progress = Progress::start(&context.ui, "indexing", counters, WithoutTerminal::Lines);
    let options = ServiceOptions {
        mode: ReadMode::ToEnd,
        acquire: AcquireOptions { when_held: WhenHeld::Fail, ..AcquireOptions::default() },
        when_failing: WhenFailing::Stop,
    };
    let ended = serve(&engine, served, &options, stop.token()).await;
    let summary = progress.finish();
    ended?;
    Ok(summary)
}

fn search(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    destinations: &[Arc<EmbeddedDestination>],
    samples: &Samples,
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for (name, path, words) in samples.searches {
        let position = pillows.iter().position(|pillow| pillow.definition().pillow.as_str() == *name);
        let Some(destination) = position.and_then(|position| destinations.get(position)) else { continue };
        let result = destination.reader()?.search(&format!("{path}:\"{words}\""), 5)?;
        context
            .ui
            .text(&format!("\nsearch `{name}` for {path} = {words}: {}", counted(result.total, "document")));
        for hit in &result.hits {
            context.ui.text(&hit_line(hit.id.as_str(), f64::from(hit.score), &hit.source));
        }
        let ids: Vec<&str> = result.hits.iter().map(|hit| hit.id.as_str()).collect();
        all.push(json!({"pillow": name, "path": path, "words": words, "total": result.total, "ids": ids}));
    }
    Ok(json!(all))
}

fn show_where(context: &Context, changes: &Path, indices: &Path) {
    context.ui.text("\nwhere things are");
    context.ui.text(&format!("  changes       {}", shown(changes)));
    context.ui.text(&format!("  indices       {}", shown(indices)));
    context.ui.text(&format!("  dead letters  {}/*/dead-letters", shown(indices)));
    context.ui.text("\nwhat to try next");
    let program = &context.program;
    for line in [
        "run it again: it resumes from its checkpoint and does nothing twice",
        "append a line to the changes file, and run it again",
        &format!("{program} pillows               what is registered"),
        "the same on real servers:",
        &format!("{program} quickstart \\"),
        "  --couch-url http://admin:admin@localhost:5984 \\",
        "  --elastic-url http://localhost:9200",
    ] {
        context.ui.text(&format!("  {line}"));
    }
}
