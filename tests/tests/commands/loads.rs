//! What `fast-reindex --from` reads, and that several processes share a load.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::World;

fn case(number: usize) -> Value {
    json!({"_id": format!("case-{number:05}"), "doc_type": "CommCareCase", "domain": "d", "type": "child",
        "name": format!("n{number}"), "filler": "x".repeat(300)})
}

/// Cases, some of which the filter leaves out, other documents, and tombstones.
fn world_of(test: &str, cases: usize) -> World {
    let world = World::new(test);
    let mut documents: Vec<Value> = (0..cases).map(case).collect();
    documents.extend((0..50).map(|number| json!({"_id": format!("g-{number}"), "doc_type": "Group"})));
    documents.iter_mut().step_by(7).for_each(|document| document["domain"] = json!("demo"));
    world.save(&documents);
    (0..20).for_each(|number| world.delete(&format!("case-{:05}", number * 3)));
    world
}

fn start(world: &World, arguments: &[&str]) -> Child {
    let mut command = world.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary")
}

/// What a process said, once it has ended well.
#[track_caller]
fn end(child: Child) -> String {
    let output = child.wait_with_output().expect("its end");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{err}");
    err
}

#[track_caller]
fn assert_equal(world: &World) {
    assert_eq!(world.indexed("hqcases"), world.expected("hqcases", &[]));
}

/// Documents of the control index, and private aliases, that ranges left.
fn left_of_ranges(world: &World) -> Vec<String> {
    let control = format!("/{}-pillowtop*", world.prefix());
    let query = json!({"size": 1000, "query": {"match_all": {}}});
    world.elastic("POST", &format!("{control}/_refresh"), &Value::Null);
    let found: Value =
        serde_json::from_str(&world.elastic("POST", &format!("{control}/_search"), &query).body)
            .expect("documents");
    let keys = found["hits"]["hits"].as_array().into_iter().flatten();
    let ranges =
        keys.filter_map(|hit| hit["_source"]["key"].as_str()).filter(|key| key.starts_with("range:"));
    let mut left: Vec<String> = ranges.map(str::to_owned).collect();
    let aliases: Value = serde_json::from_str(
        &world.elastic("GET", &format!("/{}-hqcases_*/_alias", world.prefix()), &Value::Null).body,
    )
    .expect("aliases");
    for index in aliases.as_object().into_iter().flatten() {
        let private = index.1["aliases"].as_object().into_iter().flatten().map(|(alias, _)| alias.clone());
        // A slice has one more part: `<index>.<uuid>.<slice>.W<epoch>`.
        left.extend(private.filter(|alias| alias.contains(".W") && alias.matches('.').count() > 2));
    }
    left
}

#[test]
fn each_form_builds_the_same_index() {
    let world = world_of("forms", 1500);
    let planned = world.run_well(&["--json", "fast-reindex", "case", "--dry-run"]);
    let planned: Value = serde_json::from_str(&planned).expect("JSON");
    assert_eq!(planned["read"][0]["from"], "feed", "{planned}");
    let refused = world.run_badly(&["fast-reindex", "case", "--from", "view"], 1);
    assert!(
        refused.contains("has no view for the pillow") && refused.contains("couch-view case"),
        "{refused}"
    );
    for form in ["feed", "ids", "all-docs"] {
        world.run_well(&["fast-reindex", "case", "--restart", "--from", form, "--ranges", "3"]);
        world.run_well(&["es-manage", "flip", "case", "--force"]);
        assert_equal(&world);
    }
    let shown = world.run_well(&["couch-view", "case", "--dry-run"]);
    assert!(shown.contains("CommCareCase"), "{shown}");
    let built = world.run_well(&["--json", "couch-view", "case"]);
    let built: Value = serde_json::from_str(&built).expect("JSON");
    let listed = built["views"][0]["documents"].as_u64().expect("a number");
    let expected = world.expected("hqcases", &[]).len() as u64;
    assert!(listed >= expected && listed <= 1480, "{listed} of {expected}");
    // It is the fastest form now.
    let planned = world.run_well(&["--json", "fast-reindex", "case", "--restart", "--dry-run"]);
    assert!(planned.contains("\"from\":\"view\"") || planned.contains("\"from\": \"view\""), "{planned}");
    let printed = end(start(&world, &["fast-reindex", "case", "--restart", "--ranges", "2"]));
    assert!(printed.contains("from `view` in 2 ranges"), "{printed}");
    world.run_well(&["es-manage", "flip", "case", "--force"]);
    assert_equal(&world);
    assert_eq!(left_of_ranges(&world), Vec::<String>::new());
    world.run_well(&["verify", "case"]);
}

#[test]
fn processes_share_a_load_and_one_that_is_killed_is_replaced() {
    let world = world_of("shared_load", 8000);
    let arguments = ["fast-reindex", "case", "--from", "ids", "--ranges", "16"];
    let builder = world.start(&arguments);
    builder.wait_for_words(Duration::from_mins(1), &["loading range"]);
    let helper = world.start(&arguments);
    helper.wait_for_words(Duration::from_mins(1), &["this one loads ranges of it", "loading range"]);
    // Neither releases what it holds.
    helper.kill();
    world.change("case-00100", |document| document["name"] = json!("changed meanwhile"));
    world.delete("case-07999");
    let second = start(&world, &arguments);
    std::thread::sleep(Duration::from_millis(300));
    builder.kill();
    end(second);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case", "--force"]);
    assert_equal(&world);
    assert_eq!(left_of_ranges(&world), Vec::<String>::new());
}

#[test]
fn a_load_by_ranges_that_is_killed_resumes() {
    let world = world_of("killed_ranges", 9000);
    let arguments = ["fast-reindex", "case", "--from", "all-docs", "--ranges", "3"];
    for _ in 0..2 {
        let before = world.written("hqcases");
        let mut loading = start(&world, &arguments);
        let end = Instant::now() + Duration::from_mins(1);
        while world.written("hqcases") <= before {
            assert!(Instant::now() < end, "nothing is loaded");
            std::thread::sleep(Duration::from_millis(2));
        }
        loading.kill().expect("to kill it");
        loading.wait().expect("its end");
    }
    let refused = world.run_badly(&["fast-reindex", "case", "--from", "feed"], 1);
    assert!(refused.contains("was begun from `all-docs`, not from `feed`"), "{refused}");
    world.delete("case-00001");
    world.change("case-00002", |document| document["domain"] = json!("demo"));
    world.change("case-00004", |document| document["name"] = json!("changed"));
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case", "--force"]);
    assert_equal(&world);
    assert_eq!(left_of_ranges(&world), Vec::<String>::new());
}

#[test]
fn documents_are_sent_again() {
    let world = world_of("sent_again", 300);
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let lose = |ids: &[&str]| {
        for id in ids {
            let path = format!("/{}-hqcases/_doc/{id}", world.prefix());
            assert_eq!(world.elastic("DELETE", &path, &Value::Null).status, 200, "{id}");
        }
    };
    let position = || {
        let info: Value = serde_json::from_str(&world.couch("GET", "", &Value::Null).body).expect("JSON");
        info["update_seq"].as_str().map_or_else(|| info["update_seq"].to_string(), str::to_owned)
    };
    lose(&["case-00100", "case-00101"]);
    let planned = world.run_well(&["--json", "fast-reindex", "case", "--in-place", "--dry-run"]);
    let planned: Value = serde_json::from_str(&planned).expect("JSON");
    assert_eq!((&planned["dry_run"], &planned["parts"][0]["documents"]), (&json!(true), &json!(330)));
    // Without an owner this command does the work.
    world.run_well(&["fast-reindex", "case", "--in-place"]);
    assert_equal(&world);

    let follower = world.follow_some(&["case"]);
    follower.wait_for_words(Duration::from_mins(1), &["case"]);
    lose(&["case-00102", "case-00103", "case-00104"]);
    let file = world.directory().join("ids.txt");
    fs_err::write(&file, "case-00102\n").expect("a file");
    let file = file.to_str().expect("a path");
    let sent = world.run_well(&["--json", "fast-reindex", "case", "--ids", file]);
    let sent: Value = serde_json::from_str(&sent).expect("JSON");
    assert_eq!(sent["parts"][0]["result"]["indexed"], json!(1), "{sent}");
    let selector = r#"{"name": {"$in": ["n103", "n104"]}}"#;
    world.run_well(&["fast-reindex", "case", "--selector", selector]);
    assert_equal(&world);

    let before = position();
    world.change("case-00200", |document| document["name"] = json!("between"));
    world.assert_indexed_soon("hqcases", "case-00200");
    let after = position();
    world.change("case-00201", |document| document["name"] = json!("after"));
    world.assert_indexed_soon("hqcases", "case-00201");
    lose(&["case-00200"]);
    let sent = world.run_well(&["--json", "fast-reindex", "case", "--since", &before, "--until", &after]);
    let sent: Value = serde_json::from_str(&sent).expect("JSON");
    assert_eq!(sent["parts"][0]["documents"], json!(1), "{sent}");
    assert_equal(&world);
    let refused = world.run_badly(&["fast-reindex", "case", "--in-place", "--restart"], 2);
    assert!(refused.contains("cannot be used with"), "{refused}");
}

#[test]
fn an_index_is_copied_from_the_one_that_is_searched() {
    let world = world_of("copied", 2500);
    let arguments = ["fast-reindex", "case", "--restart", "--from", "old-index"];
    let refused = world.run_badly(&arguments, 1);
    assert!(refused.contains("is not on one index"), "{refused}");
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    // What the other index does not have yet is caught up with.
    world.delete("case-00200");
    world.change("case-00201", |document| document["name"] = json!("changed"));
    world.change("case-02600", |document| {
        for (name, value) in case(2600).as_object().into_iter().flatten() {
            document[name] = value.clone();
        }
    });
    let planned = world.run_well(&["--json", "fast-reindex", "case", "--restart", "--dry-run"]);
    let planned: Value = serde_json::from_str(&planned).expect("JSON");
    assert_eq!(planned["action"], "create", "{planned}");
    let printed = end(start(&world, &arguments));
    assert!(printed.contains("the server copies index"), "{printed}");
    world.run_well(&["es-manage", "flip", "case", "--force"]);
    assert_equal(&world);
    world.run_well(&["verify", "case"]);
    // A document that failed is not in the other index, so the server cannot copy it.
    let samples = commcare::samples::summary().into_iter().find(|summary| summary.pillow == "case");
    let samples = samples.expect("the samples of cases");
    let failing = samples.undecodable.first().or(samples.rejected.first()).expect("a case that fails");
    let documents = commcare::samples::documents();
    let failing = documents.iter().find(|document| document["_id"] == **failing).expect("its document");
    world.save(std::slice::from_ref(failing));
    world.run_well(&["run", "case", "--until-caught-up"]);
    let refused = world.run_badly(&arguments, 1);
    assert!(refused.contains("1 documents are dead letters of index"), "{refused}");
}
