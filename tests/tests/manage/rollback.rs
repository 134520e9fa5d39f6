//! Searches move forth and back, and a searcher never finds an incomplete index.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{World, wait_for};
use crate::{MINUTE, status, told, world_of_two};

/// How many documents the alias finds now, or the error.
fn count(world: &World) -> u64 {
    let path = format!("/{}-hqcases/_count", world.prefix());
    let response = world.elastic("GET", &path, &Value::Null);
    assert_eq!(response.status, 200, "{response:?}");
    let response: Value = serde_json::from_str(&response.body).expect("a count");
    assert_eq!(response["_shards"]["failed"], 0, "{response}");
    response["count"].as_u64().expect("a number")
}

fn searched(world: &World) -> Value {
    status(world, "case")["searched"].clone()
}

#[test]
fn a_searcher_sees_a_complete_index_through_flips_and_rollbacks() {
    let world = world_of_two("searcher", 500);
    let printed = world.run_badly(&["es-manage", "rollback", "case"], 1);
    assert!(printed.contains("is on no index"), "{printed}");
    world.run_well(&["preindex"]);
    // An alias keeps what somebody added to it.
    world.run_well(&["es-manage", "flip", "case", "user"]);
    let first = searched(&world);
    let printed = world.run_badly(&["es-manage", "rollback", "case"], 1);
    assert!(printed.contains("has no earlier index: it was never moved"), "{printed}");
    let name = first[0].as_str().expect("an index");
    let filtered = json!({"actions": [{"add": {"index": name, "alias": format!("{}-hqcases", world.prefix()),
        "filter": {"term": {"domain": "d"}}}}]});
    assert!(world.elastic("POST", "/_aliases", &filtered).status < 300);
    let service = world.follow_some(&["case", "user"]);
    world.run_well(&["fast-reindex", "case", "--restart"]);
    wait_for("owners of both", MINUTE, || {
        let all = told(&world, &["es-manage", "status"]);
        let indices = all["indices"].as_array().expect("indices");
        indices.iter().filter(|index| index["owners"][0].is_string()).count() == 3
    });

    let printed = world.run_badly(&["es-manage", "flip", "case"], 1);
    assert!(printed.contains("it was not compared with database"), "{printed}");
    let shown = status(&world, "case");
    assert_eq!((&shown["state"], &shown["next"]), (&json!("ready"), &json!("verify case")), "{shown}");
    world.run_well(&["verify", "case"]);

    let (done, worst) = (AtomicBool::new(false), std::sync::Mutex::new(u64::MAX));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let found = count(&world);
                let mut worst = worst.lock().expect("no panic");
                *worst = (*worst).min(found);
            }
        });
        world.run_well(&["es-manage", "flip", "case", "user"]);
        let second = searched(&world);
        assert_ne!(first, second);
        // The service drops it: it has the same mapping and is not searched.
        let name = first[0].as_str().expect("an index");
        wait_for("the first one to be dropped", MINUTE, || {
            let all = told(&world, &["es-manage", "status"]);
            let indices = all["indices"].as_array().expect("indices").clone();
            indices.iter().any(|index| index["index"] == name && index["owners"] == json!([]))
        });
        world.save(&[crate::case("later", "second")]);
        world.assert_indexed_soon("hqcases", "later");
        let planned = told(&world, &["es-manage", "rollback", "case", "--dry-run"]);
        assert_eq!(planned["flips"][0]["problems"], json!([]), "{planned}");
        // The command follows it until it has what the other one has.
        let back = told(&world, &["es-manage", "rollback", "case"]);
        assert_eq!(back["flips"][0]["moved"], json!(true), "{back}");
        assert_eq!(searched(&world), first);
        assert_eq!(count(&world), 501);
        // The one before is now the second.
        world.run_well(&["es-manage", "rollback", "case"]);
        assert_eq!(searched(&world), second);
        done.store(true, Ordering::Relaxed);
    });
    assert!(*worst.lock().expect("no panic") >= 500);
    let path = format!("/_alias/{}-hqcases", world.prefix());
    let alias = world.elastic("GET", &path, &Value::Null).body;
    assert!(alias.contains("\"filter\""), "{alias}");
    drop(service);

    // Nobody follows the first one any more.
    let printed = world.run_badly(&["es-manage", "rollback", "case"], 1);
    assert!(printed.contains("no process follows") && printed.contains("--force"), "{printed}");
    let output = world.run(&["es-manage", "rollback", "case", "--force"]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && printed.contains("overridden by `--force`"), "{printed}");
    assert_eq!(searched(&world), first);
}
