//! A service starts with whatever is ready.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;
use crate::{case, user};

/// Closes the index of cases and opens it again, with a setting that keeps its shard from every
/// node or lets it go anywhere.
fn require_node(world: &World, attribute: &Value) {
    let index = format!("/{}-hqcases_*", world.prefix());
    let setting = json!({ "index.routing.allocation.require.box": attribute });
    for (method, path, body) in [
        ("POST", format!("{index}/_close"), Value::Null),
        ("PUT", format!("{index}/_settings"), setting),
        ("POST", format!("{index}/_open?wait_for_active_shards=0"), Value::Null),
    ] {
        let response = world.elastic(method, &path, &body);
        assert!(response.status < 300, "{method} {path}: {response:?}");
    }
}

#[test]
fn a_red_and_a_missing_index_are_paused_and_the_rest_is_followed() {
    let world = World::new("red");
    world.save(&[case("case", "v0"), user("user", "u0")]);
    for pillow in ["case", "user"] {
        world.run_well(&["fast-reindex", pillow]);
    }
    world.run_well(&["es-manage", "flip", "case", "user"]);
    require_node(&world, &json!("none"));

    let service = world.follow_some(&["case", "user", "group"]);
    world.change("user", |document| document["username"] = json!("u1"));
    world.change("case", |document| document["name"] = json!("v1"));
    world.save(&[json!({"_id": "group", "doc_type": "Group", "domain": "d", "name": "g"})]);
    world.assert_indexed_soon("hqusers", "user");
    service.wait_for_words(Duration::from_secs(20), &["fast-reindex group"]);

    // Each is followed once it is there.
    world.run_well(&["fast-reindex", "group"]);
    world.run_well(&["es-manage", "flip", "group"]);
    world.change("group", |document| document["name"] = json!("g1"));
    world.assert_indexed_soon("hqgroups", "group");
    service.wait_for_words(Duration::from_secs(20), &["resumed member=\"group: targets\""]);
    require_node(&world, &Value::Null);
    world.assert_indexed_soon("hqcases", "case");
    assert_eq!(service.terminate(), Some(0));
}
