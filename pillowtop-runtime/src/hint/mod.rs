//! What to do about an error: the advice that a service logs and that the commands print.

mod certificates;

use crate::caught_up::CaughtUpError;
use crate::claim::AcquireError;
use crate::engine::SelectionError;
use crate::member::MemberError;
use crate::row::RowError;
use crate::source::{CouchError, SourceError};
use crate::target::OpenError;
use crate::target::elastic::ClusterError;
use certificates::Server;

/// Stands in a hint for the program that has the commands. A workspace's own is `cargo xtask`.
pub const PROGRAM: &str = "PROGRAM";
/// Stands in a hint for the name of the pillow.
pub const PILLOW: &str = "NAME";

/// Another kind of server responds.
const SWAPPED: &str = "check that `--elastic-url` and `--couch-url` are not swapped";

/// Advice on an error, for whoever operates a service.
pub trait Hint {
    /// What to do about it, with [`PROGRAM`] and [`PILLOW`] in commands. `None` where the error
    /// says all there is to say.
    fn hint(&self) -> Option<String>;
}

impl Hint for CouchError {
    fn hint(&self) -> Option<String> {
        if let Self::Unreachable { reason, .. } = self
            && let Some(hint) = certificates::hint(Server::Couch, reason)
        {
            return Some(hint);
        }
        let hint = match self {
            Self::NotCouch { .. } => SWAPPED,
            Self::NoCredentials { .. } => {
                "give a user by `--couch-user` or PILLOWTOP_COUCH_USER, and its password by PILLOWTOP_COUCH_PASSWORD"
            }
            Self::Malformed { .. } | Self::Refused { status: 404, .. } => {
                "is `--couch-url` the address of CouchDB itself, without a database in it?"
            }
            Self::Unreachable { .. } => "is it running, and is `--couch-url` its address?",
            Self::Unauthorized { .. } => {
                "set PILLOWTOP_COUCH_USER and PILLOWTOP_COUCH_PASSWORD; nothing is retried, since CouchDB locks an account \
                 after five wrong passwords"
            }
            Self::MissingDatabase { .. } => {
                "is it the right server? `[databases]` in pillowtop.toml can name another database than the struct does"
            }
            Self::Replaced { .. } => {
                "what is indexed continues to be served; build an index of the new database by \
                 `PROGRAM fast-reindex NAME --restart`"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Hint for CaughtUpError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Store(_) => None,
        }
    }
}

impl Hint for SourceError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Couch(error) => return error.hint(),
            Self::BrokenLine { reason: RowError::Unreadable(_), .. } => {
                "save the feed with its documents: `_changes?include_docs=true`; nothing was read beyond what is indexed already"
            }
            Self::BrokenLine { .. } | Self::UnreadableLine { .. } => {
                "fix that line, or take it out; nothing was read beyond what is indexed already"
            }
            Self::UnknownPosition { .. } => "put the file back, or index into another directory",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Hint for ClusterError {
    fn hint(&self) -> Option<String> {
        if let Self::Unreachable { reason, .. } = self
            && let Some(hint) = certificates::hint(Server::Elastic, reason)
        {
            return Some(hint);
        }
        let hint = match self {
            // Only pillowtop writes a hash into an index that it created for another one.
            Self::OtherHash { live: Some(_), .. } => {
                "the index was extended to the mapping of another release, so this process stands by; nothing is to be done but to \
                 deploy that release"
            }
            Self::OtherHash { live: None, .. } | Self::OtherMapping { .. } => {
                "the live index was changed; build another with `PROGRAM fast-reindex NAME --restart`"
            }
            Self::Forbidden { .. } => {
                "set PILLOWTOP_ELASTIC_USER and PILLOWTOP_ELASTIC_PASSWORD to a user that has the permission; nothing is retried"
            }
            Self::NotASearchServer { .. } => SWAPPED,
            Self::Refused { error_type, .. } if error_type == "invalid_alias_name_exception" => {
                "an index has the name of the alias: give the pillow another alias, or reindex that index under another name and \
                 delete it"
            }
            Self::Refused { error_type, .. } if error_type == "index_closed_exception" => {
                "open the index, or build another by `PROGRAM fast-reindex NAME --restart`"
            }
            error if error.is_retryable() => "is it running, and is `--elastic-url` its address?",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Hint for AcquireError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Held { .. } => "one process writes an index; `PROGRAM run --standby` waits for its turn",
            Self::NoState(_) => "build it again: `PROGRAM fast-reindex NAME --restart`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Hint for OpenError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotReady { hint, .. } => hint.clone(),
            Self::Acquire(error) => error.hint(),
            Self::Failed(error) => error.downcast_ref::<ClusterError>().and_then(Hint::hint),
        }
    }
}

impl Hint for MemberError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Subscribe(error) => return error.hint(),
            Self::TooManyDeadLetters { .. } => {
                "`PROGRAM audit NAME --docs …` shows what the mapping rejects, and `PROGRAM dead-letters list NAME` what failed; \
                 the load resumes with the next run, and `--max-dead-letters PERCENT` lets it have more"
            }
            Self::Hung { .. } => "fix the filter or the transform of the pillow, and run this again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Hint for SelectionError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint(),
            Self::NoDatabase { .. } => {
                Some("which databases a pillow reads is set in `[databases]` of pillowtop.toml".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_was_extended_for_another_release_is_not_to_be_built_again() {
        let hint = |live: Option<&str>| {
            let live = live.map(str::to_owned);
            ClusterError::OtherHash { index: "cases_1".into(), live, committed: "b".to_owned() }
                .hint()
                .unwrap()
        };
        let extended = hint(Some("a"));
        assert!(extended.contains("stands by") && !extended.contains("fast-reindex"), "{extended}");
        assert!(hint(None).contains("fast-reindex"));
    }

    #[test]
    fn what_to_do_about_a_server_names_its_option() {
        let server = || "http://host".to_owned();
        let hint = |error: CouchError| error.hint().unwrap_or_default();
        assert!(hint(CouchError::NotCouch { server: server() }).contains("`--couch-url` are not swapped"));
        let required = CouchError::NoCredentials { server: server(), reason: String::new() };
        assert!(hint(required).contains("`--couch-user`"));
    }
}
