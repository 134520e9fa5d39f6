//! A binary with parents and children: persons in the shards of their households, in indices of
//! several shards. The end-to-end tests run it as a user does.

use std::process::ExitCode;

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};

/// A household, or a person of one.
#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = ["Household", "Person"], database = "commcarehq")]
#[pillow(
    name = "person",
    alias = "persons",
    settings = r#"{"number_of_shards": 5}"#,
    routing = self.household_id,
    transform = PersonIndex::from_person,
    mapping = unchecked,
)]
struct Person {
    doc_type: String,
    name: String,
    household_id: Option<String>,
}

#[derive(Serialize, CouchDocument)]
struct PersonIndex {
    name: String,
    #[es(join, relations(household = "person"))]
    relation: Relation,
}

/// What a `join` takes.
#[derive(Serialize)]
struct Relation {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

impl PersonIndex {
    fn from_person(person: Person, _: &ChangeMeta) -> Option<Self> {
        let name = match person.doc_type.as_str() {
            "Household" => "household",
            "Person" => "person",
            _ => return None,
        };
        Some(Self { name: person.name, relation: Relation { name, parent: person.household_id } })
    }
}

/// The same documents where every one must come with a routing value.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = ["Household", "Person"], database = "commcarehq")]
#[es(_routing(required = true))]
#[pillow(
    name = "member",
    alias = "members",
    settings = r#"{"number_of_shards": 3}"#,
    routing = Member::household,
    mapping = unchecked,
)]
struct Member {
    #[serde(rename = "_id")]
    id: String,
    name: String,
    household_id: Option<String>,
}

impl Member {
    fn household(&self) -> &str {
        self.household_id.as_deref().unwrap_or(&self.id)
    }
}

fn main() -> ExitCode {
    pillowtop_cli::main(pillowtop::registry![Person, Member])
}
