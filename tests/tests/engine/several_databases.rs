//! Several databases by a pattern, in one index.

use std::time::Duration;

use serde_json::{Value, json};

use crate::case;
use crate::support::{World, wait_for};

/// Databases beside the world's own.
struct Databases<'a>(&'a World);

impl Databases<'_> {
    fn name(&self, database: &str) -> String {
        format!("{}-{database}", self.0.prefix())
    }

    fn create(&self, database: &str) {
        let created = self.0.couch_server("PUT", &format!("/{}", self.name(database)), &Value::Null);
        assert!(created.status < 300, "{created:?}");
    }

    fn delete(&self, database: &str) {
        let deleted = self.0.couch_server("DELETE", &format!("/{}", self.name(database)), &Value::Null);
        assert!(deleted.status < 300, "{deleted:?}");
    }

    fn save(&self, database: &str, document: &Value) {
        let id = document["_id"].as_str().expect("an id");
        let path = format!("/{}/{id}", self.name(database));
        let saved = self.0.couch_server("PUT", &path, document);
        assert!(saved.status < 300, "{saved:?}");
    }

    #[track_caller]
    fn wait_for(&self, within: u64, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|id| format!("{}-{id}", self.0.prefix())).collect();
        let mut found = Vec::new();
        let end = std::time::Instant::now() + Duration::from_secs(within);
        while found != expected {
            assert!(std::time::Instant::now() < end, "{expected:?} within {within} s, found {found:?}");
            let query = json!({"match_all": {}});
            let hits = self.0.search("hqcases", &query);
            found = hits.iter().map(|hit| hit["_id"].as_str().expect("an id").to_owned()).collect();
            found.sort();
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn databases_appear_and_disappear_while_a_service_runs() {
    let world = World::new("several");
    let databases = Databases(&world);
    let clinics = format!("{}-clinic-*", world.prefix());
    world.read_from(&json!([clinics]).to_string());
    for database in ["clinic-a", "clinic-b", "other"] {
        databases.create(database);
        databases.save(database, &case("one", database));
    }
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    databases.wait_for(10, &["clinic-a/one", "clinic-b/one"]);

    // One that is named is missing at the start.
    world.read_from(&json!([clinics, databases.name("late")]).to_string());
    let service = world.follow_some(&["case"]);
    databases.save("clinic-a", &case("two", "a"));
    databases.wait_for(20, &["clinic-a/one", "clinic-a/two", "clinic-b/one"]);

    for database in ["clinic-c", "late"] {
        databases.create(database);
        databases.save(database, &case("one", database));
    }
    databases.delete("clinic-b");
    databases.save("clinic-a", &case("three", "a"));
    let all = ["clinic-a/one", "clinic-a/three", "clinic-a/two", "clinic-b/one", "clinic-c/one", "late/one"];
    databases.wait_for(40, &all);
    // What is left of a database that is gone is not an error of the others.
    databases.save("clinic-c", &case("two", "c"));
    let mut more = all.to_vec();
    more.insert(5, "clinic-c/two");
    databases.wait_for(20, &more);
    wait_for("the end of the deleted database", Duration::from_mins(1), || {
        let printed = service.printed();
        printed
            .lines()
            .any(|line| line.contains("not followed any more") && line.contains(&databases.name("clinic-b")))
    });
    assert_eq!(service.terminate(), Some(0));
}
