//! What CouchDB's error responses mean.

use reqwest::StatusCode;
use serde::Deserialize;

use crate::claim::DatabaseIdentity;
use crate::http::RequestError;
use crate::row::RowError;

/// Why CouchDB did not do what was requested. No variant shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CouchError {
    /// No connection, no response in time, or a response that was cut.
    #[error("CouchDB at {server} does not respond: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What happened.
        reason: String,
    },
    /// The credentials are refused, or were refused before. CouchDB locks an account after five
    /// wrong passwords, so the [`Endpoint`](crate::http::Endpoint) sends nothing more with the
    /// same secret for a while.
    #[error("CouchDB at {server} refuses the credentials: {reason}")]
    Unauthorized {
        /// Its address.
        server: String,
        /// The reason that it gives.
        reason: String,
    },
    /// No credentials were given, and the server requires some.
    #[error("CouchDB at {server} requires credentials: {reason}")]
    NoCredentials {
        /// Its address.
        server: String,
        /// The reason that it gives.
        reason: String,
    },
    /// The credentials are right, and the user has no permission.
    #[error("CouchDB at {server} does not permit this user {what}: {reason}")]
    Forbidden {
        /// Its address.
        server: String,
        /// What was requested.
        what: &'static str,
        /// The reason that it gives.
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
        /// The reason that CouchDB gives.
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
    /// The position was stored for a database of another name.
    #[error("the stored position is one of database `{expected}`, not of `{found}`; nothing is read")]
    OtherDatabase {
        /// The database of the position.
        expected: String,
        /// The database that was opened.
        found: String,
    },
    /// A response that no other variant describes.
    #[error("CouchDB at {server} responded with status {status} to {what}: {reason}")]
    Refused {
        /// Its address.
        server: String,
        /// The status.
        status: u16,
        /// What was requested.
        what: &'static str,
        /// The reason that it gives.
        reason: String,
    },
    /// Another kind of server listens there.
    #[error("{server} is not a CouchDB: its response to `GET /` has no member `couchdb`")]
    NotCouch {
        /// Its address.
        server: String,
    },
    /// A response that is not CouchDB's.
    #[error("{server} does not respond to {what} as CouchDB does: {reason}")]
    Malformed {
        /// Its address.
        server: String,
        /// What was requested.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl CouchError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }

    /// Whether the same reading request may succeed later: a response without a length that was cut
    /// is malformed.
    pub(super) fn may_pass(&self) -> bool {
        self.is_retryable() || matches!(self, Self::Malformed { .. })
    }

    /// Whether a document in the request may be the cause: the server failed on it, or cut its
    /// response.
    pub(super) fn may_be_about_documents(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Malformed { .. } => true,
            Self::Refused { status, .. } => *status == 500,
            _ => false,
        }
    }

    pub(super) fn of_request(server: String, error: RequestError) -> Self {
        match error {
            RequestError::Transport(reason) => Self::Unreachable { server, reason },
            RequestError::Credentials(error) => Self::Unauthorized { server, reason: error.to_string() },
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

    /// The error of a position of another database.
    pub(crate) fn replaced(expected: &DatabaseIdentity, found: &DatabaseIdentity) -> Self {
        if expected.name == found.name {
            Self::Replaced {
                database: expected.name.to_string(),
                expected: expected.instance_start_time.clone(),
                found: found.instance_start_time.clone(),
            }
        } else {
            Self::OtherDatabase { expected: expected.name.to_string(), found: found.name.to_string() }
        }
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    reason: Option<String>,
}

/// The error that a status and a body report.
pub(super) fn of_response(
    server: String,
    database: Option<&str>,
    what: &'static str,
    status: StatusCode,
    body: &str,
) -> CouchError {
    let reported = serde_json::from_str::<ErrorBody>(body).ok();
    let reason = match &reported {
        Some(ErrorBody { error, reason: Some(reason) }) => format!("{error}: {reason}"),
        Some(ErrorBody { error, .. }) => error.clone(),
        None => body.chars().take(200).collect(),
    };
    match (status.as_u16(), database) {
        (401, _) if reason.contains("not a server admin") => CouchError::Forbidden { server, what, reason },
        (403, _) if !reason.contains("temporarily locked") => CouchError::Forbidden { server, what, reason },
        (401 | 403, _) => CouchError::Unauthorized { server, reason },
        (404, Some(database)) => CouchError::MissingDatabase { server, database: database.to_owned() },
        (400, Some(database)) if reason.contains("since") => {
            CouchError::UnknownPosition { database: database.to_owned(), reason }
        }
        (status, _) => CouchError::Refused { server, status, what, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_permission_is_not_called_a_wrong_password() {
        let of = |status, body| {
            let status = StatusCode::from_u16(status).unwrap();
            of_response("http://host".to_owned(), Some("db"), "a changes feed", status, body).to_string()
        };
        let forbidden = of(403, r#"{"error":"forbidden","reason":"You are not allowed to access this db."}"#);
        assert!(forbidden.contains("does not permit this user a changes feed"), "{forbidden}");
        let no_admin = of(401, r#"{"error":"unauthorized","reason":"You are not a server admin."}"#);
        assert!(no_admin.contains("does not permit"), "{no_admin}");
        let locked = of(403, r#"{"error":"forbidden","reason":"Account is temporarily locked due to …"}"#);
        assert!(locked.contains("refuses the credentials"), "{locked}");
        let wrong = of(401, r#"{"error":"unauthorized","reason":"Name or password is incorrect."}"#);
        assert!(wrong.contains("refuses the credentials"), "{wrong}");
    }

    #[test]
    fn a_position_of_another_database_names_both() {
        let identity =
            |name: &str| DatabaseIdentity { name: name.into(), instance_start_time: "1700000000".to_owned() };
        let text = CouchError::replaced(&identity("hq"), &identity("hq2")).to_string();
        assert!(text.contains("`hq`") && text.contains("`hq2`"), "{text}");
    }
}
