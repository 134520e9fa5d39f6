//! What a committed mapping says to the compiler.

use pillowtop_core::committed::{CommittedFile, CommittedFileError};
use pillowtop_core::fingerprint::FingerprintError;

use super::locate::Place;
use crate::errors::with_help;

/// A committed mapping as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A file whose fingerprint the compiler is to compare; the message is for when it differs.
    Present { fingerprint: u128, stale: String },
    /// A file that cannot be compared.
    Unfit(String),
    /// No file.
    Missing(String),
}

/// Reads the committed mapping of a pillow. `rust_name` is its struct.
pub(crate) fn state(rust_name: &str, pillow: &str, place: &Place) -> State {
    let shown = &place.shown;
    let help = format!("run `cargo xtask make-mapping {pillow}`");
    let unfit = |what: String| {
        State::Unfit(with_help(format!("the committed mapping `{shown}` of `{rust_name}` {what}"), &help))
    };
    match CommittedFile::read(&place.path) {
        Ok(file) if file.pillow != pillow => unfit(format!("is of another pillow, `{}`", file.pillow)),
        Ok(file) => {
            let stale = format!(
                "the committed mapping `{shown}` is stale: `{rust_name}` has changed since it was made"
            );
            State::Present { fingerprint: file.fingerprint.0, stale: with_help(stale, help) }
        }
        Err(CommittedFileError::Missing(_)) => {
            State::Missing(with_help(format!("`{rust_name}` has no committed mapping `{shown}`"), help))
        }
        Err(CommittedFileError::EditedByHand(how)) => unfit(format!("was edited by hand: {how}")),
        Err(CommittedFileError::LaterFormat(format)) => State::Unfit(with_help(
            format!(
                "the committed mapping `{shown}` of `{rust_name}` has format {format}, later than this release knows"
            ),
            "use the release of pillowtop that wrote it, or a later one",
        )),
        Err(CommittedFileError::Fingerprint(FingerprintError::OtherVersion(_))) => {
            unfit("has a fingerprint of another release of pillowtop".to_owned())
        }
        Err(CommittedFileError::Malformed(what)) => unfit(format!("is malformed: {what}")),
        Err(CommittedFileError::Io(error)) => unfit(format!("cannot be read: {}", error.kind())),
        Err(other) => unfit(format!("cannot be used: {other}")),
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
        let place = Crate::at(root.path().to_owned()).mapping("case");
        let message = |text: Option<&str>| {
            if let Some(text) = text {
                fs_err::write(&place.path, text).unwrap();
            }
            match state("Case", "case", &place) {
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
            (Some("{\"format\": 99}"), "later than this release"),
        ] {
            let message = message(text);
            assert!(message.contains(part), "{message}");
        }
    }
}
