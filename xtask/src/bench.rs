//! `cargo xtask bench`: measured in an optimised build of its own.

use std::process::{Command, ExitCode};

const HELP: &str = "\
Measures the way of a document against the same work on untyped JSON.

Usage: cargo xtask bench [compile [--json]]

Arguments:
  compile   Measure what the derives cost a build, instead
  --json    Print data as JSON

Options:
  -h, --help   Print help

Exit code: 0 done, 1 failed, 2 wrong usage.";

/// Runs the task.
#[expect(clippy::print_stdout, reason = "a command's output")]
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if arguments.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--package", "pillowtop-benches", "--"])
        .args(arguments)
        .status();
    let code = status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}
