//! Several databases in one index, each compared on its own.

use serde_json::{Value, json};

use crate::support::World;
use crate::{case, kinds, tamper, verify};

#[test]
fn several_databases_are_compared_one_by_one() {
    let world = World::new("verify_several");
    let name = |database: &str| format!("{}-{database}", world.prefix());
    for database in ["a", "b"] {
        let created = world.couch_server("PUT", &format!("/{}", name(database)), &Value::Null);
        assert!(created.status < 300, "{created:?}");
        for id in ["one", "two"] {
            let saved = world.couch_server("PUT", &format!("/{}/{id}", name(database)), &case(id));
            assert!(saved.status < 300, "{saved:?}");
        }
    }
    world.read_from(&json!([name("*")]).to_string());
    crate::build(&world);
    let found = verify(&world, &["--all-bodies"], 0);
    assert_eq!((found.ids(), found.parts().len()), (kinds(&[]), 2));

    // The same id in both databases: one of them is lost.
    let encoded = |id: &str| id.replace('/', "%2F");
    tamper(&world, "DELETE", &format!("_doc/{}", encoded(&format!("{}/one", name("a")))), &Value::Null);
    let extra = format!("{}/three", name("b"));
    let source = json!({"pillowtop": {"id": "three", "rev": "1-a", "db": name("b")}});
    tamper(&world, "PUT", &format!("_doc/{}", encoded(&extra)), &source);
    tamper(&world, "PUT", "_doc/stray", &json!({"pillowtop": {"id": "stray", "rev": "1-a", "db": "gone"}}));
    let found = verify(&world, &[], 4);
    assert_eq!(found.ids(), kinds(&[("extra", &["three"]), ("missing", &["one"])]));
    let databases: Vec<&Value> = found.parts().iter().map(|part| &part["differences"]).collect();
    assert_eq!(databases, [1, 1]);
    assert_eq!(found.0["strays"][0]["found"]["examples"][0]["id"], "stray");
    let only = verify(&world, &["--database", &name("b")], 4);
    assert_eq!(only.ids(), kinds(&[("extra", &["three"])]));
    // A document of no database stays: nobody knows whose it is.
    let repaired = verify(&world, &["--repair"], 4);
    assert!(repaired.parts().iter().all(|part| part["left"] == 0), "{}", repaired.0);
    let found = verify(&world, &["--all-bodies"], 4);
    assert_eq!(found.ids(), kinds(&[]));
    tamper(&world, "DELETE", "_doc/stray", &Value::Null);
    verify(&world, &["--all-bodies"], 0);
}

/// Ids that are declared to be the same in all databases, and are not.
#[test]
fn documents_of_one_id_in_two_databases_are_reported_and_not_repaired() {
    let world = World::new("verify_collision");
    let name = |database: &str| format!("{}-{database}", world.prefix());
    let save = |database: &str, document: &Value| {
        let id = document["_id"].as_str().expect("an id");
        let saved = world.couch_server("PUT", &format!("/{}/{id}", name(database)), document);
        assert!(saved.status < 300, "{saved:?}");
        serde_json::from_str::<Value>(&saved.body).expect("JSON")["rev"].clone()
    };
    for database in ["a", "b"] {
        let created = world.couch_server("PUT", &format!("/{}", name(database)), &Value::Null);
        assert!(created.status < 300, "{created:?}");
        save(database, &case(&format!("of-{database}")));
    }
    world.read_from(&format!("{{ match = [\"{}\"], ids_are_global = true }}", name("*")));
    crate::build(&world);
    assert_eq!(verify(&world, &["--all-bodies"], 0).parts().len(), 2);

    // Another document, and one that was replicated: with the revision of the other one.
    for database in ["a", "b"] {
        save(database, &case("same"));
        world.run_well(&["run", "case", "--until-caught-up"]);
    }
    save("a", &case("two"));
    let mut other = case("two");
    other["name"] = json!("of b");
    let revision = save("b", &other);
    world.run_well(&["run", "case", "--until-caught-up"]);
    let found = verify(&world, &["--all-bodies"], 4);
    assert_eq!(found.ids(), kinds(&[("collision", &["same", "two"])]));
    let examples: Vec<String> =
        found.parts().iter().map(|part| part["found"]["collision"]["examples"].to_string()).collect();
    assert!(examples.concat().contains("the index has the one of database"), "{examples:?}");
    // Processing one of them again would replace the other.
    let repaired = verify(&world, &["--repair", "--yes"], 4);
    assert_eq!(repaired.ids(), kinds(&[("collision", &["same", "two"])]));
    assert!(repaired.parts().iter().all(|part| part["repaired"].is_null()), "{}", repaired.0);

    // One of them goes, and takes the one in the index with it; then nothing collides any more.
    let revision = revision.as_str().expect("a revision");
    let path = format!("/{}/two?rev={revision}", name("b"));
    assert!(world.couch_server("DELETE", &path, &Value::Null).status < 300);
    world.run_well(&["run", "case", "--until-caught-up"]);
    let found = verify(&world, &[], 4);
    assert_eq!(found.ids(), kinds(&[("collision", &["same"]), ("missing", &["two"])]));
    verify(&world, &["--repair"], 4);
    assert_eq!(verify(&world, &[], 4).ids(), kinds(&[("collision", &["same"])]));
}
