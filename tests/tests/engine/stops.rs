//! How services end, and how they are replaced.

use std::time::{Duration, Instant};

use pillowtop_tests::{Cluster, ClusterOptions, PRODUCT_VARIABLE, Product};
use serde_json::json;

use crate::case;
use crate::support::World;

fn rename(world: &World, name: &str) {
    world.change("one", |document| document["name"] = json!(name));
}

fn followed(test: &str) -> World {
    let world = World::new(test);
    world.save(&[case("one", "v0")]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    world
}

#[test]
fn a_killed_service_is_replaced_at_once_and_one_that_stands_still_within_a_lease() {
    let world = followed("replaced");
    let first = world.follow_some(&["case"]);
    rename(&world, "v1");
    world.assert_indexed_soon("hqcases", "one");
    let second = world.follow_some(&["case"]);
    second.wait_for_words(Duration::from_secs(20), &["standing by"]);

    // Whoever is on the same machine sees that the process is gone.
    first.kill();
    let began = Instant::now();
    rename(&world, "v2");
    world.assert_indexed_soon("hqcases", "one");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());

    // One that stands still may come back at any time: its lease of 30 seconds has to run out.
    let third = world.follow_some(&["case"]);
    third.wait_for_words(Duration::from_secs(20), &["standing by"]);
    second.signal("STOP");
    let began = Instant::now();
    rename(&world, "v3");
    world.assert_indexed_soon("hqcases", "one");
    assert!(began.elapsed() < Duration::from_secs(45), "{:?}", began.elapsed());
    second.signal("CONT");
    second.wait_for_words(Duration::from_secs(40), &["marked it as expired"]);
    rename(&world, "v4");
    world.assert_indexed_soon("hqcases", "one");
    assert_eq!(second.terminate(), Some(0));
    assert_eq!(third.terminate(), Some(0));
}

#[test]
fn a_paused_service_ends_at_once() {
    let world = followed("paused");
    let service = world.follow_some(&["case"]);
    rename(&world, "v1");
    world.assert_indexed_soon("hqcases", "one");
    let index = format!("/{}-hqcases_*", world.prefix());
    assert_eq!(world.elastic("POST", &format!("{index}/_close"), &json!({})).status, 200);
    rename(&world, "v2");
    service.wait_for_words(Duration::from_secs(20), &["paused", "closed"]);
    let began = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "ended after {:?}", began.elapsed());
}

/// On a cluster of its own, since it stands still for a while.
#[test]
fn a_service_ends_soon_while_its_cluster_does_not_respond() {
    let key = std::env::var(PRODUCT_VARIABLE).unwrap_or_else(|_| "opensearch3".to_owned());
    let product = Product::from_key(&key).expect("a product");
    let cluster = Cluster::start(product, &ClusterOptions::default()).expect("a cluster");
    let world = World::new("standstill").in_cluster(cluster.port());
    world.save(&[case("one", "v0")]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let service = world.follow_some(&["case"]);
    rename(&world, "v1");
    world.assert_indexed_soon("hqcases", "one");

    cluster.pause().expect("to pause it");
    rename(&world, "v2");
    std::thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    // The bulk on its way is waited for, but not for as long as a supervisor waits before it kills.
    assert!(began.elapsed() < Duration::from_secs(20), "ended after {:?}", began.elapsed());

    // One that starts meanwhile waits for it, and ends as quickly.
    let waiting = world.start(&["run", "case", "--wait"]);
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    assert_eq!(waiting.terminate(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "ended after {:?}", began.elapsed());

    let service = world.start(&["run", "case", "--wait"]);
    std::thread::sleep(Duration::from_secs(2));
    cluster.resume().expect("to resume it");
    world.assert_indexed_soon("hqcases", "one");
    assert_eq!(service.terminate(), Some(0));

    // How long the bulk on its way is waited for is an option.
    let service = world.start(&["run", "case", "--wait", "--stop-within", "1"]);
    rename(&world, "v2");
    world.assert_indexed_soon("hqcases", "one");
    cluster.pause().expect("to pause it");
    rename(&world, "v3");
    std::thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(8), "ended after {:?}", began.elapsed());
    cluster.resume().expect("to resume it");
    let service = world.follow_some(&["case"]);
    // The bulk of the process before may arrive only now: another change shows that this one follows.
    world.assert_indexed_soon("hqcases", "one");
    rename(&world, "v4");
    world.assert_indexed_soon("hqcases", "one");

    // Whoever asks a second time does not wait for it at all.
    cluster.pause().expect("to pause it");
    rename(&world, "v5");
    std::thread::sleep(Duration::from_secs(2));
    service.signal("TERM");
    service.wait_for_words(Duration::from_secs(5), &["stopping: waiting for unanswered requests"]);
    let began = Instant::now();
    assert_eq!(service.terminate(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(2), "ended after {:?}", began.elapsed());
    cluster.resume().expect("to resume it");
    let service = world.follow_some(&["case"]);
    world.assert_indexed_soon("hqcases", "one");
    assert_eq!(service.terminate(), Some(0));
}
