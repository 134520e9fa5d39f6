//! An index that is deleted under a running service, and built again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case;
use crate::support::{World, wait_for};

/// The only index of the pillow `case`, as `es-manage status` lists it.
fn index(world: &World) -> Value {
    let listed: Value =
        serde_json::from_str(&world.run_well(&["--json", "es-manage", "status"])).expect("JSON");
    let indices = listed["indices"].as_array().expect("indices");
    assert_eq!(indices.len(), 1, "{listed}");
    indices[0].clone()
}

fn delete_index(world: &World) {
    let name = index(world)["index"].as_str().expect("a name").to_owned();
    assert_eq!(world.elastic("DELETE", &format!("/{name}"), &Value::Null).status, 200);
}

fn rename(world: &World, name: &str) {
    world.change("one", |document| document["name"] = json!(name));
}

#[test]
fn a_deleted_index_is_named_and_followed_again_once_it_is_rebuilt() {
    let world = World::new("deleted");
    world.save(&[case("one", "v0")]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let service = world.follow_some(&["case"]);
    rename(&world, "v1");
    world.assert_indexed_soon("hqcases", "one");

    delete_index(&world);
    rename(&world, "v2");
    service.wait_for_words(Duration::from_secs(20), &["was deleted", "fast-reindex case"]);
    assert!(!service.printed().contains("must be lowercase"), "{}", service.printed());

    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let built = Instant::now();
    rename(&world, "v3");
    world.assert_indexed_soon("hqcases", "one");
    assert!(built.elapsed() < Duration::from_secs(15), "followed after {:?}", built.elapsed());
    service.kill();
}

#[test]
fn a_process_of_the_deleted_index_writes_nothing_to_the_rebuilt_one() {
    let world = World::new("zombie");
    world.save(&[case("one", "v0")]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let old = world.follow_some(&["case"]);
    rename(&world, "v1");
    world.assert_indexed_soon("hqcases", "one");
    let private = |aliases: &str| -> Vec<String> {
        let all = aliases.split('"').filter(|part| part.contains(".W"));
        all.map(str::to_owned).collect()
    };
    let aliases = || {
        let path = format!("/{}-hqcases*/_alias", world.prefix());
        private(&world.elastic("GET", &path, &Value::Null).body)
    };
    let before = aliases();
    assert_eq!(before.len(), 1, "{before:?}");

    // It stands still while its index is replaced by one of the same name, which another process
    // follows.
    old.signal("STOP");
    delete_index(&world);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let new = world.follow_some(&["case"]);
    rename(&world, "v2");
    world.assert_indexed_soon("hqcases", "one");
    let after = aliases();
    assert!(after.len() == 1 && after != before, "{before:?} {after:?}");

    old.signal("CONT");
    rename(&world, "v3");
    world.assert_indexed_soon("hqcases", "one");
    old.wait_for_words(Duration::from_secs(20), &["was deleted", "fast-reindex case"]);
    old.wait_for_words(Duration::from_secs(20), &["standing by"]);
    assert_eq!(aliases(), after, "the old process installed nothing");
    assert_eq!(index(&world)["documents"], 1);

    // It is of use again when the new one is gone.
    new.kill();
    rename(&world, "v4");
    wait_for("the old process follows the new index", Duration::from_secs(40), || {
        world.indexed("hqcases").values().any(|revision| revision.starts_with("5-"))
    });
    old.kill();
}
