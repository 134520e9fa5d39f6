//! `es-manage` and `preindex` on real servers: what a deploy relies on.

#[path = "../commands/support.rs"]
#[expect(dead_code, reason = "the world of the commands' tests, of which these need a part")]
mod support;

mod apply;
mod facts;
mod preindex;
mod prune;
mod rollback;
mod status;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;

const MINUTE: Duration = Duration::from_mins(1);

/// A case that is indexed.
fn case(id: &str, name: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": name})
}

/// A database with so many cases, and a configuration in which `case` and `user` are enabled.
fn world_of_two(test: &str, cases: usize) -> World {
    let world = World::new(test);
    enable(&world, &["case", "user"]);
    let cases: Vec<Value> = (0..cases).map(|number| case(&format!("c{number:05}"), "first")).collect();
    world.save(&cases);
    world
}

/// Enables some pillows alone.
fn enable(world: &World, pillows: &[&str]) {
    let configuration = fs_err::read_to_string(world.configuration()).expect("the configuration");
    let enabled = format!("pillows = {}\n\n{configuration}", json!(pillows));
    fs_err::write(world.configuration(), enabled).expect("the configuration");
}

/// What a command prints as JSON, whatever its exit code.
#[track_caller]
fn told(world: &World, arguments: &[&str]) -> Value {
    let output = world.run(&[&["--json"], arguments].concat());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{arguments:?}: {out}\n{err}"))
}

/// The status of a pillow.
fn status(world: &World, pillow: &str) -> Value {
    let told = told(world, &["es-manage", "status"]);
    let pillows = told["pillows"].as_array().expect("pillows");
    pillows.iter().find(|status| status["pillow"] == pillow).cloned().expect("the pillow")
}

/// Waits until a pillow is in a state.
#[track_caller]
fn wait_for_state(world: &World, pillow: &str, state: &str) {
    support::wait_for(&format!("`{pillow}` is {state}"), MINUTE, || status(world, pillow)["state"] == state);
}

/// The names of the indices of pillowtop that a pillow has.
fn indices(world: &World, pillow: &str) -> Vec<String> {
    let told = told(world, &["es-manage", "status"]);
    let indices = told["indices"].as_array().expect("indices");
    let own = indices.iter().filter(|index| index["pillow"] == pillow);
    own.map(|index| index["index"].as_str().expect("a name").to_owned()).collect()
}
