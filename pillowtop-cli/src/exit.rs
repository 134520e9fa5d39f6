//! How a command ends: exit codes that scripts can use, and errors for people.

use std::fmt;

use pillowtop_core::{CommittedFileError, PillowName};
#[cfg(feature = "quickstart")]
use pillowtop_embedded::EmbeddedError;
use pillowtop_runtime::caught_up::CaughtUpError;
use pillowtop_runtime::claim::{AcquireError, StoreError};
use pillowtop_runtime::hint::{Hint as _, PILLOW};
use pillowtop_runtime::http::EndpointError;
use pillowtop_runtime::member::MemberError;
use pillowtop_runtime::reindex::ReindexError;
use pillowtop_runtime::service::ServiceError;
use pillowtop_runtime::source::{CouchError, SourceError};
use pillowtop_runtime::target::OpenError;
use pillowtop_runtime::target::elastic::ClusterError;
use pillowtop_runtime::touch::TouchError;
use pillowtop_runtime::verify::VerifyError;

pub(crate) use pillowtop_runtime::hint::PROGRAM;

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done: exit code 0.
    Done,
    /// Something is stale or differs: exit code 4.
    Differs,
}

impl Outcome {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Differs => 4,
        }
    }
}

/// Why a command did not do what it was asked: exit code 1, 2 for wrong usage, 4 for a stale
/// mapping.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) code: u8,
}

impl Failure {
    /// It failed.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), hint: None, code: 1 }
    }

    /// It failed because of an error, whose causes are printed too.
    pub(crate) fn because_of(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = inner.source();
        }
        Self::new(message)
    }

    /// It was asked in a wrong way.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// A committed mapping is not what its struct derives.
    pub(crate) fn stale(message: impl fmt::Display) -> Self {
        Self { code: 4, ..Self::new(message) }
    }

    /// All of several failures in one, if there are any: each message on a line, each hint once.
    pub(crate) fn of_several(failures: Vec<Self>) -> Option<Self> {
        let code = failures.first()?.code;
        let messages: Vec<&str> = failures.iter().map(|failure| failure.message.as_str()).collect();
        let message = messages.join("\nerror: ");
        let mut hints: Vec<String> = failures.into_iter().filter_map(|failure| failure.hint).collect();
        hints.sort();
        hints.dedup();
        let hint = (!hints.is_empty()).then(|| hints.join("\nhint: "));
        Some(Self { message, hint, code })
    }

    /// It is in the list of enabled pillows that it was named.
    pub(crate) fn in_enabled(self) -> Self {
        Self { message: format!("`pillows` in pillowtop.toml: {}", self.message), ..self }
    }

    /// It is in a pillow's own table of the configuration that it was named.
    pub(crate) fn in_table(self, name: &str) -> Self {
        Self { message: format!("`[pillow.{name}]` in pillowtop.toml: {}", self.message), ..self }
    }

    /// The pillow that hints call `NAME`.
    pub(crate) fn for_pillow(mut self, name: &PillowName) -> Self {
        self.hint = self.hint.map(|hint| hint.replace(PILLOW, name.as_str()));
        self
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

macro_rules! failures {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::because_of(&error)
            }
        })+
    };
}

#[cfg(feature = "quickstart")]
failures!(EmbeddedError);

#[cfg(feature = "sql")]
impl From<pillowtop_fluff::sql::SqlError> for Failure {
    fn from(error: pillowtop_fluff::sql::SqlError) -> Self {
        match error {
            pillowtop_fluff::sql::SqlError::Query(_) | pillowtop_fluff::sql::SqlError::Address(_) => {
                Self::usage(error)
            }
            error => Self::because_of(&error),
        }
    }
}

failures!(EndpointError, StoreError, CommittedFileError, std::io::Error);

macro_rules! failures_with_hints {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self { hint: error.hint(), ..Self::because_of(&error) }
            }
        })+
    };
}

failures_with_hints!(
    AcquireError,
    CaughtUpError,
    ClusterError,
    CouchError,
    MemberError,
    OpenError,
    ReindexError,
    ServiceError,
    SourceError,
    TouchError,
    VerifyError
);
