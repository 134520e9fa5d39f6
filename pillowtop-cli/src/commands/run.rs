//! `run`: follows the changes of pillows into their indices.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName};
use pillowtop_runtime::pipeline::{Counters, PipelineOptions, SessionError};
use pillowtop_runtime::reindex::{ReindexError, find_following, open_following};
use pillowtop_runtime::sink::elastic::{Cluster, WhenHeld};
use pillowtop_runtime::{ChangesSource, Member, ServeOptions, Served, Sink, catch_up, follow, serve};
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
    let stop = Stop::on_signals(&context.talk);
    let Some(connected) = stop.unless_asked(connect(context, arguments, pillows)).await else {
        return Ok(Outcome::Done);
    };
    let connected = connected?;
    let stands_by = arguments.standby || !std::io::stdin().is_terminal();
    if stands_by && !arguments.until_caught_up {
        return serve_and_show(context, connected, &stop).await;
    }
    let mut followed = Vec::new();
    let when_held = if stands_by { WhenHeld::Standby } else { WhenHeld::Fail };
    let opened = stop.unless_asked(open(context, connected, when_held, &mut followed)).await;
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

/// Servers that answer, databases that may be read, and the pillows of each, whose indices are complete.
struct Connected {
    cluster: Cluster,
    databases: Vec<(ChangesSource, Vec<Arc<dyn AnyPillow>>)>,
}

/// Connects to everything before any lease is taken.
async fn connect(
    context: &Context,
    arguments: &Run,
    pillows: Vec<Arc<dyn AnyPillow>>,
) -> Result<Connected, Failure> {
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let cluster = servers::cluster(context, when_unreachable).await?;
    let mut groups: BTreeMap<DatabaseName, Vec<Arc<dyn AnyPillow>>> = BTreeMap::new();
    for pillow in pillows {
        groups.entry(context.database(pillow.definition())?).or_default().push(pillow);
    }
    let mut databases = Vec::new();
    for (database, pillows) in groups {
        let source = ChangesSource::Couch(servers::couch(context, database.clone(), when_unreachable).await?);
        source.identity(&database).await?;
        for pillow in &pillows {
            find_following(&cluster, pillow.definition()).await?;
        }
        databases.push((source, pillows));
    }
    Ok(Connected { cluster, databases })
}

/// Takes all leases at once: each may take a while. What was taken is in `followed`, whatever happens.
async fn open(
    context: &Context,
    connected: Connected,
    when_held: WhenHeld,
    followed: &mut Followed,
) -> Result<(), Failure> {
    let mut taking = JoinSet::new();
    for (place, (source, pillows)) in connected.databases.into_iter().enumerate() {
        followed.push((source, Vec::new()));
        for pillow in pillows {
            let (cluster, acquire) = (connected.cluster.clone(), servers::acquire(context, "run", when_held));
            taking.spawn(async move {
                let index = open_following(&cluster, pillow.definition(), acquire).await?;
                Ok::<_, ReindexError>((place, Member::new(pillow, Arc::new(index) as Arc<dyn Sink>)))
            });
        }
    }
    let mut opened = Ok(());
    while let Some(taken) = taking.join_next().await {
        match taken.map_err(Failure::new)? {
            Ok((place, member)) => followed[place].1.push(member),
            // The others are waited for, so that what they take is given back.
            Err(error) if opened.is_ok() => opened = Err(error.into()),
            Err(_) => {}
        }
    }
    for (_, members) in followed {
        members.sort_by(|one, other| one.name().as_str().cmp(other.name().as_str()));
    }
    opened
}

/// Follows as a service: what fails is tried again, until a stop is asked for.
async fn serve_and_show(context: &Context, connected: Connected, stop: &Stop) -> Result<Outcome, Failure> {
    let mut shown = Vec::new();
    let mut databases = Vec::new();
    for (source, pillows) in connected.databases {
        let mut served = Vec::new();
        for pillow in pillows {
            let counters = Arc::new(Counters::default());
            shown.push((pillow.definition().pillow.clone(), Arc::clone(&counters)));
            served.push(Served::new(pillow, counters));
        }
        databases.push((source, served));
    }
    let names: Vec<String> = shown.iter().map(|(name, _)| name.to_string()).collect();
    context
        .talk
        .note(&format!("following {}, each as soon as its index is free; ctrl-c stops", names.join(", ")));
    let options = ServeOptions {
        acquire: servers::acquire(context, "run", WhenHeld::Standby),
        pipeline: PipelineOptions::default(),
    };
    let progress = Progress::start(&context.talk, "following", shown);
    serve(&connected.cluster, databases, &options, stop.receiver()).await;
    let summary = progress.finish();
    summary.print();
    context.talk.json(&summary.to_json());
    Ok(Outcome::Done)
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
