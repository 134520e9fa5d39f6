//! While changes are made and applied, `verify` reports what differs and nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;
use crate::{build, case, kinds, put, rewrite, tamper, verify};

/// Changes, deletes and creates documents until it is told to stop.
fn write(world: &World, stop: &AtomicBool) {
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let id = format!("w{}", number * 7 % 40);
        match number % 5 {
            0 if world.couch("GET", &format!("/{id}"), &Value::Null).status == 200 => world.delete(&id),
            1 => world.change(&id, |document| {
                *document = merged(case(&id), document);
                document["domain"] = json!("demo");
            }),
            // One that is never at rest.
            2 => world.change("hot", |document| {
                *document = merged(case("hot"), document);
                document["name"] = json!(number.to_string());
            }),
            _ => world.change(&id, |document| *document = merged(case(&id), document)),
        }
    }
    assert!(number > 50, "only {number} writes");
}

/// A document with the revision of another one.
fn merged(mut document: Value, over: &Value) -> Value {
    if let Some(revision) = over.get("_rev") {
        document["_rev"] = revision.clone();
    }
    document
}

#[test]
fn ongoing_writes_are_not_differences_and_hide_none() {
    let world = World::new("verify_writes");
    world.save(&(0..300).map(|number| case(&format!("c{number}"))).collect::<Vec<_>>());
    build(&world);
    let service = world.follow_some(&["case"]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| write(&world, &stop));
        thread::sleep(Duration::from_secs(3));
        for _ in 0..3 {
            assert_eq!(verify(&world, &["--all-bodies"], 0).ids(), kinds(&[]));
        }
        tamper(&world, "DELETE", "_doc/c1", &Value::Null);
        rewrite(&world, "c2", |source| source["pillowtop"]["rev"] = json!("0-older"));
        rewrite(&world, "c3", |source| source["name"] = json!("edited by hand"));
        put(&world, "nowhere");
        let all = [("body", &["c3"][..]), ("extra", &["nowhere"]), ("missing", &["c1"]), ("stale", &["c2"])];
        assert_eq!(verify(&world, &["--all-bodies"], 4).ids(), kinds(&all));
        let repaired = verify(&world, &["--all-bodies", "--repair"], 0);
        assert_eq!(repaired.ids(), kinds(&all));
        assert_eq!(verify(&world, &["--all-bodies"], 0).ids(), kinds(&[]));
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn changes_that_nobody_applies_are_pending() {
    let world = World::new("verify_pending");
    world.save(&[case("old"), case("changed"), case("deleted")]);
    build(&world);
    world.save(&[case("new")]);
    world.change("changed", |document| document["name"] = json!("other"));
    world.delete("deleted");
    let pending = kinds(&[("pending", &["changed", "deleted", "new"])]);
    assert_eq!(verify(&world, &[], 4).ids(), pending);
    // It is not repaired: whoever follows the index applies it.
    assert_eq!(verify(&world, &["--repair"], 4).ids(), pending);
    world.run_well(&["run", "case", "--until-caught-up"]);
    assert_eq!(verify(&world, &["--all-bodies"], 0).ids(), kinds(&[]));
}
