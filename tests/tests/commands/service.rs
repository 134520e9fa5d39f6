//! Following as a service: several processes, and how they stop.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;

fn case(name: &str) -> Value {
    json!({"_id": "case", "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": name})
}

fn user(name: &str) -> Value {
    json!({"_id": "user", "doc_type": "CommCareUser", "username": name})
}

#[test]
fn what_is_free_is_followed_and_the_rest_once_its_owner_is_gone() {
    let world = World::new("service");
    world.save(&[case("v0"), user("u0")]);
    world.build_all();
    let owner = world.follow_some(&["case"]);
    world.change("case", |document| document["name"] = json!("v1"));
    world.assert_indexed_soon("hqcases", "case");
    let second = world.follow();
    world.change("user", |document| document["username"] = json!("u1"));
    world.assert_indexed_soon("hqusers", "user");
    owner.kill();
    world.change("case", |document| document["name"] = json!("v2"));
    world.assert_indexed_soon("hqcases", "case");
    second.kill();
}

#[test]
fn a_service_that_is_asked_to_stop_gives_its_leases_back() {
    let world = World::new("terminated");
    world.save(&[case("v0"), user("u0")]);
    world.build_all();
    let service = world.follow();
    world.change("case", |document| document["name"] = json!("v1"));
    world.assert_indexed_soon("hqcases", "case");
    assert_eq!(service.terminate(), Some(0));
    let began = Instant::now();
    world.run_well(&["run", "case", "--until-caught-up"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
