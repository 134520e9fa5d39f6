//! Selectors of filters as a server evaluates them: none hides a document that its filter accepts.
//! The server is the double, whose Mango is PouchDB's.

use std::collections::BTreeSet;
use std::sync::Arc;

use pillowtop::{CouchDocument, Pillow};
use pillowtop_core::registry::Verdict;
use pillowtop_core::{AnyPillow, ChangeMeta, Registry};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::support::World;

const ROUNDS: usize = 4;
const DOCUMENTS: usize = 150;

#[derive(Serialize, Deserialize, CouchDocument)]
struct Inner {
    kind: Option<String>,
}

/// A pillow for each filter.
macro_rules! pillows {
    ($($pillow:ident $name:literal ($($filter:tt)+);)+) => {
        $(
            #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
            #[couch(doc_type = "World", database = "worlds", doc_type_is_immutable)]
            #[pillow(
                name = $name,
                alias = $name,
                filter_is_immutable,
                mapping = unchecked,
                filter = $($filter)+
            )]
            struct $pillow {
                text: String,
                maybe: Option<String>,
                flag: bool,
                maybe_flag: Option<bool>,
                number: i64,
                maybe_number: Option<i64>,
                #[serde(rename = "some name")]
                renamed: Option<i64>,
                list: Vec<String>,
                inner: Option<Inner>,
                #[serde(default)]
                defaulted: i64,
            }
        )+

        fn pillows() -> Vec<Arc<dyn AnyPillow>> {
            Registry::new()$(.with::<$pillow>())+.pillows().to_vec()
        }
    };
}

pillows! {
    Equal "equal" (self.text == "a");
    NotEqual "not-equal" (self.text != "a");
    MaybeEqual "maybe-equal" (self.maybe == "a");
    MaybeNotEqual "maybe-not-equal" (self.maybe != "a" && self.number != 1);
    IsSome "some" (self.maybe.is_some());
    IsNone "none" (self.maybe.is_none() || self.flag);
    NotNone "not-none" (!self.maybe.is_none() && !self.maybe_flag);
    Empty "empty" (self.maybe.is_empty() || self.maybe_number > 1);
    Flag "flag" (!self.flag);
    MaybeFlag "maybe-flag" (self.maybe_flag && self.number <= 1);
    Number "number" (!(self.maybe_number > 1) || 2 > self.number);
    Between "between" (self.number >= -1 && self.number < 2);
    Renamed "renamed" (self.renamed != 1 && !(self.renamed == 2));
    Text "text" (self.text < "b" || self.maybe_flag);
    Matches "matches" (matches!(self.maybe, "a" | "b") && self.flag);
    NotMatches "not-matches" (!matches!(self.maybe, "a" | "b") || self.number == 1);
    Nested "nested" (self.inner.kind == "a" || self.maybe_number.is_none());
    List "list" (self.list.contains("a") && self.maybe != "c");
    Defaulted "defaulted" (self.defaulted == 0 && self.number != 1);
    Deep "deep" ((self.flag && self.maybe.is_none()) || (!self.flag && (self.maybe_number != 2 || self.renamed == 1)));
}

/// A value of a member: mostly one that its struct accepts, or none.
fn value(values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    let accepted = prop::sample::select(values);
    let other = prop::sample::select(&["null", "7", "\"7\"", "true", "[\"a\"]", "{}", "1.5"][..]);
    let parsed = |text: &str| Some(serde_json::from_str(text).expect("JSON"));
    prop_oneof![12 => accepted.prop_map(parsed), 3 => Just(None), 1 => other.prop_map(parsed)]
}

fn document() -> impl Strategy<Value = Map<String, Value>> {
    const STRINGS: &[&str] =
        &["\"\"", "\"a\"", "\"b\"", "\"c\"", "\"A\"", "\"á\"", "\"a\u{ad}\"", "\"\u{ad}\""];
    const BOOLEANS: &[&str] = &["true", "false"];
    const NUMBERS: &[&str] = &["-2", "0", "1", "2", "3", "9007199254740993"];
    let types = &["\"World\"", "\"World\"", "\"World\"", "\"Other\""];
    let members = [
        ("doc_type", value(types).boxed()),
        ("text", value(STRINGS).boxed()),
        ("maybe", value(STRINGS).boxed()),
        ("flag", value(BOOLEANS).boxed()),
        ("maybe_flag", value(BOOLEANS).boxed()),
        ("number", value(NUMBERS).boxed()),
        ("maybe_number", value(NUMBERS).boxed()),
        ("some name", value(NUMBERS).boxed()),
        ("list", value(&["[]", "[\"a\"]", "[\"b\",\"a\"]"]).boxed()),
        ("inner", value(&["{\"kind\":\"a\"}", "{\"kind\":null}", "{}"]).boxed()),
        ("defaulted", value(NUMBERS).boxed()),
    ];
    let (names, values): (Vec<&str>, Vec<_>) = members.into_iter().unzip();
    values.prop_map(move |values| {
        let present = names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
        present.collect()
    })
}

/// The ids of the documents that a server sends through a selector.
fn passing(world: &World, selector: &Value) -> BTreeSet<String> {
    let response = world.couch("POST", "/_changes?filter=_selector", &json!({ "selector": selector }));
    assert_eq!(response.status, 200, "{selector}: {}", response.body);
    let changes: Value = serde_json::from_str(&response.body).expect("changes");
    let rows = changes["results"].as_array().expect("rows");
    rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

/// Whether the pillow indexes a document, as it decides when it gets one.
fn accepts(pillow: &dyn AnyPillow, document: &Value) -> bool {
    let change = ChangeMeta::new("a".into(), "1-a".into(), "worlds".into());
    let is_of_type = document["doc_type"] == "World";
    is_of_type
        && matches!(pillow.process(&document.to_string(), &change, &mut Vec::new()), Ok(Verdict::Index))
}

#[test]
fn no_selector_hides_what_its_filter_accepts() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let world = World::new("mango");
    let pillows = pillows();
    let (mut accepted, mut hidden) = (0, 0);
    for round in 0..ROUNDS {
        let documents: Vec<Value> = (0..DOCUMENTS)
            .map(|number| {
                let mut members = document().new_tree(&mut runner).expect("a document").current();
                members.insert("_id".to_owned(), json!(format!("{round}-{number}")));
                Value::Object(members)
            })
            .collect();
        world.save(&documents);
        for pillow in &pillows {
            let definition = pillow.definition();
            for selector in [definition.selector.clone(), definition.follow_selector()].into_iter().flatten()
            {
                let passing = passing(&world, &selector);
                for document in &documents {
                    let passes = passing.contains(document["_id"].as_str().expect("an id"));
                    let is_accepted = accepts(pillow.as_ref(), document);
                    assert!(passes || !is_accepted, "{}: {selector} hides {document}", definition.pillow);
                    accepted += usize::from(is_accepted);
                    hidden += usize::from(!passes);
                }
            }
        }
    }
    assert!(accepted > 1000 && hidden > 1000, "{accepted} were accepted, {hidden} were hidden");
}
