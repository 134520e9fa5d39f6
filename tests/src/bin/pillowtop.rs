//! The binary that a team deploys: every command, with its own pillows, without `bless`. The
//! end-to-end tests run it as a user does.

use std::process::ExitCode;

fn main() -> ExitCode {
    pillowtop_cli::main(commcare::registry())
}
