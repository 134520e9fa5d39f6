//! From documents in a database to searches that find them, by the commands that a user runs.

use std::collections::BTreeSet;

use crate::support::{ALIASES, World, sample_documents};
use serde_json::{Value, json};

/// The documents that an index cannot take, or that are not documents of its struct: each alias
/// with an id.
fn dead(documents: &[Value]) -> Vec<(&'static str, String)> {
    let mut dead = Vec::new();
    for (summary, (pillow, alias)) in commcare::samples::summary().into_iter().zip(ALIASES) {
        assert_eq!(summary.pillow, pillow);
        dead.extend(summary.rejected.into_iter().chain(summary.undecodable).map(|id| (alias, id)));
    }
    // One of the real documents is a template: the dates of its actions are `%(bp1_done)sT00:00:00Z`.
    // They are not searched by `case_search`.
    let is_template = |document: &&Value| document["actions"].to_string().contains("\"%(");
    dead.extend(
        documents
            .iter()
            .filter(is_template)
            .filter_map(|document| Some(("hqcases", document["_id"].as_str()?.to_owned()))),
    );
    dead
}

#[test]
fn documents_are_indexed_found_and_followed() {
    let world = World::new("followed");
    let documents = sample_documents();
    world.save(&documents);
    let dead = dead(&documents);
    world.build_all();
    for (pillow, alias) in ALIASES {
        let expected = world.expected(alias, &dead);
        assert!(expected.len() >= 3, "{pillow} has {} documents", expected.len());
        assert_eq!(world.indexed(alias), expected, "{pillow}");
    }
    let dead_letters = world.dead_letters();
    let dead_ids: BTreeSet<&String> = dead.iter().map(|(_, id)| id).collect();
    assert_eq!(dead_letters.keys().collect::<BTreeSet<_>>(), dead_ids);
    a_search_finds(&world);

    // Then changes continue while no process runs, and are caught up with.
    let follower = world.follow();
    let case = first(&world, "CommCareCase");
    world.change(&case, |document| document["name"] = json!("Zebulon Quartermaine"));
    world.change("born-later", |document| {
        *document = json!({"_id": "born-later", "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": "Later"});
    });
    world.assert_equal_soon(&dead);
    assert_eq!(world.search("hqcases", &json!({"match": {"name": "zebulon"}})).len(), 1);

    // A document that leaves the filter, one that becomes of a deleted type, one of another type, and
    // one that is deleted.
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
fn a_dead_letter_goes_when_its_document_is_fixed() {
    let world = World::new("fixed");
    world.save(&[
        json!({"_id": "good", "doc_type": "CommCareCase", "domain": "d", "type": "child"}),
        json!({"_id": "bad", "doc_type": "CommCareCase", "domain": 7, "type": "child"}),
    ]);
    world.build_all();
    let dead_letters = world.dead_letters();
    assert_eq!(dead_letters.len(), 1);
    assert_eq!(dead_letters["bad"]["stage"], "decode");
    assert!(
        dead_letters["bad"]["reason"].as_str().is_some_and(|reason| reason.contains("domain")),
        "{dead_letters:?}"
    );
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

    // By a property that the project made up, as what it is.
    let by = |key: &str, query: Value| {
        let of = json!({"term": {"case_properties.key.exact": key}});
        let query = json!({"bool": {"filter": [of, query]}});
        world.search("case_search", &json!({"nested": {"path": "case_properties", "query": query}}))
    };
    let value =
        |field: &str, query: Value| json!({ "range": {(format!("case_properties.value{field}")): query} });
    assert!(!by("village", json!({"exists": {"field": "case_properties.value.exact"}})).is_empty());
    assert!(
        !by("registered_on", value(".date", json!({"gte": "2024-01-01", "lt": "2026-01-01"}))).is_empty()
    );
    assert!(by("registered_on", value(".date", json!({"gte": "2030-01-01"}))).is_empty());
    assert!(by("village", value(".numeric", json!({"gte": 0}))).is_empty());
    // Null is found as the empty text.
    assert!(!by("external_id", json!({"term": {"case_properties.value.exact": ""}})).is_empty());

    // Through the analyzer that takes lists apart at their commas, the names of countries, and a form's
    // name in any language.
    let health = world.search("hqdomains", &json!({"term": {"project_type": "child health"}}));
    assert_eq!(health.len(), 1, "{health:?}");
    let kenya = world.search("hqdomains", &json!({"term": {"deployment.countries.exact": "KENYA"}}));
    assert_eq!(kenya.len(), 1, "{kenya:?}");
    let name = json!({"match": {"modules.forms.name.text": "भेंट"}});
    let forms = json!({"nested": {"path": "modules.forms", "query": name}});
    let modules = json!({"nested": {"path": "modules", "query": forms}});
    assert_eq!(world.search("hqapps", &modules).len(), 3, "the application and its builds");
    let setting = json!({"match": {"profile.properties.cc-send-procedure": "cc-send-http"}});
    assert!(!world.search("hqapps", &setting).is_empty(), "a setting that no mapping names");
}

fn first(world: &World, doc_type: &str) -> String {
    let alias = if doc_type == "CommCareCase" { "hqcases" } else { "xforms" };
    world.indexed(alias).into_keys().next().expect("a document")
}
