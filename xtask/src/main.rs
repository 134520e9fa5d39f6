//! The commands of this workspace: `cargo xtask --help`. A workspace of a user's own has the same,
//! without the last lines.

mod bench;
mod ci;
mod conformance;
mod reference;
mod template;

use std::process::{Command, ExitCode};

use pillowtop_cli::{App, Samples};

fn main() -> ExitCode {
    let searches = &[
        ("case", "type", "pregnancy"),
        ("user", "username", "amina"),
        ("domain", "deployment.countries", "kenya"),
    ];
    App::new(commcare::registry().and(&commcare::tables()))
        .quickstart(Samples { changes: commcare::samples::changes, searches })
        .task("test", "Install and start real servers, and run all tests", pillowtop_tests::run)
        .task("ci", "Run the steps of CI that this machine has tools for", ci::run)
        .task("reference", "Write the reference pages of field types and commands", reference::run)
        .task("template", "Write examples/template", template::run)
        .task("conformance", "Compare verdicts with real servers, on generated cases", conformance::run)
        .task("bench", "Measure conversion, builds, loading and following", bench::run)
        .main()
}

/// Runs a program of its own. It becomes this process where that is possible: so it alone gets
/// ctrl-c, and its exit code is ours.
fn instead(command: &mut Command) -> ExitCode {
    #[cfg(unix)]
    let status = Err::<std::process::ExitStatus, _>(std::os::unix::process::CommandExt::exec(command));
    #[cfg(not(unix))]
    let status = command.status();
    match status.map(|status| status.code().and_then(|code| u8::try_from(code).ok())) {
        Ok(Some(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}
