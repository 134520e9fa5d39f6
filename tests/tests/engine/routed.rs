//! Parents and children in indices of several shards, told from the database's documents by plain
//! JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{World, wait_for};

const PILLOWS: [(&str, &str); 2] = [("person", "persons"), ("member", "members")];

fn household(number: usize) -> Value {
    json!({"_id": format!("h{number}"), "doc_type": "Household", "name": format!("household {number}")})
}

fn person(number: usize, household: usize) -> Value {
    json!({"_id": format!("p{number}"), "doc_type": "Person", "name": format!("person {number}"),
        "household_id": format!("h{household}")})
}

/// Every copy of a document that an alias finds, in any shard: id, revision, and the routing value.
type Copies = Vec<(String, String, Option<String>)>;

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn found(world: &World, alias: &str) -> Copies {
    let alias = format!("{}-{alias}", world.prefix());
    let refreshed = world.elastic("POST", &format!("/{alias}/_refresh"), &Value::Null);
    assert!(refreshed.status < 300, "{refreshed:?}");
    let query = json!({"size": 10_000, "track_total_hits": true, "query": {"match_all": {}}});
    let response = world.elastic("POST", &format!("/{alias}/_search"), &query);
    let response: Value = serde_json::from_str(&response.body).expect("a response to a search");
    let hits = response["hits"]["hits"].as_array().expect("hits");
    assert_eq!(response["hits"]["total"]["value"], hits.len());
    let copy = |hit: &Value| {
        (
            text(&hit["_id"]),
            text(&hit["_source"]["pillowtop"]["rev"]),
            hit["_routing"].as_str().map(str::to_owned),
        )
    };
    let mut copies: Copies = hits.iter().map(copy).collect();
    copies.sort();
    copies
}

/// One copy of each document, by its household.
fn expected(world: &World, alias: &str, dead: &[&str]) -> Copies {
    let documents = world.documents();
    let ours = documents
        .iter()
        .filter(|document| ["Household", "Person"].contains(&text(&document["doc_type"]).as_str()));
    let mut copies: Copies = ours
        .map(|document| {
            let own = (alias == "members").then(|| text(&document["_id"]));
            let routing = document["household_id"].as_str().map(str::to_owned).or(own);
            (text(&document["_id"]), text(&document["_rev"]), routing)
        })
        .filter(|(id, ..)| alias == "members" || !dead.contains(&id.as_str()))
        .collect();
    copies.sort();
    copies
}

#[track_caller]
fn assert_equal_soon(world: &World, dead: &[&str]) {
    for (_, alias) in PILLOWS {
        let end = std::time::Instant::now() + Duration::from_mins(1);
        while found(world, alias) != expected(world, alias, dead) {
            if std::time::Instant::now() > end {
                assert_eq!(found(world, alias), expected(world, alias, dead), "{alias}");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The ids that a query finds.
fn ids(world: &World, query: &Value) -> Vec<String> {
    let mut ids: Vec<String> = world.search("persons", query).iter().map(|hit| text(&hit["_id"])).collect();
    ids.sort();
    ids
}

/// Each person is found by its household, and each household by its persons.
#[track_caller]
fn assert_joined(world: &World, dead: &[&str]) {
    let mut persons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for document in world.documents().iter().filter(|document| document["doc_type"] == "Person") {
        let id = text(&document["_id"]);
        if !dead.contains(&id.as_str()) {
            persons.entry(text(&document["household_id"])).or_default().push(id);
        }
    }
    let households: Vec<Value> =
        world.documents().into_iter().filter(|document| document["doc_type"] == "Household").collect();
    for document in &households {
        let id = text(&document["_id"]);
        let has_parent = json!({"has_parent": {"parent_type": "household", "query": {"match_phrase": {"name": document["name"]}}}});
        let mut expected = persons.get(&id).cloned().unwrap_or_default();
        expected.sort();
        assert_eq!(ids(world, &has_parent), expected, "persons of {id}");
    }
    let has_child = json!({"has_child": {"type": "person", "query": {"match_all": {}}}});
    let mut expected: Vec<String> = households
        .iter()
        .map(|document| text(&document["_id"]))
        .filter(|id| persons.contains_key(id))
        .collect();
    expected.sort();
    assert_eq!(ids(world, &has_child), expected);
}

#[test]
fn persons_are_in_the_shards_of_their_households_however_they_move() {
    let world = World::new("routed").with_program(env!("CARGO_BIN_EXE_households"));
    let mut documents: Vec<Value> = (0..20).map(household).collect();
    documents.extend((0..60).map(|number| person(number, number % 15)));
    world.save(&documents);
    // Before the load: its feed shows them moved and deleted.
    world.change("p3", |document| document["household_id"] = json!("h19"));
    world.delete("p4");
    for (pillow, _) in PILLOWS {
        world.run_well(&["fast-reindex", pillow]);
    }
    world.run_well(&["es-manage", "flip", "--all"]);
    world.run_well(&["es-manage", "status"]);
    assert_equal_soon(&world, &[]);
    assert_joined(&world, &[]);

    let service = world.follow();
    for number in 0..30 {
        world.change(&format!("p{}", number + 10), |document| {
            document["household_id"] = json!(format!("h{}", (number * 7) % 20));
        });
    }
    world.delete("p0");
    world.delete("h14");
    world.change("p1", |document| document["doc_type"] = json!("Former"));
    // One that was deleted comes back elsewhere, and another moves and is deleted.
    world.save(&[person(4, 18)]);
    world.change("p2", |document| document["household_id"] = json!("h17"));
    world.delete("p2");
    assert_equal_soon(&world, &[]);
    assert_joined(&world, &[]);

    // A child without a parent is rejected, and its earlier version stays where it is until it is
    // fixed.
    world.change("p5", |document| document["household_id"] = Value::Null);
    world.save(&[json!({"_id": "p99", "doc_type": "Person", "name": "lost", "household_id": null})]);
    wait_for("dead letters", Duration::from_mins(1), || world.dead_letters().len() == 2);
    let old: Vec<_> = found(&world, "persons").into_iter().filter(|(id, ..)| id == "p5").collect();
    assert_eq!(old.len(), 1);
    assert_eq!(old[0].2.as_deref(), Some("h5"));
    world.change("p5", |document| document["household_id"] = json!("h6"));
    world.change("p99", |document| document["household_id"] = json!("h6"));
    assert_equal_soon(&world, &[]);
    assert_joined(&world, &[]);
    wait_for("no dead letters", Duration::from_mins(1), || world.dead_letters().is_empty());

    assert_eq!(service.terminate(), Some(0));
    let listed = world.directory().join("ids.txt");
    fs_err::write(&listed, "p5\np6\nh1\np0\n").expect("a list of ids");
    world.run_well(&["process", "person", "--ids", listed.to_str().expect("a path")]);
    world.run_well(&["fast-reindex", "person", "--restart"]);
    assert_equal_soon(&world, &[]);
}
