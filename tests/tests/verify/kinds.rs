//! Each kind of difference is found, and repaired.

use serde_json::{Value, json};

use crate::support::World;
use crate::{build, case, kinds, put, rewrite, tamper, verify};

/// Cases, and what is not indexed: one that is filtered out, one of another type, one that was
/// deleted, one that cannot be.
fn filled(test: &str) -> World {
    let world = World::new(test);
    let mut documents: Vec<Value> = (0..50).map(|number| case(&format!("c{number:02}"))).collect();
    documents.push({
        let mut filtered = case("filtered");
        filtered["domain"] = json!("demo");
        filtered
    });
    documents.push(json!({"_id": "user", "doc_type": "CommCareUser", "username": "u"}));
    documents.push(case("deleted"));
    let mut bad = case("bad");
    bad["domain"] = json!(7);
    documents.push(bad);
    // Design documents are not a pillow's.
    documents.push(json!({"_id": "_design/d", "views": {}}));
    world.save(&documents);
    world.delete("deleted");
    build(&world);
    world
}

fn damage(world: &World) {
    tamper(world, "DELETE", "_doc/c01", &Value::Null);
    rewrite(world, "c02", |source| source["pillowtop"]["rev"] = json!("0-older"));
    rewrite(world, "c03", |source| source["name"] = json!("edited by hand"));
    ["nowhere", "deleted", "filtered", "user"].iter().for_each(|id| put(world, id));
    tamper(world, "PUT", "_doc/stray", &json!({"name": "not written by pillowtop"}));
}

const DEAD: (&str, &[&str]) = ("dead_letter", &["bad"]);

#[test]
fn each_kind_of_difference_is_found_and_repaired() {
    let world = filled("verify_kinds");
    let found = verify(&world, &["--all-bodies"], 0);
    assert_eq!(found.ids(), kinds(&[DEAD]));
    let part = &found.parts()[0];
    assert_eq!((&part["index_documents"], &part["bodies_compared"]), (&json!(50), &json!(50)));

    damage(&world);
    let extra: &[&str] = &["deleted", "filtered", "nowhere", "stray", "user"];
    let all = [("body", &["c03"][..]), DEAD, ("extra", extra), ("missing", &["c01"]), ("stale", &["c02"])];
    assert_eq!(verify(&world, &["--all-bodies"], 4).ids(), kinds(&all));
    // Without its body nobody notices that one was edited.
    assert_eq!(verify(&world, &["--sample", "0"], 4).ids(), kinds(&all[1..]));
    let output = world.run(&["verify", "case", "--all-bodies"]).stdout;
    let printed = String::from_utf8_lossy(&output);
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "c02` (0-older in the index",
        "`c03` (name)",
        "filtered` (filtered out)",
        "user` (not a document of the pillow)",
        "nowhere` (not found in the database)",
        "deleted` (deleted)",
        "differs in 8 documents",
    ] {
        assert!(printed.contains(part), "{part} is not in: {printed}");
    }

    let dry = verify(&world, &["--all-bodies", "--repair", "--dry-run"], 4);
    assert_eq!((dry.ids(), &dry.parts()[0]["repaired"]), (kinds(&all), &Value::Null));
    let repaired = verify(&world, &["--all-bodies", "--repair"], 0);
    assert_eq!(repaired.ids(), kinds(&all));
    assert_eq!(
        (&repaired.0["parts"][0]["repaired"]["removed"], &repaired.0["parts"][0]["left"]),
        (&json!(5), &json!(0))
    );
    assert_eq!(verify(&world, &["--all-bodies"], 0).ids(), kinds(&[DEAD]));
    assert_eq!(world.indexed("hqcases").len(), 50);
}

#[test]
fn what_was_found_last_is_remembered() {
    let world = filled("verify_remembered");
    tamper(&world, "DELETE", "_doc/c01", &Value::Null);
    let stored = || -> Value {
        let control = format!("/{}-pillowtop-control", world.prefix());
        world.elastic("POST", &format!("{control}/_refresh"), &Value::Null);
        let query = json!({"query": {"prefix": {"key": "verified:"}}});
        let response = world.elastic("POST", &format!("{control}/_search"), &query);
        let response: Value = serde_json::from_str(&response.body).expect("a search answer");
        response["hits"]["hits"][0]["_source"]["value"].clone()
    };
    verify(&world, &["--dry-run"], 4);
    assert_eq!(stored(), Value::Null);
    verify(&world, &[], 4);
    assert_eq!(
        (&stored()["missing"], &stored()["dead_letters"], &stored()["repaired"]),
        (&json!(1), &json!(1), &json!(0))
    );
    verify(&world, &["--repair"], 0);
    assert_eq!((&stored()["missing"], &stored()["repaired"]), (&json!(1), &json!(1)));
    verify(&world, &[], 0);
    assert_eq!((&stored()["missing"], &stored()["documents"]), (&json!(0), &json!(50)));
}

#[test]
fn many_deletions_are_asked_about() {
    let world = World::new("verify_many");
    world.save(&[case("one")]);
    build(&world);
    let lines: Vec<String> = (0..1001)
        .flat_map(|number| {
            let id = format!("x{number}");
            let source = json!({"pillowtop": {"id": id, "rev": "1-a", "db": world.prefix()}});
            [json!({"index": {"_id": id}}).to_string(), source.to_string()]
        })
        .collect();
    let path = format!("/{}-hqcases/_bulk", world.prefix());
    let bulk =
        pillowtop_tests::request(world.ports().1, "POST", &path, &(lines.join("\n") + "\n")).expect("a bulk");
    assert!(bulk.status < 300 && bulk.body.contains("\"errors\":false"), "{}", bulk.body);
    let mut repair = world.command(&["verify", "case", "--repair"]);
    let output = repair.stdin(std::process::Stdio::null()).output().expect("the binary");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1)
            && printed.contains("1001 documents of 1002")
            && printed.contains("--yes"),
        "{printed}"
    );
    assert_eq!(world.indexed("hqcases").len(), 1002);
    world.run_well(&["verify", "case", "--repair", "--yes"]);
    assert_eq!(world.indexed("hqcases").into_keys().collect::<Vec<_>>(), ["one"]);
}
