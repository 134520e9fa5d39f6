//! `dead-letters list`, `show`, `replay`, `bury` and `purge`, with filters.

use serde_json::{Value, json};

use super::{assert_found_soon, built, case, followed, json_of, undecodable};
use crate::support::World;

/// An id that no index accepts.
fn long_id() -> String {
    "x".repeat(600)
}

/// A dead letter of each of two stages.
fn rejected(test: &str) -> World {
    let world = built(test, &[case("good"), undecodable("bad"), undecodable("worse"), case(&long_id())]);
    assert_eq!(listed(&world, &[]), ["bad", "worse", &long_id()]);
    world
}

/// The ids of the dead letters that a filter finds, in order.
#[track_caller]
fn listed(world: &World, filter: &[&str]) -> Vec<String> {
    let arguments: Vec<&str> = ["dead-letters", "list"].iter().chain(filter).copied().collect();
    let listed = json_of(world, &arguments, 0);
    let dead_letters = listed["dead_letters"].as_array().expect("dead letters");
    assert_eq!(listed["total"], dead_letters.len(), "{listed}");
    let id = |dead_letter: &Value| dead_letter["id"].as_str().expect("an id").to_owned();
    let mut ids: Vec<String> = dead_letters.iter().map(id).collect();
    ids.sort();
    ids
}

#[test]
fn dead_letters_are_listed_and_shown() {
    let world = rejected("dead_letters_listed");
    let index = json_of(&world, &["dead-letters", "list"], 0)["dead_letters"][0]["index"].clone();
    let index = index.as_str().expect("an index").to_owned();
    let database = world.prefix().to_owned();
    let all: &[&str] = &["bad", "worse", &long_id()];
    for (filter, expected) in [
        (&["case"][..], all),
        (&["--stage", "decode"], &all[..2]),
        (&["--stage", "index"], &[]),
        (&["--error-type", "id_too_long"], &all[2..]),
        (&["--error-type", "decode_error", "--stage", "id"], &[]),
        (&["--index", &index], all),
        (&["--index", "another"], &[]),
        (&["--database", &database], all),
        (&["--database", "another"], &[]),
        (&["--since", "1h"], all),
        (&["--before", "1h"], &[]),
        (&["user"], &[]),
    ] {
        assert_eq!(listed(&world, filter), expected, "{filter:?}");
    }
    let printed = world.run_badly(&["dead-letters", "list", "cse"], 2);
    assert!(printed.contains("did you mean `case`"), "{printed}");
    world.run_badly(&["dead-letters", "list", "--stage", "nowhere"], 2);
    world.run_badly(&["dead-letters", "list", "--since", "yesterday"], 2);

    let shown = json_of(&world, &["dead-letters", "show", "bad"], 0);
    let shown = &shown["dead_letters"][0];
    assert_eq!((&shown["pillow"], &shown["stage"]), (&json!("case"), &json!("decode")), "{shown}");
    assert!(shown["reason"].as_str().is_some_and(|reason| reason.contains("domain")), "{shown}");
    assert!(shown["document"].is_null(), "bodies are kept on request alone: {shown}");
    let printed = world.run_well(&["dead-letters", "show", "bad", "case"]);
    assert!(printed.contains("decode_error") && printed.contains(&index), "{printed}");
    let printed = world.run_badly(&["dead-letters", "show", "good"], 1);
    assert!(printed.contains("document `good` has no dead letter"), "{printed}");
}

/// What a replay has done in its only part.
#[track_caller]
fn replayed(world: &World, filter: &[&str], code: i32) -> Value {
    let arguments: Vec<&str> = ["dead-letters", "replay"].iter().chain(filter).copied().collect();
    let replayed = json_of(world, &arguments, code);
    assert_eq!(replayed["dry_run"], filter.contains(&"--dry-run"), "{replayed}");
    assert!(replayed["parts"].as_array().is_some_and(|parts| parts.len() < 2), "{replayed}");
    replayed["parts"][0].clone()
}

#[test]
fn dead_letters_are_replayed_by_the_command_or_by_the_owner() {
    let world = rejected("dead_letters_replayed");
    // Nothing follows, so the documents that are fixed stay dead letters.
    world.change("bad", |document| document["domain"] = json!("d"));
    let planned = replayed(&world, &["--dry-run"], 0);
    assert_eq!((&planned["documents"], &planned["result"]), (&json!(3), &Value::Null), "{planned}");
    assert_eq!(listed(&world, &[]).len(), 3, "a dry run changes nothing");
    assert_found_soon(&world, &["good"]);
    let result = replayed(&world, &["case", "--stage", "decode"], 4);
    assert_eq!((&result["documents"], &result["result"]["indexed"]), (&json!(2), &json!(1)), "{result}");
    assert_eq!(result["result"]["dead_letters"], 1, "{result}");
    assert_found_soon(&world, &["bad", "good"]);
    assert_eq!(listed(&world, &[]), ["worse", &long_id()]);
    for dry_run in [&["--stage", "index"][..], &["--stage", "index", "--dry-run"]] {
        assert_eq!(replayed(&world, dry_run, 0), Value::Null, "there is none");
    }

    // One that its owner does not index, although the document is what it was.
    let service = followed(&world);
    let output = world.run(&["dead-letters", "replay", "--error-type", "id_too_long"]);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{printed}");
    assert!(printed.contains("does the work"), "{printed}");
    world.delete(&long_id());
    world.change("worse", |document| document["domain"] = json!("d"));
    world.assert_indexed_soon("hqcases", "worse");
    crate::support::wait_for("no dead letters", std::time::Duration::from_mins(1), || {
        listed(&world, &[]).is_empty()
    });
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_dead_letter_whose_pillow_is_gone_is_not_replayed_but_purged() {
    let world = rejected("dead_letters_gone").with_program(env!("CARGO_BIN_EXE_households"));
    for dry_run in [&[][..], &["--dry-run"]] {
        let arguments: Vec<&str> = ["dead-letters", "replay"].iter().chain(dry_run).copied().collect();
        let printed = world.run_badly(&arguments, 1);
        assert!(printed.contains("pillow `case` is not registered in this program"), "{printed}");
        assert!(printed.contains("3 dead letters") && printed.contains("purge case"), "{printed}");
    }
    assert_eq!(listed(&world, &[]).len(), 3);
    world.run_well(&["dead-letters", "purge", "case", "--yes"]);
    assert_eq!(listed(&world, &["--all"]), Vec::<String>::new());
}

#[test]
fn dead_letters_are_purged_after_a_confirmation_alone() {
    let world = rejected("dead_letters_purged");
    let printed = world.run_badly(&["dead-letters", "purge", "case"], 2);
    assert!(printed.contains("needs a confirmation"), "{printed}");
    let decode = ["dead-letters", "purge", "case", "--stage", "decode"];
    let with = |more: &'static str| decode.iter().copied().chain([more]).collect::<Vec<_>>();
    let planned = json_of(&world, &with("--dry-run"), 0);
    assert_eq!(planned, json!({"dry_run": true, "purged": 0, "matching": 2}));
    assert_eq!(listed(&world, &[]).len(), 3, "a dry run changes nothing");
    let purged = json_of(&world, &with("--yes"), 0);
    assert_eq!(purged, json!({"dry_run": false, "purged": 2, "matching": 2}));
    assert_eq!(listed(&world, &[]), [long_id()]);
    // Of an index that is gone, by its name.
    let index = json_of(&world, &["dead-letters", "list"], 0)["dead_letters"][0]["index"].clone();
    let index = index.as_str().expect("an index").to_owned();
    assert_eq!(world.elastic("DELETE", &format!("/{index}"), &Value::Null).status, 200);
    assert_eq!(listed(&world, &[]), Vec::<String>::new());
    assert_eq!(listed(&world, &["--all"]), [long_id()]);
    let purged = json_of(&world, &["dead-letters", "purge", "--index", &index, "--all", "--yes"], 0);
    assert_eq!(purged["purged"], 1, "{purged}");
    assert_eq!(listed(&world, &["--all"]), Vec::<String>::new());
}

#[test]
fn a_document_that_did_not_stop_its_pillow_cannot_be_given_up() {
    let world = rejected("dead_letters_buried");
    let bury = |arguments: &[&'static str], code: i32| {
        let arguments: Vec<&str> = ["dead-letters", "bury"].iter().chain(arguments).copied().collect();
        json_of(&world, &arguments, code)
    };
    let planned = bury(&["good", "case", "--dry-run"], 0);
    assert_eq!((&planned["dry_run"], &planned["parts"][0]["documents"]), (&json!(true), &json!(1)));
    assert!(planned["parts"][0]["result"].is_null(), "{planned}");
    let result = bury(&["good", "case"], 0);
    assert_eq!((&result["dry_run"], &result["parts"][0]["result"]["indexed"]), (&json!(false), &json!(1)));
    let printed = world.run(&["dead-letters", "bury", "good", "case"]);
    assert!(String::from_utf8_lossy(&printed.stderr).contains("did not fail"), "{printed:?}");
    let printed = world.run_badly(&["dead-letters", "bury", "nosuch", "case"], 1);
    assert!(printed.contains("no such dead letter: `nosuch`"), "{printed}");
    let service = followed(&world);
    let result = bury(&["bad", "case"], 0);
    assert_eq!(result["parts"][0]["result"]["dead_letters"], 1, "{result}");
    let printed = world.run_badly(&["dead-letters", "bury", "bad"], 2);
    assert!(printed.contains("which pillow?"), "{printed}");
    assert_eq!(listed(&world, &[]).len(), 3);
    assert_found_soon(&world, &["good"]);
    assert_eq!(service.terminate(), Some(0));
}
