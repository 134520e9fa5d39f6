//! Dead letters in the database of the rows.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use pillowtop_runtime::dead_letter::{DeadLetter, DeadLetterError, DeadLetterStore};
use pillowtop_runtime::operation::Version;

use super::database::SqlDatabase;
use super::error::SqlError;

/// The dead letters of one table.
#[derive(Debug, Clone)]
pub struct SqlDeadLetters {
    database: SqlDatabase,
    uuid: String,
}

impl SqlDeadLetters {
    /// Those of the table with this uuid.
    pub fn new(database: SqlDatabase, uuid: String) -> Self {
        Self { database, uuid }
    }

    /// All of them, in order of ids.
    ///
    /// # Errors
    ///
    /// When the database does not respond, or one of them cannot be read.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, SqlError> {
        let sql = "SELECT value FROM pillowtop_dead_letters WHERE target = $1 ORDER BY id";
        let found = self.database.rows("listing dead letters", sql, &[&self.uuid]).await?;
        let read =
            |text: String| serde_json::from_str(&text).map_err(SqlError::malformed("pillowtop_dead_letters"));
        found.into_iter().flatten().flatten().map(read).collect()
    }

    async fn record(&self, letters: &[DeadLetter]) -> Result<(), SqlError> {
        let mut transaction = self.database.begin().await?;
        for letter in letters {
            let value = serde_json::to_string(letter).map_err(SqlError::malformed("a dead letter"))?;
            // PostgreSQL stores no NUL, which ids do not have in practice.
            let (id, version) = (letter.id.as_str().replace('\0', "\u{fffd}"), letter.version.to_string());
            let sql = "INSERT INTO pillowtop_dead_letters VALUES ($1, $2, CAST($3 AS BIGINT), $4) \
                       ON CONFLICT (target, id) DO UPDATE SET version = excluded.version, value = excluded.value \
                       WHERE pillowtop_dead_letters.version <= excluded.version";
            let parameters = [self.uuid.as_str(), &id, &version, &value];
            transaction.execute("recording dead letters", sql, &parameters).await?;
        }
        transaction.commit().await
    }

    async fn resolve(&self, decided: &[(DocumentId, Version)]) -> Result<(), SqlError> {
        let mut transaction = self.database.begin().await?;
        let sql = "DELETE FROM pillowtop_dead_letters \
                   WHERE target = $1 AND id = $2 AND version <= CAST($3 AS BIGINT)";
        for (id, version) in decided {
            let id = id.as_str().replace('\0', "\u{fffd}");
            let parameters = [self.uuid.as_str(), &id, &version.to_string()];
            transaction.execute("resolving dead letters", sql, &parameters).await?;
        }
        transaction.commit().await
    }
}

fn unavailable(error: &SqlError) -> DeadLetterError {
    DeadLetterError::Unavailable(error.to_string())
}

impl DeadLetterStore for SqlDeadLetters {
    fn record<'a>(&'a self, letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move { Self::record(self, letters).await.map_err(|error| unavailable(&error)) }.boxed()
    }

    fn resolve<'a>(
        &'a self,
        decided: &'a [(DocumentId, Version)],
    ) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move { Self::resolve(self, decided).await.map_err(|error| unavailable(&error)) }.boxed()
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<DocumentId>, DeadLetterError>> {
        async move {
            let letters = self.list().await.map_err(|error| unavailable(&error))?;
            Ok(letters.into_iter().map(|letter| letter.id).collect())
        }
        .boxed()
    }
}
