//! What must hold while services run, on real servers: what the runtime's own simulated tests
//! cannot show.

#[path = "../commands/support.rs"]
#[expect(dead_code, reason = "the world of the commands' tests, of which these need a part")]
mod support;

mod proxy;

mod base_path;
mod deleted;
mod mango;
mod many_databases;
mod partitioned;
mod ready;
mod rejected;
mod routed;
mod several_databases;
mod stops;

use serde_json::{Value, json};

/// A case that is indexed.
fn case(id: &str, name: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": name})
}

/// A user that is indexed.
fn user(id: &str, name: &str) -> Value {
    json!({"_id": id, "doc_type": "CommCareUser", "username": name})
}
