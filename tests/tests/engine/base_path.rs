//! Servers below a path of a proxy.

use serde_json::json;

use crate::case;
use crate::proxy::Proxy;
use crate::support::World;

#[test]
fn servers_below_a_path_are_read_and_written() {
    let world = World::new("base_path");
    let (couch, elastic) = world.ports();
    let proxy = Proxy::start(&[("/couch", couch), ("/search", elastic)]);
    world.configure(&proxy.url("/couch/"), &proxy.url("/search/"), &json!(world.prefix()).to_string());
    world.save(&[case("one", "v0"), case("two", "v0")]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    assert_eq!(world.indexed("hqcases").len(), 2);
    // The slash at the end makes no difference.
    world.configure(&proxy.url("/couch"), &proxy.url("/search"), &json!(world.prefix()).to_string());
    let service = world.follow_some(&["case"]);
    world.change("one", |document| document["name"] = json!("v1"));
    world.delete("two");
    world.assert_indexed_soon("hqcases", "one");
    assert_eq!(service.terminate(), Some(0));
    world.run_well(&["run", "case", "--until-caught-up"]);
    assert_eq!(world.indexed("hqcases").keys().collect::<Vec<_>>(), ["one"]);
    let audited =
        world.run_well(&["audit", "case", "--docs", &proxy.url(&format!("/couch/{}", world.prefix()))]);
    assert!(audited.contains("1 "), "{audited}");
    let dead_letters = world.run_well(&["dead-letters", "list"]);
    assert!(dead_letters.contains("no dead letters"), "{dead_letters}");
}
