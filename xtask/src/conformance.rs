//! `cargo xtask conformance`: a program of its own, so that the commands of every day build without
//! what generates cases.

use std::process::ExitCode;

/// Runs the task. The program prints its own help.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut command = pillowtop_tests::cargo();
    command.args(["run", "--profile", "xtask", "--package", "pillowtop-comparison", "--"]);
    crate::instead(command.args(arguments))
}
