//! The binary that `bench reindex` and `bench follow` measure: the commands of pillowtop with the
//! example's pillows, as a user's workspace builds them.

use std::process::ExitCode;

fn main() -> ExitCode {
    pillowtop_cli::main(commcare::registry())
}
