//! A struct that only a transform reads is never indexed, so its fields need no mapping.

#![expect(dead_code, reason = "what a transform leaves out is not read")]

use std::collections::{BTreeMap, HashMap};

use pillowtop::{ChangeMeta, CouchDocument, Definition, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A type of another crate, as far as pillowtop knows.
#[derive(Serialize, Deserialize)]
struct Foreign(u8, String);

#[derive(Serialize, Deserialize)]
enum Shape {
    Circle(f64),
    Square { side: f64 },
}

#[derive(Serialize, Deserialize, CouchDocument)]
struct Part {
    name: String,
}

mod seconds {
    pub(super) fn deserialize<'de, Deserializer: serde::Deserializer<'de>>(
        deserializer: Deserializer,
    ) -> Result<u64, Deserializer::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Form")]
#[pillow(name = "form", alias = "forms", filter = self.domain != "demo", transform = FormIndex::from_form, mapping = unchecked)]
struct Form {
    domain: String,
    value: Value,
    by_name: HashMap<String, Foreign>,
    pair: (f64, f64),
    shape: Option<Shape>,
    foreign: Vec<Foreign>,
    children: Vec<Form>,
    #[serde(with = "seconds")]
    seconds: u64,
    #[serde(rename = "a.b")]
    dotted: String,
    #[serde(rename = "")]
    unnamed: Option<String>,
    part: Part,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Serialize, CouchDocument)]
struct FormIndex {
    domain: String,
}

impl FormIndex {
    fn from_form(form: Form, _: &ChangeMeta) -> Option<Self> {
        (!form.domain.is_empty()).then_some(Self { domain: form.domain })
    }
}

#[test]
fn a_source_of_a_transform_needs_no_mapping() {
    let definition = Definition::of::<Form>();
    assert_eq!(definition.mappings["properties"]["domain"]["type"], "keyword");
    assert_eq!(definition.document.types, ["Form"]);
}

/// Without a field that has no mapping, a source is a part of others as any struct is.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "User")]
#[pillow(name = "user", alias = "users", transform = user_index, index = FormIndex, mapping = unchecked)]
struct User {
    #[es(text)]
    name: String,
    parts: Vec<Part>,
}

fn user_index(user: User, _: &ChangeMeta) -> Option<FormIndex> {
    (!user.name.is_empty()).then_some(FormIndex { domain: user.name })
}

#[derive(CouchDocument)]
struct Team {
    #[es(nested)]
    users: Vec<User>,
    owner: Option<User>,
}

#[test]
fn a_source_whose_fields_have_mappings_can_be_nested() {
    let mapping = pillowtop::definition::root_mapping(Team::MAPPING);
    let user = json!({"name": {"type": "text"}, "parts": {"type": "object", "properties": {"name": {"type": "keyword", "ignore_above": 8191}}}});
    assert_eq!(mapping["properties"]["owner"]["properties"], user);
    assert_eq!(mapping["properties"]["users"]["properties"], user);
    assert_eq!(pillowtop::definition::root_mapping(User::MAPPING)["properties"]["parts"], user["parts"]);
}

pillowtop::rules! {
    pub(crate) rules {
        strings => text;
    }
}

/// A source that borrows and names rules.
#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(name = "visit", alias = "visits", transform = visit_index, index = FormIndex, mapping = unchecked)]
#[es(rules = crate::rules)]
struct Visit<'a> {
    #[serde(borrow)]
    name: pillowtop::CowStr<'a>,
    foreign: Option<Foreign>,
}

fn visit_index(visit: Visit<'_>, _: &ChangeMeta) -> Option<FormIndex> {
    let Visit { name, foreign } = visit;
    foreign.is_none().then(|| FormIndex { domain: name.to_string() })
}

#[test]
fn a_source_may_borrow_and_name_rules() {
    assert_eq!(Definition::of::<Visit<'_>>().document.types, ["Visit"]);
    let registry = pillowtop::registry![Form, User, Visit<'static>];
    let change = ChangeMeta::new("a".into(), "1-a".into(), "db".into());
    let mut source = Vec::new();
    let visit = r#"{"_id": "a", "doc_type": "Visit", "name": "n"}"#;
    registry.get("visit").unwrap().process(visit, &change, &mut source).unwrap();
    assert!(String::from_utf8(source).unwrap().contains(r#""domain":"n""#));
}
