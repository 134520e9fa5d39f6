//! `verify` on real servers: each kind of difference, writes that continue, repairs, and what is an
//! error instead of a difference.

#[path = "../commands/stub.rs"]
mod stub;
#[path = "../commands/support.rs"]
#[expect(dead_code, reason = "the world of the commands' tests, of which these need a part")]
mod support;

mod partial;

mod errors;
mod kinds;
mod several;
mod writes;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::World;

/// A case that is indexed.
fn case(id: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": format!("name of {id}")})
}

/// What `verify` found, as JSON.
struct Found(Value);

/// Compares, with an exit code that must be this one.
#[track_caller]
fn verify(world: &World, arguments: &[&str], code: i32) -> Found {
    let arguments: Vec<&str> = ["--json", "verify", "case"].iter().chain(arguments).copied().collect();
    let output = world.run(&arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}\n{err}");
    Found(serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}\n{err}")))
}

impl Found {
    /// The ids of each kind that was found, in all parts together.
    fn ids(&self) -> BTreeMap<String, Vec<String>> {
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in self.parts() {
            for (kind, found) in part["found"].as_object().expect("kinds") {
                let examples = found["examples"].as_array().expect("examples");
                assert_eq!(found["count"], examples.len(), "{found}");
                let found = examples.iter().map(|example| example["id"].as_str().expect("an id").to_owned());
                ids.entry(kind.clone()).or_default().extend(found);
            }
        }
        ids.retain(|_, ids| !ids.is_empty());
        ids.values_mut().for_each(|ids| ids.sort());
        ids
    }

    fn parts(&self) -> &[Value] {
        self.0["parts"].as_array().expect("parts")
    }
}

fn kinds(expected: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    expected.iter().map(|(kind, of_kind)| ((*kind).to_owned(), ids(of_kind))).collect()
}

/// Builds the index of cases and lets searches see it.
fn build(world: &World) {
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
}

/// A request to the searched index, behind its owner's back.
#[track_caller]
fn tamper(world: &World, method: &str, path: &str, body: &Value) {
    let path = format!("/{}-hqcases/{path}", world.prefix());
    let response = world.elastic(method, &path, body);
    assert!(response.status < 300, "{method} {path}: {response:?}");
}

/// Changes a document of the index behind its owner's back.
#[track_caller]
fn rewrite(world: &World, id: &str, change: impl FnOnce(&mut Value)) {
    let path = format!("/{}-hqcases/_doc/{id}", world.prefix());
    let found: Value = serde_json::from_str(&world.elastic("GET", &path, &Value::Null).body).expect("JSON");
    let mut source = found["_source"].clone();
    assert!(source.is_object(), "{found}");
    change(&mut source);
    tamper(world, "PUT", &format!("_doc/{id}"), &source);
}

/// Puts a document into the index that the database does not have as one of the pillow's.
fn put(world: &World, id: &str) {
    let source = json!({"name": id, "pillowtop": {"id": id, "rev": "1-a", "db": world.prefix()}});
    tamper(world, "PUT", &format!("_doc/{id}"), &source);
}
