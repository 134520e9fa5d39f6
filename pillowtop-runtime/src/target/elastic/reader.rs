//! An index that is read back, to compare it with its database. Nothing is written, so no claim is
//! taken.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use pillowtop_core::{DatabaseName, Definition, DocumentId};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::cluster::Cluster;
use super::dead_letters::IndexDeadLetters;
use super::error::ClusterError;
use super::listing;
use super::search::{DocumentCopy, DocumentKey, hits};
use crate::dead_letter::DeadLetterStore;
use crate::target::{Extent, IndexedId, ReadError, StoredDocument, TargetReader, TargetRef};

/// Documents of one request by ids: their bodies are in memory together.
const AT_ONCE: usize = 500;

/// An index that is read back.
#[derive(Debug)]
pub(super) struct IndexReader {
    cluster: Cluster,
    definition: Definition,
    target: TargetRef,
    /// A routing value for each shard, once it was read.
    routings: OnceCell<Vec<String>>,
}

impl IndexReader {
    pub(super) fn new(cluster: &Cluster, definition: &Definition, target: &TargetRef) -> Self {
        Self {
            cluster: cluster.clone(),
            definition: definition.clone(),
            target: target.clone(),
            routings: OnceCell::new(),
        }
    }

    async fn prepare_index(&self) -> Result<u64, ClusterError> {
        let (cluster, name) = (&self.cluster, &self.target.name);
        cluster.check_mapping(&self.definition, name).await?;
        // A refresh of an index without its shards takes a minute, a search fails at once.
        cluster.count(name.as_str()).await?;
        cluster.refresh(name).await?;
        cluster.count(name.as_str()).await
    }

    /// The one place that reads documents by their ids.
    async fn read_documents(&self, ids: &[DocumentId]) -> Result<Vec<Option<StoredDocument>>, ClusterError> {
        let mut documents = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(AT_ONCE) {
            if self.keeps_source() {
                documents.extend(self.sources(chunk).await?);
            } else {
                documents.extend(self.revisions(chunk).await?);
            }
        }
        Ok(documents)
    }

    async fn sources(&self, ids: &[DocumentId]) -> Result<Vec<Option<StoredDocument>>, ClusterError> {
        if self.definition.routing.is_some() {
            return self.routed_sources(ids).await;
        }
        let keys: Vec<DocumentKey<'_>> =
            ids.iter().map(|id| DocumentKey { id: id.as_str(), routing: None }).collect();
        let found = self.cluster.documents(self.target.name.as_str(), &keys, true).await?;
        let document = |mut entry: Value| {
            let exists = entry.get("found") == Some(&Value::Bool(true));
            let source = entry.get_mut("_source").map(Value::take).unwrap_or_default();
            exists.then(|| StoredDocument::of_source(source))
        };
        Ok(found.into_iter().map(document).collect())
    }

    /// Documents that may be in any shard. Of several copies, which there are for a moment after a
    /// routing value changed, the newest one counts.
    async fn routed_sources(&self, ids: &[DocumentId]) -> Result<Vec<Option<StoredDocument>>, ClusterError> {
        let strings: Vec<&str> = ids.iter().map(DocumentId::as_str).collect();
        let mut newest: HashMap<DocumentId, DocumentCopy> = HashMap::new();
        let (cluster, name) = (&self.cluster, &self.target.name);
        let routings = self.routings.get_or_try_init(|| cluster.shard_routings(name)).await?;
        for copy in cluster.copies_in_shards(name, routings, &strings).await? {
            let is_newer = newest.get(&copy.id).is_none_or(|other| other.version < copy.version);
            if is_newer {
                newest.insert(copy.id.clone(), copy);
            }
        }
        let document = |id| newest.remove(id).map(|copy| StoredDocument::of_source(copy.source));
        Ok(ids.iter().map(document).collect())
    }

    /// Documents of an index that does not keep its `_source` whole: revisions are in doc values,
    /// which a realtime get does not have.
    async fn revisions(&self, ids: &[DocumentId]) -> Result<Vec<Option<StoredDocument>>, ClusterError> {
        let name = &self.target.name;
        let doing = format!("reading documents of index `{name}`");
        self.cluster.refresh(name).await?;
        let body = json!({"query": {"ids": {"values": ids}}, "size": ids.len(), "_source": false,
            "docvalue_fields": ["pillowtop.rev", "pillowtop.db"]});
        let found = self.cluster.whole_search(name.as_str(), &body, &doing).await?;
        let mut documents: BTreeMap<&str, StoredDocument> = BTreeMap::new();
        for hit in found.as_ref().map(hits).unwrap_or_default() {
            let field = |path: &str| hit.pointer(path).and_then(Value::as_str);
            let revision = field("/fields/pillowtop.rev/0").unwrap_or_default().into();
            let database = field("/fields/pillowtop.db/0").map(DatabaseName::from);
            if let Some(id) = hit.get("_id").and_then(Value::as_str) {
                documents.insert(id, StoredDocument { revision, database, source: Value::Null });
            }
        }
        Ok(ids.iter().map(|id| documents.remove(id.as_str())).collect())
    }

    /// Whether the mapping leaves the `_source` as it is sent.
    fn keeps_source(&self) -> bool {
        self.definition.mappings.get("_source").is_none()
    }
}

impl TargetReader for IndexReader {
    fn prepare(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        async { Ok(self.prepare_index().await?) }.boxed()
    }

    fn keeps_bodies(&self) -> bool {
        self.keeps_source()
    }

    fn is_same(&self) -> BoxFuture<'_, Result<bool, ReadError>> {
        async { Ok(self.cluster.index_uuid(&self.target.name).await?.as_ref() == Some(&self.target.uuid)) }
            .boxed()
    }

    fn list(&self, extent: Extent) -> BoxStream<'_, Result<Vec<IndexedId>, ReadError>> {
        listing::list(&self.cluster, &self.target.name, extent).map_err(ReadError::from).boxed()
    }

    fn read<'a>(
        &'a self,
        ids: &'a [DocumentId],
    ) -> BoxFuture<'a, Result<Vec<Option<StoredDocument>>, ReadError>> {
        async { Ok(self.read_documents(ids).await?) }.boxed()
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetterStore> {
        Arc::new(IndexDeadLetters::new(&self.cluster, self.target.uuid.clone()))
    }
}
