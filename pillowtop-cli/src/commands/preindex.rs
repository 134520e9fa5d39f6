//! `preindex`: builds the index or the table of every pillow that has none, or one that is not
//! complete.

use std::sync::Arc;

use futures_util::StreamExt as _;
use pillowtop_core::{AnyPillow, Definition};
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::reindex::{ReindexPlan, Reindexed};
use serde_json::{Value, json};

use super::es_manage::check_facts;
use super::fast_reindex::{BuildError, How, note_step, reindex};
use crate::arguments::Preindex;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Align, Progress, Table, WithoutTerminal};
use crate::servers::{Servers, WhenUnreachable};
use crate::stop::Stop;

/// What became of a pillow's index.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// It was complete before.
    Complete,
    /// It is complete now.
    Built,
    /// It is missing, or not complete: what would be done.
    Planned(&'static str),
    /// Another process builds it: who.
    Elsewhere(String),
    /// A stop was asked for.
    Stopped,
    /// It failed: why, and what to do.
    Failed(String, Option<String>),
}

/// A pillow with what became of its index.
struct Row {
    pillow: String,
    index: Option<String>,
    documents: Option<u64>,
    ended: Ended,
}

pub(crate) async fn run(context: &Context, arguments: &Preindex) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    require_fresh(&pillows)?;
    let stop = Stop::on_signals(&context.ui);
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let connecting = Servers::connect(context, "preindex", &pillows, when_unreachable);
    let Some(servers) = stop.unless_asked(connecting).await else {
        return Err(Failure::new("stopped before anything was built"));
    };
    let servers = servers?;
    let builder = Builder { context, servers: &servers, arguments, stop: &stop };
    let rows = builder.run(&pillows).await;
    servers.end().await;
    end(context, &rows?)
}

struct Builder<'a> {
    context: &'a Context,
    servers: &'a Servers,
    arguments: &'a Preindex,
    stop: &'a Stop,
}

impl Builder<'_> {
    async fn run(&self, pillows: &[Arc<dyn AnyPillow>]) -> Result<Vec<Row>, Failure> {
        let definitions = pillows.iter().map(|pillow| pillow.definition());
        let indices: Vec<&Definition> = definitions.filter(|definition| !definition.is_table()).collect();
        if let (Ok(cluster), false) = (self.servers.cluster(), indices.is_empty()) {
            check_facts(self.context, cluster, &indices, &cluster.overview().await?).await?;
        }
        let jobs = usize::from(self.arguments.jobs);
        let planned: Vec<(Served, Row)> = futures_util::stream::iter(pillows)
            .map(|pillow| self.plan(pillow))
            .buffered(jobs)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect::<Result<_, _>>()?;
        if self.arguments.check || self.arguments.dry_run {
            return Ok(planned.into_iter().map(|(_, row)| row).collect());
        }
        let to_build = planned.iter().filter(|(_, row)| matches!(row.ended, Ended::Planned(_)));
        let counted: Vec<_> = to_build
            .map(|(served, _)| (served.pillow.definition().pillow.clone(), Arc::clone(&served.counters)))
            .collect();
        if counted.is_empty() {
            return Ok(planned.into_iter().map(|(_, row)| row).collect());
        }
        let progress = Progress::start(&self.context.ui, "preindex", counted, WithoutTerminal::Lines);
        let rows = futures_util::stream::iter(planned)
            .map(|(served, row)| async {
                if matches!(row.ended, Ended::Planned(_)) { self.build(served, row).await } else { row }
            })
            .buffered(jobs)
            .collect()
            .await;
        drop(progress);
        Ok(rows)
    }

    /// What has to be done for a pillow.
    async fn plan(&self, pillow: &Arc<dyn AnyPillow>) -> Result<(Served, Row), Failure> {
        let name = &pillow.definition().pillow;
        let served = self.servers.served(self.context, pillow)?;
        let mut row = Row { pillow: name.to_string(), index: None, documents: None, ended: Ended::Complete };
        let planned = match reindex(self.context, self.servers, served.clone(), How::default()).await {
            Ok(build) => build.plan().await.map(|plan| (build, plan)),
            Err(failure) => Err(failure),
        };
        match planned {
            Ok((build, ReindexPlan::Complete(index))) => {
                row.documents = Some(build.count(&index).await?);
                row.index = Some(index.to_string());
            }
            Ok((_, ReindexPlan::Continue(index))) => {
                row.index = Some(index.to_string());
                row.ended = Ended::Planned("not complete");
            }
            Ok(_) => row.ended = Ended::Planned("missing"),
            Err(failure) => {
                let failure = failure.for_pillow(name);
                row.ended = Ended::Failed(failure.message, failure.hint);
            }
        }
        Ok((served, row))
    }

    /// Builds the index of one pillow. What fails does not end the others.
    async fn build(&self, served: Served, mut row: Row) -> Row {
        if self.stop.token().is_cancelled() {
            row.ended = Ended::Stopped;
            return row;
        }
        let name = served.pillow.definition().pillow.clone();
        let how = How { stands_by: self.arguments.wait, ..How::default() };
        let built = match reindex(self.context, self.servers, served, how).await {
            Ok(reindex) => {
                let ui = &self.context.ui;
                reindex.run(self.stop.token(), |step| note_step(ui, &name, step)).await
            }
            Err(failure) => Err(BuildError::Failed(failure)),
        };
        row.ended = match built {
            Ok(Reindexed { stopped: true, .. }) => Ended::Stopped,
            Ok(Reindexed { index, documents, already_complete, .. }) => {
                (row.index, row.documents) = (Some(index.to_string()), Some(documents));
                if already_complete { Ended::Complete } else { Ended::Built }
            }
            Err(BuildError::Held(owner, _)) => Ended::Elsewhere(owner),
            Err(BuildError::Failed(failure)) => {
                let failure = failure.for_pillow(&name);
                Ended::Failed(failure.message, failure.hint)
            }
        };
        row
    }
}

/// Shows what became of all pillows, and makes an exit code of it for a deploy script.
fn end(context: &Context, rows: &[Row]) -> Result<Outcome, Failure> {
    let mut table = Table::new(&[
        ("pillow", Align::Left),
        ("index", Align::Left),
        ("documents", Align::Right),
        ("result", Align::Left),
    ]);
    for row in rows {
        let documents = row.documents.map_or_else(|| "-".to_owned(), |documents| documents.to_string());
        let index = row.index.clone().unwrap_or_else(|| "-".to_owned());
        table.row([row.pillow.clone(), index, documents, result(&row.ended)]);
    }
    context.ui.table(&table);
    let listed: Vec<Value> = rows.iter().map(to_json).collect();
    let may_deploy = rows.iter().all(|row| matches!(row.ended, Ended::Complete | Ended::Built));
    context.ui.json(&json!({"may_deploy": may_deploy, "pillows": listed}));
    let failed: Vec<Failure> = rows.iter().filter_map(failure).collect();
    if let Some(failure) = Failure::of_several(failed) {
        return Err(failure);
    }
    if rows.iter().any(|row| row.ended == Ended::Stopped) {
        return Err(Failure::new("stopped before all indices were complete")
            .hint("`PROGRAM preindex` resumes from here"));
    }
    Ok(if may_deploy { Outcome::Done } else { Outcome::Differs })
}

fn failure(row: &Row) -> Option<Failure> {
    let Ended::Failed(message, hint) = &row.ended else { return None };
    let failure = Failure::new(format!("{}: {message}", row.pillow));
    Some(match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

fn result(ended: &Ended) -> String {
    match ended {
        Ended::Complete => "complete".to_owned(),
        Ended::Built => "built".to_owned(),
        Ended::Planned(what) => (*what).to_owned(),
        Ended::Elsewhere(owner) => format!("being built by {owner}"),
        Ended::Stopped => "stopped".to_owned(),
        Ended::Failed(..) => "failed".to_owned(),
    }
}

fn to_json(row: &Row) -> Value {
    let (name, reason) = match &row.ended {
        Ended::Complete => ("complete", None),
        Ended::Built => ("built", None),
        Ended::Planned(what) => (*what, None),
        Ended::Elsewhere(owner) => ("elsewhere", Some(owner)),
        Ended::Stopped => ("stopped", None),
        Ended::Failed(message, _) => ("failed", Some(message)),
    };
    json!({"pillow": row.pillow, "index": row.index, "documents": row.documents, "result": name, "reason": reason})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Streams, Ui, Verbosity};

    fn context() -> Context {
        Context {
            registry: pillowtop_core::Registry::new(),
            config: crate::config::Config::default(),
            ui: Ui::new(Streams::of(std::io::sink(), std::io::sink()), false, Verbosity::Quiet),
            program: "p".to_owned(),
        }
    }

    #[test]
    fn the_exit_code_says_whether_to_deploy() {
        let row = |ended| Row { pillow: "case".to_owned(), index: None, documents: None, ended };
        let code = |all: Vec<Ended>| {
            let rows: Vec<Row> = all.into_iter().map(row).collect();
            end(&context(), &rows).map_or_else(|failure| failure.code, Outcome::code)
        };
        assert_eq!(code(vec![Ended::Complete, Ended::Built]), 0);
        assert_eq!(code(vec![Ended::Complete, Ended::Planned("missing")]), 4);
        assert_eq!(code(vec![Ended::Elsewhere("host".to_owned())]), 4);
        assert_eq!(code(vec![Ended::Planned("missing"), Ended::Failed("why".to_owned(), None)]), 1);
        assert_eq!(code(vec![Ended::Stopped]), 1);
    }
}
