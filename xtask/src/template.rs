//! `cargo xtask template`: writes `examples/template`, which is what `cargo xtask new` writes.

use std::path::PathBuf;
use std::process::ExitCode;

use pillowtop_cli::{Dependency, write_workspace};

const HELP: &str = "\
Writes examples/template: what `cargo xtask new` writes.

Usage: cargo xtask template

Options:
  -h, --help   Print help

Exit code: 0 done, 1 failed, 2 wrong usage.";

/// Runs the task.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's output")]
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match arguments.first().map(String::as_str) {
        None => {}
        Some("-h" | "--help") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(_) => {
            eprintln!("error: unknown arguments: {}\n\n{HELP}", arguments.join(" "));
            return ExitCode::from(2);
        }
    }
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(PathBuf::new, |package| PathBuf::from(package).join(".."));
    match write_workspace(&root.join("examples/template"), &Dependency::Path("../..".into())) {
        Ok(files) => {
            println!("wrote {} files to examples/template", files.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: writing the template: {error}");
            ExitCode::FAILURE
        }
    }
}
