//! What CouchDB's answers mean.

use reqwest::StatusCode;
use serde::Deserialize;

use crate::claim::DatabaseIdentity;
use crate::row::RowError;

/// Why CouchDB did not do what it was asked. No variant shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CouchError {
    /// No connection, no answer in time, or an answer that was cut.
    #[error("CouchDB at {server} does not answer: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What happened.
        reason: String,
    },
    /// 401 or 403. Never tried again: CouchDB locks an account after five wrong passwords.
    #[error("CouchDB at {server} refuses the user or the password: {reason}")]
    Unauthorized {
        /// Its address.
        server: String,
        /// What it says.
        reason: String,
    },
    /// There is no such database.
    #[error("CouchDB at {server} has no database `{database}`")]
    MissingDatabase {
        /// Its address.
        server: String,
        /// The database.
        database: String,
    },
    /// A stored position is not one of this database.
    #[error("database `{database}` does not know the stored position: {reason}")]
    UnknownPosition {
        /// The database.
        database: String,
        /// What CouchDB says.
        reason: String,
    },
    /// The database was deleted and created again since its position was stored.
    #[error(
        "database `{database}` is not the one that was followed: created at {found}, not at {expected}; \
         its positions mean nothing here, so nothing is read"
    )]
    Replaced {
        /// The database.
        database: String,
        /// The stored `instance_start_time`.
        expected: String,
        /// The one that it has.
        found: String,
    },
    /// An answer that no other variant describes.
    #[error("CouchDB at {server} answered {status} to {what}: {reason}")]
    Refused {
        /// Its address.
        server: String,
        /// The status.
        status: u16,
        /// What was asked.
        what: &'static str,
        /// What it says.
        reason: String,
    },
    /// An answer that is none of CouchDB's.
    #[error("{server} does not answer {what} as CouchDB does: {reason}")]
    Malformed {
        /// Its address.
        server: String,
        /// What was asked.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl CouchError {
    /// Whether the same request may work later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether a document in the request may be the cause: the server failed on it, or cut its response.
    pub(super) fn may_be_about_documents(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Malformed { .. } => true,
            Self::Refused { status, .. } => *status == 500,
            _ => false,
        }
    }

    pub(super) fn of_row(server: String, error: RowError) -> Self {
        match error {
            // A row that ends in the middle is a torn connection.
            RowError::Malformed(_) => Self::Unreachable { server, reason: format!("a torn row ({error})") },
            RowError::Server(reason) => {
                Self::Unreachable { server, reason: format!("an error in the feed: {reason}") }
            }
            RowError::Missing(_) | RowError::Unreadable(_) => {
                Self::Malformed { server, what: "a changes feed", reason: error.to_string() }
            }
        }
    }

    pub(crate) fn replaced(expected: &DatabaseIdentity, found: &DatabaseIdentity) -> Self {
        Self::Replaced {
            database: expected.name.to_string(),
            expected: expected.instance_start_time.clone(),
            found: found.instance_start_time.clone(),
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    reason: Option<String>,
}

/// The error that a status and body say.
pub(super) fn of_response(
    server: String,
    database: Option<&str>,
    what: &'static str,
    status: StatusCode,
    body: &str,
) -> CouchError {
    let said = serde_json::from_str::<ErrorBody>(body).ok();
    let reason = match &said {
        Some(ErrorBody { error, reason: Some(reason) }) => format!("{error}: {reason}"),
        Some(ErrorBody { error, .. }) => error.clone(),
        None => body.chars().take(200).collect(),
    };
    match (status.as_u16(), database) {
        (401 | 403, _) => CouchError::Unauthorized { server, reason },
        (404, Some(database)) => CouchError::MissingDatabase { server, database: database.to_owned() },
        (400, Some(database)) if reason.contains("since") => {
            CouchError::UnknownPosition { database: database.to_owned(), reason }
        }
        (status, _) => CouchError::Refused { server, status, what, reason },
    }
}
