//! What can go wrong when a cluster is asked for something other than to take documents.

use pillowtop_core::{AliasName, IndexName};

use super::rendering::RenderingError;

/// Why a cluster did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// There is no answer.
    #[error("{url} does not answer ({doing}): {reason}")]
    Unreachable {
        /// What was being done.
        doing: String,
        /// The server's address.
        url: String,
        /// Why, as far as it is known.
        reason: String,
    },
    /// 401 or 403: trying again is of no use.
    #[error("{doing} is not allowed (status {status} from {url}): {reason}")]
    Forbidden {
        /// What was being done.
        doing: String,
        /// The server's address.
        url: String,
        /// 401 or 403.
        status: u16,
        /// The server's reason.
        reason: String,
    },
    /// Something else listens there.
    #[error("{url} is neither Elasticsearch nor OpenSearch: {reason}")]
    NotASearchServer {
        /// The server's address.
        url: String,
        /// How that was noticed.
        reason: String,
    },
    /// The server is older than what is supported.
    #[error(
        "{url} is {found}; the oldest versions that can be used are Elasticsearch 7.0 and OpenSearch 1.0"
    )]
    TooOld {
        /// The server's address.
        url: String,
        /// Product and version.
        found: String,
    },
    /// The server answered with an error.
    #[error("{doing} failed with status {status}: {error_type}: {reason}")]
    Refused {
        /// What was being done.
        doing: String,
        /// The HTTP status.
        status: u16,
        /// The server's error type.
        error_type: String,
        /// The server's reason.
        reason: String,
    },
    /// The answer is not what it should be.
    #[error("{doing}: the answer cannot be used: {reason}")]
    Malformed {
        /// What was being done.
        doing: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The definition asks for what this server lacks.
    #[error(transparent)]
    Rendering(Box<RenderingError>),
    /// The index was created for another definition.
    #[error(
        "index `{index}` was created for hash {}, the committed mapping has hash {committed}",
        live.as_deref().unwrap_or("(none: pillowtop did not create it)")
    )]
    OtherHash {
        /// The index.
        index: IndexName,
        /// The hash in its `_meta.pillowtop`.
        live: Option<String>,
        /// The hash of the definition.
        committed: String,
    },
    /// The index has the right hash, yet its mapping was changed by somebody else.
    #[error("the live mapping of index `{index}` differs from the committed one at: {}", paths.join(", "))]
    OtherMapping {
        /// The index.
        index: IndexName,
        /// Paths that are missing or have another type.
        paths: Vec<String>,
    },
    /// An alias is not where it was when the plan was made.
    #[error("alias `{alias}` is on {found:?}, expected {expected:?}: somebody else moves it")]
    AliasMoved {
        /// The alias.
        alias: AliasName,
        /// Where it should be.
        expected: Vec<IndexName>,
        /// Where it is.
        found: Vec<IndexName>,
    },
    /// A name that must mean one index means several.
    #[error("alias `{alias}` is on several indices: {indices:?}")]
    Ambiguous {
        /// The alias.
        alias: AliasName,
        /// The indices.
        indices: Vec<IndexName>,
    },
}

impl From<RenderingError> for ClusterError {
    fn from(error: RenderingError) -> Self {
        Self::Rendering(Box::new(error))
    }
}

impl ClusterError {
    /// Whether the same request may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether the server said 404.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}
