//! An index that is built a second time: after its state was lost, after an interrupted restart,
//! beside one that is followed.

use std::process::Stdio;
use std::time::Duration;

use crate::stub::Stub;
use crate::support::{World, wait_for};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_mins(1);

fn case(id: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareCase", "domain": "d", "type": "child"})
}

/// The indices of the pillow `case`, as `es-manage status` lists them.
fn indices(world: &World) -> Vec<Value> {
    let listed = world.run_well(&["--json", "es-manage", "status"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let indices = listed["indices"].as_array().expect("indices");
    indices.iter().filter(|index| index["pillow"] == "case").cloned().collect()
}

#[test]
fn nothing_is_loaded_over_documents_whose_state_is_lost() {
    let world = World::new("lost_state");
    world.save(&[case("kept"), case("deleted")]);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let uuid = indices(&world)[0]["uuid"].as_str().expect("a uuid").to_owned();
    let control = format!("/{}-pillowtop-control/_doc/claim:{uuid}", world.prefix());
    assert_eq!(world.elastic("DELETE", &control, &Value::Null).status, 200);
    world.delete("deleted");
    world.run_well(&["fast-reindex", "case"]);
    // Nobody follows the other one either.
    world.run_well(&["es-manage", "flip", "case", "--force"]);
    assert_eq!(world.indexed("hqcases").into_keys().collect::<Vec<_>>(), ["kept"]);
    let indices = indices(&world);
    assert_eq!(indices.len(), 2, "what is not known is left alone: {indices:?}");
}

#[test]
fn an_interrupted_restart_is_resumed() {
    let world = World::new("restarted");
    world.save(&[case("one"), case("two")]);
    world.run_well(&["fast-reindex", "case"]);
    // The same database, whose changes never come.
    let (info, database) = (world.couch("GET", "", &Value::Null).body, format!("/{}", world.prefix()));
    let silent = Stub::start(move |path| match path {
        "/" => Some("{\"couchdb\":\"Welcome\"}".to_owned()),
        path if path == database => Some(info.clone()),
        _ => None,
    });
    let mut restarting = world
        .command(&["--couch-url", &silent.url, "fast-reindex", "case", "--restart"])
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    wait_for("a second index", MINUTE, || {
        indices(&world).get(1).is_some_and(|index| index["phase"] == "loading")
    });
    restarting.kill().expect("to kill it");
    restarting.wait().expect("its end");

    let resumed = world.run(&["fast-reindex", "case"]);
    let printed = String::from_utf8_lossy(&resumed.stderr).into_owned();
    assert!(
        resumed.status.success() && printed.contains("resuming `") && printed.contains("_2`"),
        "{printed}"
    );
    let found = indices(&world);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1]["phase"] == "following" && found[1]["documents"] == 2, "{found:?}");
    let has_alias = |index: &Value| index["aliases"].as_array().is_some_and(|aliases| !aliases.is_empty());
    assert!(!has_alias(&found[0]) && has_alias(&found[1]), "{found:?}");
    let printed = world.run_well(&["fast-reindex", "case"]);
    assert!(printed.contains("complete already"), "{printed}");
    // A complete index is not resumed: this is another one.
    world.run_well(&["fast-reindex", "case", "--restart"]);
    assert_eq!(indices(&world).len(), 3);
}

#[test]
fn searches_do_not_leave_an_index_that_is_followed_for_one_that_is_not() {
    let world = World::new("unfollowed");
    world.save(&[case("one")]);
    world.run_well(&["fast-reindex", "case"]);
    // Nobody follows anything yet: the order of the first day.
    world.run_well(&["es-manage", "flip", "case"]);
    let follow = || {
        let mut command = world.command(&["run", "case"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the binary")
    };
    let owned =
        |index: usize| wait_for("an owner", MINUTE, || indices(&world)[index]["owners"][0].is_string());
    let mut first = follow();
    owned(0);
    world.run_well(&["fast-reindex", "case", "--restart"]);
    // A dry run promises nothing that the command refuses.
    for flip in [&["es-manage", "flip", "case", "--dry-run"][..], &["es-manage", "flip", "case"]] {
        let printed = world.run_badly(flip, 1);
        assert!(printed.contains("no process follows database") && printed.contains("hint:"), "{printed}");
    }
    let mut second = follow();
    owned(1);
    let printed = world.run_badly(&["es-manage", "flip", "case"], 1);
    assert!(
        printed.contains("it was not compared with database") && printed.contains("verify case"),
        "{printed}"
    );
    world.run_well(&["verify", "case"]);
    let printed = world.run_well(&["es-manage", "flip", "case", "--dry-run"]);
    assert!(printed.contains("would move from"), "{printed}");
    world.run_well(&["es-manage", "flip", "case"]);
    assert!(indices(&world)[1]["aliases"].to_string().contains("-hqcases\""));
    for process in [&mut first, &mut second] {
        process.kill().expect("to kill it");
        process.wait().expect("its end");
    }
    // Nobody follows either now, which is not a reason to move searches to an index that becomes stale.
    world.run_well(&["fast-reindex", "case", "--restart"]);
    let printed = world.run_badly(&["es-manage", "flip", "case"], 1);
    assert!(printed.contains("no process follows database") && printed.contains("--force"), "{printed}");
    let printed = world.run_well(&["es-manage", "flip", "case", "--force"]);
    assert!(printed.contains("moved from"), "{printed}");
}

/// A cluster of CouchDB in which the first page of changes comes from a copy that lags behind the
/// one that told the position.
#[test]
fn what_a_lagging_copy_brings_later_in_the_load_counts() {
    let world = World::new("lagging");
    let row = |id: &str, revision: &str, rest: &str| {
        format!("{{\"seq\":null,\"id\":\"{id}\",\"changes\":[{{\"rev\":\"{revision}\"}}],{rest}}}")
    };
    let changed = |id: &str, revision: &str| row(id, revision, &format!("\"doc\":{}", case(id)));
    let page = |rows: &[String], last: &str, pending: usize| {
        format!(
            "{{\"results\":[\n{}\n],\n\"last_seq\":\"{last}\",\"pending\":{pending}}}\n",
            rows.join(",\n")
        )
    };
    let lagging =
        page(&[changed("updated", "1-a"), changed("deleted", "1-a"), changed("same", "1-a")], "p1", 2);
    let later =
        page(&[changed("updated", "2-b"), row("deleted", "2-b", "\"deleted\":true,\"doc\":{}")], "p2", 0);
    let empty = page(&[], "head", 0);
    let couch = Stub::start(move |path| {
        if path == "/" {
            return Some("{\"couchdb\":\"Welcome\"}".to_owned());
        }
        if !path.contains("_changes") {
            return Some("{\"instance_start_time\":\"1\",\"update_seq\":\"head\"}".to_owned());
        }
        if path.contains("since=0&") {
            return Some(lagging.clone());
        }
        if path.contains("since=p1") {
            // The first page is in the index by then.
            std::thread::sleep(Duration::from_secs(2));
            return Some(later.clone());
        }
        Some(empty.clone())
    });
    world.run_well(&["--couch-url", &couch.url, "fast-reindex", "case"]);
    world.run_well(&["--couch-url", &couch.url, "es-manage", "flip", "case"]);
    let found = world.indexed("hqcases");
    let found: Vec<(&str, &str)> =
        found.iter().map(|(id, revision)| (id.as_str(), revision.as_str())).collect();
    assert_eq!(found, [("same", "1-a"), ("updated", "2-b")]);
}
