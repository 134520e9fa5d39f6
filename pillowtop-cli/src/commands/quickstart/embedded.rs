//! The quickstart with nothing but this machine: a file of changes, and an embedded index.

use std::path::Path;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::pipeline::{PipelineOptions, SessionEnd};
use pillowtop_runtime::sink::embedded::EmbeddedIndex;
use pillowtop_runtime::source::ChangesFile;
use pillowtop_runtime::{ChangesSource, Member, Sink, catch_up};
use serde_json::{Value, json};

use super::hit_line;
use crate::app::Samples;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::shown;
use crate::output::{Progress, counted};
use crate::stop::Stop;

pub(super) async fn run(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    samples: &Samples,
    folder: &Path,
) -> Result<Outcome, Failure> {
    let changes = folder.join("changes.jsonl");
    let indices = folder.join("index");
    if !changes.is_file() {
        fs_err::create_dir_all(folder)?;
        fs_err::write(&changes, (samples.changes)().join("\n") + "\n")?;
    }
    let file = ChangesFile::open(&changes)?;
    context.talk.note(&format!("{} changes in {}", file.rows(), shown(&changes)));
    let source = ChangesSource::File(file);
    let database = DatabaseName::from("quickstart");
    let identity = source.identity(&database).await?;
    let mut opened = Vec::new();
    for pillow in pillows {
        opened.push(Arc::new(EmbeddedIndex::open(&indices, pillow.definition(), identity.clone())?));
    }
    let members: Vec<Member> = pillows
        .iter()
        .zip(&opened)
        .map(|(pillow, index)| Member::new(Arc::clone(pillow), Arc::clone(index) as Arc<dyn Sink>))
        .collect();
    let since = members.first().map(|member| member.sink.state().position().to_string()).unwrap_or_default();
    let shown_members =
        members.iter().map(|member| (member.name().clone(), Arc::clone(&member.counters))).collect();
    let progress = Progress::start(&context.talk, "indexing", shown_members);
    let stop = Stop::on_signals(&context.talk);
    let ended = catch_up(&members, &source, &PipelineOptions::default(), stop.receiver()).await;
    let summary = progress.finish();
    let end = ended?;
    context.talk.text("");
    if end == SessionEnd::Stopped {
        return Err(
            Failure::new("stopped before the end of the changes").hint("the next run goes on from here")
        );
    }
    if summary.is_empty() {
        context.talk.text(&format!("nothing new since {since}: the indices stand at the end of the file"));
    } else {
        context.talk.text(&format!("in {:.1} s:\n", summary.elapsed().as_secs_f64()));
        summary.print();
        context
            .talk
            .text("\n(a change that a later one of the same document overtook is seen, and not sent)");
    }
    let mut found = summary.to_json();
    found["searches"] = search(context, pillows, &opened, samples)?;
    for member in &members {
        member.sink.release().await?;
    }
    context.talk.json(&found);
    say_where(context, &changes, &indices);
    Ok(Outcome::Done)
}

fn search(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
    opened: &[Arc<EmbeddedIndex>],
    samples: &Samples,
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for (name, path, words) in samples.searches {
        let place = pillows.iter().position(|pillow| pillow.definition().pillow.as_str() == *name);
        let Some(index) = place.and_then(|place| opened.get(place)) else { continue };
        let result = index.search(&format!("{path}:\"{words}\""), 5)?;
        context
            .talk
            .text(&format!("\nsearch `{name}` for {path} = {words}: {}", counted(result.total, "document")));
        for hit in &result.hits {
            context.talk.text(&hit_line(hit.id.as_str(), f64::from(hit.score), &hit.source));
        }
        let ids: Vec<&str> = result.hits.iter().map(|hit| hit.id.as_str()).collect();
        all.push(json!({"pillow": name, "path": path, "words": words, "total": result.total, "ids": ids}));
    }
    Ok(json!(all))
}

fn say_where(context: &Context, changes: &Path, indices: &Path) {
    context.talk.text("\nwhere things are");
    context.talk.text(&format!("  changes       {}", shown(changes)));
    context.talk.text(&format!("  indices       {}", shown(indices)));
    context.talk.text(&format!("  dead letters  {}/*/dead-letters", shown(indices)));
    context.talk.text("\nwhat to try next");
    let program = &context.program;
    for line in [
        "run it again: it goes on from its checkpoint and does nothing twice",
        "append a line to the changes file, and run it again",
        &format!("{program} pillows               what is registered"),
        "the same on real servers:",
        &format!("{program} quickstart \\"),
        "  --couch-url http://localhost:5984 --elastic-url http://localhost:9200",
    ] {
        context.talk.text(&format!("  {line}"));
    }
}
