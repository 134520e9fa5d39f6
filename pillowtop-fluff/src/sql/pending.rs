//! Operations that wait for the claim to be saved: their rows and the position are one transaction.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pillowtop_core::pillow::RESERVED;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;

use super::database::{Dialect, SqlDatabase, Transaction, quoted};
use super::error::SqlError;
use super::events::{ChangeHook, forget, grains, note};
use super::layout::Layout;
use super::schema::documents;
use super::stored::rows_within;
use crate::rows::Rows;

/// When so many bytes wait, writing waits for the next save.
const MAX_BYTES: usize = 64_000_000;

/// A document with its rows, as the pillow wrote it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Computed {
    pub(crate) rows: Rows,
    #[serde(rename = "pillowtop")]
    pub(crate) origin: Origin,
}

const _: () = assert!(matches!(RESERVED.as_bytes(), b"pillowtop"));

/// Where a document came from.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Origin {
    pub(crate) rev: String,
    pub(crate) db: String,
}

/// What becomes of a document: its rows, or none.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) computed: Option<Computed>,
    pub(crate) bytes: usize,
    /// Whether nothing was ever written under the id.
    pub(crate) is_first: bool,
}

type Batch = HashMap<String, Waiting>;

/// The operations of one open target.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) database: SqlDatabase,
    pub(crate) table: String,
    pub(crate) uuid: String,
    pub(crate) layout: Layout,
    pub(crate) hook: Option<ChangeHook>,
    waiting: Mutex<(Batch, usize)>,
    has_room: Notify,
}

impl Pending {
    pub(crate) fn new(
        database: SqlDatabase,
        table: String,
        uuid: String,
        layout: Layout,
        hook: Option<ChangeHook>,
    ) -> Self {
        let (waiting, has_room) = (Mutex::default(), Notify::new());
        Self { database, table, uuid, layout, hook, waiting, has_room }
    }

    fn waiting(&self) -> MutexGuard<'_, (Batch, usize)> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().0.is_empty()
    }

    /// Adds what becomes of documents, once there is room.
    pub(crate) async fn add(&self, all: Vec<(String, Waiting)>) {
        loop {
            let room = self.has_room.notified();
            if self.waiting().1 < MAX_BYTES {
                break;
            }
            room.await;
        }
        let mut waiting = self.waiting();
        for (id, mut one) in all {
            waiting.1 += one.bytes;
            if let Some(earlier) = waiting.0.get(&id) {
                one.is_first &= earlier.is_first;
            }
            waiting.0.insert(id, one);
        }
    }

    /// Writes everything that waits into a transaction, which the claim is saved in.
    pub(crate) async fn write(&self, transaction: &mut Transaction) -> Result<Written, SqlError> {
        let (batch, bytes) = std::mem::take(&mut *self.waiting());
        let mut written = Written { batch, bytes, event: None, grains: Vec::new() };
        if !written.batch.is_empty()
            && let Err(error) = self.apply(transaction, &mut written).await
        {
            self.give_back(written);
            return Err(error);
        }
        Ok(written)
    }

    /// Takes operations back whose transaction was not committed; newer ones of their documents
    /// stay.
    pub(crate) fn give_back(&self, written: Written) {
        let mut waiting = self.waiting();
        waiting.1 += written.bytes;
        for (id, mut one) in written.batch {
            // The transaction may be committed after all.
            one.is_first = false;
            waiting.0.entry(id).or_insert(one);
        }
    }

    /// Reports what changed, after the transaction is committed.
    pub(crate) async fn committed(&self, written: Written) {
        self.has_room.notify_waiters();
        let (Some(hook), Some(event)) = (&self.hook, written.event) else { return };
        (hook.0)(&written.grains);
        if let Err(error) = forget(&self.database, &event).await {
            tracing::warn!(%error, "change events will be delivered again");
        }
    }

    async fn apply(&self, transaction: &mut Transaction, written: &mut Written) -> Result<(), SqlError> {
        let dialect = self.database.dialect();
        let ids: Vec<&str> =
            written.batch.iter().filter(|(_, one)| !one.is_first).map(|(id, _)| id.as_str()).collect();
        let ids = serde_json::Value::from(ids).to_string();
        if self.hook.is_some() {
            let old = rows_within(transaction, &self.database, &self.table, &self.layout, &ids).await?;
            let new = written
                .batch
                .iter()
                .filter_map(|(id, one)| Some((id.clone(), one.computed.as_ref()?.rows.clone())));
            written.grains = grains(&self.layout, &old, &new.collect());
            if !written.grains.is_empty() {
                written.event = Some(note(transaction, &self.uuid, &written.grains).await?);
            }
        }
        for table in [self.table.clone(), documents(&self.table)] {
            let elements = dialect.elements("$1");
            let sql = format!("DELETE FROM {} WHERE doc_id IN ({elements})", quoted(&table));
            transaction.execute("removing rows", &sql, &[&ids]).await?;
        }
        self.insert(transaction, &written.batch).await
    }

    async fn insert(&self, transaction: &mut Transaction, batch: &Batch) -> Result<(), SqlError> {
        let (mut rows, mut origins) = (Vec::new(), Vec::new());
        for (id, computed) in batch.iter().filter_map(|(id, one)| Some((id, one.computed.as_ref()?))) {
            origins.push(vec![
                Value::from(id.as_str()),
                Value::from(computed.origin.db.as_str()),
                Value::from(computed.origin.rev.as_str()),
            ]);
            for row in &computed.rows {
                let mut whole = Vec::with_capacity(row.len() + 1);
                whole.push(Value::from(id.as_str()));
                whole.extend(row.iter().cloned());
                rows.push(whole);
            }
        }
        insert(transaction, self.database.dialect(), &self.table, self.layout.columns.len() + 1, rows)
            .await?;
        insert(transaction, self.database.dialect(), &documents(&self.table), 3, origins).await
    }
}

/// What a transaction wrote.
#[derive(Debug)]
pub(crate) struct Written {
    batch: Batch,
    bytes: usize,
    event: Option<String>,
    grains: Vec<super::events::Grain>,
}

async fn insert(
    transaction: &mut Transaction,
    dialect: Dialect,
    table: &str,
    width: usize,
    rows: Vec<Vec<Value>>,
) -> Result<(), SqlError> {
    if rows.is_empty() {
        return Ok(());
    }
    match dialect {
        Dialect::Sqlite => {
            let columns: Vec<String> =
                (0..width).map(|position| format!("json_extract(value, '$[{position}]')")).collect();
            let sql =
                format!("INSERT INTO {} SELECT {} FROM json_each($1)", quoted(table), columns.join(", "));
            // A parameter has a limit of 1 GB.
            for chunk in rows.chunks(10_000) {
                let rows = serde_json::to_string(chunk).map_err(SqlError::malformed("rows"))?;
                transaction.execute("inserting rows", &sql, &[&rows]).await?;
            }
            Ok(())
        }
        Dialect::Postgres => copy(transaction, table, &rows).await,
    }
}

#[cfg(feature = "postgres")]
async fn copy(transaction: &mut Transaction, table: &str, rows: &[Vec<Value>]) -> Result<(), SqlError> {
    let mut lines = String::new();
    for row in rows {
        for (position, value) in row.iter().enumerate() {
            if position > 0 {
                lines.push('\t');
            }
            copy_value(&mut lines, value);
        }
        lines.push('\n');
    }
    transaction.copy(&format!("COPY {} FROM STDIN", quoted(table)), lines).await
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, reason = "it waits with PostgreSQL")]
async fn copy(_: &mut Transaction, _: &str, _: &[Vec<Value>]) -> Result<(), SqlError> {
    Err(SqlError::Address("postgres:…".to_owned()))
}

/// Writes a value as the text format of `COPY` has it.
#[cfg(feature = "postgres")]
fn copy_value(lines: &mut String, value: &Value) {
    match value {
        Value::Null => lines.push_str("\\N"),
        Value::String(text) => text.chars().for_each(|character| match character {
            '\\' => lines.push_str("\\\\"),
            '\n' => lines.push_str("\\n"),
            '\r' => lines.push_str("\\r"),
            '\t' => lines.push_str("\\t"),
            other => lines.push(other),
        }),
        other => lines.push_str(&other.to_string()),
    }
}
