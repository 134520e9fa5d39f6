//! What a mapping does to a value of a document.

use std::collections::BTreeSet;
use std::fmt;

/// What a mapping does to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// The server refuses the document.
    Rejected,
    /// The value does not fit and is left out of the index, by `ignore_malformed`.
    Malformed,
    /// The server indexes another value than the document has.
    Altered,
    /// No mapping names it, so it is in `_source` only.
    Unmapped,
    /// It lies in an object with `enabled: false`, so it is in `_source` only.
    Disabled,
    /// The text is longer than `ignore_above`, so no search finds it.
    Truncated,
    /// It is neither indexed nor in the doc values, so no search finds it.
    NotIndexed,
    /// The server would add a field for it.
    MappedDynamically,
    /// What the server makes of it is not known here.
    NotChecked,
}

impl Effect {
    /// Whether the value is in `_source` and nowhere else, or elsewhere as another one.
    pub fn is_silent_loss(self) -> bool {
        matches!(self, Self::Malformed | Self::Altered | Self::Unmapped | Self::Disabled | Self::NotIndexed)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rejected => "rejected",
            Self::Malformed => "left out",
            Self::Altered => "altered",
            Self::Unmapped => "unmapped",
            Self::Disabled => "disabled",
            Self::Truncated => "truncated",
            Self::NotIndexed => "not indexed",
            Self::MappedDynamically => "mapped dynamically",
            Self::NotChecked => "not checked",
        })
    }
}

/// What a mapping does to a value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field's path, with dots; empty for the document itself.
    pub path: String,
    /// What becomes of the value.
    pub effect: Effect,
    /// Why, as a clause.
    pub reason: String,
    /// The value's JSON, cut.
    pub value: String,
    /// What to write instead; empty where there is nothing to report.
    pub hint: String,
}

/// What a mapping does to a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What is reported, in the document's order.
    pub findings: Vec<Finding>,
    /// The mapped paths that had a value, `null` and empty lists aside.
    pub seen: BTreeSet<String>,
}

impl Report {
    /// Whether the server refuses the document.
    pub fn is_rejected(&self) -> bool {
        self.findings.iter().any(|finding| finding.effect == Effect::Rejected)
    }
}

/// Why a value does not fit its field, before it is known what the field does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not fit; `ignore_malformed` helps.
    Malformed(String),
    /// It does not fit, whatever `ignore_malformed` says.
    Refused(String),
    /// Its term is longer than the index can hold.
    Immense(String),
    /// It is longer than `ignore_above`.
    TooLong(String),
    /// The server indexes another value instead.
    Altered(String),
    /// The server leaves it out by itself.
    LeftOut(String),
    /// Nothing is known.
    Unknown(String),
}

/// Whether a value fits.
pub(super) type Fit = Result<(), Fault>;

/// Whether a value is indexed, perhaps as another one.
pub(super) fn is_taken(fit: &Fit) -> bool {
    matches!(fit, Ok(()) | Err(Fault::Altered(_)))
}

/// A value that does not fit.
pub(super) fn malformed<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Malformed(reason.into()))
}

/// A value that never fits.
pub(super) fn refused<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Refused(reason.into()))
}

/// A value of which nothing is known.
pub(super) fn unknown<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Unknown(reason.into()))
}
