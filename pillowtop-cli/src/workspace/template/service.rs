//! The service: `service run` follows the changes. It has the commands of `cargo xtask`, with the
//! mappings that were committed.

use std::process::ExitCode;

fn main() -> ExitCode {
    pillowtop_cli::main(documents::registry())
}
