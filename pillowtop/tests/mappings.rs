//! What attributes, generics and serde's shapes make of a mapping.

use std::collections::HashMap;
use std::marker::PhantomData;

use pillowtop::definition::{field_mapping, root_mapping};
use pillowtop::{CouchDocument, IndexField, RawObject};
use serde::Serialize;
use serde_json::{Value, json};

fn properties<Type: CouchDocument>() -> Value {
    let mut root = root_mapping(Type::MAPPING);
    let mut properties = root["properties"].take();
    properties.as_object_mut().map(|members| members.remove("pillowtop"));
    properties
}

fn keyword() -> Value {
    json!({"type": "keyword", "ignore_above": 8191})
}

#[derive(Serialize, CouchDocument)]
struct Action {
    kind: String,
}

#[derive(Serialize, CouchDocument)]
#[es(dynamic = strict)]
struct Strict {
    kind: String,
}

#[derive(Serialize, CouchDocument)]
struct Said {
    #[es(text, analyzer = "comma", fields(exact(keyword, ignore_above = 256), "en.us"(text)))]
    words: String,
    #[es(nested)]
    actions: Option<Vec<Action>>,
    #[es(nested, dynamic = false)]
    quiet: Vec<Action>,
    #[es(dynamic = strict)]
    tight: Action,
    strict: Strict,
    #[es(object, dynamic = false)]
    unread: HashMap<String, String>,
    #[es(object, properties(x(integer), y(object, properties(z(keyword)))))]
    free: HashMap<String, String>,
    #[es(dense_vector, dims = 3, index_options(type = "hnsw", m = 16, ef_construction = 100))]
    vector: [f32; 3],
    #[es(scaled_float, scaling_factor = 100)]
    price: f64,
    #[es(integer, null_value = -1)]
    count: Option<i32>,
    #[es(date, format = "yyyy-MM-dd||epoch_millis")]
    day: String,
    #[es(keyword, copy_to = [words, all])]
    copied: String,
    #[es(json = r#"{"type": "hologram", "depth": 1.0, "properties": {"a": {"type": "keyword"}}}"#)]
    future: String,
    #[es(keyword, meta(json = r#"{"unit": "ms"}"#))]
    with_meta: String,
    #[es(skip)]
    left_out: PhantomData<Vec<Action>>,
    nothing: PhantomData<Action>,
}

#[test]
fn what_is_declared_is_what_is_mapped() {
    let kind = json!({"kind": keyword()});
    assert_eq!(
        properties::<Said>(),
        json!({
            "words": {"type": "text", "analyzer": "comma",
                "fields": {"exact": {"type": "keyword", "ignore_above": 256}, "en.us": {"type": "text"}}},
            "actions": {"type": "nested", "properties": kind},
            "quiet": {"type": "nested", "dynamic": false, "properties": kind},
            "tight": {"type": "object", "dynamic": "strict", "properties": kind},
            "strict": {"type": "object", "dynamic": "strict", "properties": kind},
            "unread": {"type": "object", "dynamic": false},
            "free": {"type": "object", "properties": {
                "x": {"type": "integer"},
                "y": {"type": "object", "properties": {"z": {"type": "keyword"}}},
            }},
            "vector": {"type": "dense_vector", "dims": 3,
                "index_options": {"type": "hnsw", "m": 16, "ef_construction": 100}},
            "price": {"type": "scaled_float", "scaling_factor": 100},
            "count": {"type": "integer", "null_value": -1},
            "day": {"type": "date", "format": "yyyy-MM-dd||epoch_millis"},
            "copied": {"type": "keyword", "copy_to": ["words", "all"]},
            "future": {"type": "hologram", "depth": 1, "properties": {"a": {"type": "keyword"}}},
            "with_meta": {"type": "keyword", "meta": {"unit": "ms"}},
        })
    );
}

#[derive(Serialize, CouchDocument)]
#[es(
    dynamic = true,
    date_detection = true,
    _source(excludes = ["secret"]),
    dynamic_templates = [strings(match_mapping_type = "string", mapping(type = "keyword"))],
    properties(all(text), old_name(alias, path = "name"))
)]
struct Root {
    name: String,
}

#[test]
fn a_struct_says_what_its_object_and_its_root_are() {
    let root = root_mapping(Root::MAPPING);
    assert_eq!(root["dynamic"], json!(true));
    assert_eq!(root["date_detection"], json!(true));
    assert_eq!(root["_source"], json!({"excludes": ["secret"]}));
    let template = json!([{"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}]);
    assert_eq!(root["dynamic_templates"], template);
    let expected =
        json!({"name": keyword(), "all": {"type": "text"}, "old_name": {"type": "alias", "path": "name"}});
    assert_eq!(properties::<Root>(), expected);
}

#[derive(Serialize, CouchDocument)]
struct Versioned<Entry: Clone, const DEPTH: usize> {
    current: Entry,
    before: Option<Vec<Entry>>,
    #[es(nested)]
    places: Vec<Entry>,
}

#[derive(Serialize, Clone, CouchDocument)]
struct Place {
    name: String,
}

#[test]
fn a_generic_struct_has_a_mapping_for_each_of_its_types() {
    let place = json!({"name": keyword()});
    assert_eq!(
        properties::<Versioned<Place, 3>>(),
        json!({
            "current": {"type": "object", "properties": place},
            "before": {"type": "object", "properties": place},
            "places": {"type": "nested", "properties": place},
        })
    );
}

#[derive(Serialize, CouchDocument)]
struct Owner {
    owner_id: String,
}

#[derive(Serialize, CouchDocument)]
struct Flattening {
    #[serde(flatten)]
    owner: Owner,
    name: String,
}

#[derive(Serialize, CouchDocument)]
struct WrittenOut {
    name: String,
    owner_id: String,
}

#[test]
fn flatten_adds_properties_and_order_does_not_matter() {
    assert_eq!(properties::<Flattening>(), json!({"name": keyword(), "owner_id": keyword()}));
    assert_eq!(Flattening::MAPPING.root_hash(), WrittenOut::MAPPING.root_hash());
}

#[derive(Serialize, CouchDocument)]
struct CaseId(String);

#[derive(Serialize, CouchDocument)]
struct Lowered(#[es(keyword, normalizer = "lower")] String);

#[derive(Serialize, CouchDocument)]
#[serde(transparent)]
struct Wrapped {
    inner: Option<Place>,
    marker: PhantomData<u8>,
}

#[derive(Serialize, CouchDocument)]
struct Typed<Inner>(Inner);

#[derive(Serialize, CouchDocument)]
#[es(flattened)]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: f64 },
    Dot,
}

#[test]
fn what_is_written_as_one_value_is_mapped_as_one() {
    assert_eq!(field_mapping(&CaseId::FIELD), keyword());
    assert_eq!(field_mapping(&Lowered::FIELD), json!({"type": "keyword", "normalizer": "lower"}));
    assert_eq!(field_mapping(&Wrapped::FIELD), json!({"type": "object", "properties": {"name": keyword()}}));
    assert_eq!(field_mapping(&Typed::<i32>::FIELD), json!({"type": "integer"}));
    assert_eq!(field_mapping(&Shape::FIELD), json!({"type": "flattened"}));
    let shapes = json!([Shape::Circle { radius: 1.5 }, Shape::Dot]);
    assert_eq!(shapes, json!([{"kind": "Circle", "radius": 1.5}, {"kind": "Dot"}]));
}

mod base64 {
    pub(crate) fn serialize<S: serde::Serializer>(_: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("AA==")
    }
}

mod serde_bytes {
    pub(crate) fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }
}

#[derive(Serialize, CouchDocument)]
#[serde(rename_all = "camelCase")]
struct Named {
    opened_on: String,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    renamed: String,
    #[serde(skip)]
    #[expect(dead_code, reason = "only its absence is of interest")]
    skipped: HashMap<u8, u8>,
    #[serde(skip_serializing)]
    #[expect(dead_code, reason = "only its absence is of interest")]
    unwritten: HashMap<u8, u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sometimes: Option<bool>,
    #[serde(serialize_with = "base64::serialize")]
    bytes: Vec<u8>,
    #[serde(serialize_with = "serde_bytes::serialize")]
    raw: Vec<u8>,
    r#type: bool,
}

#[test]
fn json_names_are_those_that_serde_writes() {
    let named = Named {
        opened_on: String::new(),
        renamed: String::new(),
        skipped: HashMap::new(),
        unwritten: HashMap::new(),
        sometimes: Some(true),
        bytes: Vec::new(),
        raw: vec![0xff],
        r#type: true,
    };
    let change = pillowtop::ChangeMeta::new("a".into(), "1-x".into(), "db".into());
    let mut source = Vec::new();
    pillowtop::source::write_source(&named, &RawObject::new(), &change, &mut source).unwrap();
    let mut written: Value = serde_json::from_slice(&source).unwrap();
    assert_eq!(written["raw"], json!("/w=="));
    written.as_object_mut().unwrap().remove("pillowtop");
    let written: Vec<&String> = written.as_object().unwrap().keys().collect();
    let mapped = properties::<Named>();
    assert_eq!(mapped.as_object().unwrap().keys().collect::<Vec<_>>(), written);
    assert_eq!(mapped["bytes"], json!({"type": "binary"}));
    assert_eq!(mapped["raw"], json!({"type": "binary"}));
}

#[derive(Serialize, CouchDocument)]
#[serde(tag = "kind")]
struct Tagged {
    name: String,
}

#[test]
fn a_tag_is_a_member_like_others() {
    assert_eq!(properties::<Tagged>(), json!({"name": keyword(), "kind": keyword()}));
    let written = serde_json::to_value(Tagged { name: String::new() }).unwrap();
    assert_eq!(written["kind"], json!("Tagged"));
}

#[derive(Serialize, CouchDocument)]
#[couch(doc_type = "Thing")]
struct Thing {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_rev")]
    revision: Option<String>,
    #[serde(rename = "_own")]
    own: String,
    doc_type: String,
}

#[test]
fn couchdbs_own_members_of_a_document_are_not_mapped() {
    assert_eq!(properties::<Thing>(), json!({"_own": keyword(), "doc_type": keyword()}));
    assert_eq!(Thing::DOCUMENT.types, ["Thing"]);
    assert_eq!(Thing::DOCUMENT.type_field, "doc_type");
}

/// Names of ours that a user also has must not meet.
mod hygiene {
    #![expect(dead_code, reason = "only names are of interest")]

    use serde::Serialize;

    pub(crate) struct Option;
    pub(crate) struct Field;
    pub(crate) struct Object;
    pub(crate) struct Some;

    #[derive(Serialize, pillowtop::CouchDocument)]
    pub(crate) struct Member {
        pub(crate) value: std::option::Option<bool>,
    }
}

#[test]
fn generated_code_does_not_depend_on_names_in_scope() {
    assert_eq!(properties::<hygiene::Member>(), json!({"value": {"type": "boolean"}}));
}
