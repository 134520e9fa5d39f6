//! One process follows an index; another one waits for its turn, and says so.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::World;
use serde_json::json;

#[test]
fn a_service_that_is_stopped_hands_over_at_once() {
    let world = World::new("handing_over");
    world.save(&[json!({"_id": "one", "doc_type": "CommCareCase", "domain": "d", "type": "child"})]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let mut first = follower(&world);
    until_said(&mut first, "following case");
    let mut second = follower(&world);
    until_said(&mut second, "standing by: index `");
    let stopped = Command::new("kill").args(["-TERM", &first.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    assert_eq!(first.wait().expect("its end").code(), Some(0), "it was asked to stop, and did");
    // Were the lease not given back, this would take as long as a lease.
    until_said(&mut second, "following case");
    second.kill().expect("to kill it");
    second.wait().expect("its end");
}

#[test]
fn a_pillow_that_is_named_twice_is_followed_once() {
    let world = World::new("twice");
    world.save(&[json!({"_id": "one", "doc_type": "CommCareCase", "domain": "d", "type": "child"})]);
    world.run_well(&["fast-reindex", "case"]);
    let table = world.run_well(&["run", "case", "case", "--until-caught-up"]);
    assert_eq!(table.lines().count(), 2, "a header and a pillow: {table}");
}

/// Without a terminal, as a service is.
fn follower(world: &World) -> Child {
    world
        .command(&["run", "case"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary")
}

/// Reads what a process says until a line begins so.
#[track_caller]
fn until_said(process: &mut Child, start: &str) {
    let talk = process.stderr.take().expect("its standard error");
    let mut reader = BufReader::new(talk);
    let mut all = String::new();
    loop {
        let before = all.len();
        let read = reader.read_line(&mut all).expect("a line");
        assert!(read > 0, "it ended before it said `{start}`: {all}");
        if all[before..].starts_with(start) {
            break;
        }
    }
    process.stderr = Some(reader.into_inner());
}
