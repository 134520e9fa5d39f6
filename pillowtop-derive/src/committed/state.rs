//! What a committed mapping says to the compiler.

use pillowtop_core::committed::CommittedFile;
use pillowtop_core::drift;

use super::locate::Location;
use crate::errors::with_help;

/// How the commands are run.
const PROGRAM: &str = "cargo xtask";

/// A committed mapping as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A file whose fingerprint the compiler is to compare; the message is for when it differs.
    Present { fingerprint: u128, stale: String },
    /// A file that cannot be compared.
    Unfit(String),
    /// No file that could be read: the compiler, which is asked for its bytes otherwise, could not
    /// read it either.
    Missing(String),
}

/// Reads the committed mapping of a pillow. `rust_name` is its struct.
pub(crate) fn state(rust_name: &str, pillow: &str, location: &Location) -> State {
    let shown = &location.shown;
    let message = |state: &drift::State| {
        let help = match state {
            drift::State::New => drift::help_for_missing(&location.crate_directory, PROGRAM, pillow),
            state => state.help(PROGRAM, pillow, shown),
        };
        with_help(state.sentence(rust_name, shown), help)
    };
    match CommittedFile::read(&location.path) {
        Ok(file) if file.pillow != pillow => State::Unfit(message(&drift::State::OfAnother(file.pillow))),
        Ok(file) => State::Present { fingerprint: file.fingerprint.0, stale: message(&drift::State::Stale) },
        Err(error) => match drift::State::of_error(&error) {
            state @ (drift::State::New | drift::State::Unreadable(_)) => State::Missing(message(&state)),
            state => State::Unfit(message(&state)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::committed::Crate;

    #[test]
    fn each_reason_has_its_sentence_and_the_command() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("mappings")).unwrap();
        fs_err::create_dir_all(root.path().join(".cargo")).unwrap();
        fs_err::write(root.path().join(".cargo/config.toml"), "[alias]\nxtask = \"run\"").unwrap();
        let location = Crate::at(root.path().to_owned()).mapping("case");
        let message = |text: Option<&str>| {
            if let Some(text) = text {
                fs_err::write(&location.path, text).unwrap();
            }
            match state("Case", "case", &location) {
                State::Missing(message) | State::Unfit(message) => message,
                State::Present { .. } => panic!("such a file cannot be compared"),
            }
        };
        for (text, part) in [
            (
                None,
                "`Case` has no committed mapping `mappings/case.json`\nhelp: run `cargo xtask make-mapping case`",
            ),
            (Some("{"), "is malformed"),
            (Some("{}"), "`format` is missing"),
            (Some("{\"format\": 99}"), "was written by a newer pillowtop"),
        ] {
            let message = message(text);
            assert!(message.contains(part), "{message}");
        }
    }
}
