//! `cargo xtask bench`: measured in release mode, so in a build of its own.

use std::process::ExitCode;

/// Runs the task. The measuring program prints its own help.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut command = pillowtop_tests::cargo();
    command.args(["run", "--quiet", "--release", "--package", "pillowtop-benches", "--"]);
    crate::instead(command.args(arguments))
}
