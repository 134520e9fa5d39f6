//! Everything that is printed: results on standard output, progress and errors on standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place that prints")]

/// Prints one line of the result.
pub(crate) fn print_line(line: &str) {
    println!("{line}");
}

/// Prints what is being done, or what failed.
pub(crate) fn progress(line: &str) {
    eprintln!("{line}");
}
