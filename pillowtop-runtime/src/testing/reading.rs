//! Reading the index in memory back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use pillowtop_core::DocumentId;
use serde_json::Value;

use super::FakeIndex;
use crate::dead_letter::DeadLetterStore;
use crate::target::{Extent, IndexedId, ReadError, StoredDocument, TargetReader};

/// Documents of one page.
const PAGE: usize = 9;

#[derive(Debug)]
pub(crate) struct FakeReader(pub(crate) Arc<FakeIndex>);

impl FakeReader {
    fn documents(&self) -> Vec<(DocumentId, Value)> {
        let documents = self.0.documents.lock().unwrap();
        documents
            .iter()
            .filter_map(|(id, (_, source))| {
                Some((id.clone(), serde_json::from_str(source.as_deref()?).unwrap()))
            })
            .collect()
    }
}

impl TargetReader for FakeReader {
    fn prepare(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        async { Ok(self.documents().len() as u64) }.boxed()
    }

    fn is_same(&self) -> BoxFuture<'_, Result<bool, ReadError>> {
        async { Ok(!self.0.is_gone.load(Ordering::Relaxed)) }.boxed()
    }

    fn list(&self, extent: Extent) -> BoxStream<'_, Result<Vec<IndexedId>, ReadError>> {
        let is_stray = |document: &Value| document.get("pillowtop").is_none();
        let listed: Vec<IndexedId> = self
            .documents()
            .into_iter()
            .filter(|(_, document)| match &extent {
                Extent::Whole => !is_stray(document),
                Extent::Strays => is_stray(document),
                other => panic!("the index has one database, so nothing lists {other:?}"),
            })
            .map(|(id, document)| IndexedId { id, revision: StoredDocument::of_source(document).revision })
            .collect();
        let mut pages: Vec<Result<Vec<IndexedId>, ReadError>> =
            listed.chunks(PAGE).map(|page| Ok(page.to_vec())).collect();
        if self.0.is_partial.load(Ordering::Relaxed) && extent == Extent::Whole {
            pages.pop();
            pages.push(Err("a shard does not respond".into()));
        }
        stream::iter(pages)
            .then(|page| async {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
                page
            })
            .boxed()
    }

    fn read<'a>(
        &'a self,
        ids: &'a [DocumentId],
    ) -> BoxFuture<'a, Result<Vec<Option<StoredDocument>>, ReadError>> {
        async {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
            let documents = self.0.documents.lock().unwrap();
            let document = |id: &DocumentId| {
                let (_, source) = documents.get(id)?;
                Some(StoredDocument::of_source(serde_json::from_str(source.as_deref()?).unwrap()))
            };
            Ok(ids.iter().map(document).collect())
        }
        .boxed()
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetterStore> {
        Arc::clone(&self.0) as _
    }
}
