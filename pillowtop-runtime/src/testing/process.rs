//! A process that follows pillows into indices, and that can be killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pillowtop_core::{AnyPillow, DocumentId};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{FakeDatabase, FakeDestination, FakeIndex, MemoryStore, note_pillow};
use crate::claim::{AcquireOptions, ClaimStore, Lease};
use crate::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use crate::member::{BulkLimits, Counters, Counts, MemberOptions};
use crate::reader::ReadMode;
use crate::request::{RequestKind, RequestResult};
use crate::service::{ServiceError, ServiceOptions, WhenFailing, serve};
use crate::touch::{Touch, TouchError, TouchEvent, parts, touch};
use crate::verify::{Verification, Verify, VerifyError, VerifyEvent, VerifyOptions};

/// What processes share.
pub(crate) struct World {
    pub(crate) database: Arc<FakeDatabase>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) indices: Vec<Arc<FakeIndex>>,
    /// What is followed into each of them.
    pub(crate) pillow: Arc<dyn AnyPillow>,
    /// Another one that is followed into the first of them.
    pub(crate) first: Option<Arc<dyn AnyPillow>>,
}

pub(crate) struct Process {
    pub(crate) engine: Arc<Engine>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) counters: Vec<Arc<Counters>>,
    pub(crate) stop: CancellationToken,
    task: JoinHandle<Result<(), ServiceError>>,
}

impl World {
    pub(crate) fn new(database: Arc<FakeDatabase>, indices: Vec<Arc<FakeIndex>>) -> Self {
        Self { database, store: Arc::default(), indices, pillow: note_pillow(), first: None }
    }

    /// Bounds of a few operations per bulk.
    pub(crate) fn options() -> MemberOptions {
        MemberOptions { bulk: BulkLimits { bytes: 2000, operations: 7 }, ..MemberOptions::default() }
    }

    /// Starts a process that follows into all indices.
    pub(crate) async fn start(&self) -> Process {
        self.start_with(ServiceOptions::default(), Self::options()).await
    }

    pub(crate) async fn start_with(&self, options: ServiceOptions, member: MemberOptions) -> Process {
        self.start_engine(options, member, EngineOptions::default()).await
    }

    pub(crate) async fn start_engine(
        &self,
        options: ServiceOptions,
        member: MemberOptions,
        engine: EngineOptions,
    ) -> Process {
        let store = Arc::clone(&self.store) as Arc<dyn ClaimStore>;
        let lease = Lease::start(store, "test", Lease::LENGTH).await.unwrap();
        let source = Arc::clone(&self.database) as _;
        let engine = Engine::new(Arc::new(OneDatabase { name: "db".into(), source }), engine);
        let (mut pillows, mut counters) = (Vec::new(), Vec::new());
        for (number, index) in self.indices.iter().enumerate() {
            let counted = Arc::new(Counters::default());
            counters.push(Arc::clone(&counted));
            let pillow = self.first.as_ref().filter(|_| number == 0).unwrap_or(&self.pillow);
            pillows.push(Served {
                pillow: Arc::clone(pillow),
                destination: FakeDestination::new(index, &lease, &format!("notes_{number}")),
                databases: DatabaseSelection::One("db".into()),
                counters: counted,
                options: member.clone(),
            });
        }
        let stop = CancellationToken::new();
        let (serving, stopping) = (Arc::clone(&engine), stop.clone());
        let task = tokio::spawn(async move { serve(&serving, pillows, &options, &stopping).await });
        Process { engine, lease, counters, stop, task }
    }

    /// Reads to the end and stops, as a command does.
    pub(crate) async fn catch_up(&self, member: MemberOptions) -> Result<Vec<Counts>, ServiceError> {
        let options = ServiceOptions {
            mode: ReadMode::ToEnd,
            when_failing: WhenFailing::Stop,
            ..ServiceOptions::default()
        };
        let process = self.start_with(options, member).await;
        process.task.await.unwrap()?;
        process.lease.end().await.unwrap();
        Ok(process.counters.iter().map(|counters| counters.snapshot()).collect())
    }

    /// Has documents of the first index processed again, as a command does, and tells what
    /// happened.
    pub(crate) async fn touch(
        &self,
        kind: RequestKind,
        ids: &[&str],
        stop: &CancellationToken,
    ) -> (Result<RequestResult, TouchError>, Vec<TouchEvent>) {
        let store = Arc::clone(&self.store) as Arc<dyn ClaimStore>;
        let lease = Lease::start(Arc::clone(&store), "touch", Lease::LENGTH).await.unwrap();
        let source = Arc::clone(&self.database) as _;
        let databases = Arc::new(OneDatabase { name: "db".into(), source });
        let engine = Engine::new(databases, EngineOptions::default());
        let served = Served {
            pillow: note_pillow(),
            destination: FakeDestination::new(&self.indices[0], &lease, "notes_0"),
            databases: DatabaseSelection::One("db".into()),
            counters: Arc::default(),
            options: MemberOptions::default(),
        };
        let part = parts(&engine, &served).await.unwrap().remove(0);
        let touched = Touch {
            kind,
            ids: ids.iter().map(|id| DocumentId::from(*id)).collect(),
            acquire: AcquireOptions::default(),
        };
        let events = Mutex::new(Vec::new());
        let notify = |event| events.lock().unwrap().push(event);
        let result = touch(&engine, &served, &store, &part, &touched, stop, notify).await;
        lease.end().await.unwrap();
        (result, events.into_inner().unwrap())
    }

    /// Compares the first index with the database, as a command does.
    pub(crate) async fn verify(
        &self,
        options: VerifyOptions,
        notify: impl Fn(VerifyEvent) + Sync,
    ) -> Result<Verification, VerifyError> {
        let store = Arc::clone(&self.store) as Arc<dyn ClaimStore>;
        let lease = Lease::start(Arc::clone(&store), "verify", Lease::LENGTH).await.unwrap();
        let source = Arc::clone(&self.database) as _;
        let databases = Arc::new(OneDatabase { name: "db".into(), source });
        let engine = Engine::new(databases, EngineOptions::default());
        let served = Served {
            pillow: Arc::clone(&self.pillow),
            destination: FakeDestination::new(&self.indices[0], &lease, "notes_0"),
            databases: DatabaseSelection::One("db".into()),
            counters: Arc::default(),
            options: MemberOptions::default(),
        };
        let part = parts(&engine, &served).await.unwrap().remove(0);
        let verify = Verify { engine: &engine, served: &served, store: &store, part: &part, options };
        let result = verify.run(&CancellationToken::new(), notify).await;
        lease.end().await.unwrap();
        result
    }

    /// Whether every index holds what the database has.
    pub(crate) fn is_equal(&self) -> bool {
        let expected = self.database.expected();
        self.indices.iter().all(|index| index.held() == expected)
    }

    /// Waits until every index holds what the database has. Panics when that takes longer than
    /// `limit`.
    pub(crate) async fn equal_within(&self, limit: Duration) -> Duration {
        let began = Instant::now();
        while !self.is_equal() {
            if began.elapsed() > limit {
                for index in &self.indices {
                    assert_eq!(index.held(), self.database.expected(), "after {limit:?}");
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        began.elapsed()
    }
}

impl Process {
    /// Ends at once, without releasing anything.
    pub(crate) fn kill(self) {
        self.task.abort();
    }

    /// Asks to stop and waits.
    pub(crate) async fn stop(self) -> Duration {
        let began = Instant::now();
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
        self.lease.end().await.unwrap();
        began.elapsed()
    }

    pub(crate) fn paused(&self, index: usize) -> Option<String> {
        self.counters[index].snapshot().paused
    }
}
