//! What the messages about flattened enums and maps advise, as it is written there.

use std::collections::HashMap;

use pillowtop::CouchDocument;
use serde::Serialize;
use serde_json::json;

#[derive(Serialize)]
#[serde(tag = "kind")]
enum Kind {
    Person { age: u8 },
}

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Case", unknown = drop)]
#[es(properties(kind(keyword), age(byte)))]
struct Case {
    name: String,
    #[serde(flatten)]
    #[es(skip)]
    kind: Kind,
    #[serde(flatten)]
    #[es(skip)]
    rest: HashMap<String, String>,
}

#[test]
fn a_flattened_enum_is_skipped_and_its_members_are_named_at_the_struct() {
    let mapping = pillowtop::definition::root_mapping(Case::MAPPING);
    assert_eq!(mapping["properties"]["kind"], json!({"type": "keyword"}));
    assert_eq!(mapping["properties"]["age"], json!({"type": "byte"}));
    let case = Case { name: "a".to_owned(), kind: Kind::Person { age: 3 }, rest: HashMap::new() };
    assert_eq!(serde_json::to_value(case).unwrap(), json!({"name": "a", "kind": "Person", "age": 3}));
}
