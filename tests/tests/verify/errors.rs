//! What is an error and never a difference.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stub::Stub;
use crate::support::{World, wait_for};
use crate::{build, case, kinds, verify};

#[test]
fn an_index_with_a_failed_shard_is_an_error() {
    let world = World::new("verify_shard");
    let configuration = fs_err::read_to_string(world.configuration()).expect("the configuration");
    let settings = "\n[settings]\nnumber_of_shards = 2\nnumber_of_replicas = 0\n";
    fs_err::write(world.configuration(), configuration + settings).expect("the configuration");
    world.save(&(0..30).map(|number| case(&format!("c{number}"))).collect::<Vec<_>>());
    build(&world);
    assert_eq!(verify(&world, &[], 0).ids(), kinds(&[]));
    let aliases = world.elastic("GET", &format!("/{}-hqcases/_alias", world.prefix()), &Value::Null).body;
    let aliases: Value = serde_json::from_str(&aliases).expect("aliases");
    let index = aliases.as_object().expect("an index").keys().next().expect("an index").clone();
    let nodes = world.elastic("GET", "/_cat/nodes?format=json&h=name", &Value::Null).body;
    let nodes: Value = serde_json::from_str(&nodes).expect("nodes");
    let allocate = |name: &Value| {
        let settings = json!({"index.routing.allocation.require._name": name});
        let answer = world.elastic("PUT", &format!("/{index}/_settings"), &settings);
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    allocate(&json!("nowhere"));
    let cancel = json!({"index": index, "shard": 0, "node": nodes[0]["name"], "allow_primary": true});
    let answer = world.elastic("POST", "/_cluster/reroute", &json!({"commands": [{"cancel": cancel}]}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said = world.run_badly(&["verify", "case", "--repair"], 1);
    assert!(said.contains("shard"), "{said}");
    allocate(&Value::Null);
    wait_for("the shard", Duration::from_mins(1), || {
        world.elastic("GET", &format!("/_cluster/health/{index}?wait_for_status=yellow"), &Value::Null).status
            == 200
    });
    assert_eq!(verify(&world, &[], 0).ids(), kinds(&[]));
}

#[test]
fn a_listing_that_is_cut_is_an_error() {
    let world = World::new("verify_cut");
    world.save(&(0..30).map(|number| case(&format!("c{number}"))).collect::<Vec<_>>());
    build(&world);
    let whole = |path: &str| world.couch("GET", path, &Value::Null).body;
    let (info, listing) = (whole(""), whole("/_all_docs"));
    let database = format!("/{}", world.prefix());
    let cut = Stub::start(move |path| match path {
        "/" => Some("{\"couchdb\":\"Welcome\"}".to_owned()),
        path if path == database => Some(info.clone()),
        path if path.contains("/_all_docs") => Some(listing[..listing.len() / 2].to_owned()),
        _ => None,
    });
    let said = world.run_badly(&["--couch-url", &cut.url, "verify", "case", "--repair", "--yes"], 1);
    assert!(said.contains("listing documents"), "{said}");
    assert_eq!(world.indexed("hqcases").len(), 30);
}

#[test]
fn a_database_that_was_created_again_is_an_error() {
    let world = World::new("verify_replaced");
    world.save(&[case("one"), case("two")]);
    build(&world);
    assert!(world.couch("DELETE", "", &Value::Null).status < 300);
    // Creation times have seconds.
    std::thread::sleep(Duration::from_millis(1100));
    assert!(world.couch("PUT", "", &Value::Null).status < 300);
    let said = world.run_badly(&["verify", "case", "--repair", "--yes"], 1);
    assert!(said.contains("is not the one") && said.contains("--restart"), "{said}");
    assert_eq!(world.indexed("hqcases").len(), 2);
}

#[test]
fn an_index_that_was_never_built_is_an_error_that_says_so() {
    let world = World::new("verify_unbuilt");
    let said = world.run_badly(&["verify", "case"], 1);
    assert!(said.contains("there is no index") && said.contains("fast-reindex case"), "{said}");
}
