//! Why a database did not do something.

use pillowtop_runtime::claim::StoreError;

/// Why a database did not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The database did not do it.
    #[error("{doing} failed: {source}")]
    Failed {
        /// What was being done.
        doing: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The address is not one of a database that this build supports.
    #[error(
        "`{0}` is not the address of a database: expected `sqlite:FILE` or `postgres://…`, and a build with its feature"
    )]
    Address(String),
    /// Something of that name exists that pillowtop did not make.
    #[error("`{0}` exists in the database, and pillowtop did not make it")]
    NotOurs(String),
    /// The table is missing.
    #[error("there is no table of `{0}` with the committed definition")]
    NoTable(String),
    /// A process writes to the table.
    #[error("a process builds or follows table `{0}`")]
    InUse(String),
    /// The table lacks documents.
    #[error("table `{0}` is not complete")]
    Incomplete(String),
    /// There is no earlier table to go back to.
    #[error("there is no earlier table of `{0}`")]
    NoEarlier(String),
    /// A query names something that the table does not have.
    #[error("{0}")]
    Query(String),
    /// What was stored cannot be read.
    #[error("`{what}` cannot be read: {reason}")]
    Malformed {
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
}

impl SqlError {
    /// Whether the database may do it later, as one that does not respond or that starts up.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Failed { source: sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut, .. } => true,
            // PostgreSQL is starting up or shutting down.
            Self::Failed { source: sqlx::Error::Database(error), .. } => {
                error.code().is_some_and(|code| code.starts_with("57P"))
            }
            _ => false,
        }
    }

    /// Something stored, or to be stored, that is not JSON of its kind.
    pub(crate) fn malformed<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> Self + use<'_, E> {
        move |error| Self::Malformed { what: what.to_owned(), reason: error.to_string() }
    }

    pub(crate) fn failed(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Failed { doing, source }
    }
}

impl From<SqlError> for StoreError {
    /// A database that does not do something may do it later.
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Failed { doing, source } => Self::Unavailable { doing, reason: source.to_string() },
            other => Self::Refused { doing: "using the database".to_owned(), reason: other.to_string() },
        }
    }
}
