//! What is an error and never a difference.

use std::time::Duration;

use serde_json::Value;

use crate::partial::Partial;
use crate::stub::Stub;
use crate::support::World;
use crate::{build, case, kinds, verify};

#[test]
fn a_listing_that_lacks_a_shard_is_an_error() {
    let world = World::new("verify_shard");
    world.save(&(0..30).map(|number| case(&format!("c{number}"))).collect::<Vec<_>>());
    build(&world);
    let url = Partial::start(world.ports().1);
    let printed = world.run_badly(&["--elastic-url", &url, "verify", "case", "--repair", "--yes"], 1);
    assert!(
        printed.contains("listing the documents of index") && printed.contains("shards responded"),
        "{printed}"
    );
    assert_eq!(world.indexed("hqcases").len(), 30);
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
    let printed = world.run_badly(&["--couch-url", &cut.url, "verify", "case", "--repair", "--yes"], 1);
    assert!(printed.contains("listing documents"), "{printed}");
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
    let printed = world.run_badly(&["verify", "case", "--repair", "--yes"], 1);
    assert!(printed.contains("is not the one") && printed.contains("--restart"), "{printed}");
    assert_eq!(world.indexed("hqcases").len(), 2);
}

#[test]
fn an_index_that_was_never_built_is_an_error_that_says_so() {
    let world = World::new("verify_unbuilt");
    let printed = world.run_badly(&["verify", "case"], 1);
    assert!(printed.contains("there is no index") && printed.contains("fast-reindex case"), "{printed}");
}
