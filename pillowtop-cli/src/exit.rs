//! How a command ends: exit codes that scripts can use, and errors for people.

use std::fmt;

use pillowtop_core::{CommittedFileError, PillowName};
use pillowtop_runtime::claim::{AcquireError, StoreError};
use pillowtop_runtime::engine::SelectionError;
use pillowtop_runtime::http::EndpointError;
use pillowtop_runtime::member::MemberError;
use pillowtop_runtime::reindex::ReindexError;
use pillowtop_runtime::row::RowError;
use pillowtop_runtime::service::ServiceError;
use pillowtop_runtime::source::{CouchError, SourceError};
use pillowtop_runtime::target::OpenError;
use pillowtop_runtime::target::elastic::ClusterError;
#[cfg(feature = "quickstart")]
use pillowtop_runtime::target::embedded::EmbeddedError;
use pillowtop_runtime::touch::TouchError;

use crate::certificates::{self, Server};

/// Stands in hints and help for how the program is run.
pub(crate) const PROGRAM: &str = "PROGRAM";

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

    /// It failed because of an error, whose causes are told too.
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
        self.hint = self.hint.map(|hint| hint.replace("NAME", name.as_str()));
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
failures!(EndpointError, StoreError, CommittedFileError, std::io::Error);

impl From<CouchError> for Failure {
    fn from(error: CouchError) -> Self {
        if let CouchError::Unreachable { reason, .. } = &error
            && let Some(hint) = certificates::hint(Server::Couch, reason)
        {
            return Self::new(error).hint(hint);
        }
        let hint = match &error {
            CouchError::Malformed { .. } | CouchError::Refused { status: 404, .. } => {
                "is `--couch-url` the address of CouchDB itself, without a database in it?"
            }
            CouchError::Unreachable { .. } => "is it running, and is `--couch-url` its address?",
            CouchError::Unauthorized { .. } => {
                "set PILLOWTOP_COUCH_USER and PILLOWTOP_COUCH_PASSWORD; nothing is tried again, since CouchDB locks an account after five wrong passwords"
            }
            CouchError::MissingDatabase { .. } => {
                "is it the right server? `[databases]` in pillowtop.toml can name another database than the struct does"
            }
            CouchError::Replaced { .. } => {
                "what is indexed goes on being served; build an index of the new database by `PROGRAM fast-reindex NAME --restart`"
            }
            _ => return Self::new(error),
        };
        Self::new(error).hint(hint)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Couch(error) => error.into(),
            SourceError::BrokenLine { reason: RowError::Unreadable(_), .. } => Self::new(error)
                .hint("save the feed with its documents: `_changes?include_docs=true`; nothing was read beyond what is indexed already"),
            SourceError::BrokenLine { .. } | SourceError::UnreadableLine { .. } => Self::new(error)
                .hint("mend that line, or take it out; nothing was read beyond what is indexed already"),
            SourceError::UnknownPosition { .. } => {
                Self::new(error).hint("put the file back, or index into another folder")
            }
            error => Self::because_of(&error),
        }
    }
}

impl From<MemberError> for Failure {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::Subscribe(error) => error.into(),
            MemberError::TooManyDeadLetters { .. } => Self::new(error).hint(
                "`PROGRAM audit NAME --docs …` shows what the mapping rejects, and `PROGRAM dead-letters list NAME` what failed; the load resumes with the next run",
            ),
            MemberError::Hung { .. } => {
                Self::new(error).hint("mend the filter or the transform of the pillow, and run this again")
            }
            error => Self::because_of(&error),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotReady { reason, hint } => {
                let failure = Self::new(reason);
                match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            }
            OpenError::Acquire(error) => error.into(),
            OpenError::Failed(error) => match error.downcast::<ClusterError>() {
                Ok(error) => (*error).into(),
                Err(error) => Self::because_of(error.as_ref()),
            },
            error => Self::new(error),
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Open(error) => error.into(),
            ServiceError::Member(error) => error.into(),
            ServiceError::Selection(SelectionError::Source(error)) => error.into(),
            ServiceError::Selection(_) => Self::new(error)
                .hint("which databases a pillow reads is set in `[databases]` of pillowtop.toml"),
            error => Self::new(error),
        }
    }
}

impl From<TouchError> for Failure {
    fn from(error: TouchError) -> Self {
        match error {
            TouchError::Store(error) => error.into(),
            TouchError::Service(error) => error.into(),
            TouchError::Stopped(_) => {
                Self::new(error).hint("run this again: documents may be processed any number of times")
            }
            error => Self::new(error),
        }
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        if let ClusterError::Unreachable { reason, .. } = &error
            && let Some(hint) = certificates::hint(Server::Elastic, reason)
        {
            return Self::new(error).hint(hint);
        }
        let hint = match &error {
            ClusterError::OtherHash { .. } | ClusterError::OtherMapping { .. } => {
                "somebody changed the live index; build another by `PROGRAM fast-reindex NAME --restart`"
            }
            ClusterError::Forbidden { .. } => {
                "set PILLOWTOP_ELASTIC_USER and PILLOWTOP_ELASTIC_PASSWORD to somebody who may; nothing is tried again"
            }
            ClusterError::NotASearchServer { .. } => {
                "is `--elastic-url` its address, and `--couch-url` another?"
            }
            ClusterError::Refused { error_type, .. } if error_type == "invalid_alias_name_exception" => {
                "an index has the name of the alias: give the pillow another alias, or reindex that index under another name and delete it"
            }
            ClusterError::Refused { error_type, .. } if error_type == "index_closed_exception" => {
                "open the index, or build another by `PROGRAM fast-reindex NAME --restart`"
            }
            error if error.is_retryable() => "is it running, and is `--elastic-url` its address?",
            _ => return Self::new(error),
        };
        Self::new(error).hint(hint)
    }
}

impl From<AcquireError> for Failure {
    fn from(error: AcquireError) -> Self {
        match error {
            AcquireError::Held { .. } => Self::new(error)
                .hint("one process writes an index; `PROGRAM run --standby` waits for its turn"),
            AcquireError::NoState(_) => {
                Self::new(error).hint("build it again: `PROGRAM fast-reindex NAME --restart`")
            }
            error => Self::because_of(&error),
        }
    }
}

impl From<ReindexError> for Failure {
    fn from(error: ReindexError) -> Self {
        match error {
            ReindexError::Cluster(error) => error.into(),
            ReindexError::Couch(error) => error.into(),
            ReindexError::Acquire(error) => error.into(),
            ReindexError::Open(error) => error.into(),
            ReindexError::Member(error) => error.into(),
            ReindexError::OtherDatabase { .. } => {
                Self::new(error).hint("start again with `PROGRAM fast-reindex NAME --restart`")
            }
            ReindexError::NothingIndexed { .. } => Self::new(error).hint(
                "`PROGRAM audit NAME --docs …` shows what the mapping rejects, and `PROGRAM dead-letters list NAME` what failed",
            ),
            error => Self::because_of(&error),
        }
    }
}
