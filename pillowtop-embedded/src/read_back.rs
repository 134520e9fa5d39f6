//! Reading an index back, to compare it with its database. What is committed is what counts: a
//! position is saved only after a commit.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, Stream, StreamExt as _, TryStreamExt as _};
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::{Definition, DocumentId, Revision};
use pillowtop_runtime::DeadLetterStore;
use pillowtop_runtime::target::{
    DeadLetterFiles, Extent, IndexedId, LocalError, ReadError, StoredDocument, TargetReader, TargetRef,
};
use tokio::sync::{OnceCell, mpsc};

use super::directory::IndexDirectory;
use super::error::EmbeddedError;
use super::reader::{EmbeddedReader, Hit};

/// Pages that wait to be taken.
const WAITING: usize = 2;

/// The committed documents of an index.
#[derive(Debug)]
pub(crate) struct ReadBack {
    parent: PathBuf,
    definition: Definition,
    directory: IndexDirectory,
    target: TargetRef,
    dead_letters: Arc<DeadLetterFiles>,
    reader: OnceCell<Arc<EmbeddedReader>>,
}

impl ReadBack {
    pub(crate) fn new(
        parent: PathBuf,
        definition: Definition,
        target: TargetRef,
    ) -> Result<Self, LocalError> {
        let directory = IndexDirectory::below(&parent, &definition);
        let dead_letters = Arc::new(directory.local.open_dead_letters()?);
        Ok(Self { parent, definition, directory, target, dead_letters, reader: OnceCell::new() })
    }

    /// Works with what is committed by now, on a blocking thread.
    async fn with_reader<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<EmbeddedReader>) -> Result<T, EmbeddedError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let reader = self.reader.get_or_try_init(async || {
            let (parent, definition) = (self.parent.clone(), self.definition.clone());
            let opened = tokio::task::spawn_blocking(move || EmbeddedReader::open(&parent, &definition));
            Ok::<_, ReadError>(Arc::new(opened.await??))
        });
        let reader = Arc::clone(reader.await?);
        let worked = tokio::task::spawn_blocking(move || {
            reader.refresh()?;
            work(reader)
        });
        Ok(worked.await??)
    }

    async fn pages(
        &self,
        extent: Extent,
    ) -> Result<impl Stream<Item = Result<Vec<IndexedId>, ReadError>> + use<>, ReadError> {
        let reader = self.with_reader(Ok).await?;
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let listed = reader.pages(|page| {
                let ids = page.iter().filter_map(|hit| indexed(hit, &extent)).collect();
                // Nobody may wait for it any more.
                sender.blocking_send(Ok(ids)).is_ok()
            });
            if let Err(error) = listed {
                let _ = sender.blocking_send(Err(error.into()));
            }
        });
        Ok(stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|page| (page, receiver))))
    }
}

/// The entry of a document in a listing, if it is part of it.
fn indexed(hit: &Hit, extent: &Extent) -> Option<IndexedId> {
    let reserved = |name: &str| hit.source.get(RESERVED)?.get(name)?.as_str();
    let written = reserved("id").zip(reserved("rev"));
    let is_of = |database: &str| reserved("db") == Some(database);
    let stray = || IndexedId { id: hit.id.as_str().into(), revision: Revision::from("") };
    let own = || written.map(|(id, revision)| IndexedId { id: id.into(), revision: revision.into() });
    match extent {
        Extent::Whole => own(),
        Extent::Database(database) => own().filter(|_| is_of(database.as_str())),
        Extent::Strays => written.is_none().then(stray),
        Extent::OfNone(databases) => {
            let is_of_one = databases.iter().any(|database| is_of(database.as_str()));
            (!is_of_one).then(stray)
        }
    }
}

impl TargetReader for ReadBack {
    fn prepare(&self) -> BoxFuture<'_, Result<u64, ReadError>> {
        self.with_reader(|reader| Ok(reader.count())).boxed()
    }

    fn is_same(&self) -> BoxFuture<'_, Result<bool, ReadError>> {
        async {
            let (directory, expected) = (self.directory.clone(), self.target.uuid.clone());
            let found = tokio::task::spawn_blocking(move || directory.local.uuid(&directory.files()));
            Ok(found.await?? == expected)
        }
        .boxed()
    }

    fn list(&self, extent: Extent) -> BoxStream<'_, Result<Vec<IndexedId>, ReadError>> {
        stream::once(self.pages(extent)).try_flatten().boxed()
    }

    fn read<'a>(
        &'a self,
        ids: &'a [DocumentId],
    ) -> BoxFuture<'a, Result<Vec<Option<StoredDocument>>, ReadError>> {
        let ids = ids.to_vec();
        self.with_reader(move |reader| {
            let read = |id: &DocumentId| Ok(reader.get(id.as_str())?.map(StoredDocument::of_source));
            ids.iter().map(read).collect()
        })
        .boxed()
    }

    fn dead_letters(&self) -> Arc<dyn DeadLetterStore> {
        Arc::<DeadLetterFiles>::clone(&self.dead_letters)
    }
}
