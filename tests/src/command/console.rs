//! Everything that the command says: progress on standard error, results on standard output.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place that talks to people")]

/// What is being done, or what went wrong.
pub(super) fn progress(text: &str) {
    eprintln!("{text}");
}

/// What came out.
pub(super) fn result(text: &str) {
    println!("{text}");
}
