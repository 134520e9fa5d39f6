//! `cargo xtask bench`: measured in release mode, so in a build of its own.

use std::process::ExitCode;

/// Runs the task. The measuring program prints its own help.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut command = pillowtop_tests::cargo();
    command.args(["run", "--quiet", "--release", "--package", "pillowtop-benches", "--"]).args(arguments);
    // The measurement becomes this process where that is possible: so it alone gets ctrl-c, and its
    // exit code is ours.
    #[cfg(unix)]
    let status = Err::<std::process::ExitStatus, _>(std::os::unix::process::CommandExt::exec(&mut command));
    #[cfg(not(unix))]
    let status = command.status();
    match status.map(|status| status.code().and_then(|code| u8::try_from(code).ok())) {
        Ok(Some(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}
