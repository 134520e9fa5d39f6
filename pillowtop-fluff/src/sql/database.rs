//! A database and its transactions. Statements have strings as parameters, which they cast, and
//! return strings.

use std::fmt;

use sqlx::ValueRef as _;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgPool, PgPoolOptions};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::error::SqlError;
use crate::column::ColumnType;

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("pillowtop-fluff needs one of its features `sqlite` and `postgres`");

/// What a row has, as strings.
pub(crate) type TextRow = Vec<Option<String>>;

/// A database, with its connections.
#[derive(Clone)]
pub struct SqlDatabase {
    pool: Pool,
    /// Its name for people, without credentials.
    name: String,
}

#[derive(Clone)]
enum Pool {
    #[cfg(feature = "sqlite")]
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

/// Which SQL is written.
#[cfg_attr(
    not(all(feature = "sqlite", feature = "postgres")),
    allow(dead_code, reason = "of one database alone")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A transaction. Dropping it takes back what it did.
pub(crate) enum Transaction {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl fmt::Debug for SqlDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SqlDatabase({})", self.name)
    }
}

impl SqlDatabase {
    /// Connects to `sqlite:FILE`, which is created, or `postgres://…`.
    ///
    /// # Errors
    ///
    /// When the address is not one of a database, or the database does not respond.
    pub async fn connect(address: &str) -> Result<Self, SqlError> {
        #[cfg(feature = "sqlite")]
        if let Some(file) = address.strip_prefix("sqlite:") {
            let options = SqliteConnectOptions::new()
                .filename(file.trim_start_matches("//"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Positions are in the same transactions as rows, so a lost one takes both back.
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(std::time::Duration::from_secs(30));
            let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
            let pool = pool.map_err(SqlError::failed("opening the database"))?;
            return Ok(Self { pool: Pool::Sqlite(pool), name: format!("SQLite file {file}") });
        }
        #[cfg(feature = "postgres")]
        if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            let options: sqlx::postgres::PgConnectOptions =
                address.parse().map_err(SqlError::failed("reading the address of PostgreSQL"))?;
            let name = format!(
                "PostgreSQL database {} at {}:{}",
                options.get_database().unwrap_or("postgres"),
                options.get_host(),
                options.get_port()
            );
            let pool = PgPoolOptions::new().max_connections(8).connect_with(options).await;
            let pool = pool.map_err(SqlError::failed("connecting to PostgreSQL"))?;
            return Ok(Self { pool: Pool::Postgres(pool), name });
        }
        let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
        Err(SqlError::Address(format!("{scheme}:…")))
    }

    /// Its name for people.
    pub fn describe(&self) -> &str {
        &self.name
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, SqlError> {
        let begun = match &self.pool {
            // One that begins by reading could not write once another one has written.
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Transaction::Sqlite),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => pool.begin().await.map(Transaction::Postgres),
        };
        begun.map_err(SqlError::failed("beginning a transaction"))
    }

    /// Runs a query outside of a transaction.
    pub(crate) async fn rows(
        &self,
        doing: &str,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<TextRow>, SqlError> {
        let failed = SqlError::failed(doing);
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => {
                let query = parameters.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                texts(query.fetch_all(pool).await).map_err(failed)
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => {
                let query = parameters.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                texts(query.fetch_all(pool).await).map_err(failed)
            }
        }
    }
}

impl Transaction {
    /// Runs a statement and tells how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        doing: &str,
        sql: &str,
        parameters: &[&str],
    ) -> Result<u64, SqlError> {
        let failed = SqlError::failed(doing);
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => {
                let query = parameters.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                Ok(query.execute(&mut **transaction).await.map_err(failed)?.rows_affected())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => {
                let query = parameters.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                Ok(query.execute(&mut **transaction).await.map_err(failed)?.rows_affected())
            }
        }
    }

    /// Runs a query.
    pub(crate) async fn rows(
        &mut self,
        doing: &str,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<TextRow>, SqlError> {
        let failed = SqlError::failed(doing);
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => {
                let query = parameters.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                texts(query.fetch_all(&mut **transaction).await).map_err(failed)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => {
                let query = parameters.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                texts(query.fetch_all(&mut **transaction).await).map_err(failed)
            }
        }
    }

    /// Writes rows in the format of `COPY`.
    #[cfg(feature = "postgres")]
    pub(crate) async fn copy(&mut self, statement: &str, lines: String) -> Result<(), SqlError> {
        #[cfg_attr(not(feature = "sqlite"), expect(irrefutable_let_patterns))]
        let Self::Postgres(transaction) = self else { return Ok(()) };
        let copied = async {
            let mut copy = transaction.copy_in_raw(statement).await?;
            copy.send(lines.into_bytes()).await?;
            copy.finish().await
        };
        copied.await.map(|_| ()).map_err(SqlError::failed("copying rows"))
    }

    pub(crate) async fn commit(self) -> Result<(), SqlError> {
        let committed = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(transaction) => transaction.commit().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(transaction) => transaction.commit().await,
        };
        committed.map_err(SqlError::failed("committing"))
    }
}

fn texts<R>(rows: Result<Vec<R>, sqlx::Error>) -> Result<Vec<TextRow>, sqlx::Error>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    let text = |row: &R, position: usize| {
        if row.try_get_raw(position)?.is_null() {
            Ok(None)
        } else {
            row.try_get::<String, _>(position).map(Some)
        }
    };
    rows?.iter().map(|row| (0..row.len()).map(|position| text(row, position)).collect()).collect()
}

impl Dialect {
    /// The name of a type.
    pub(crate) fn type_name(self, column_type: ColumnType) -> &'static str {
        match (self, column_type) {
            // SQLite has neither dates nor timestamps; their strings are in order of time.
            (_, ColumnType::Text) | (Self::Sqlite, ColumnType::Date | ColumnType::Timestamp) => "TEXT",
            (_, ColumnType::Integer) => "BIGINT",
            (_, ColumnType::Decimal) => "NUMERIC",
            (_, ColumnType::Float) => "DOUBLE PRECISION",
            (_, ColumnType::Boolean) => "BOOLEAN",
            (Self::Postgres, ColumnType::Date) => "DATE",
            (Self::Postgres, ColumnType::Timestamp) => "TIMESTAMP",
        }
    }

    /// A parameter that is a JSON array of strings, as a query of its elements.
    pub(crate) fn elements(self, parameter: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT value FROM json_each({parameter})"),
            Self::Postgres => format!("SELECT json_array_elements_text(CAST({parameter} AS json))"),
        }
    }
}

/// A name as SQL reads it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
