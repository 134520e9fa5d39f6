//! The states of a committed mapping, and the words for each.

use std::fmt;
use std::path::Path;

use crate::committed::{CommittedFile, CommittedFileError};
use crate::definition::{Definition, FORMAT};
use crate::fingerprint::FingerprintError;
use crate::pillow::Committed;

/// How a committed mapping stands to its struct.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is what the struct derives.
    Fresh,
    /// There is none yet.
    New,
    /// The struct derives another one.
    Stale,
    /// Its body is not what its header says.
    EditedByHand(&'static str),
    /// It is the file of another pillow.
    OfAnother(String),
    /// A later release wrote it.
    LaterFormat(u64),
    /// Its fingerprint cannot be compared with that of this release.
    OtherFingerprint,
    /// It is not a committed mapping.
    Malformed(String),
    /// It cannot be read.
    Unreadable(String),
    /// There is no snapshot of what its sample documents become.
    SamplesNew,
    /// These sample documents become something else than the snapshot has.
    SamplesChanged(Vec<String>),
    /// No registered pillow has it.
    Orphaned,
    /// The pillow says that it is not checked.
    Unchecked,
}

impl State {
    /// The state of a file that was read: [`State::Stale`] for one that can be compared and is not
    /// `derived`.
    #[must_use]
    pub fn of(read: &Result<CommittedFile, CommittedFileError>, derived: &CommittedFile) -> Self {
        match read {
            Ok(file) if file == derived => Self::Fresh,
            Ok(file) if file.pillow != derived.pillow => Self::OfAnother(file.pillow.clone()),
            Ok(_) => Self::Stale,
            Err(error) => Self::of_error(error),
        }
    }

    /// The state of a file that cannot be compared.
    #[must_use]
    pub fn of_error(error: &CommittedFileError) -> Self {
        match error {
            CommittedFileError::Missing(_) => Self::New,
            CommittedFileError::EditedByHand(how) => Self::EditedByHand(how),
            CommittedFileError::LaterFormat(format) => Self::LaterFormat(*format),
            CommittedFileError::Fingerprint(FingerprintError::OtherVersion(_)) => Self::OtherFingerprint,
            CommittedFileError::Malformed(what) => Self::Malformed(what.clone()),
            CommittedFileError::Io(error) => Self::Unreadable(error.kind().to_string()),
            other => Self::Malformed(other.to_string()),
        }
    }

    /// Whether nothing is to be done about it.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        matches!(self, Self::Fresh | Self::Unchecked)
    }

    /// What is so, as one sentence. `shown` is the file as people write its path, `rust_name` the
    /// struct's name.
    #[must_use]
    pub fn sentence(&self, rust_name: &str, shown: &str) -> String {
        let of = format!("the committed mapping `{shown}` of `{rust_name}`");
        match self {
            Self::Fresh => format!("{of} is what the struct derives"),
            Self::New => format!("`{rust_name}` has no committed mapping `{shown}`"),
            Self::Stale => format!(
                "the committed mapping `{shown}` is stale: `{rust_name}` has changed since it was made"
            ),
            Self::EditedByHand(how) => format!("{of} was edited by hand: {how}"),
            Self::OfAnother(pillow) => format!("{of} is of another pillow, `{pillow}`"),
            Self::LaterFormat(format) => {
                format!(
                    "{of} was written by a newer pillowtop: it has format {format}, this release knows format {FORMAT}"
                )
            }
            Self::OtherFingerprint => format!("{of} has a fingerprint of another release of pillowtop"),
            Self::Malformed(what) => format!("{of} is malformed: {what}"),
            Self::Unreadable(why) => format!("{of} cannot be read: {why}"),
            Self::SamplesNew => format!("the sample documents of `{rust_name}` have no snapshot `{shown}`"),
            Self::SamplesChanged(ids) => {
                let named: Vec<String> = ids.iter().take(5).map(|id| format!("`{id}`")).collect();
                let more = if ids.len() > 5 { format!(" and {} more", ids.len() - 5) } else { String::new() };
                format!(
                    "sample documents of `{rust_name}` become something else than in `{shown}`: {}{more}",
                    named.join(", ")
                )
            }
            Self::Orphaned => format!("no registered pillow has the committed mapping `{shown}`"),
            Self::Unchecked => format!("`{rust_name}` declares that its mapping is not checked"),
        }
    }

    /// What to do about it. `program` is how the commands are run, as `cargo xtask`.
    #[must_use]
    pub fn help(&self, program: &str, pillow: &str, shown: &str) -> String {
        match self {
            Self::SamplesChanged(_) => format!(
                "raise `transform_version` if indices are to be rebuilt, then run `{program} make-mapping {pillow}`"
            ),
            Self::LaterFormat(_) => "use the release of pillowtop that wrote it, or a later one".to_owned(),
            Self::Orphaned => format!("register its pillow, or remove the file: `git rm {shown}`"),
            _ => format!("run `{program} make-mapping {pillow}`"),
        }
    }
}

/// The state's name: in tables and for scripts.
impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fresh => "fresh",
            Self::New => "new",
            Self::Stale => "stale",
            Self::EditedByHand(_) => "edited by hand",
            Self::OfAnother(_) => "of another pillow",
            Self::LaterFormat(_) => "of a newer pillowtop",
            Self::OtherFingerprint => "of another release",
            Self::Malformed(_) => "malformed",
            Self::Unreadable(_) => "unreadable",
            Self::SamplesNew => "samples new",
            Self::SamplesChanged(_) => "samples changed",
            Self::Orphaned => "orphaned",
            Self::Unchecked => "unchecked",
        })
    }
}

/// The state of a definition's committed mapping, and the file if it can be read.
#[must_use]
pub fn state(definition: &Definition) -> (State, Option<CommittedFile>) {
    let read = match definition.committed {
        Committed::Unchecked => return (State::Unchecked, None),
        Committed::Embedded(bytes) => CommittedFile::parse(bytes),
        Committed::OnDisk(path) => CommittedFile::read(Path::new(path)),
    };
    (State::of(&read, &CommittedFile::of(definition)), read.ok())
}

/// The struct's name without its modules and parameters.
#[must_use]
pub fn rust_name(definition: &Definition) -> &str {
    let path = definition.rust_type.split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or(path)
}
