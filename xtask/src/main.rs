//! The commands of this workspace: `cargo xtask --help`. A workspace of a user's own has the same,
//! without the last lines.

mod bench;
mod ci;
mod reference;
mod template;

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
        .task("ci", "Run the steps of CI that this machine has tools for", ci::run)
        .task("reference", "Write the reference pages of field types and commands", reference::run)
        .task("template", "Write examples/template", template::run)
        .task("bench", "Measure conversion, builds, loading and following", bench::run)
        .main()
}
