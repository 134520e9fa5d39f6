//! The runs of cargo that the command consists of. Their output goes through, and is counted on the
//! way.

use std::{
    io::{self, BufRead, BufReader},
    process::{Command, Stdio},
    time::Instant,
};

use super::{
    console,
    servers::RunningCluster,
    summary::{Counts, Outcome},
};
use crate::{
    COUCH_URL_VARIABLE, ELASTIC_URL_VARIABLE, PRODUCT_VARIABLE, directories, process::Guarded, server::Server,
};

/// The tests that need no servers.
pub(super) fn workspace() -> Outcome {
    let mut command = cargo_test();
    command.args(["--workspace", "--exclude", "pillowtop-tests"]);
    run("workspace, no servers needed".to_owned(), &mut command, console::result)
}

/// The end-to-end tests against one search server.
pub(super) fn end_to_end(cluster: &RunningCluster, couch: &Server, rest: &[String]) -> Outcome {
    let mut command = cargo_test();
    command.args(["--package", "pillowtop-tests", "--"]).args(rest);
    command.env(COUCH_URL_VARIABLE, couch.url());
    command.env(ELASTIC_URL_VARIABLE, cluster.server.url());
    command.env(PRODUCT_VARIABLE, cluster.product.key());
    let label = format!(
        "end to end, {} on port {}, {} on port {}",
        cluster.server.version(),
        cluster.server.port(),
        couch.version(),
        couch.port()
    );
    run(label, &mut command, console::result)
}

fn cargo_test() -> Command {
    let mut command = cargo();
    command.args(["test", "--profile", "xtask", "--no-fail-fast"]);
    command
}

/// A `cargo` command in the root of this workspace, for a program that cargo itself may have
/// started.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directories::workspace());
    // `cargo run` says which package it runs. Build scripts that watch these variables would build anew
    // here.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| text.starts_with(prefix));
        if of_package || ["CARGO_CRATE_NAME", "CARGO_BIN_NAME", "CARGO_PRIMARY_PACKAGE"].contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command
}

fn run(label: String, command: &mut Command, echo: fn(&str)) -> Outcome {
    console::progress(&format!("\n== {label}"));
    let started = Instant::now();
    let mut counts = Counts::default();
    let succeeded = match stream(command, &mut counts, echo) {
        Ok(succeeded) => succeeded,
        Err(error) => {
            console::progress(&format!("error: running cargo: {error}"));
            false
        }
    };
    Outcome::of(label, counts, succeeded, started.elapsed())
}

/// Runs a command, passes its output through and counts; whether it succeeded.
fn stream(command: &mut Command, counts: &mut Counts, echo: fn(&str)) -> io::Result<bool> {
    let mut process = Guarded::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    if let Some(output) = process.child().stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            counts.add_line(&line);
            echo(&line);
        }
    }
    Ok(process.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, passed: u64, failed: u64, note: &str) {
        // Without an echo: whoever runs this test counts such lines, too.
        let outcome = run("a step".to_owned(), Command::new("sh").args(["-c", script]), |_| ());
        assert_eq!((outcome.passed(), outcome.failed()), (passed, failed));
        assert!(outcome.to_string().contains(note), "{outcome}");
    }

    #[test]
    fn a_step_counts_and_knows_success() {
        check("echo 'test result: ok. 3 passed; 0 failed; 0 ignored'", 3, 0, "3 passed, 0 failed");
        check("echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored'; exit 101", 3, 2, "2 failed");
        // It did not compile, or was killed: no test failed, and yet it is a failure.
        check("exit 101", 0, 1, "DID NOT FINISH");
    }
}
