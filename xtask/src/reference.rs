//! `cargo xtask reference`: writes the reference pages that come from the code.

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Writes docs/field-types.md from the table of field types, and docs/commands.md
from the arguments of the command line.

Usage: cargo xtask reference [--check]

Options:
      --check   Write nothing; exit with 4 when a page is stale
  -h, --help    Print help

Exit code: 0 done, 4 stale, 1 failed, 2 wrong usage.";

/// The exit code of what is stale.
const STALE: u8 = 4;

/// Runs the task.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let check = match arguments.as_slice() {
        [] => false,
        ["--check"] => true,
        ["-h" | "--help"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("error: unknown arguments: {}\n\n{HELP}", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    // Where cargo runs it: a build may have been copied from another checkout.
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(PathBuf::new, |package| PathBuf::from(package).join(".."));
    let pages = [
        ("docs/field-types.md", pillowtop_core::field_types::reference()),
        ("docs/commands.md", pillowtop_cli::command_reference()),
    ];
    let mut is_stale = false;
    for (name, page) in pages {
        let path = root.join(name);
        if fs_err::read_to_string(&path).is_ok_and(|before| before == page) {
            println!("{name} is fresh");
        } else if check {
            println!("{name} is stale: run `cargo xtask reference`");
            is_stale = true;
        } else if let Err(error) = fs_err::write(&path, page) {
            eprintln!("error: writing the reference: {error}");
            return ExitCode::FAILURE;
        } else {
            println!("wrote {name}");
        }
    }
    if is_stale { ExitCode::from(STALE) } else { ExitCode::SUCCESS }
}
