//! What goes wrong with one document, pillow or database stays there, and is told without showing
//! documents; and what many of them use together is bounded.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::{DatabaseName, Registry};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};

use super::note::{HANGS, HangingNote, RELEASED};
use super::process::World;
use super::tests::begin_load;
use super::{FakeDatabase, FakeDestination, FakeIndex, Gauge, MemoryStore, PANICS, POISON, REFUSED, UNKNOWN};
use crate::claim::{ClaimKey, ClaimStore, Lease};
use crate::engine::{DatabaseSelection, Databases, Engine, EngineOptions, Served};
use crate::member::{Counters, MemberOptions};
use crate::reader::ReaderOptions;
use crate::request::{RequestKind, submit};
use crate::service::{ServiceOptions, serve};
use crate::source::{Source, SourceError};

const MINUTE: Duration = Duration::from_mins(1);

fn indices(count: usize) -> Vec<Arc<FakeIndex>> {
    (0..count).map(|_| Arc::new(FakeIndex::default())).collect()
}

/// Advances the clock until something is so. While a transform hangs, the clock does not advance by
/// itself.
async fn advance_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if is_so() {
            return;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        // Other threads decide.
        std::thread::sleep(Duration::from_millis(1));
        tokio::task::yield_now().await;
    }
    panic!("not within 200 s: {what}");
}

#[tokio::test(start_paused = true)]
async fn a_hung_transform_is_reported_and_stops_nothing_else() {
    let mut world = World::new(FakeDatabase::new(), indices(2));
    world.first = Some(Arc::clone(&Registry::new().with::<HangingNote>().pillows()[0]));
    world.database.note("before", 1);
    world.database.note("stuck", HANGS);
    world.database.note("after", 2);
    let process = world.start().await;
    let expected = world.database.expected();
    advance_until("the other index", || world.indices[1].held() == expected).await;
    advance_until("the reason", || {
        process.paused(0).is_some_and(|reason| reason.contains("`stuck` does not end"))
    })
    .await;
    assert_eq!(process.paused(1), None);
    // More threads than one core are left to the others.
    world.database.note("later", 3);
    let expected = world.database.expected();
    advance_until("what comes later", || world.indices[1].held() == expected).await;
    assert_eq!(world.indices[0].held(), [], "nothing after it is acknowledged");
    RELEASED.store(true, Ordering::Relaxed);
    process.stop().await;
    // Whatever was not acknowledged is read again.
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    process.stop().await;
}

/// What no log may show.
const SECRET: &str = "5ecret";

/// Everything that is logged.
#[derive(Debug, Default, Clone)]
struct Logged(Arc<Mutex<String>>);

impl Visit for Logged {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl tracing::Subscriber for Logged {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// Writes documents that fail at every stage; each has the secret.
fn write_bad_documents(database: &FakeDatabase) {
    let member = format!("\"secret\":\"{SECRET}\"");
    for (id, n) in [("good", 1), ("refused", REFUSED), ("panics", PANICS), ("poison", POISON)] {
        let document = format!("{{\"doc_type\":\"Note\",\"n\":{n},\"keep\":true,{member}}}");
        database.write(id, &format!("\"doc\":{document}"));
    }
    // As a value of the wrong type, in the place of one, and in a list.
    for (id, n) in [("string", format!("\"{SECRET}\"")), ("list", format!("[\"{SECRET}\"]"))] {
        let document = format!("{{\"doc_type\":\"Note\",\"n\":{n},\"keep\":true}}");
        database.write(id, &format!("\"doc\":{document}"));
    }
    database.write("type", &format!("\"doc\":{{\"doc_type\":\"{SECRET}\",{member}}}"));
    database.write("unread", &format!("\"doc\":null,{member}"));
}

#[tokio::test(start_paused = true)]
async fn documents_are_never_logged() {
    let logged = Logged::default();
    let _logging = tracing::subscriber::set_default(logged.clone());
    let world = World::new(FakeDatabase::new(), indices(1));
    write_bad_documents(&world.database);
    begin_load(&world, "0").await;
    let process = world.start().await;
    tokio::time::sleep(MINUTE * 5).await;
    // One that pauses its pillow, until a person gives up on it.
    let unknown = format!("{{\"doc_type\":\"Note\",\"n\":{UNKNOWN},\"keep\":true,\"x\":\"{SECRET}\"}}");
    world.database.write("unknown", &format!("\"doc\":{unknown}"));
    tokio::time::sleep(MINUTE * 5).await;
    assert!(process.paused(0).is_some_and(|reason| reason.contains("odd")), "{:?}", process.paused(0));
    submit(world.store.as_ref(), &ClaimKey::whole("notes_0"), RequestKind::Bury, &["unknown".into()])
        .await
        .unwrap();
    tokio::time::sleep(MINUTE * 5).await;
    assert_eq!(process.paused(0), None);
    process.stop().await;
    let open: Vec<String> = world.indices[0].open_letters().into_iter().map(|(id, _)| id).collect();
    assert_eq!(open, ["list", "panics", "poison", "refused", "string", "unknown", "unread"]);
    let logged = logged.0.lock().unwrap();
    assert!(logged.contains("paused"), "nothing was logged: {logged}");
    assert!(!logged.contains(SECRET), "{logged}");
    for dead_letter in world.indices[0].dead_letters.lock().unwrap().values() {
        assert!(!format!("{dead_letter:?}").contains(SECRET), "{dead_letter:?}");
        let stored = serde_json::to_string(dead_letter).unwrap();
        assert!(!stored.contains(SECRET), "a value is quoted: {stored}");
    }
}

#[tokio::test(start_paused = true)]
async fn dead_letters_keep_bodies_on_request_and_in_part() {
    let world = World::new(FakeDatabase::new(), indices(1));
    world.database.write("broken", "\"doc\":{\"doc_type\":\"Note\",\"n\":\"x\"}");
    world.database.note("refused", REFUSED);
    let long = "é".repeat(50_000);
    world.database.write("long", &format!("\"doc\":{{\"doc_type\":\"Note\",\"n\":\"{long}\"}}"));
    let options = MemberOptions { keeps_bodies: true, ..World::options() };
    world.catch_up(options).await.unwrap();
    {
        let dead_letters = world.indices[0].dead_letters.lock().unwrap();
        let kept = |id: &str| dead_letters[&id.into()].document.clone().unwrap();
        // What was decoded, or what was sent.
        assert_eq!(kept("broken"), "{\"doc_type\":\"Note\",\"n\":\"x\"}");
        assert!(kept("refused").contains("\"n\":13"), "{}", kept("refused"));
        assert!(kept("long").len() <= 64 * 1024 && kept("long").ends_with('é'));
    }
    // The next dead letter of a document replaces the one before.
    world.database.write("broken", "\"doc\":{\"doc_type\":\"Note\",\"n\":\"y\"}");
    world.catch_up(World::options()).await.unwrap();
    let dead_letters = world.indices[0].dead_letters.lock().unwrap();
    assert_eq!(dead_letters[&"broken".into()].document, None);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_is_the_reason_of_every_pillow() {
    let world = World::new(FakeDatabase::new(), indices(2));
    world.database.note("a", 1);
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    *world.database.down.lock().unwrap() = Some("`db` does not respond");
    world.database.note("b", 2);
    tokio::time::sleep(MINUTE).await;
    for index in 0..2 {
        assert_eq!(process.paused(index).as_deref(), Some("`db` does not respond"));
    }
    *world.database.down.lock().unwrap() = None;
    world.equal_within(MINUTE).await;
    tokio::time::sleep(MINUTE).await;
    assert_eq!((process.paused(0), process.paused(1)), (None, None));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn few_claims_are_taken_at_once() {
    let takeovers = Arc::<Gauge>::default();
    let indices = (0..30).map(|_| FakeIndex::counted(&takeovers, Duration::from_secs(1))).collect();
    let world = World::new(FakeDatabase::new(), indices);
    world.database.note("a", 1);
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    assert_eq!(takeovers.peak(), 4);
    process.stop().await;
}

/// Many databases, by their names.
#[derive(Default)]
struct Many(BTreeMap<DatabaseName, Arc<FakeDatabase>>);

impl Databases for Many {
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>> {
        async { Ok(self.0.keys().cloned().collect()) }.boxed()
    }

    fn open(&self, name: &DatabaseName) -> Arc<dyn Source> {
        Arc::clone(&self.0[name]) as _
    }
}

#[tokio::test(start_paused = true)]
async fn many_databases_share_connections_and_memory() {
    const DATABASES: usize = 200;
    const ROWS: usize = 50;
    let feeds = Arc::<Gauge>::default();
    let names = (0..DATABASES).map(|number| DatabaseName::from(format!("db-{number}")));
    let many = Many(names.map(|name| (name.clone(), FakeDatabase::counted(&name, &feeds))).collect());
    let write = |round: &str, count: usize| {
        for database in many.0.values() {
            (0..count).for_each(|id| database.note(&format!("{round}-{id}"), 1));
        }
    };
    write("first", ROWS);
    let all: Vec<Arc<FakeDatabase>> = many.0.values().cloned().collect();
    let index = Arc::new(FakeIndex::default());
    *index.latency.lock().unwrap() = Duration::from_millis(300);
    let store = Arc::<MemoryStore>::default();
    let lease = Lease::start(Arc::clone(&store) as Arc<dyn ClaimStore>, "many", Lease::LENGTH).await.unwrap();
    let readers = ReaderOptions {
        connections: Arc::new(Semaphore::new(10)),
        readings: Arc::new(Semaphore::new(5)),
        ..ReaderOptions::default()
    };
    let engine = Engine::new(Arc::new(Many(many.0.clone())), EngineOptions { memory: 4 * 100_000, readers });
    let served = Served {
        pillow: super::note_pillow(),
        destination: FakeDestination::new(&index, &lease, "notes_0"),
        databases: DatabaseSelection::Several { patterns: vec!["*".to_owned()], ids_are_global: false },
        counters: Arc::<Counters>::default(),
        options: World::options(),
    };
    let stop = CancellationToken::new();
    let (serving, stopping) = (Arc::clone(&engine), stop.clone());
    let service =
        tokio::spawn(
            async move { serve(&serving, vec![served], &ServiceOptions::default(), &stopping).await },
        );
    let mut most_rows = 0;
    let mut wait_for = async |documents: usize, within: Duration| {
        let began = tokio::time::Instant::now();
        while index.documents.lock().unwrap().len() < documents {
            assert!(began.elapsed() < within, "{} of {documents}", index.documents.lock().unwrap().len());
            let sent: usize = all.iter().map(|database| database.sent.load(Ordering::Relaxed)).sum();
            most_rows = most_rows.max(sent - index.documents.lock().unwrap().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    wait_for(DATABASES * ROWS, MINUTE * 10).await;
    // What has no connection of its own is read again and again.
    write("second", 1);
    wait_for(DATABASES * (ROWS + 1), MINUTE * 2).await;
    assert!((10..=15).contains(&feeds.peak()), "{} feeds at once", feeds.peak());
    // A row has some 100 bytes and counts twice; beside the budget each reader has one event.
    assert!(most_rows < 100_000 / 200 + 15 * 7 * 2, "{most_rows} rows in memory");
    stop.cancel();
    service.await.unwrap().unwrap();
    lease.end().await.unwrap();
}
