//! `run`: follows the changes of pillows into their indices.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::pipeline::{PipelineOptions, SessionError};
use pillowtop_runtime::reindex::open_following;
use pillowtop_runtime::sink::elastic::{Cluster, WhenHeld};
use pillowtop_runtime::{ChangesSource, Member, Sink, catch_up, follow};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::arguments::Run;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::Progress;
use crate::servers;

pub(crate) async fn run(context: &Context, arguments: &Run) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    context.require_fresh(&pillows)?;
    let cluster = servers::cluster(context).await?;
    let mut groups: BTreeMap<DatabaseName, Vec<Arc<dyn AnyPillow>>> = BTreeMap::new();
    for pillow in pillows {
        groups.entry(context.database(pillow.definition())?).or_default().push(pillow);
    }
    let when_held =
        if arguments.standby || !std::io::stdin().is_terminal() { WhenHeld::Standby } else { WhenHeld::Fail };
    let mut sources = Vec::new();
    for (database, pillows) in groups {
        let source = ChangesSource::Couch(servers::couch(context, database.clone()).await?);
        // Before any lease is taken: is it there, and may it be read?
        source.identity(&database).await?;
        sources.push((source, pillows));
    }
    let mut followed = Vec::new();
    for (source, pillows) in sources {
        followed.push((source, open_all(&cluster, &pillows, when_held).await?));
    }
    let until_caught_up = arguments.until_caught_up;
    let stop = servers::stop_on_ctrl_c(&context.talk);
    let members: Vec<Member> = followed.iter().flat_map(|(_, members)| members.clone()).collect();
    let names: Vec<String> = members.iter().map(|member| member.name().to_string()).collect();
    if !until_caught_up {
        context.talk.note(&format!("following {}; ctrl-c stops", names.join(", ")));
    }
    let shown = members.iter().map(|member| (member.name().clone(), Arc::clone(&member.counters))).collect();
    let progress =
        Progress::start(&context.talk, if until_caught_up { "catching up" } else { "following" }, shown);
    let ended = follow_all(followed, stop, until_caught_up).await;
    let summary = progress.finish();
    for member in &members {
        // Whoever lost the lease has none to give back.
        if let Err(error) = member.sink.release().await {
            context.talk.note(&format!("{}: {error}", member.name()));
        }
    }
    ended?;
    summary.print();
    context.talk.json(&summary.to_json());
    Ok(Outcome::Done)
}

/// Takes the leases of all indices; those that were taken are given back when one cannot be.
async fn open_all(
    cluster: &Cluster,
    pillows: &[Arc<dyn AnyPillow>],
    when_held: WhenHeld,
) -> Result<Vec<Member>, Failure> {
    let mut members: Vec<Member> = Vec::new();
    for pillow in pillows {
        match open_following(cluster, pillow.definition(), servers::acquire("run", when_held)).await {
            Ok(index) => members.push(Member::new(Arc::clone(pillow), Arc::new(index) as Arc<dyn Sink>)),
            Err(error) => {
                for member in &members {
                    member.sink.release().await?;
                }
                return Err(error.into());
            }
        }
    }
    Ok(members)
}

/// Follows each database's pillows until all are stopped, or one cannot go on.
async fn follow_all(
    followed: Vec<(ChangesSource, Vec<Member>)>,
    stop: watch::Receiver<bool>,
    until_caught_up: bool,
) -> Result<(), SessionError> {
    let mut tasks = JoinSet::new();
    for (source, members) in followed {
        let stop = stop.clone();
        tasks.spawn(async move {
            let options = PipelineOptions::default();
            if until_caught_up {
                catch_up(&members, &source, &options, stop).await.map(drop)
            } else {
                follow(&members, &source, &options, stop).await
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| SessionError::Task(error.to_string()))??;
    }
    Ok(())
}
