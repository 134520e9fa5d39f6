//! Where the routing value of a document comes from.

use pillowtop::{ChangeMeta, CouchDocument, CowStr, Definition, Pillow, Registry, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Serialize, Deserialize, CouchDocument)]
struct Household {
    id: Option<String>,
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Person")]
#[es(_routing(required = true))]
#[pillow(name = "person", alias = "persons", routing = self.household.id, mapping = unchecked)]
struct Person {
    household: Option<Household>,
    #[es(join, relations(household = "person"))]
    relation: Value,
}

#[derive(Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(name = "visit", alias = "visits", routing = Visit::routing, transform = VisitIndex::<'a>::of, mapping = unchecked)]
struct Visit<'a> {
    #[serde(borrow)]
    person: CowStr<'a>,
    at: String,
}

impl Visit<'_> {
    fn routing(&self) -> Option<&str> {
        self.person.split('/').next()
    }
}

#[derive(Serialize, CouchDocument)]
struct VisitIndex<'a> {
    person: CowStr<'a>,
}

impl<'a> VisitIndex<'a> {
    fn of(visit: Visit<'a>, _: &ChangeMeta) -> Option<Self> {
        (visit.at != "never").then_some(Self { person: visit.person })
    }
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Person")]
#[pillow(name = "plain", alias = "plain", mapping = unchecked)]
struct Plain {
    household: Option<Household>,
}

/// The verdict of a document, and its routing value.
fn routed(pillow: &str, document: &Value) -> (Verdict, Option<String>) {
    let registry: Registry = pillowtop::registry![Person, Visit, Plain];
    let change = ChangeMeta::new("a".into(), "1-x".into(), "db".into());
    let mut routing = None;
    let pillow = registry.get(pillow).expect("a registered pillow");
    let verdict = pillow.process_with(&document.to_string(), &change, &[], &mut Vec::new(), &mut routing);
    (verdict.expect("a verdict"), routing)
}

#[test]
fn a_field_is_the_routing_value() {
    let of = |household: Value| routed("person", &json!({"household": household, "relation": "household"})).1;
    assert_eq!(of(json!({"id": "h1"})), Some("h1".to_owned()));
    assert_eq!(of(json!({"id": null})), None);
    assert_eq!(of(Value::Null), None);
    assert_eq!(of(json!({"id": ""})), None, "an empty one is none");
}

#[test]
fn a_function_gives_the_routing_value_of_a_document_before_its_transform() {
    let visit = json!({"person": "h1/p1", "at": "2012-08-01"});
    assert_eq!(routed("visit", &visit), (Verdict::Index, Some("h1".to_owned())));
    let dropped = json!({"person": "h1/p1", "at": "never"});
    assert_eq!(routed("visit", &dropped), (Verdict::Dropped, None));
    assert_eq!(routed("plain", &json!({"household": {"id": "h1"}})), (Verdict::Index, None));
}

#[test]
fn a_routing_is_part_of_the_definition_as_it_is_written() {
    assert_eq!(Definition::of::<Person>().routing, Some("self.household.id"));
    assert_eq!(Definition::of::<Visit<'_>>().routing, Some("Visit::routing"));
    assert_eq!(Definition::of::<Plain>().routing, None);
    assert_eq!(Definition::of::<Person>().mappings["_routing"], json!({"required": true}));
}
