//! The commands of this workspace: `cargo xtask --help`. A workspace of a user's own has the same,
//! without the last lines.

mod reference;

use std::process::ExitCode;

use pillowtop_cli::{App, Samples};

fn main() -> ExitCode {
    let searches = &[
        ("case", "type", "pregnancy"),
        ("user", "username", "amina"),
        ("domain", "deployment.countries", "kenya"),
    ];
    App::new(commcare::registry())
        .quickstart(Samples { changes: commcare::samples::changes, searches })
        .task("test", "Install and start real servers, and run all tests", pillowtop_tests::run)
        .task("reference", "Write the reference page of field types", reference::run)
        .task("bench", "Measure conversion, builds, loading and following", bench)
        .main()
}

/// Measured in release mode, so in a build of its own.
fn bench(arguments: &[String]) -> ExitCode {
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
