//! Pillows: filters as predicates, transforms, names, settings.

use std::borrow::Cow;

use pillowtop::{
    ChangeMeta, Committed, CouchDocument, CowStr, Definition, Pillow, RawJson, Registry, Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const LIMIT: i64 = 10;

mod names {
    pub(crate) const DEMO: &str = "demo";
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CouchDocument)]
enum Kind {
    Person,
    Household,
    Other,
}

#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
struct Owner {
    name: Option<String>,
    age: u8,
}

/// A pillow with one filter, and what it says of a document.
macro_rules! accepts {
    ($document:tt, $($filter:tt)+) => {{
        #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
        #[couch(doc_type = "Case")]
        #[pillow(name = "case", alias = "cases", filter = $($filter)+, mapping = unchecked)]
        struct Document {
            domain: String,
            cow: Cow<'static, str>,
            case_type: Option<String>,
            closed: bool,
            maybe: Option<bool>,
            number: i64,
            count: Option<u32>,
            ratio: f64,
            tags: Vec<String>,
            numbers: Option<Vec<i64>>,
            kind: Kind,
            maybe_kind: Option<Kind>,
            owner: Option<Owner>,
            home: Owner,
            r#type: String,
        }
        let mut document = json!({"domain": "d", "cow": "c", "closed": false, "number": 1, "ratio": 0.5, "tags": ["a"],
            "kind": "Person", "home": {"age": 1}, "type": "t"});
        document.as_object_mut().unwrap().extend(json!($document).as_object().unwrap().clone());
        serde_json::from_value::<Document>(document).unwrap().accepts()
    }};
}

#[test]
fn plain_fields_are_compared() {
    assert!(accepts!({}, self.domain == "d"));
    assert!(!accepts!({}, self.domain != "d"));
    assert!(accepts!({}, "d" == self.domain && self.cow == "c"));
    assert!(accepts!({}, self.domain != names::DEMO));
    assert!(!accepts!({"domain": "demo"}, self.domain != names::DEMO));
    assert!(accepts!({}, self.number < LIMIT && self.number >= 1 && self.number > -1));
    assert!(accepts!({}, self.ratio <= 0.5));
    assert!(accepts!({}, self.domain < "e" && "c" < self.domain));
    assert!(accepts!({}, self.kind == Kind::Person));
    assert!(accepts!({}, self.r#type == "t"));
    assert!(accepts!({}, !self.closed));
}

#[test]
fn a_missing_value_equals_nothing_differs_from_all_and_is_not_ordered() {
    assert!(!accepts!({}, self.case_type == "a"));
    assert!(accepts!({}, self.case_type != "a"));
    assert!(accepts!({"case_type": "a"}, self.case_type == "a"));
    assert!(!accepts!({}, self.count < 5));
    assert!(!accepts!({}, self.count >= 5));
    assert!(accepts!({}, !(self.count >= 5)));
    assert!(!accepts!({}, self.maybe));
    assert!(accepts!({}, !self.maybe));
    assert!(accepts!({"maybe": true}, self.maybe));
    assert!(accepts!({}, self.case_type.is_none() && !self.case_type.is_some()));
    assert!(accepts!({}, self.case_type.is_empty()));
    assert!(!accepts!({"case_type": "a"}, self.case_type.is_empty()));
}

#[test]
fn fields_inside_optional_structs_are_reached() {
    assert!(!accepts!({}, self.owner.name == "a"));
    assert!(accepts!({}, self.owner.name != "a"));
    assert!(accepts!({"owner": {"name": "a", "age": 3}}, self.owner.name == "a" && self.owner.age > 2));
    assert!(accepts!({}, self.owner.name.is_none()));
    assert!(!accepts!({}, self.owner.name.is_some()));
    assert!(accepts!({"owner": {"age": 3}}, self.owner.name.is_none() && self.owner.is_some()));
    assert!(accepts!({}, self.home.age == 1 && self.home.name.is_none()));
}

#[test]
fn lists_strings_and_variants_are_asked() {
    assert!(accepts!({}, self.tags.contains("a")));
    assert!(!accepts!({}, self.tags.contains("b")));
    assert!(accepts!({"numbers": [1, 2]}, self.numbers.contains(&2)));
    assert!(!accepts!({}, self.numbers.contains(2)));
    assert!(accepts!({"tags": []}, self.tags.is_empty()));
    assert!(accepts!({"domain": "a demo"}, self.domain.contains("demo") && self.domain.starts_with("a")));
    assert!(!accepts!({}, self.case_type.starts_with("a")));
    assert!(accepts!({}, self.domain.starts_with("d") || self.domain.starts_with(names::DEMO)));
    assert!(accepts!({}, matches!(self.kind, Kind::Person | Kind::Other)));
    assert!(!accepts!({}, matches!(self.maybe_kind, Kind::Person)));
    assert!(accepts!({"maybe_kind": "Household"}, matches!(self.maybe_kind, Kind::Household)));
    assert!(accepts!({}, matches!(self.domain, "d" | "e")));
    assert!(accepts!({}, matches!(self.number, 1..=5)));
}

#[test]
fn two_fields_are_compared() {
    assert!(!accepts!({}, self.domain == self.cow));
    assert!(accepts!({"case_type": "d"}, self.case_type == self.domain));
    assert!(accepts!({}, self.case_type != self.domain));
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = ["Case", "CommCareCase"], deleted = "Case-Deleted", database = "commcarehq", unknown = carry)]
#[pillow(
    name = "case",
    alias = "hqcases",
    settings = "tests/settings/hq.json",
    filter = self.domain   !=   "demo", // Why.
    transform = CaseIndex::from_case,
    transform_version = 2,
    mapping = unchecked,
)]
struct Case {
    domain: String,
    days: Option<u32>,
}

#[derive(Serialize, CouchDocument)]
struct CaseIndex {
    domain: String,
    days: u32,
    #[es(keyword)]
    id: String,
}

impl CaseIndex {
    fn from_case(case: Case, change: &ChangeMeta) -> Option<Self> {
        Some(Self { domain: case.domain, days: case.days?, id: change.id.to_string() })
    }
}

fn change() -> ChangeMeta {
    ChangeMeta::new("a".into(), "1-x".into(), "commcarehq".into())
}

#[test]
fn a_pillow_says_what_its_attribute_says() {
    let definition = Definition::of::<Case>();
    assert_eq!(definition.pillow.as_str(), "case");
    assert_eq!(definition.alias.as_str(), "hqcases");
    assert_eq!(definition.filter, Some(r#"self.domain != "demo""#));
    // CouchDB compares strings otherwise than Rust, so a selector asks for none that differs from
    // another.
    assert_eq!(definition.selector, None);
    assert_eq!(definition.transform_version, 2);
    assert_eq!(definition.settings["analysis"]["normalizer"]["lower"]["type"], json!("custom"));
    assert_eq!(definition.document.types, ["Case", "CommCareCase"]);
    assert_eq!(definition.document.deleted_types, ["Case-Deleted"]);
    assert_eq!(definition.document.database, Some("commcarehq"));
    assert!(matches!(definition.committed, Committed::Unchecked));
    assert_eq!(definition.mappings["properties"]["id"], json!({"type": "keyword"}));
}

#[test]
fn settings_are_part_of_the_fingerprint_in_normal_form() {
    let normal = json!({"analysis": {"normalizer": {"lower": {"filter": ["lowercase"], "type": "custom"}}}});
    let canonical = pillowtop::canonical::to_canonical(&normal);
    assert_eq!(Case::PILLOW.settings_hash, pillowtop::fingerprint::hash_text(&canonical));
}

#[test]
fn a_transform_makes_what_is_indexed_or_drops_it() {
    let registry: Registry = pillowtop::registry![Case];
    let pillow = &registry.pillows()[0];
    let process = |document: Value| {
        let mut source = Vec::new();
        let verdict = pillow.process(&document.to_string(), &change(), &mut source).unwrap();
        (verdict, serde_json::from_slice::<Value>(&source).ok())
    };
    assert_eq!(process(json!({"domain": "demo"})), (Verdict::Filtered, None));
    assert_eq!(process(json!({"domain": "d"})), (Verdict::Dropped, None));
    let (verdict, source) = process(json!({"domain": "d", "days": 3, "unknown": [1]}));
    assert_eq!(verdict, Verdict::Index);
    let reserved = json!({"id": "a", "rev": "1-x", "db": "commcarehq"});
    let expected = json!({"domain": "d", "days": 3, "id": "a", "unknown": [1], "pillowtop": reserved});
    assert_eq!(source, Some(expected));
}

mod elsewhere {
    pub(crate) fn index(case: super::Elsewhere, _: &pillowtop::ChangeMeta) -> Option<super::CaseIndex> {
        let named = !case.domain.is_empty();
        named.then_some(super::CaseIndex { domain: case.domain, days: 0, id: String::new() })
    }
}

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Elsewhere")]
#[pillow(name = "elsewhere", alias = "elsewhere", transform = elsewhere::index, index = CaseIndex, mapping = unchecked)]
struct Elsewhere {
    domain: String,
}

#[test]
fn a_transform_may_stand_anywhere() {
    let index = Elsewhere { domain: "d".to_owned() }.transform(&change());
    assert_eq!(index.map(|index| index.domain), Some("d".to_owned()));
    let mappings = Definition::of::<Elsewhere>().mappings;
    assert_eq!(mappings, Definition::of::<Case>().mappings);
}

/// A pillow whose strings point into the document, and one that makes such a one.
#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit", unknown = carry)]
#[pillow(
    name = "visit",
    alias = "visits",
    filter = self.village != "demo" && self.notes.contains("a") && self.tags.contains("t") && !self.village.is_empty(),
    transform = VisitIndex::<'a>::from_visit,
    mapping = unchecked,
)]
struct Visit<'a> {
    #[serde(borrow)]
    village: CowStr<'a>,
    notes: Option<CowStr<'a>>,
    tags: Vec<CowStr<'a>>,
    #[es(object, dynamic = false)]
    questions: Option<RawJson<'a>>,
}

#[derive(Serialize, CouchDocument)]
struct VisitIndex<'a> {
    #[serde(flatten)]
    visit: Visit<'a>,
    is_borrowed: bool,
}

impl<'a> VisitIndex<'a> {
    #[expect(clippy::unnecessary_wraps, reason = "a transform's signature")]
    fn from_visit(visit: Visit<'a>, _: &ChangeMeta) -> Option<Self> {
        let is_borrowed =
            visit.village.is_borrowed() && visit.notes.as_ref().is_some_and(CowStr::is_borrowed);
        Some(Self { visit, is_borrowed })
    }
}

#[test]
fn a_pillow_may_borrow_from_the_document() {
    let pillow = &pillowtop::registry![Visit].pillows()[0].clone();
    let process = |document: &str| {
        let mut source = Vec::new();
        let verdict = pillow.process(document, &change(), &mut source).unwrap();
        (verdict, String::from_utf8(source).unwrap())
    };
    let reserved = r#""pillowtop":{"id":"a","rev":"1-x","db":"commcarehq"}}"#;
    let (verdict, source) =
        process(r#"{"village": "Kano", "notes": "a", "tags": ["t"], "questions": {"n": 1.50}, "more": 1e2}"#);
    assert_eq!(verdict, Verdict::Index);
    let expected = format!(
        r#"{{"village":"Kano","notes":"a","tags":["t"],"questions":{{"n": 1.50}},"is_borrowed":true,"more":1e2,{reserved}"#
    );
    assert_eq!(source, expected);
    let (_, source) = process(r#"{"village": "K\u0061no", "notes": "a\nb", "tags": ["t"]}"#);
    let expected = format!(
        r#"{{"village":"Kano","notes":"a\nb","tags":["t"],"questions":null,"is_borrowed":false,{reserved}"#
    );
    assert_eq!(source, expected);
    for filtered in [
        r#"{"village": "demo", "notes": "a", "tags": ["t"]}"#,
        r#"{"village": "x", "notes": "a", "tags": []}"#,
    ] {
        assert_eq!(process(filtered).0, Verdict::Filtered, "{filtered}");
    }
    let properties = Definition::of::<Visit<'_>>().mappings["properties"].take();
    assert_eq!(properties["notes"], json!({"type": "keyword", "ignore_above": 8191}));
    assert_eq!(properties["questions"], json!({"type": "object", "dynamic": false}));
}

#[test]
fn a_transform_may_be_named_by_self() {
    #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
    #[couch(doc_type = "Case")]
    #[pillow(name = "case", alias = "cases", transform = Self::without_demo, mapping = unchecked)]
    struct Document {
        domain: String,
    }
    impl Document {
        fn without_demo(self, _: &ChangeMeta) -> Option<Self> {
            (self.domain != names::DEMO).then_some(self)
        }
    }
    let registry = pillowtop::registry![Document];
    assert_eq!(registry.pillows()[0].definition().mappings["properties"]["domain"]["type"], "keyword");
}

#[test]
fn an_immutable_filter_is_followed_through_a_selector_and_changes_no_hash() {
    mod plain {
        #[derive(serde::Serialize, serde::Deserialize, pillowtop::CouchDocument, pillowtop::Pillow)]
        #[couch(doc_type = "Case", deleted = "Case-Deleted", doc_type_is_immutable)]
        #[pillow(name = "case", alias = "cases", filter = self.domain == "a", mapping = unchecked)]
        pub(super) struct Case {
            domain: String,
        }
    }
    mod immutable {
        #[derive(serde::Serialize, serde::Deserialize, pillowtop::CouchDocument, pillowtop::Pillow)]
        #[couch(doc_type = "Case", deleted = "Case-Deleted", doc_type_is_immutable)]
        #[pillow(
            name = "case",
            alias = "cases",
            filter = self.domain == "a",
            filter_is_immutable,
            mapping = unchecked,
        )]
        pub(super) struct Case {
            domain: String,
        }
    }
    let (plain, immutable) = (Definition::of::<plain::Case>(), Definition::of::<immutable::Case>());
    assert_eq!((plain.hash, plain.fingerprint), (immutable.hash, immutable.fingerprint));
    assert_eq!(plain.follow_selector(), None);
    let expected = json!({"$or": [
        {"$and": [{"doc_type": {"$in": ["Case"]}}, {"domain": {"$eq": "a"}}]},
        {"doc_type": {"$in": ["Case-Deleted"]}},
    ]});
    assert_eq!(immutable.follow_selector(), Some(expected));
}
