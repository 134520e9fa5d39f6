//! What cannot work says so in one sentence, with its exit code, and does nothing by half.

use crate::support::World;
use pillowtop_tests::{CouchOptions, CouchServer};
use serde_json::{Value, json};

#[test]
fn unusable_servers_and_databases() {
    let world = World::new("unusable");
    let printed = world.run_badly(&["--couch-url", "http://127.0.0.1:9", "fast-reindex", "case"], 1);
    assert!(printed.contains("does not respond") && printed.contains("hint:"), "{printed}");
    let printed = world.run_badly(&["--elastic-url", "http://127.0.0.1:9", "run", "case"], 1);
    assert!(printed.contains("127.0.0.1:9") && printed.contains("hint:"), "{printed}");
    // An address of something else: a database, or the other server.
    let elastic = std::env::var(pillowtop_tests::ELASTIC_URL_VARIABLE).expect("a cluster");
    let couch = std::env::var(pillowtop_tests::COUCH_URL_VARIABLE).expect("a CouchDB");
    for (address, advice) in [
        (format!("{couch}/no-such-database"), "the address of CouchDB itself"),
        (elastic, "`--elastic-url` and `--couch-url` are not swapped"),
    ] {
        let printed = world.run_badly(&["--couch-url", &address, "fast-reindex", "case"], 1);
        assert!(printed.contains(advice), "{printed}");
    }
    let printed = world.run_badly(&["--elastic-url", &couch, "fast-reindex", "case"], 1);
    assert!(
        printed.contains("neither Elasticsearch nor OpenSearch") && printed.contains("hint:"),
        "{printed}"
    );
    let deleted = world.couch("DELETE", "", &Value::Null);
    assert!(deleted.status < 300);
    let printed = world.run_badly(&["fast-reindex", "case"], 1);
    assert!(printed.contains("has no database"), "{printed}");
    let indices = world.elastic("GET", "/_cat/indices/unusable-*?h=index", &Value::Null);
    assert!(!indices.body.contains("hqcases"), "{}", indices.body);
}

#[test]
fn missing_and_foreign_indices() {
    let world = World::new("foreign");
    world.save(&[json!({"_id": "one", "doc_type": "CommCareCase", "domain": "d", "type": "child"})]);
    let printed = world.run_badly(&["run", "case", "--until-caught-up"], 1);
    assert!(printed.contains("fast-reindex case"), "{printed}");
    world.run_well(&["fast-reindex", "case"]);
    let listed = world.elastic("GET", "/_cat/indices/foreign-*hqcases*?h=index&format=json", &Value::Null);
    let listed: Value = serde_json::from_str(&listed.body).expect("a list of indices");
    let index = listed[0]["index"].as_str().expect("an index").to_owned();
    // Somebody puts another mapping on the live index.
    let other = json!({"_meta": {"pillowtop": {"pillow": "case", "hash": "0", "format": 1}}});
    assert!(world.elastic("PUT", &format!("/{index}/_mapping"), &other).status < 300);
    let printed = world.run_badly(&["run", "case", "--until-caught-up"], 1);
    assert!(printed.contains("mapping") && printed.contains(&index), "{printed}");
}

#[test]
fn a_database_that_was_created_again_is_not_followed() {
    let world = World::new("again");
    world.save(&[json!({"_id": "one", "doc_type": "CommCareCase", "domain": "d", "type": "child"})]);
    world.build_all();
    assert!(world.couch("DELETE", "", &Value::Null).status < 300);
    // Its creation time has a resolution of a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(world.couch("PUT", "", &Value::Null).status < 300);
    let printed = world.run_badly(&["run", "case", "--until-caught-up"], 1);
    assert!(printed.contains("created at"), "{printed}");
    assert_eq!(world.indexed("hqcases").len(), 1, "what was served continues to be served");
}

#[test]
fn configuration_and_names() {
    let world = World::new("names");
    let printed = world.run_badly(&["fast-reindex", "cse"], 2);
    assert!(printed.contains("did you mean `case`"), "{printed}");
    let path = world.directory().join("bad.toml");
    fs_err::write(&path, "[elastic]\nurll = \"http://127.0.0.1:1\"\n").expect("a file");
    let printed = world.run_badly(&["--config", path.to_str().expect("a path"), "pillows"], 2);
    assert!(printed.contains("urll"), "{printed}");
}

#[test]
fn a_wrong_password_is_reported_once_and_never_shown() {
    let world = World::new("password");
    let admin = Some(("admin".to_owned(), "right".to_owned()));
    let couch =
        CouchServer::start(&CouchOptions { admin, ..CouchOptions::default() }).expect("a couch server");
    let output = world
        .command(&["--couch-url", &couch.url(), "--couch-user", "admin", "fast-reindex", "case"])
        .env("PILLOWTOP_COUCH_PASSWORD", "a-wrong-one")
        .output()
        .expect("the binary");
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("refuses the credentials") && printed.contains("hint:"), "{printed}");
    assert!(!printed.contains("a-wrong-one"), "{printed}");
}

#[test]
fn a_pillow_that_is_named_twice_is_followed_once() {
    let world = World::new("named_twice");
    world.save(&[json!({"_id": "one", "doc_type": "CommCareCase", "domain": "d", "type": "child"})]);
    world.run_well(&["fast-reindex", "case"]);
    let table = world.run_well(&["run", "case", "case", "--until-caught-up"]);
    assert_eq!(table.lines().count(), 2, "a header and a pillow: {table}");
}
