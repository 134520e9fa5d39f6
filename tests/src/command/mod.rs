//! The command `cargo xtask test`.

mod arguments;
mod console;
mod summary;

mod servers;

mod steps;

use std::{process::ExitCode, time::Instant};

use arguments::{Arguments, Asked};
use servers::Servers;
pub use steps::cargo;
use summary::{Outcome, Summary};

/// Runs the command with the arguments that follow `test`.
///
/// 0: everything passed; 1: something failed or a server did not start; 2: the arguments are wrong.
pub fn run(arguments: &[String]) -> ExitCode {
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    match Arguments::parse(arguments, in_ci) {
        Ok(Asked::Help) => {
            console::result(arguments::HELP);
            ExitCode::SUCCESS
        }
        Ok(Asked::Run(arguments)) => {
            let summary = run_all(&arguments);
            console::result(&format!("\n{summary}"));
            if summary.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            console::progress(&format!(
                "error: {problem}\n\nhint: `cargo xtask test --help` lists what there is"
            ));
            ExitCode::from(2)
        }
    }
}

fn run_all(arguments: &Arguments) -> Summary {
    let mut summary = Summary::new(Instant::now());
    let servers = if arguments.without_servers {
        None
    } else {
        Some(
            Servers::start(&arguments.products)
                .map_err(|problem| console::progress(&format!("error: {problem}"))),
        )
    };
    if !arguments.e2e_only {
        summary.add(steps::workspace());
    }
    match servers {
        None => summary.without_servers(),
        Some(Err(())) => {
            for product in &arguments.products {
                summary.add(Outcome::not_run(format!("end to end, {}: no server", product.label())));
            }
        }
        Some(Ok(servers)) => {
            for cluster in &servers.clusters {
                let outcome = steps::end_to_end(cluster, &servers.couch, &arguments.rest);
                let failed = outcome.failed() > 0;
                summary.add(outcome);
                if failed {
                    servers.keep_logs(cluster);
                }
            }
            console::progress("stopping the servers …");
            drop(servers);
        }
    }
    summary.finish();
    summary
}
