//! `checkpoint show`, `set`, `reset`, `to-head`, `rewind`, `export` and `import`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_found_soon, built, case, checkpoint, followed, json_of, lose};
use crate::support::{World, wait_for};

/// A command that changes the checkpoint: first dry, which must change nothing. Returns what the
/// owner does.
#[track_caller]
fn change(world: &World, arguments: &[&str], expected: &str) -> String {
    let before = checkpoint(world)["position"].clone();
    let dry: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
    let planned = json_of(world, &dry, 0);
    assert_eq!(planned["dry_run"], true, "{planned}");
    assert_eq!(checkpoint(world)["position"], before, "a dry run changes nothing");
    let changed = json_of(world, arguments, 0);
    assert_eq!(changed["dry_run"], false, "{changed}");
    for told in [&planned, &changed] {
        let of = &told["checkpoints"][0];
        assert_eq!((&of["before"], &of["after"]), (&before, &json!(expected)), "{told}");
        assert_eq!((&of["pillow"], &of["database"]), (&json!("case"), &json!(world.prefix())), "{told}");
    }
    changed["checkpoints"][0]["owner"].as_str().expect("what the owner does").to_owned()
}

/// The position that the feed of the database ends with.
fn head(world: &World) -> String {
    let response = world.couch("GET", "/_changes", &Value::Null);
    let response: Value = serde_json::from_str(&response.body).expect("changes");
    response["last_seq"].as_str().expect("a sequence").to_owned()
}

fn catch_up(world: &World) {
    world.run_well(&["run", "case", "--until-caught-up"]);
}

#[test]
fn a_stopped_pillow_continues_from_a_changed_checkpoint() {
    let world = built("checkpoint_stopped", &[case("one"), case("two")]);
    let loaded = checkpoint(&world);
    assert_eq!((&loaded["phase"], &loaded["owner"]), (&json!("following"), &Value::Null), "{loaded}");
    assert_eq!(loaded["owner_is_alive"], false, "{loaded}");
    let loaded = loaded["position"].as_str().expect("a position").to_owned();

    lose(&world, "one");
    assert_eq!(change(&world, &["checkpoint", "set", "case", "0"], "0"), "none");
    catch_up(&world);
    assert_found_soon(&world, &["one", "two"]);

    lose(&world, "one");
    assert_eq!(change(&world, &["checkpoint", "reset", "case"], "0"), "none");
    catch_up(&world);
    assert_found_soon(&world, &["one", "two"]);

    world.save(&[case("skipped")]);
    assert_eq!(change(&world, &["checkpoint", "to-head", "case"], &head(&world)), "none");
    world.save(&[case("three")]);
    catch_up(&world);
    assert_found_soon(&world, &["one", "three", "two"]);

    let exported = world.run_well(&["checkpoint", "export", "case"]);
    let file = world.directory().join("checkpoints.json");
    fs_err::write(&file, &exported).expect("a file");
    let file = file.to_str().expect("a path");
    let kept = checkpoint(&world)["position"].as_str().expect("a position").to_owned();
    assert_eq!(change(&world, &["checkpoint", "set", "case", &loaded], &loaded), "none");
    assert_eq!(change(&world, &["checkpoint", "import", file], &kept), "none");
    assert_eq!(world.run_well(&["checkpoint", "export"]).matches("\"position\"").count(), 1);
}

#[test]
fn a_running_pillow_continues_from_a_changed_checkpoint() {
    const CONTINUES: &str = "continues from there";
    let world = built("checkpoint_running", &[case("one"), case("two")]);
    let service = followed(&world);
    lose(&world, "one");
    assert_eq!(change(&world, &["checkpoint", "set", "case", "0"], "0"), CONTINUES);
    assert_found_soon(&world, &["one", "two"]);
    lose(&world, "two");
    // It reads to the end again, so the position before is not known here.
    let reset = json_of(&world, &["checkpoint", "reset", "case"], 0);
    assert_eq!(reset["checkpoints"][0]["owner"], CONTINUES, "{reset}");
    assert_found_soon(&world, &["one", "two"]);

    let exported: Value =
        serde_json::from_str(&world.run_well(&["checkpoint", "export", "case"])).expect("JSON");
    world.save(&[case("three")]);
    assert_found_soon(&world, &["one", "three", "two"]);
    lose(&world, "three");
    let file = world.directory().join("checkpoints.json");
    fs_err::write(&file, exported.to_string()).expect("a file");
    let imported = json_of(&world, &["checkpoint", "import", file.to_str().expect("a path")], 0);
    assert_eq!(imported["checkpoints"][0]["owner"], CONTINUES, "{imported}");
    assert_found_soon(&world, &["one", "three", "two"]);

    // Its owner remembers it with the position that it saves next.
    wait_for("a checkpoint", Duration::from_mins(1), || checkpoint(&world)["past"] != 0);
    // Checkpoints are of whole seconds.
    std::thread::sleep(Duration::from_millis(1100));
    let rewound = json_of(&world, &["checkpoint", "rewind", "case", "--before", "0s"], 0);
    assert_eq!(rewound["checkpoints"][0]["owner"], CONTINUES, "{rewound}");
    let to_head = json_of(&world, &["checkpoint", "to-head", "case"], 0);
    assert_eq!(to_head["checkpoints"][0]["owner"], CONTINUES, "{to_head}");
    // It follows as before.
    world.save(&[case("four")]);
    world.assert_indexed_soon("hqcases", "four");
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_dry_run_shows_from_where_each_index_continues() {
    let world = World::new("run_dry");
    world.save(&[case("one")]);
    let printed = world.run_badly(&["run", "case", "--dry-run"], 1);
    assert!(printed.contains("fast-reindex case"), "{printed}");
    let world = built("run_dry_built", &[case("one")]);
    world.save(&[case("two")]);
    let planned = || json_of(&world, &["run", "case", "--dry-run"], 0);
    let before = checkpoint(&world);
    let first = planned();
    assert_eq!(first["dry_run"], true, "{first}");
    let part = &first["parts"][0];
    for name in ["pillow", "index", "phase", "position", "owner"] {
        assert_eq!(part[name], before[name], "{name}: {first} {before}");
    }
    assert_eq!(part["database"], world.prefix(), "{first}");
    assert_eq!(checkpoint(&world), before);
    assert_found_soon(&world, &["one"]);
    let service = followed(&world);
    assert!(planned()["parts"][0]["owner"].is_string(), "{}", planned());
    let printed = world.run_well(&["run", "case", "--dry-run"]);
    assert!(printed.contains("continues from"), "{printed}");
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_checkpoint_is_rewound_to_one_that_was_stored_before() {
    let world = built("checkpoint_rewound", &[case("one")]);
    // A position is remembered once it was saved by whoever follows.
    world.save(&[case("two")]);
    catch_up(&world);
    let past = checkpoint(&world)["past"].as_u64().expect("a number");
    assert!(past > 0, "{}", checkpoint(&world));
    std::thread::sleep(Duration::from_millis(1100));
    let planned = json_of(&world, &["checkpoint", "rewind", "case", "--before", "0s", "--dry-run"], 0);
    let position = planned["checkpoints"][0]["after"].as_str().expect("a position").to_owned();
    assert_eq!(change(&world, &["checkpoint", "rewind", "case", "--before", "0s"], &position), "none");
    let printed = world.run_badly(&["checkpoint", "rewind", "case", "--before", "1h"], 1);
    assert!(printed.contains("no checkpoint was stored before"), "{printed}");
    assert!(printed.contains("checkpoint reset case"), "{printed}");
    assert_eq!(checkpoint(&world)["position"], position.as_str());
}

#[test]
fn a_checkpoint_of_something_else_is_refused_and_nothing_changes() {
    let world = built("checkpoint_foreign", &[case("one")]);
    let before = checkpoint(&world)["position"].clone();
    let exported: Value = serde_json::from_str(&world.run_well(&["checkpoint", "export"])).expect("JSON");
    let file = world.directory().join("checkpoints.json");
    let path = file.to_str().expect("a path").to_owned();
    let import = |change: &dyn Fn(&mut Value), arguments: &[&str], code: i32| {
        let mut foreign = exported.clone();
        change(&mut foreign["checkpoints"][0]);
        // One that could be imported does not stay alone.
        foreign["checkpoints"].as_array_mut().expect("a list").push(exported["checkpoints"][0].clone());
        fs_err::write(&file, foreign.to_string()).expect("a file");
        let arguments: Vec<&str> = ["checkpoint", "import", &path].iter().chain(arguments).copied().collect();
        let printed = world.run_badly(&arguments, code);
        assert_eq!(checkpoint(&world)["position"], before, "{printed}");
        printed
    };
    for force in [&[][..], &["--force"]] {
        let printed = import(&|it| it["database"]["name"] = json!("another"), force, 1);
        assert!(printed.contains("the index is read from database"), "{printed}");
        let printed = import(&|it| it["database"]["instance_start_time"] = json!("1"), force, 1);
        assert!(printed.contains("created again since"), "{printed}");
        let printed = import(&|it| it["pillow"] = json!("user"), force, 1);
        assert!(printed.contains("user") && printed.contains("no index with a checkpoint"), "{printed}");
        let printed = import(&|it| it["pillow"] = json!("cse"), force, 2);
        assert!(printed.contains("did you mean `case`"), "{printed}");
    }
    let printed = import(&|it| it["uuid"] = json!("another"), &[], 1);
    assert!(printed.contains("--force"), "{printed}");
    for contents in ["", "{}", "{\"checkpoints\":[]}", "[1]"] {
        fs_err::write(&file, contents).expect("a file");
        world.run_badly(&["checkpoint", "import", &path], 2);
    }
    world.run_badly(&["checkpoint", "import", "missing.json"], 2);

    // A position that the database does not know; those of other databases read as its start, as
    // CouchDB has it.
    for dry_run in [&[][..], &["--dry-run"]] {
        let arguments = ["checkpoint", "set", "case", "never-a-sequence"];
        let arguments: Vec<&str> = arguments.iter().chain(dry_run).copied().collect();
        let printed = world.run_badly(&arguments, 1);
        assert!(printed.contains("does not know the position `never-a-sequence`"), "{printed}");
        assert!(printed.contains("checkpoint show case"), "{printed}");
    }
    let printed = world.run_badly(&["checkpoint", "set", "case", "0", "--database", "another"], 1);
    assert!(printed.contains("no checkpoint for database `another`"), "{printed}");
    world.run_badly(&["checkpoint", "set", "case", ""], 2);
    let printed = world.run_badly(&["checkpoint", "reset", "user"], 1);
    assert!(printed.contains("pillow `user` has no checkpoint"), "{printed}");
    assert_eq!(checkpoint(&world)["position"], before);
}
