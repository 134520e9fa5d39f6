//! `run`: follows the changes of pillows into their indices.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::pipeline::{PipelineOptions, SessionError};
use pillowtop_runtime::reindex::{ReindexError, open_following};
use pillowtop_runtime::sink::elastic::{AcquireError, WhenHeld};
use pillowtop_runtime::{ChangesSource, Member, Sink, catch_up, follow};
use tokio::task::JoinSet;

use crate::arguments::Run;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::Progress;
use crate::servers::{self, WhenUnreachable};
use crate::stop::Stop;

pub(crate) async fn run(context: &Context, arguments: &Run) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    require_fresh(&pillows)?;
    let stop = Stop::on_signal(&context.talk);
    let mut followed = Vec::new();
    let opened = stop.unless_asked(open(context, arguments, pillows, &mut followed)).await;
    let members: Vec<Member> = followed.iter().flat_map(|(_, members)| members.clone()).collect();
    let ended = match opened {
        None => Ok(()),
        Some(Err(failure)) => Err(failure),
        Some(Ok(())) => follow_and_show(context, followed, &members, &stop, arguments.until_caught_up).await,
    };
    for member in &members {
        // Whoever lost the lease has none to give back.
        if let Err(error) = member.sink.release().await {
            context.talk.note(&format!("{}: {error}", member.name()));
        }
    }
    ended.map(|()| Outcome::Done)
}

type Followed = Vec<(ChangesSource, Vec<Member>)>;

/// Connects to everything, then takes the leases. What was taken is in `followed`, whatever happens.
async fn open(
    context: &Context,
    arguments: &Run,
    pillows: Vec<Arc<dyn AnyPillow>>,
    followed: &mut Followed,
) -> Result<(), Failure> {
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let cluster = servers::cluster(context, when_unreachable).await?;
    let mut groups: BTreeMap<DatabaseName, Vec<Arc<dyn AnyPillow>>> = BTreeMap::new();
    for pillow in pillows {
        groups.entry(context.database(pillow.definition())?).or_default().push(pillow);
    }
    let mut sources = Vec::new();
    for (database, pillows) in groups {
        let source = ChangesSource::Couch(servers::couch(context, database.clone(), when_unreachable).await?);
        // Before any lease is taken: is it there, and may it be read?
        source.identity(&database).await?;
        sources.push((source, pillows));
    }
    let stands_by = arguments.standby || !std::io::stdin().is_terminal();
    for (source, pillows) in sources {
        let place = followed.len();
        followed.push((source, Vec::new()));
        for pillow in pillows {
            let open = |when_held| {
                Box::pin(open_following(&cluster, pillow.definition(), servers::acquire("run", when_held)))
            };
            let index = match open(WhenHeld::Fail).await {
                Err(ReindexError::Acquire(held @ AcquireError::Held { .. })) if stands_by => {
                    context.talk.note(&format!("standing by: {held}"));
                    open(WhenHeld::Standby).await
                }
                opened => opened,
            }?;
            followed[place].1.push(Member::new(pillow, Arc::new(index) as Arc<dyn Sink>));
        }
    }
    Ok(())
}

/// Follows, shows how far it is, and says at the end what was done.
async fn follow_and_show(
    context: &Context,
    followed: Followed,
    members: &[Member],
    stop: &Stop,
    until_caught_up: bool,
) -> Result<(), Failure> {
    let names: Vec<String> = members.iter().map(|member| member.name().to_string()).collect();
    if !until_caught_up {
        context.talk.note(&format!("following {}; ctrl-c stops", names.join(", ")));
    }
    let shown = members.iter().map(|member| (member.name().clone(), Arc::clone(&member.counters))).collect();
    let doing = if until_caught_up { "catching up" } else { "following" };
    let progress = Progress::start(&context.talk, doing, shown);
    let ended = follow_all(followed, stop, until_caught_up).await;
    let summary = progress.finish();
    ended?;
    summary.print();
    context.talk.json(&summary.to_json());
    Ok(())
}

/// Follows each database's pillows until all are stopped. When one cannot go on, the others are asked to stop.
async fn follow_all(followed: Followed, stop: &Stop, until_caught_up: bool) -> Result<(), SessionError> {
    let mut tasks = JoinSet::new();
    for (source, members) in followed {
        let stop = stop.receiver();
        tasks.spawn(async move {
            let options = PipelineOptions::default();
            if until_caught_up {
                catch_up(&members, &source, &options, stop).await.map(drop)
            } else {
                follow(&members, &source, &options, stop).await
            }
        });
    }
    let mut first = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.map_err(|error| SessionError::Task(error.to_string())).flatten();
        if ended.is_err() && first.is_ok() {
            stop.ask();
            first = ended;
        }
    }
    first
}
