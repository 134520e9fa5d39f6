//! The commands of this workspace: `cargo xtask --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pillowtop_cli::main(documents::registry())
}
