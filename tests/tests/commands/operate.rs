//! The commands that operate a pillow, on one that a process follows and on one that nobody
//! follows: `checkpoint`, `dead-letters`, `process`.

mod checkpoints;
mod dead_letters;
mod processed;

use std::time::Duration;

use crate::support::{Running, World, wait_for};
use serde_json::{Value, json};

fn case(id: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareCase", "domain": "d", "type": "child"})
}

/// A case that its struct does not accept.
fn undecodable(id: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareCase", "domain": 7, "type": "child"})
}

/// A database of cases, and their index, which is searched.
fn built(test: &str, documents: &[Value]) -> World {
    let world = World::new(test);
    world.save(documents);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    world
}

/// What a command prints as JSON, when it ends with this code.
#[track_caller]
fn json_of(world: &World, arguments: &[&str], code: i32) -> Value {
    let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
    let output = world.run(&arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}\n{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}\n{err}"))
}

/// A process that follows cases, once it does.
fn followed(world: &World) -> Running {
    let service = world.follow_some(&["case"]);
    wait_for("an owner", Duration::from_mins(1), || checkpoint(world)["owner_is_alive"] == true);
    service
}

/// The only checkpoint.
#[track_caller]
fn checkpoint(world: &World) -> Value {
    let shown = json_of(world, &["checkpoint", "show", "case"], 0);
    assert_eq!(shown["checkpoints"].as_array().map(Vec::len), Some(1), "{shown}");
    shown["checkpoints"][0].clone()
}

/// The ids that are found, in order.
fn found(world: &World) -> Vec<String> {
    world.indexed("hqcases").into_keys().collect()
}

/// Removes a document from the index behind its owner's back: reading the database again brings it
/// back.
#[track_caller]
fn lose(world: &World, id: &str) {
    let path = format!("/{}-hqcases/_doc/{id}", world.prefix());
    let response = world.elastic("DELETE", &path, &Value::Null);
    assert_eq!(response.status, 200, "{response:?}");
    assert!(!found(world).contains(&id.to_owned()));
}

/// Waits until these are found and nothing else is.
#[track_caller]
fn assert_found_soon(world: &World, expected: &[&str]) {
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while found(world) != expected {
        assert!(std::time::Instant::now() < end, "{expected:?}, found {:?}", found(world));
        std::thread::sleep(Duration::from_millis(200));
    }
}
