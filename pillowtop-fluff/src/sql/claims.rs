//! Claims in the database of the rows.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_runtime::claim::{ClaimStore, StoreError, Stored, Token};
use serde_json::Value;

use super::database::{SqlDatabase, TextRow};
use super::error::SqlError;
use super::pending::Pending;

/// The documents of `pillowtop_claims`. Where it belongs to an open target, saving the claim writes
/// the rows that wait for it, in one transaction.
#[derive(Debug, Clone)]
pub struct SqlClaimStore {
    database: SqlDatabase,
    /// The key of the claim, and what waits for it.
    pending: Option<(String, Arc<Pending>)>,
}

impl SqlClaimStore {
    /// The store of a database in which a [`Schema`](super::Schema) was opened.
    pub fn new(database: SqlDatabase) -> Self {
        Self { database, pending: None }
    }

    pub(crate) fn with_pending(self, key: String, pending: Arc<Pending>) -> Self {
        Self { pending: Some((key, pending)), ..self }
    }

    async fn save(&self, key: &str, value: &Value, seen: Option<Token>) -> Result<Token, StoreError> {
        let mut transaction = self.database.begin().await?;
        let text = value.to_string();
        let (number, changed) = match seen {
            None => {
                // A document that was removed and is created again must not have a token that was seen
                // before.
                let number = fastrand::u64(..u64::MAX / 4);
                let sql =
                    "INSERT INTO pillowtop_claims VALUES ($1, CAST($2 AS BIGINT), $3) ON CONFLICT DO NOTHING";
                let parameters = [key, &number.to_string(), &text];
                (number, transaction.execute(&format!("writing {key}"), sql, &parameters).await?)
            }
            Some(token) => {
                let number = token.number + 1;
                let sql = "UPDATE pillowtop_claims SET number = CAST($2 AS BIGINT), value = $3 \
                           WHERE key = $1 AND number = CAST($4 AS BIGINT)";
                let parameters = [key, &number.to_string(), &text, &token.number.to_string()];
                (number, transaction.execute(&format!("writing {key}"), sql, &parameters).await?)
            }
        };
        if changed == 0 {
            return Err(StoreError::Conflict { key: key.to_owned() });
        }
        match self.pending.as_ref().filter(|(own, _)| own == key) {
            None => transaction.commit().await?,
            Some((_, pending)) => {
                let written = pending.write(&mut transaction).await?;
                // The operations stay until it is certain that they are committed: if the response is
                // lost, they are written once more, which gives the same rows.
                match transaction.commit().await {
                    Ok(()) => pending.committed(written).await,
                    Err(error) => {
                        pending.give_back(written);
                        return Err(error.into());
                    }
                }
            }
        }
        Ok(Token { term: 0, number })
    }
}

fn stored(row: TextRow) -> Result<(String, Stored), SqlError> {
    let mut row = row.into_iter().flatten();
    let what = "pillowtop_claims";
    let (Some(key), Some(number), Some(value)) = (row.next(), row.next(), row.next()) else {
        return Err(SqlError::malformed(what)("a column is null"));
    };
    let number = number.parse().map_err(SqlError::malformed::<std::num::ParseIntError>(what))?;
    let value = serde_json::from_str(&value).map_err(SqlError::malformed(what))?;
    Ok((key, Stored { value, token: Token { term: 0, number } }))
}

const SELECT: &str = "SELECT key, CAST(number AS TEXT), value FROM pillowtop_claims";

impl ClaimStore for SqlClaimStore {
    fn describe(&self) -> String {
        self.database.describe().to_owned()
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async move {
            let sql = format!("{SELECT} WHERE key = $1");
            let found = self.database.rows(&format!("reading {key}"), &sql, &[key]).await?;
            Ok(found.into_iter().next().map(stored).transpose()?.map(|(_, stored)| stored))
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: &'a Value,
        seen: Option<Token>,
    ) -> BoxFuture<'a, Result<Token, StoreError>> {
        self.save(key, value, seen).boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, seen: Token) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut transaction = self.database.begin().await?;
            let doing = format!("removing {key}");
            let sql = "DELETE FROM pillowtop_claims WHERE key = $1 AND number = CAST($2 AS BIGINT)";
            let removed = transaction.execute(&doing, sql, &[key, &seen.number.to_string()]).await?;
            if removed == 0 {
                let sql = "SELECT key FROM pillowtop_claims WHERE key = $1";
                if !transaction.rows(&doing, sql, &[key]).await?.is_empty() {
                    return Err(StoreError::Conflict { key: key.to_owned() });
                }
            }
            Ok(transaction.commit().await?)
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Stored)>, StoreError>> {
        async move {
            let sql = format!("{SELECT} WHERE substr(key, 1, length($1)) = $1 ORDER BY key");
            let found = self.database.rows(&format!("listing {prefix}"), &sql, &[prefix]).await?;
            Ok(found.into_iter().map(stored).collect::<Result<_, _>>()?)
        }
        .boxed()
    }
}
