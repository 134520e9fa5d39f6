//! `preindex` may be run twice, and from two machines at once.

use std::process::Stdio;

use serde_json::json;

use crate::support::World;
use crate::{indices, told, world_of_two};

fn start(world: &World, arguments: &[&str]) -> std::process::Child {
    let mut command = world.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary")
}

#[test]
fn what_is_missing_is_built_once_by_two_at_once() {
    let world = world_of_two("twice-at-once", 3000);
    world.run_badly(&["preindex", "--check"], 4);
    let planned = told(&world, &["preindex", "--dry-run"]);
    assert_eq!(planned["may_deploy"], json!(false), "{planned}");
    assert_eq!(planned["pillows"][0]["result"], "missing", "{planned}");
    assert!(indices(&world, "case").is_empty());

    let both: Vec<_> = (0..2).map(|_| start(&world, &["--json", "preindex", "--wait"])).collect();
    for child in both {
        let output = child.wait_with_output().expect("its end");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{err}");
    }
    for pillow in ["case", "user"] {
        assert_eq!(indices(&world, pillow).len(), 1, "{pillow}");
    }
    world.run_well(&["preindex", "--check"]);
    let again = told(&world, &["preindex"]);
    assert_eq!(again["may_deploy"], json!(true));
    assert!(
        again["pillows"].as_array().expect("pillows").iter().all(|row| row["result"] == "complete"),
        "{again}"
    );
    assert_eq!(again["pillows"][0]["documents"], json!(3000));
}

#[test]
fn without_waiting_what_another_process_builds_is_not_yet_there() {
    let world = world_of_two("elsewhere", 1);
    // A lock of a process that is alive, on another machine.
    world.run_well(&["fast-reindex", "user"]);
    let held = told(&world, &["preindex", "--dry-run", "case"]);
    assert_eq!(held["pillows"][0]["result"], "missing");
    let hash = told(&world, &["pillows"]);
    let pillows = hash["pillows"].as_array().expect("pillows");
    let hash = pillows.iter().find(|pillow| pillow["pillow"] == "case").expect("case")["hash"].clone();
    let hash = &hash.as_str().expect("a hash")[..12];
    let key = format!("build:{}-hqcases_{hash}", world.prefix());
    let owner = json!({"id": "elsewhere", "label": "far away preindex", "pid": 1, "start": 1, "boot_id": "another",
        "machine": "another"});
    let now = now(&world);
    let lease = json!({"owner": owner, "renewed": now});
    let build = json!({"owner": owner, "lease_ms": 3_600_000, "since": now});
    for (key, value) in [("lease:elsewhere", lease), (key.as_str(), build)] {
        let path = format!("/{}-pillowtop-control/_doc/{key}?refresh=true", world.prefix());
        let put = world.elastic("PUT", &path, &json!({"key": key, "value": value}));
        assert!(put.status < 300, "{put:?}");
    }
    let output = world.run(&["--json", "preindex"]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(4), "{out}\n{err}");
    assert!(out.contains("far away preindex"), "{out}");
    assert!(indices(&world, "case").is_empty());
}

/// The present as the runtime writes times: that of a lease which was just renewed.
fn now(world: &World) -> String {
    let path = format!("/{}-pillowtop-control/_search?size=100", world.prefix());
    let found = world.elastic("GET", &path, &serde_json::Value::Null);
    let found: serde_json::Value = serde_json::from_str(&found.body).expect("documents");
    let hits = found["hits"]["hits"].as_array().expect("hits");
    let saved = hits.iter().filter_map(|hit| hit["_source"]["value"]["saved"].as_str()).max();
    saved.expect("a claim").to_owned()
}
