//! Four releases, deployed one after the other beside each other, with a rollback and with loads
//! that are killed. A writer changes documents throughout. At every moment a searcher on the alias
//! finds a complete index that is not older than the stated lag.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::releases::{Release, keep_searching, search, world};
use crate::support::{World, wait_for};

/// How old what is searched may be: the lag of an index that is followed, an owner that is replaced
/// by another one, and the time that a flip waits. It is a few seconds on a machine that is idle.
const LAG: Duration = Duration::from_secs(30);
/// How many documents there are. `DEPLOY_DOCUMENTS` sets another number, such as 100000.
const DOCUMENTS: usize = 9000;
const MINUTE: Duration = Duration::from_mins(1);

/// Ends the writer and the searcher, whatever happens.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn documents() -> usize {
    let set = std::env::var("DEPLOY_DOCUMENTS").ok();
    set.map_or(DOCUMENTS, |number| number.parse().expect("DEPLOY_DOCUMENTS is a number"))
}

#[test]
fn in_a_deploy_of_four_releases_searches_are_complete_and_not_old() {
    let world = world("deployed");
    let ledger = Ledger::filled(&world, documents());
    let (written, searched) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (written, searched) = (Done(&written), Done(&searched));
        let is_written = written.0;
        scope.spawn(|| ledger.keep_writing(&world, || is_written.load(Ordering::Relaxed)));
        let first = Release { world: &world, number: 1 };
        first.well(&["preindex"]);
        let old = [first.start(), first.start()];
        first.wait_until_followed();
        first.well(&["es-manage", "flip", "--all"]);

        let is_searched = searched.0;
        let searching = || keep_searching(&world, &ledger, LAG, || is_searched.load(Ordering::Relaxed));
        let searching = scope.spawn(searching);
        let second = Release { number: 2, ..first };
        let old = extend(second, old);
        let third = Release { number: 3, ..first };
        let old = replace(third, second, old);
        let fourth = Release { number: 4, ..first };
        let last = replace_and_prune(fourth, old);

        drop(written);
        wait_for("everything to be indexed", MINUTE, || all(&world, &ledger) == ledger.last());
        drop(searched);
        let oldest = searching.join().expect("no panic").unwrap_or_else(|reason| panic!("{reason}"));
        writeln!(std::io::stderr(), "what was searched was at most {oldest:?} old").expect("a terminal");
        let verified = fourth.told(&["verify", "--all", "--all-bodies"]);
        let part = &verified["parts"][0];
        assert_eq!(
            (&part["differences"], &part["found"]["dead_letter"]["count"]),
            (&json!(0), &json!(0)),
            "{verified}"
        );
        assert_eq!(last.terminate(), Some(0));
    });
}

/// Every document that searches find.
fn all(world: &World, ledger: &Ledger) -> Vec<Option<i64>> {
    let numbers: Vec<usize> = (0..ledger.len()).collect();
    numbers.chunks(5000).flat_map(|chunk| search(world, chunk[0], chunk.len())).collect()
}

/// How many documents have the new field of the second release.
fn with_ward(world: &World) -> u64 {
    let path = format!("/{}-visits/_count", world.prefix());
    let response = world.elastic("POST", &path, &json!({"query": {"exists": {"field": "ward"}}}));
    let response: Value = serde_json::from_str(&response.body).expect("a count");
    response["count"].as_u64().unwrap_or_default()
}

/// The additive change: the live index is extended, and the new release takes it over.
fn extend(second: Release<'_>, old: [crate::support::Running; 2]) -> crate::support::Running {
    let new = second.start();
    new.wait_for_words(MINUTE, &["standing by: index"]);
    let plan = second.told(&["es-manage", "plan"]);
    let steps: Vec<&Value> =
        plan["steps"].as_array().expect("steps").iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["put mapping", "backfill"], "{plan}");
    let index = second.indices();
    second.well(&["es-manage", "apply", "--yes", "--plan", plan["plan"].as_str().expect("an id")]);
    assert_eq!(second.indices(), index, "no other index was built");
    second.wait_until_followed();
    for old in old {
        assert_eq!(old.terminate(), Some(0));
    }
    let found = with_ward(second.world);
    let count: Value = second.status()["documents"].clone();
    assert!(found * 10 > count.as_u64().expect("a number") * 9, "{found} of {count} have the new field");
    wait_for("a current index", MINUTE, || second.status()["state"] == "current");
    // A rollback to it will ask for this.
    second.well(&["verify", "--all"]);
    new
}

/// Has an index built by a process that is killed once it has written something.
fn build_and_kill(release: Release<'_>, known: &[String]) {
    let written = || -> u64 {
        let path = format!("/{}-visits_*/_stats/indexing", release.world.prefix());
        let response = release.world.elastic("GET", &path, &Value::Null);
        let response: Value = serde_json::from_str(&response.body).expect("statistics");
        let indices = response["indices"].as_object().expect("indices").iter();
        let new = indices.filter(|(name, _)| !known.contains(name));
        new.filter_map(|(_, index)| index["primaries"]["indexing"]["index_total"].as_u64()).sum()
    };
    let before = written();
    let building = release.world.start_command(&mut release.command(&["preindex"]));
    let end = Instant::now() + MINUTE;
    while written() <= before {
        assert!(Instant::now() < end, "nothing is loaded: {}", building.printed());
        std::thread::sleep(Duration::from_millis(2));
    }
    building.kill();
}

/// A change that needs another index: it is built beside the old one by processes that are killed,
/// searches move forth, back and forth again.
fn replace(third: Release<'_>, second: Release<'_>, old: crate::support::Running) -> crate::support::Running {
    let known = third.indices();
    let plan = third.told(&["es-manage", "plan"]);
    assert_eq!(plan["steps"][0]["step"], "build", "{plan}");
    third.ends_with(4, &["preindex", "--check"]);
    build_and_kill(third, &known);
    build_and_kill(third, &known);
    third.ends_with(4, &["preindex", "--check"]);
    third.well(&["preindex", "--wait"]);
    third.well(&["preindex", "--check"]);
    let refused = third.ends_with(1, &["es-manage", "flip", "--all"]);
    assert!(refused.contains("no process follows") && refused.contains("was not compared"), "{refused}");
    let new = third.start();
    third.wait_until_followed();
    let refused = third.ends_with(1, &["es-manage", "flip", "--all"]);
    assert!(refused.contains("was not compared") && refused.contains("verify visit"), "{refused}");
    let plan = third.told(&["es-manage", "plan"]);
    let steps: Vec<&Value> =
        plan["steps"].as_array().expect("steps").iter().map(|step| &step["step"]).collect();
    assert_eq!(steps, ["verify", "flip"], "{plan}");
    third.well(&["verify", "--all"]);
    moved(third, &["es-manage", "flip", "--all"]);
    wait_for("a current index", MINUTE, || third.status()["state"] == "current");

    assert!(second.status()["owners"][0].is_string(), "the old release follows its index");
    moved(third, &["es-manage", "rollback", "--all"]);
    assert_eq!(third.status()["state"], "ready");
    moved(third, &["es-manage", "flip", "--all"]);
    assert_eq!(old.terminate(), Some(0));
    new
}

/// Moves the alias, by a command that waits for what the database has.
#[track_caller]
fn moved(release: Release<'_>, arguments: &[&str]) {
    let moved = release.told(arguments);
    assert_eq!(moved["flips"][0]["moved"], json!(true), "{moved}");
    assert_eq!(moved["flips"][0]["problems"], json!([]), "{moved}");
    let age = moved["age_seconds"].as_f64().expect("a number");
    assert!(age < LAG.as_secs_f64(), "{moved}");
}

/// A breaking change, by the plan, and the end of what is not used any more.
fn replace_and_prune(fourth: Release<'_>, old: crate::support::Running) -> crate::support::Running {
    let plan = fourth.told(&["es-manage", "plan"]);
    assert_eq!(plan["steps"][0]["step"], "build", "{plan}");
    fourth.well(&["preindex"]);
    let new = fourth.start();
    fourth.wait_until_followed();
    let applied = fourth.told(&["es-manage", "apply", "--yes"]);
    assert_eq!(applied["applied"], json!(true), "{applied}");
    wait_for("a current index", MINUTE, || fourth.status()["state"] == "current");
    let all = fourth.indices();
    assert_eq!(all.len(), 3, "{all:?}");
    fourth.well(&["es-manage", "prune", "--older-than", "0s", "--yes"]);
    // What the third release follows is in use.
    assert_eq!(fourth.indices().len(), 2);
    assert_eq!(old.terminate(), Some(0));
    std::thread::sleep(Duration::from_secs(2));
    fourth.well(&["es-manage", "prune", "--older-than", "0s", "--yes"]);
    assert_eq!(fourth.indices().len(), 1);
    new
}
