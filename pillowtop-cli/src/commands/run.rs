//! `run`: follows the changes of pillows into their indices and tables.

mod plan;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};

use crate::arguments::Run;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::output::{Progress, WithoutTerminal};
use crate::servers::{self, Servers, WhenUnreachable};
use crate::stop::Stop;

pub(crate) async fn run(context: &Context, arguments: &Run) -> Result<Outcome, Failure> {
    let pillows = context.pillows(&arguments.names)?;
    require_fresh(&pillows)?;
    let stop = Stop::on_signals(&context.ui);
    let when_unreachable = if arguments.wait { WhenUnreachable::Wait } else { WhenUnreachable::Fail };
    let connecting = Servers::connect(context, "run", &pillows, when_unreachable);
    let Some(servers) = stop.unless_asked(connecting).await else { return Ok(Outcome::Done) };
    let servers = servers?;
    let mut served = Vec::new();
    for pillow in &pillows {
        let mut followed = servers.served(context, pillow)?;
        followed.options.stop_within = Duration::from_secs(arguments.stop_within.into());
        served.push(followed);
    }
    if arguments.dry_run {
        let shown = plan::show(context, &servers, &served).await;
        servers.end().await;
        return shown;
    }
    // A service starts with whatever is ready; at a terminal somebody waits for an answer.
    let is_service = arguments.standby || !std::io::stdin().is_terminal();
    let options = ServiceOptions {
        mode: if arguments.until_caught_up { ReadMode::ToEnd } else { ReadMode::Follow },
        acquire: servers::acquire(context, if is_service { WhenHeld::Standby } else { WhenHeld::Fail }),
        when_failing: if is_service && !arguments.until_caught_up {
            WhenFailing::Retry
        } else {
            WhenFailing::Stop
        },
    };
    let ended = follow(context, &servers, served, &options, &stop).await;
    servers.end().await;
    ended.map(|()| Outcome::Done)
}

/// Follows, shows how far it is, and prints at the end what was done.
async fn follow(
    context: &Context,
    servers: &Servers,
    served: Vec<Served>,
    options: &ServiceOptions,
    stop: &Stop,
) -> Result<(), Failure> {
    let shown: Vec<_> = served
        .iter()
        .map(|served| (served.pillow.definition().pillow.clone(), Arc::clone(&served.counters)))
        .collect();
    let names: Vec<String> = shown.iter().map(|(name, _)| name.to_string()).collect();
    let (doing, without_terminal) = match options.mode {
        ReadMode::ToEnd => ("catching up", WithoutTerminal::Lines),
        ReadMode::Follow => {
            context.ui.note(&format!("following {}; ctrl-c stops", names.join(", ")));
            ("following", WithoutTerminal::Quiet)
        }
    };
    let progress = Progress::start(&context.ui, doing, shown, without_terminal);
    let ended = serve(&servers.engine, served, options, stop.token()).await;
    let summary = progress.finish();
    ended?;
    summary.print();
    context.ui.json(&summary.to_json());
    Ok(())
}
