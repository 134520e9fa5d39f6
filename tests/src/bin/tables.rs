//! A binary with tables alone, which needs no cluster. The end-to-end tests run it as a user does.

use std::process::ExitCode;

fn main() -> ExitCode {
    pillowtop_cli::main(commcare::tables())
}
