//! Lookups of transforms, in the simulated world.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pillowtop_core::lookup::{Fetched, Found, Lookup, LookupError, LookupOptions};
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{ChangeMeta, CouchDocument, DocumentInfo, Object, Pillow, Registry};
use tokio::time::Instant;

use super::process::World;
use super::{FakeDatabase, FakeIndex};
use crate::claim::ClaimKey;
use crate::dead_letter::Stage;
use crate::member::MemberOptions;
use crate::request::{RequestKind, submit, wait};

const MINUTE: Duration = Duration::from_mins(1);

/// A note with the id of its owner.
#[derive(serde::Serialize, serde::Deserialize)]
struct Owned {
    n: u32,
    keep: bool,
    owner: String,
}

#[derive(serde::Serialize)]
struct OwnedIndex {
    n: u32,
    keep: bool,
    owner_name: Option<String>,
}

impl CouchDocument for Owned {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo = DocumentInfo { types: &["Note"], ..DocumentInfo::PART };
}

impl CouchDocument for OwnedIndex {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo = DocumentInfo::PART;
}

impl Pillow for Owned {
    type Document<'text> = Self;
    type Index = OwnedIndex;
    type Lookup = Names;
    const PILLOW: PillowInfo = PillowInfo::named("note", "notes");
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.keep
    }
    fn transform(self, change: &ChangeMeta) -> Option<OwnedIndex> {
        self.transform_with(change, &Found::default())
    }
    fn lookup_keys(&self) -> Vec<String> {
        assert!(self.owner != "panics", "no owner");
        vec![self.owner.clone()]
    }
    fn transform_with(self, _: &ChangeMeta, found: &Found<Names>) -> Option<OwnedIndex> {
        let owner_name = found.get(&self.owner).cloned();
        Some(OwnedIndex { n: self.n, keep: self.keep, owner_name })
    }
}

/// A service that knows names of owners.
#[derive(Default)]
struct Owners {
    names: Mutex<HashMap<String, String>>,
    /// The keys of each call.
    calls: Mutex<Vec<Vec<String>>>,
    at_once: Mutex<(usize, usize)>,
    down_until: Mutex<Option<Instant>>,
    latency: Mutex<Duration>,
}

impl Owners {
    fn named(owners: &[(&str, &str)]) -> Arc<Self> {
        let names = owners.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect();
        Arc::new(Self { names: Mutex::new(names), ..Self::default() })
    }

    fn down_for(&self, duration: Duration) {
        *self.down_until.lock().unwrap() = Some(Instant::now() + duration);
    }
}

/// The pillow's lookup: that service.
struct Names(Arc<Owners>);

impl Lookup for Names {
    type Key = String;
    type Value = String;
    const OPTIONS: LookupOptions = LookupOptions {
        batch_size: 5,
        concurrency: 2,
        timeout: Duration::from_secs(20),
        ..LookupOptions::DEFAULT
    };

    async fn fetch(&self, keys: Vec<String>) -> Result<Fetched<String, String>, LookupError> {
        let latency = *self.0.latency.lock().unwrap();
        {
            let mut at_once = self.0.at_once.lock().unwrap();
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        tokio::time::sleep(latency).await;
        self.0.at_once.lock().unwrap().0 -= 1;
        self.0.calls.lock().unwrap().push(keys.clone());
        let is_down = self.0.down_until.lock().unwrap().is_some_and(|until| Instant::now() < until);
        if is_down {
            // Each way in which a call can fail as a whole.
            let number = self.0.calls.lock().unwrap().len();
            match number % 3 {
                0 => return Err(LookupError::new("the service is down")),
                1 => panic!("the service is down"),
                _ => {}
            }
            std::future::pending::<()>().await;
        }
        let names = self.0.names.lock().unwrap();
        let mut fetched = Fetched::new();
        for key in keys {
            match names.get(&key) {
                _ if key == "broken" => fetched.fail(key, "two records of one owner"),
                Some(name) => fetched.insert(key, name.clone()),
                None => {}
            }
        }
        Ok(fetched)
    }
}

fn world(owners: &Arc<Owners>) -> World {
    let mut world = World::new(FakeDatabase::new(), vec![Arc::new(FakeIndex::default())]);
    world.pillow = Arc::clone(&Registry::new().with_lookup::<Owned>(Names(Arc::clone(owners))).pillows()[0]);
    world
}

fn write(world: &World, id: &str, n: u32, owner: &str) {
    world.database.write(
        id,
        &format!("\"doc\":{{\"doc_type\":\"Note\",\"n\":{n},\"keep\":true,\"owner\":\"{owner}\"}}"),
    );
}

/// What the index holds under an id.
fn source(world: &World, id: &str) -> String {
    let documents = world.indices[0].documents.lock().unwrap();
    documents.get(&id.into()).and_then(|(_, source)| source.clone()).unwrap_or_default()
}

fn has_name(world: &World, id: &str, name: &str) -> bool {
    source(world, id).contains(&format!("\"owner_name\":\"{name}\""))
}

#[tokio::test(start_paused = true)]
async fn what_is_found_is_indexed_and_what_fails_is_a_dead_letter_of_its_documents_alone() {
    let owners = Owners::named(&[("a", "Asha"), ("b", "Baraka")]);
    let world = world(&owners);
    write(&world, "of-a", 1, "a");
    write(&world, "of-b", 1, "b");
    write(&world, "of-nobody", 1, "c");
    write(&world, "of-broken", 1, "broken");
    write(&world, "of-panics", 1, "panics");
    let counts = world.catch_up(World::options()).await.unwrap();
    assert_eq!((counts[0].indexed, counts[0].dead_letters), (3, 2));
    assert!(has_name(&world, "of-a", "Asha") && has_name(&world, "of-b", "Baraka"));
    assert!(source(&world, "of-nobody").contains("\"owner_name\":null"));
    let dead_letters = world.indices[0].dead_letters.lock().unwrap();
    let [broken, panics] = ["of-broken", "of-panics"].map(|id| &dead_letters[&id.into()]);
    assert_eq!((broken.stage, broken.error_type.as_str()), (Stage::Lookup, "lookup_failed"));
    assert_eq!(broken.reason, "two records of one owner");
    assert_eq!((panics.stage, panics.error_type.as_str()), (Stage::Lookup, "panic"));
}

#[tokio::test(start_paused = true)]
async fn calls_are_batched_bounded_and_cached() {
    let ids: Vec<String> = (0..23).map(|number| format!("owner{number}")).collect();
    let names: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "name")).collect();
    let owners = Owners::named(&names);
    *owners.latency.lock().unwrap() = Duration::from_millis(50);
    let world = world(&owners);
    let process = world.start().await;
    for round in 0..4 {
        for number in 0..50 {
            write(&world, &format!("d{number}"), round, &ids[number % 23]);
        }
        world.equal_within(MINUTE).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    {
        let calls = owners.calls.lock().unwrap();
        assert!(calls.iter().all(|keys| keys.len() <= 5), "{calls:?}");
        let fetched: usize = calls.iter().map(Vec::len).sum();
        // 200 documents; chunks that are decided at once may ask for the same keys.
        assert!((23..=60).contains(&fetched), "{fetched} keys for 23 owners");
        assert!(owners.at_once.lock().unwrap().1 <= 2, "two calls at once");
    }
    // What expired is fetched again, also that there is nothing.
    owners.calls.lock().unwrap().clear();
    tokio::time::sleep(MINUTE).await;
    write(&world, "d0", 9, &ids[0]);
    write(&world, "d1", 9, "nobody");
    world.equal_within(MINUTE).await;
    write(&world, "d1", 10, "nobody");
    world.equal_within(MINUTE).await;
    let mut fetched: Vec<String> = owners.calls.lock().unwrap().concat();
    fetched.sort();
    assert_eq!(fetched, ["nobody", "owner0"]);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_is_down_pauses_the_member_with_the_reason_and_loses_nothing() {
    let owners = Owners::named(&[("a", "Asha")]);
    let world = world(&owners);
    (0..200).for_each(|id| write(&world, &format!("d{id}"), 1, if id % 2 == 0 { "a" } else { "b" }));
    owners.down_for(Duration::from_mins(30));
    let process = world.start_with(crate::service::ServiceOptions::default(), MemberOptions::default()).await;
    tokio::time::sleep(MINUTE * 2).await;
    let reason = process.paused(0);
    assert!(reason.as_deref().is_some_and(|reason| reason.starts_with("the lookup ")), "{reason:?}");
    // Documents change meanwhile.
    write(&world, "d0", 2, "a");
    world.database.delete("d1");
    tokio::time::sleep(MINUTE * 27).await;
    assert!(process.paused(0).is_some() && world.indices[0].held().is_empty());
    world.equal_within(MINUTE * 5).await;
    tokio::time::sleep(MINUTE * 2).await;
    let counts = process.counters[0].snapshot();
    assert_eq!((counts.dead_letters, counts.paused), (0, None));
    assert!(has_name(&world, "d0", "Asha"));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_lookup_of_one_chunk_keeps_the_order() {
    let owners = Owners::named(&[("a", "Asha")]);
    let world = world(&owners);
    let process = world.start().await;
    // The first state of the document waits for its owner; the later ones find it cached, or need none.
    *owners.latency.lock().unwrap() = Duration::from_secs(15);
    write(&world, "d", 1, "slow");
    tokio::time::sleep(Duration::from_secs(3)).await;
    *owners.latency.lock().unwrap() = Duration::ZERO;
    write(&world, "d", 2, "a");
    write(&world, "e", 1, "a");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(source(&world, "e"), "", "chunks are taken in order");
    world.equal_within(MINUTE).await;
    assert!(has_name(&world, "d", "Asha"));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_requested_document_is_looked_up_anew() {
    let owners = Owners::named(&[("a", "Asha")]);
    let world = world(&owners);
    write(&world, "d", 1, "a");
    let process = world.start().await;
    world.equal_within(MINUTE).await;
    // A lookup is not followed: that the owner is renamed changes nothing by itself.
    owners.names.lock().unwrap().insert("a".to_owned(), "Amina".to_owned());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(has_name(&world, "d", "Asha"));
    let store = world.store.as_ref();
    let claim = ClaimKey::whole("notes_0");
    let keys = submit(store, &claim, RequestKind::Touch, &["d".into()]).await.unwrap();
    wait(store, &keys, |_| ()).await.unwrap();
    assert!(has_name(&world, "d", "Amina"));
    // A request whose lookup fails pauses the member, and is worked on once the lookup succeeds.
    owners.names.lock().unwrap().insert("a".to_owned(), "Aisha".to_owned());
    owners.down_for(MINUTE * 10);
    let keys = submit(store, &claim, RequestKind::Touch, &["d".into()]).await.unwrap();
    tokio::time::sleep(MINUTE * 3).await;
    assert!(process.paused(0).is_some_and(|reason| reason.starts_with("the lookup ")));
    wait(store, &keys, |_| ()).await.unwrap();
    assert!(has_name(&world, "d", "Aisha"));
    tokio::time::sleep(MINUTE).await;
    assert_eq!(process.paused(0), None);
    process.stop().await;
}
