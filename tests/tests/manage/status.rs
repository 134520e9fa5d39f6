//! Each state of a pillow is shown with what to do next, and what to do next leads on.

use serde_json::{Value, json};

use crate::support::wait_for;
use crate::{MINUTE, case, status, wait_for_state, world_of_two};

#[test]
fn a_pillow_goes_from_missing_to_current_by_what_status_says() {
    let world = world_of_two("states", 3);
    let missing = status(&world, "case");
    assert_eq!((&missing["state"], &missing["next"]), (&json!("missing"), &json!("preindex case")));
    assert_eq!(missing["committed_hash"].as_str().map(str::len), Some(12), "{missing}");
    world.run_well(&["preindex"]);
    let ready = status(&world, "case");
    assert_eq!((&ready["state"], &ready["next"]), (&json!("ready"), &json!("es-manage flip case")));
    assert_eq!(ready["documents"], json!(3));
    world.run_well(&["es-manage", "flip", "case", "user"]);
    let left = status(&world, "case");
    assert_eq!((&left["state"], &left["next"]), (&json!("not followed"), &json!("run case")));
    let service = world.follow();
    wait_for_state(&world, "case", "current");
    let current = status(&world, "case");
    let owner = current["owners"][0].as_str().expect("an owner");
    let (command, process) = owner.rsplit_once(' ').expect("the process");
    assert!(command.ends_with(" run") && process.parse::<u32>().is_ok(), "{current}");
    assert_eq!(current["next"], Value::Null);

    let shown = world.run_well(&["es-manage", "status"]);
    for word in ["case", "current", "-hqcases", "committed", "struct"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    // A block is seen at once, and a pause when the owner reports it.
    let index = current["index"].as_str().expect("an index");
    world.elastic("PUT", &format!("/{index}/_settings"), &json!({"index.blocks.write": true}));
    world.save(&[case("c9", "later")]);
    let paused = status(&world, "case");
    assert_eq!(paused["state"], "paused", "{paused}");
    assert!(paused["reason"].as_str().is_some_and(|reason| reason.contains("read-only")), "{paused}");
    world.elastic("PUT", &format!("/{index}/_settings"), &json!({"index.blocks.write": null}));
    wait_for_state(&world, "case", "current");
    world.elastic("POST", &format!("/{index}/_close"), &Value::Null);
    assert!(status(&world, "case")["reason"].as_str().is_some_and(|reason| reason.contains("closed")));
    world.elastic("POST", &format!("/{index}/_open"), &Value::Null);
    drop(service);
}

#[test]
fn an_alias_that_somebody_else_made_is_unmanaged_and_status_is_shown_again() {
    let world = world_of_two("unmanaged", 1);
    let alias = format!("{}-hqusers", world.prefix());
    let made = world.elastic("PUT", "/somebodys-users", &json!({"aliases": {(&alias): {}}}));
    assert!(made.status < 300 || made.body.contains("resource_already_exists"), "{made:?}");
    world.elastic(
        "POST",
        "/_aliases",
        &json!({"actions": [{"add": {"index": "somebodys-users", "alias": alias}}]}),
    );
    let unmanaged = status(&world, "user");
    assert_eq!(unmanaged["state"], "unmanaged", "{unmanaged}");
    assert!(
        unmanaged["reason"].as_str().is_some_and(|reason| reason.contains("somebodys-users")),
        "{unmanaged}"
    );

    let log = world.directory().join("watched");
    let out = fs_err::File::create(&log).expect("a file").into_file();
    let mut watching =
        world.command(&["--json", "es-manage", "status", "--watch"]).stdout(out).spawn().expect("the binary");
    let lines = || fs_err::read_to_string(&log).expect("the file").lines().count();
    wait_for("a second status", MINUTE, || lines() >= 2);
    watching.kill().expect("to end it");
    watching.wait().expect("its end");
    world.elastic("DELETE", "/somebodys-users", &Value::Null);
}
