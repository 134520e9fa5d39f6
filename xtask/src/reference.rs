//! `cargo xtask reference`: writes the reference pages that come from the code.

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Writes docs/field-types.md from the table of field types.

Usage: cargo xtask reference [--check]

Options:
      --check   Write nothing; exit with 4 when the page is stale
  -h, --help    This text

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
    let path = root.join("docs/field-types.md");
    let page = pillowtop_core::field_types::reference();
    if fs_err::read_to_string(&path).is_ok_and(|before| before == page) {
        println!("docs/field-types.md is fresh");
        return ExitCode::SUCCESS;
    }
    if check {
        println!("docs/field-types.md is stale: run `cargo xtask reference`");
        return ExitCode::from(STALE);
    }
    match fs_err::write(&path, page) {
        Ok(()) => {
            println!("wrote docs/field-types.md");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: writing the reference: {error}");
            ExitCode::FAILURE
        }
    }
}
