//! `cargo xtask bench reindex`, `bench follow` and `bench verify`: whole commands on real servers,
//! beside what the servers allow.
//!
//! The measured program is a release build of `bench-pillow`, run as a child process. Nothing here
//! uses the runtime's own code: the ceilings are plain HTTP requests.

mod documents;
mod http;
mod servers;

mod child;
mod environment;

mod ceiling;
mod latency;
mod python;

mod follow;
mod reindex;
mod verify;

use std::process::ExitCode;

use environment::Environment;
use servers::Servers;

use crate::arguments::{Follow, Reindex, ServerArguments, Verify};
use crate::output::progress;

/// A signal ended the measurement.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("interrupted")
    }
}

/// The exit code that shells give to a command which a SIGINT has ended.
const INTERRUPTED: u8 = 130;

/// Measures `fast-reindex`.
pub(crate) fn reindex(arguments: &Reindex) -> anyhow::Result<()> {
    measure(&arguments.servers, async |environment| reindex::measure(environment, arguments).await)
}

/// Measures `run`.
pub(crate) fn follow(arguments: &Follow) -> anyhow::Result<()> {
    measure(&arguments.servers, async |environment| follow::measure(environment, arguments).await)
}

/// Measures `verify`.
pub(crate) fn verify(arguments: &Verify) -> anyhow::Result<()> {
    measure(&arguments.servers, async |environment| verify::measure(environment, arguments).await)
}

/// Prints an error, and tells the exit code.
pub(crate) fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("error: {error:#}"));
            if error.is::<Interrupted>() { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
        }
    }
}

/// Builds the program, starts the servers, measures, and removes everything again: also after an
/// error or a signal.
///
/// Until the servers run, a signal ends this process at once, and their guards end them.
fn measure(
    arguments: &ServerArguments,
    work: impl AsyncFnOnce(&Environment) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let program = child::build()?;
    let servers = Servers::start(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let environment = Environment::new(servers, program).await?;
        let result = tokio::select! {
            result = work(&environment) => result,
            signal = interrupted() => Err(signal.map_or_else(Into::into, |()| anyhow::Error::msg(Interrupted))),
        };
        if result.is_err() {
            progress("stopping …");
        }
        if let Err(error) = environment.remove().await {
            progress(&format!("warning: {error:#}"));
        }
        result
    })
}

/// Returns once the process is asked to end, by ctrl-c or SIGTERM.
async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            asked = tokio::signal::ctrl_c() => asked,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
