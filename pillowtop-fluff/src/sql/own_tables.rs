//! The tables that all definitions share.

use super::database::{Dialect, SqlDatabase};
use super::error::SqlError;

/// Their names and columns.
const TABLES: [(&str, &str); 5] = [
    (
        "pillowtop_tables",
        "name TEXT PRIMARY KEY, uuid TEXT NOT NULL, view_name TEXT NOT NULL, hash TEXT NOT NULL, \
         is_shown BIGINT NOT NULL, was_shown BIGINT NOT NULL, is_complete BIGINT NOT NULL",
    ),
    ("pillowtop_views", "name TEXT PRIMARY KEY, owner TEXT NOT NULL"),
    ("pillowtop_events", "id TEXT PRIMARY KEY, target TEXT NOT NULL, value TEXT NOT NULL"),
    ("pillowtop_claims", "key TEXT PRIMARY KEY, number BIGINT NOT NULL, value TEXT NOT NULL"),
    (
        "pillowtop_dead_letters",
        "target TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, value TEXT NOT NULL, \
         PRIMARY KEY (target, id)",
    ),
];

const CREATING: &str = "creating pillowtop's own tables";

/// Creates those that are missing. Where none is, whoever may only read can look at tables.
pub(crate) async fn create_missing(database: &SqlDatabase) -> Result<(), SqlError> {
    let exists = exists(database.dialect());
    let mut missing = Vec::new();
    for (name, columns) in TABLES {
        if database.rows("looking for pillowtop's own tables", exists, &[name]).await?.is_empty() {
            missing.push(format!("CREATE TABLE IF NOT EXISTS {name} ({columns})"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    if database.dialect() == Dialect::Postgres {
        // `IF NOT EXISTS` does not keep two processes from creating one table at the same time.
        transaction
            .execute(CREATING, "SELECT pg_advisory_xact_lock(hashtext('pillowtop_tables'))", &[])
            .await?;
    }
    for statement in missing {
        transaction.execute(CREATING, &statement, &[]).await?;
    }
    transaction.commit().await
}

/// A query for a table, a view or anything else of a name.
pub(crate) fn exists(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE name = $1",
        Dialect::Postgres => {
            "SELECT CAST(relname AS TEXT) FROM pg_class \
             WHERE relname = $1 AND relnamespace = CAST(current_schema() AS regnamespace)"
        }
    }
}
