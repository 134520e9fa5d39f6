//! Reading a table back, to compare it with its database.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use pillowtop_core::DocumentId;
use pillowtop_core::pillow::RESERVED;
use pillowtop_runtime::dead_letter::DeadLetterStore;
use pillowtop_runtime::index_id::document_id;
use pillowtop_runtime::target::{Extent, IndexedId, ReadError, StoredDocument, TargetReader, TargetRef};
use serde_json::json;

use super::database::quoted;
use super::dead_letters::SqlDeadLetters;
use super::error::SqlError;
use super::schema::{Schema, count, documents};
use super::stored::stored_rows;

/// Documents that are listed with one query.
const PAGE: &str = "10000";

/// A table and the documents that were computed into it. A document's source is what its pillow
/// wrote: its rows, and its revision.
#[derive(Debug)]
pub struct SqlReader {
    schema: Schema,
    target: TargetRef,
    prefixes_ids: bool,
}

impl SqlReader {
    /// A reader of one table of a schema, whose ids may be `<database>/<_id>`.
    pub fn new(schema: Schema, target: TargetRef, prefixes_ids: bool) -> Self {
        Self { schema, target, prefixes_ids }
    }

    /// The `_id` of a document of a database.
    fn own_id(&self, database: &str, id: String) -> DocumentId {
        let id = DocumentId::from(id);
        document_id(&database.into(), &id, self.prefixes_ids).unwrap_or(id)
    }

    async fn is_same(&self) -> Result<bool, SqlError> {
        let tables = self.schema.tables().await?;
        Ok(tables.iter().any(|table| table.target() == self.target))
    }

    /// The documents of an extent after an id of the table, and the last of these ids.
    async fn page(&self, extent: &Extent, after: &str) -> Result<Option<(Vec<IndexedId>, String)>, SqlError> {
        let (condition, names) = match extent {
            Extent::Whole => ("$2 = $2", json!([])),
            Extent::Database(name) => ("db IN (ELEMENTS)", json!([name])),
            // Nothing but the runtime writes into a table.
            Extent::Strays => return Ok(None),
            Extent::OfNone(names) => ("db NOT IN (ELEMENTS)", json!(names)),
        };
        let database = self.schema.database();
        let condition = condition.replace("ELEMENTS", &database.dialect().elements("$2"));
        let sql = format!(
            "SELECT doc_id, db, rev FROM {} WHERE doc_id > $1 AND {condition} ORDER BY doc_id LIMIT {PAGE}",
            quoted(&documents(self.target.name.as_str()))
        );
        let found = database.rows("listing documents", &sql, &[after, &names.to_string()]).await?;
        let (mut listed, mut last) = (Vec::new(), None);
        for row in found {
            let mut row = row.into_iter().flatten();
            let (Some(id), Some(db), Some(rev)) = (row.next(), row.next(), row.next()) else { continue };
            last = Some(id.clone());
            listed.push(match extent {
                Extent::OfNone(_) => IndexedId { id: id.into(), revision: "".into() },
                _ => IndexedId { id: self.own_id(&db, id), revision: rev.into() },
            });
        }
        Ok(last.map(|last| (listed, last)))
    }

    async fn documents(&self, ids: &[DocumentId]) -> Result<Vec<Option<StoredDocument>>, SqlError> {
        let (database, name) = (self.schema.database(), self.target.name.as_str());
        let wanted: Vec<&str> = ids.iter().map(DocumentId::as_str).collect();
        let sql = format!(
            "SELECT doc_id, db, rev FROM {} WHERE doc_id IN ({})",
            quoted(&documents(name)),
            database.dialect().elements("$1")
        );
        let found = database.rows("reading documents", &sql, &[&json!(wanted).to_string()]).await?;
        let mut rows = stored_rows(database, name, self.schema.layout(), &wanted).await?;
        let mut all: HashMap<String, StoredDocument> = HashMap::new();
        for row in found {
            let mut row = row.into_iter().flatten();
            let (Some(id), Some(db), Some(rev)) = (row.next(), row.next(), row.next()) else { continue };
            let own = rows.remove(&id).unwrap_or_default();
            let reserved = json!({"id": self.own_id(&db, id.clone()), "rev": rev, "db": db});
            let source = json!({RESERVED: reserved, "rows": own});
            all.insert(id, StoredDocument::of_source(source));
        }
        Ok(ids.iter().map(|id| all.remove(id.as_str())).collect())
    }
}

fn failed(error: SqlError) -> ReadError {
    Box::new(error)
}

impl TargetReader for SqlReader {
    fn prepare(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        async move {
            let documents = count(self.schema.database(), self.target.name.as_str(), None);
            documents.await.map_err(failed)
        }
        .boxed()
    }

    fn is_same(&self) -> BoxFuture<'_, Result<bool, ReadError>> {
        async move { Self::is_same(self).await.map_err(failed) }.boxed()
    }

    fn list(&self, extent: Extent) -> BoxStream<'_, Result<Vec<IndexedId>, ReadError>> {
        let pages = stream::try_unfold((extent, String::new()), move |(extent, after)| async move {
            let page = self.page(&extent, &after).await.map_err(failed)?;
            Ok(page.map(|(documents, last)| (documents, (extent, last))))
        });
        pages.boxed()
    }

    fn read<'a>(
        &'a self,
        ids: &'a [DocumentId],
    ) -> BoxFuture<'a, Result<Vec<Option<StoredDocument>>, ReadError>> {
        async move { self.documents(ids).await.map_err(failed) }.boxed()
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetterStore> {
        Arc::new(SqlDeadLetters::new(self.schema.database().clone(), self.target.uuid.clone()))
    }
}
