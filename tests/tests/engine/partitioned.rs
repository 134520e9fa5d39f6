//! Ids of a partitioned database, `<partition>:<id>`, through loads of each form, the feed, requests
//! and `verify`. The database of the tests has no partitions; what a partitioned one requires of
//! ids holds for these.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::case;
use crate::support::World;

/// The ids that each index finds are those of the database.
#[track_caller]
fn assert_equal(world: &World) -> BTreeMap<String, String> {
    let found = world.indexed("hqcases");
    assert_eq!(found, world.expected("hqcases", &[]));
    found
}

#[test]
fn ids_with_a_partition_go_the_whole_way() {
    let world = World::new("partitioned");
    let id = |number: usize| format!("river-{}:case/{number} é", number % 7);
    world.save(&(0..300).map(|number| case(&id(number), "of a partition")).collect::<Vec<_>>());
    world.run_well(&["couch-view", "case"]);
    for form in ["feed", "ids", "all-docs", "view"] {
        world.run_well(&["fast-reindex", "case", "--restart", "--from", form, "--ranges", "3"]);
        world.run_well(&["es-manage", "flip", "case", "--force"]);
        assert_eq!(assert_equal(&world).len(), 300, "{form}");
    }
    world.change(&id(1), |document| document["name"] = json!("changed"));
    world.delete(&id(2));
    world.change(&id(3), |document| document["domain"] = json!(7));
    world.save(&[case("river-9:new", "new")]);
    world.run_well(&["run", "case", "--until-caught-up"]);
    let found = world.indexed("hqcases");
    assert!(found.contains_key("river-9:new") && !found.contains_key(&id(2)));
    assert_eq!(world.dead_letters().into_keys().collect::<Vec<_>>(), [id(3)]);
    world.change(&id(3), |document| document["domain"] = json!("d"));
    world.run_well(&["dead-letters", "replay", "case"]);
    assert_equal(&world);

    let path = format!("/{}-hqcases/_doc/river-9:new", world.prefix());
    assert_eq!(world.elastic("DELETE", &path, &Value::Null).status, 200);
    let file = world.directory().join("ids.txt");
    fs_err::write(&file, "river-9:new\n").expect("a file");
    world.run_well(&["run", "case", "--until-caught-up"]);
    let compared = world.run(&["verify", "case"]);
    assert_eq!(compared.status.code(), Some(4), "{compared:?}");
    world.run_well(&["process", "case", "--ids", file.to_str().expect("a path")]);
    world.run_well(&["verify", "case", "--all-bodies"]);
    assert_eq!(assert_equal(&world).len(), 300);
}
