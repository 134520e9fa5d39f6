//! The command `cargo xtask conformance`.

mod arguments;
mod output;
mod servers;

use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser as _;
use pillowtop_comparison::{ConformanceError, Options, Outcome, Server, run};

use arguments::Arguments;
use output::Progress;

/// Nothing disagrees: 0, something does: 4, a server fails: 1, wrong usage: 2.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let options =
        Options { seed: arguments.seed(), first: arguments.case.unwrap_or(0), cases: arguments.cases() };
    let mut all = Vec::new();
    for wanted in &arguments.servers {
        // One server after the other: each of them takes what memory and processors there are.
        let running = match wanted.start(&output::note) {
            Ok(running) => running,
            Err(error) => return failed(&error),
        };
        match compare(running.port(), options) {
            Ok((server, outcome)) => {
                if !arguments.json {
                    output::text(&server, *wanted, options, &outcome);
                }
                all.push((server, outcome));
            }
            Err(error) => return failed(&error),
        }
    }
    if arguments.json {
        output::json(options, &all);
    }
    let differs = all.iter().any(|(_, outcome)| !outcome.disagreements.is_empty());
    if differs { ExitCode::from(4) } else { ExitCode::SUCCESS }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    output::note(&format!("error: {error}"));
    ExitCode::FAILURE
}

fn compare(port: u16, options: Options) -> Result<(Server, Outcome), ConformanceError> {
    let server = Server::connect(port)?;
    let progress = Mutex::new(Progress::new(server.target().to_string(), options.cases));
    let outcome = run(&server, options, &|done| {
        if let Ok(mut progress) = progress.lock() {
            progress.show(done);
        }
    })?;
    Ok((server, outcome))
}
