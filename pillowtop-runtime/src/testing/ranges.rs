//! Loads by ranges of a listing: several processes share one, die, and are replaced.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::process::World;
use super::{FakeDatabase, FakeDestination, FakeIndex, MemoryStore, note_pillow};
use crate::claim::{
    ClaimKey, ClaimState, ClaimStore, DatabaseIdentity, Lease, LoadForm, LoadState, Phase, Slice, read,
};
use crate::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use crate::member::{Counters, MemberEnd, MemberOptions};
use crate::reader::ReadMode;
use crate::reindex::ranges::{RangedLoad, RangesEnd};
use crate::row::Row;
use crate::source::ranges::{after, document_before};
use crate::source::{Feed, FeedEvent, FeedRequest, IdRange, Listing, Source, SourceError, head};

/// Documents of one page.
const PAGE: usize = 5;

#[derive(Debug)]
struct FakeListing(Arc<FakeDatabase>);

#[derive(Debug)]
struct FakeRange(Arc<FakeDatabase>, IdRange);

impl Listing for FakeListing {
    fn boundaries(&self, ranges: usize) -> BoxFuture<'_, Result<Vec<DocumentId>, SourceError>> {
        let ids: Vec<DocumentId> = self.0.listed().into_iter().map(|row| row.id).collect();
        let length = (ids.len() / ranges).max(1);
        let boundaries = (1..ranges).filter_map(|range| ids.get(range * length).cloned()).collect();
        async { Ok(boundaries) }.boxed()
    }

    fn range(&self, range: IdRange) -> Arc<dyn Source> {
        Arc::new(FakeRange(Arc::clone(&self.0), range))
    }
}

impl Source for FakeRange {
    fn describe(&self) -> String {
        "a range".to_owned()
    }

    fn identity(&self) -> BoxFuture<'_, Result<DatabaseIdentity, SourceError>> {
        self.0.identity()
    }

    fn open(&self, request: FeedRequest) -> Feed {
        let (database, range) = (Arc::clone(&self.0), self.1.clone());
        Feed::of_task(move |sender| async move {
            let mut last = document_before(&request.since);
            loop {
                let is_next = |row: &Row| {
                    last.as_ref().is_none_or(|last| row.id > *last)
                        && range.from.as_ref().is_none_or(|from| row.id >= *from)
                        && range.to.as_ref().is_none_or(|to| row.id < *to)
                };
                let rows: Vec<Row> = database.listed().into_iter().filter(is_next).take(PAGE).collect();
                let Some(end) = rows.last().map(|row| row.id.clone()) else { return };
                database.sent.fetch_add(rows.len(), Ordering::Relaxed);
                // What is read now is written later.
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..200))).await;
                let sequence = after(&end);
                last = Some(end);
                let position = FeedEvent::Position { sequence, pending: None };
                if sender.send(Ok(FeedEvent::Rows(rows))).await.is_err()
                    || sender.send(Ok(position)).await.is_err()
                {
                    return;
                }
            }
        })
    }

    fn fetch<'a>(&'a self, ids: &'a [DocumentId]) -> BoxFuture<'a, Result<Vec<Row>, SourceError>> {
        self.0.fetch(ids)
    }
}

/// What processes share.
#[derive(Clone)]
struct Shared {
    database: Arc<FakeDatabase>,
    store: Arc<MemoryStore>,
    index: Arc<FakeIndex>,
    ranges: usize,
}

impl Shared {
    fn of(world: &World, ranges: usize) -> Self {
        let (database, store) = (Arc::clone(&world.database), Arc::clone(&world.store));
        Self { database, store, index: Arc::clone(&world.indices[0]), ranges }
    }

    /// A process that builds the index, or helps.
    fn start(&self, builds: bool) -> (Arc<Counters>, JoinHandle<RangesEnd>) {
        let (shared, counters) = (self.clone(), Arc::<Counters>::default());
        let counted = Arc::clone(&counters);
        (counters, tokio::spawn(async move { shared.run(builds, counted).await }))
    }

    async fn run(self, builds: bool, counters: Arc<Counters>) -> RangesEnd {
        let store = Arc::clone(&self.store) as Arc<dyn ClaimStore>;
        let lease = Lease::start(Arc::clone(&store), "loader", Lease::LENGTH).await.unwrap();
        let source = Arc::clone(&self.database) as Arc<dyn Source>;
        let databases = OneDatabase { name: "db".into(), source: Arc::clone(&source) };
        let engine = Engine::new(Arc::new(databases), EngineOptions::default());
        let destination = FakeDestination::new(&self.index, &lease, "notes_0");
        let options = MemberOptions { save_interval: Duration::from_millis(100), ..World::options() };
        let served = Served {
            pillow: note_pillow(),
            destination: Arc::clone(&destination) as _,
            databases: DatabaseSelection::One("db".into()),
            counters,
            options,
        };
        let (listing, key) = (FakeListing(Arc::clone(&self.database)), ClaimKey::whole("notes_0"));
        let load = RangedLoad {
            engine: &engine,
            served: &served,
            store: &store,
            target: destination.as_ref(),
            listing: &listing,
            key: key.clone(),
            progress: &|_, _| {},
        };
        let stop = CancellationToken::new();
        let ended = if builds {
            self.build(&load, &destination, &source, &listing).await
        } else {
            while read(store.as_ref(), &key).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            load.run(&stop).await.unwrap()
        };
        lease.end().await.unwrap();
        ended
    }

    async fn build(
        &self,
        load: &RangedLoad<'_>,
        destination: &FakeDestination,
        source: &Arc<dyn Source>,
        listing: &FakeListing,
    ) -> RangesEnd {
        let stop = CancellationToken::new();
        let identity = source.identity().await.unwrap();
        let start = head(source.as_ref(), &identity).await.unwrap();
        let boundaries = listing.boundaries(self.ranges).await.unwrap();
        let begun = LoadState { boundaries, ..LoadState::new(start, LoadForm::Ids) };
        let state = ClaimState::new(note_pillow().definition(), "notes_0".into(), identity, Some(begun));
        let open = destination.open_with(Slice::Whole, state).await.unwrap();
        let claim = Arc::clone(&open.claim);
        let begun = claim.state().load;
        if claim.state().phase == Phase::Loading {
            assert_eq!(load.run(&stop).await.unwrap(), RangesEnd::Loaded);
            load.close(&claim).await.unwrap();
            claim.enter(Phase::CatchingUp).await.unwrap();
        }
        if let Some(begun) = &begun {
            load.forget(begun).await.unwrap();
        }
        let mut member = load.engine.member(load.served, &"db".into(), open).await.unwrap();
        if claim.state().phase == Phase::CatchingUp {
            assert_eq!(member.run(ReadMode::ToEnd, &stop).await.unwrap(), MemberEnd::CaughtUp);
            claim.enter(Phase::Following).await.unwrap();
        }
        claim.release().await.unwrap();
        RangesEnd::Loaded
    }
}

fn world_of(documents: u32, faults: Vec<u8>) -> World {
    let world = World::new(FakeDatabase::new(), vec![FakeIndex::with_faults(faults)]);
    (0..documents).for_each(|id| world.database.note(&format!("d{id:03}"), id % 12));
    world
}

fn ranges_left(world: &World) -> Vec<String> {
    world.store.keys().into_iter().filter(|key| key.starts_with("range:")).collect()
}

#[tokio::test(start_paused = true)]
async fn several_processes_share_a_load() {
    let world = world_of(300, Vec::new());
    let shared = Shared::of(&world, 9);
    let (built, builder) = shared.start(true);
    let helpers: Vec<_> = (0..2).map(|_| shared.start(false)).collect();
    builder.await.unwrap();
    let mut helped = 0;
    for (counters, helper) in helpers {
        assert_ne!(helper.await.unwrap(), RangesEnd::Stopped);
        helped += counters.snapshot().indexed;
    }
    assert!(helped > 0 && helped + built.snapshot().indexed >= 300, "{helped} by helpers");
    assert!(world.is_equal());
    assert_eq!(ranges_left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_range_resumes_from_its_position() {
    let world = world_of(200, Vec::new());
    let shared = Shared::of(&world, 1);
    let (_, first) = shared.start(true);
    let key = ClaimKey { target: "notes_0".to_owned(), slice: Slice::Whole.range(0) };
    let position = async || {
        let claim = read(world.store.as_ref(), &key).await.unwrap();
        claim.and_then(|claim| document_before(&claim.state.position()))
    };
    while position().await.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.abort();
    let sent = world.database.sent.load(Ordering::Relaxed);
    let (_, second) = shared.start(true);
    second.await.unwrap();
    assert!(world.is_equal());
    let again = world.database.sent.load(Ordering::Relaxed) - 200;
    assert!(again < sent, "{again} of {sent} were read again");
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_dies_is_replaced_within_a_lease() {
    let world = world_of(120, Vec::new());
    let shared = Shared::of(&world, 4);
    let (_, builder) = shared.start(true);
    let (_, helper) = shared.start(false);
    tokio::time::sleep(Duration::from_millis(700)).await;
    helper.abort();
    let ended = tokio::time::timeout(Lease::LENGTH * 20, builder).await;
    assert_eq!(ended.unwrap().unwrap(), RangesEnd::Loaded);
    assert!(world.is_equal());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_late_writes_nothing() {
    let world = world_of(20, Vec::new());
    let shared = Shared::of(&world, 2);
    let (_, builder) = shared.start(true);
    builder.await.unwrap();
    let before = world.indices[0].bulks.lock().unwrap().len();
    let (_, late) = shared.start(false);
    assert_eq!(late.await.unwrap(), RangesEnd::Gone);
    assert_eq!(world.indices[0].bulks.lock().unwrap().len(), before);
    assert_eq!(ranges_left(&world), Vec::<String>::new());
}

/// What a writer does to a document while it is loaded.
async fn write(database: &FakeDatabase, changes: Vec<(u8, u8, u16)>) {
    for (id, what, pause) in changes {
        let id = format!("d{id:03}");
        match what {
            0..=5 => database.note(&id, u32::from(what)),
            6 => database.delete(&id),
            7 => database.write(&id, "\"doc\":{\"doc_type\":\"Other\"}"),
            _ => database.write(&id, "\"doc\":{\"doc_type\":\"Note\",\"n\":1,\"keep\":false}"),
        }
        tokio::time::sleep(Duration::from_millis(u64::from(pause))).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// A writer, faults of the index, and processes that are killed: in the end the index holds what the database says.
    #[test]
    fn whatever_fails_a_load_by_ranges_ends_equal(
        changes in prop::collection::vec((0..90_u8, 0..9_u8, 0..400_u16), 0..60),
        faults in prop::collection::vec(0..=100_u8, 0..30),
        ranges in 1..7_usize,
        kills in prop::collection::vec((any::<bool>(), 0..6000_u64), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let found = runtime.block_on(async {
            let world = world_of(80, faults);
            let shared = Shared::of(&world, ranges);
            let database = Arc::clone(&world.database);
            let writer = tokio::spawn(async move { write(&database, changes).await });
            let helper = shared.start(false).1;
            for (builds, time) in kills {
                let (_, process) = shared.start(builds);
                tokio::time::sleep(Duration::from_millis(time)).await;
                process.abort();
            }
            let (_, builder) = shared.start(true);
            let ended = tokio::time::timeout(Duration::from_mins(30), builder).await;
            writer.await.unwrap();
            helper.abort();
            let process = world.start().await;
            for _ in 0..600 {
                if world.is_equal() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let state = (matches!(ended, Ok(Ok(RangesEnd::Loaded))), world.indices[0].held(), world.database.expected(), ranges_left(&world));
            process.stop().await;
            state
        });
        prop_assert!(found.0, "the load did not end");
        prop_assert_eq!(found.1, found.2);
        prop_assert_eq!(found.3, Vec::<String>::new());
    }
}
