//! What can go wrong with a request to a cluster other than a bulk.

use pillowtop_core::{AliasName, IndexName};

use super::rendering::RenderingError;
use crate::claim::StoreError;

/// Why a cluster did not do what was requested.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// There is no response.
    #[error("{url} does not respond ({doing}): {reason}")]
    Unreachable {
        /// What was being done.
        doing: String,
        /// The server's address.
        url: String,
        /// Why, as far as it is known.
        reason: String,
    },
    /// 401 or 403: retrying does not help.
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
    /// Another kind of server listens there.
    #[error("{url} is neither Elasticsearch nor OpenSearch: {reason}")]
    NotASearchServer {
        /// The server's address.
        url: String,
        /// How it was noticed.
        reason: String,
    },
    /// The server is older than what is supported.
    #[error("{url} is {found}; the oldest supported versions are Elasticsearch 7.0 and OpenSearch 1.0")]
    TooOld {
        /// The server's address.
        url: String,
        /// Product and version.
        found: String,
    },
    /// The server responded with an error.
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
    /// The server accepted a change that not all nodes have confirmed.
    #[error("{doing} was not acknowledged by all nodes in time")]
    NotAcknowledged {
        /// What was being done.
        doing: String,
    },
    /// The response is not what it should be.
    #[error("{doing}: the response cannot be used: {reason}")]
    Malformed {
        /// What was being done.
        doing: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The control index cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The definition needs what this server lacks.
    #[error(transparent)]
    Rendering(Box<RenderingError>),
    /// A created index is not what was requested, because of an index template or a policy. It was
    /// deleted again.
    #[error("index `{index}` was deleted again, because the cluster changed it at creation: {}", changes.join("; "))]
    Altered {
        /// The index.
        index: IndexName,
        /// What is different.
        changes: Vec<String>,
    },
    /// The index is that of another definition: it was created for it, or extended to it.
    #[error(
        "index `{index}` has the mapping with hash {}, the committed one has hash {committed}",
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
    /// The index has the right hash, but its mapping was changed by someone else.
    #[error("the live mapping of index `{index}` differs from the committed one at: {}", paths.join(", "))]
    OtherMapping {
        /// The index.
        index: IndexName,
        /// Paths that are missing or have another type.
        paths: Vec<String>,
    },
    /// An alias is not where it was when the plan was made.
    #[error("alias `{alias}` is on {found:?}, expected {expected:?}: it was moved concurrently")]
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
    /// An alias has a different filter or routing on each of its indices, so it cannot be moved to
    /// one.
    #[error("alias `{alias}` has different filters or routings on {indices:?}")]
    MixedAlias {
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
    /// Whether the same request may succeed later without anyone's help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotAcknowledged { .. } => true,
            Self::Refused { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// Whether the search server itself responded with 404. A proxy's 404 does not show what
    /// exists.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, error_type, .. } if error_type != UNKNOWN_ERROR)
    }

    /// Whether the name that was written to does not exist. A name with a capital letter is then an
    /// invalid name of an index.
    pub(super) fn is_missing_alias(&self) -> bool {
        matches!(self, Self::Refused { error_type, .. } if is_missing_alias(error_type))
    }

    /// The error of a claim store.
    pub(super) fn into_store_error(self) -> StoreError {
        match self {
            Self::Forbidden { doing, reason, status, .. } => {
                StoreError::Refused { doing, reason: format!("not allowed (status {status}): {reason}") }
            }
            Self::Refused { doing, status: 400, error_type, reason } => {
                StoreError::Refused { doing, reason: format!("{error_type}: {reason}") }
            }
            Self::Unreachable { doing, url, reason } => {
                StoreError::Unavailable { doing, reason: format!("{url} does not respond: {reason}") }
            }
            Self::Refused { doing, status, error_type, reason } => {
                StoreError::Unavailable { doing, reason: format!("status {status}: {error_type}: {reason}") }
            }
            // A response that is not the server's own proves nothing about the document.
            error => StoreError::Unavailable {
                doing: "using the control index".to_owned(),
                reason: error.to_string(),
            },
        }
    }
}

/// The error type of a response that is not a search server's.
pub(super) const UNKNOWN_ERROR: &str = "unknown";

/// Whether an error type says that the alias that is written through does not exist.
pub(super) fn is_missing_alias(error_type: &str) -> bool {
    matches!(
        error_type,
        "invalid_index_name_exception" | "index_not_found_exception" | "aliases_not_found_exception"
    )
}
