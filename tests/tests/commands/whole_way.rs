//! From documents in a database to searches that find them, by the commands that a user runs.

use crate::support::{ALIASES, World, sample_documents};
use serde_json::{Value, json};

/// The documents that no index takes, or that are no documents of their struct.
fn dead(documents: &[Value]) -> Vec<String> {
    let samples = commcare::samples::summary();
    let mut dead: Vec<String> = samples
        .into_iter()
        .flat_map(|summary| summary.rejected.into_iter().chain(summary.undecodable))
        .collect();
    // One of the real documents is a template: the dates of its actions are `%(bp1_done)sT00:00:00Z`.
    let is_template = |document: &&Value| document["actions"].to_string().contains("\"%(");
    dead.extend(
        documents
            .iter()
            .filter(is_template)
            .filter_map(|document| Some(document["_id"].as_str()?.to_owned())),
    );
    dead
}

#[test]
fn documents_are_indexed_found_and_followed() {
    let world = World::new("followed");
    let documents = sample_documents();
    world.save(&documents);
    let dead = dead(&documents);
    let dead: Vec<&str> = dead.iter().map(String::as_str).collect();
    world.build_all();
    for (pillow, alias) in ALIASES {
        let expected = world.expected(alias, &dead);
        assert!(expected.len() > 5, "{pillow} has {} documents", expected.len());
        assert_eq!(world.indexed(alias), expected, "{pillow}");
    }
    let letters = world.dead_letters();
    assert_eq!(letters.keys().map(String::as_str).collect::<Vec<_>>(), sorted(&dead));
    a_search_finds(&world);

    // Then the world goes on while nobody looks, and is caught up with.
    let follower = world.follow();
    let case = first(&world, "CommCareCase");
    world.change(&case, |document| document["name"] = json!("Zebulon Quartermaine"));
    world.change("born-later", |document| {
        *document = json!({"_id": "born-later", "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": "Later"});
    });
    world.assert_equal_soon(&dead);
    assert_eq!(world.search("hqcases", &json!({"match": {"name": "zebulon"}})).len(), 1);

    // A document that leaves the filter, one that becomes of a deleted type, one of another type, and one that is deleted.
    let cases: Vec<String> = world.expected("hqcases", &dead).into_keys().take(4).collect();
    world.change(&cases[0], |document| document["domain"] = json!("demo"));
    world.change(&cases[1], |document| document["doc_type"] = json!("CommCareCase-Deleted"));
    world.change(&cases[2], |document| document["doc_type"] = json!("SomethingElse"));
    world.delete(&cases[3]);
    let form = first(&world, "XFormInstance");
    world.delete(&form);
    world.assert_equal_soon(&dead);
    let held = world.indexed("hqcases");
    assert!(cases.iter().all(|id| !held.contains_key(id)));
    drop(follower);
}

#[test]
fn a_dead_letter_goes_when_its_document_is_mended() {
    let world = World::new("mended");
    world.save(&[
        json!({"_id": "good", "doc_type": "CommCareCase", "domain": "d", "type": "child"}),
        json!({"_id": "bad", "doc_type": "CommCareCase", "domain": 7, "type": "child"}),
    ]);
    world.build_all();
    let letters = world.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters["bad"]["stage"], "decode");
    assert!(letters["bad"]["reason"].as_str().is_some_and(|reason| reason.contains("domain")), "{letters:?}");
    world.change("bad", |document| document["domain"] = json!("d"));
    world.run_well(&["run", "--until-caught-up"]);
    world.assert_equal_soon(&[]);
    assert!(world.dead_letters().is_empty());
}

#[test]
fn a_second_reindex_does_nothing_and_a_flip_says_so() {
    let world = World::new("twice");
    world.save(&[json!({"_id": "one", "doc_type": "CommCareCase", "domain": "d", "type": "child"})]);
    world.build_all();
    let again: Value =
        serde_json::from_str(&world.run_well(&["--json", "fast-reindex", "case"])).expect("JSON");
    assert_eq!(again["already_complete"], json!(true), "{again}");
    world.run_well(&["es-manage", "flip", "--all"]);
    let status = world.run_well(&["es-manage", "status"]);
    assert!(status.contains("hqcases"), "{status}");
}

fn a_search_finds(world: &World) {
    // Found through the analyzers of `analysis/hq.json`: whitespace and lower case.
    let case = world
        .documents()
        .into_iter()
        .find(|document| document["doc_type"] == "CommCareCase" && document["name"].is_string());
    let case = case.expect("a case with a name");
    let name = case["name"].as_str().expect("a name");
    let hits = world.search("hqcases", &json!({"term": {"name.exact": name}}));
    assert!(hits.iter().any(|hit| hit["_id"] == case["_id"]), "{name}: {hits:?}");
    let nested = json!({"nested": {"path": "actions", "query": {"term": {"actions.action_type": "create"}}}});
    assert!(!world.search("hqcases", &nested).is_empty());
}

fn first(world: &World, doc_type: &str) -> String {
    let alias = if doc_type == "CommCareCase" { "hqcases" } else { "xforms" };
    world.indexed(alias).into_keys().next().expect("a document")
}

fn sorted<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}
