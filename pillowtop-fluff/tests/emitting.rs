//! What calculators give for documents: the shapes and reductions of CommCare HQ's fluff.

use chrono::NaiveDate;
use pillowtop_fluff::{Calculator, Emitter, Filter, Fluff, Reduce, SqlValue, dated, emit, undated};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
#[couch(doc_type = "Mother", deleted = "Mother-Deleted", database = "clinic")]
struct Mother {
    domain: String,
    owner_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    visits: Vec<Visit>,
    #[serde(default)]
    is_test: bool,
}

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
struct Visit {
    on: NaiveDate,
    weight: i64,
    clinic: Option<String>,
}

struct Visits;

impl Calculator for Visits {
    type Document = Mother;
    const VERSION: u32 = 2;
    const WINDOW: Option<u32> = Some(30);
    const EMITTERS: &'static [&'static [Emitter<Mother>]] = &[
        &[
            dated("all", Reduce::Sum).integers(|mother: &Mother, out| {
                mother.visits.iter().for_each(|visit| out.on(visit.on));
            }),
            dated("smallest", Reduce::Min).integers(|mother: &Mother, out| {
                mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
            }),
            dated("largest", Reduce::Max).integers(|mother: &Mother, out| {
                mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
            }),
            dated("squares", Reduce::SumSqr).integers(|mother: &Mother, out| {
                mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
            }),
            dated("mean", Reduce::Avg).integers(|mother: &Mother, out| {
                mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
            }),
            dated("by_clinic", Reduce::Count).integers(|mother: &Mother, out| {
                for visit in mother.visits.iter().filter(|visit| visit.clinic.is_some()) {
                    let clinic = visit.clinic.clone().unwrap_or_default();
                    out.grouped(
                        vec![SqlValue::Text(mother.domain.clone()), SqlValue::Text(clinic)],
                        visit.on,
                        1,
                    );
                }
            }),
        ],
        SHARED,
    ];
}

/// Emitters that several calculators have.
const SHARED: &[Emitter<Mother>] = &[undated("ever", Reduce::Sum).decimals(|mother: &Mother, out| {
    if !mother.visits.is_empty() {
        out.value(Decimal::new(15, 1));
    }
})];

struct Bad;

static NAMED: Filter<Mother> = Filter::Is("is named", |mother| mother.name.is_some());

impl Calculator for Bad {
    type Document = Mother;
    const WINDOW: Option<u32> = Some(1);
    const FILTER: Option<&'static Filter<Mother>> =
        Some(&Filter::All(&[Filter::Is("is named", |mother| mother.name.is_some())]));
    const EMITTERS: &'static [&'static [Emitter<Mother>]] = &[&[
        undated("float", Reduce::Sum).floats(|mother: &Mother, out| {
            if mother.name.as_deref() == Some("nan") {
                out.value(f64::NAN);
            }
        }),
        undated("panic", Reduce::Sum).integers(|mother: &Mother, out| {
            assert!(mother.name.as_deref() != Some("panic"), "no such name");
            if mother.name.as_deref() == Some("many") {
                (0..100_000).for_each(|_| out.one());
            }
        }),
        undated("groups", Reduce::Sum).integers(|mother: &Mother, out| {
            if mother.name.as_deref() == Some("groups") {
                out.grouped(vec![SqlValue::Null], 1);
            }
        }),
    ]];
}

fn owner(mother: &Mother) -> Option<String> {
    mother.owner_id.as_ref().map(|owner| owner.to_uppercase())
}

#[derive(Fluff)]
#[fluff(name = "mothers", document = Mother, filter = Filter::Not(&Filter::Is("is a test", |mother: &Mother| mother.is_test)), version = 3, mapping = unchecked)]
struct Mothers {
    #[fluff(group_by)]
    domain: String,
    #[fluff(group_by = owner)]
    owner: Option<String>,
    #[fluff(flat)]
    name: Option<String>,
    #[fluff(calculator)]
    visits: Visits,
    #[fluff(calculator)]
    bad: Bad,
}

fn mother(name: Option<&str>) -> Value {
    json!({
        "_id": "m", "_rev": "1-a", "doc_type": "Mother", "domain": "d", "owner_id": "o", "name": name,
        "visits": [
            {"on": "2012-01-01", "weight": 5}, {"on": "2012-01-01", "weight": 7},
            {"on": "2012-02-01", "weight": 3, "clinic": "c"},
        ],
    })
}

fn rows(document: &Value) -> Result<Option<Vec<Vec<Value>>>, String> {
    emit::<Mothers>(&document.to_string()).map_err(|error| error.to_string())
}

#[test]
fn values_with_one_key_are_reduced() {
    assert!(NAMED.text() == "is named");
    let found = rows(&mother(None)).unwrap().unwrap();
    let none = Value::Null;
    assert_eq!(
        found,
        [
            // date, domain, owner, name; all, smallest, largest, squares, mean, its number, by_clinic, ever, bad …
            json!(["2012-01-01", "d", "O", none, 2, 5, 7, 74, 12, 2, none, none, none, none, none]),
            json!(["2012-02-01", "d", "O", none, 1, 3, 3, 9, 3, 1, none, none, none, none, none]),
            json!([
                "2012-02-01",
                "d",
                "c",
                none,
                none,
                none,
                none,
                none,
                none,
                none,
                1,
                none,
                none,
                none,
                none
            ]),
            json!([none, "d", "O", none, none, none, none, none, none, none, none, "1.5", none, none, none]),
        ]
        .map(|row| row.as_array().unwrap().clone())
    );
}

#[test]
fn a_document_that_the_filter_refuses_has_no_rows() {
    let mut document = mother(None);
    document["is_test"] = json!(true);
    assert_eq!(rows(&document), Ok(None));
    document["is_test"] = json!(false);
    document["visits"] = json!([]);
    assert_eq!(rows(&document), Ok(Some(Vec::new())));
}

#[test]
fn what_cannot_be_stored_names_its_emitter() {
    for (name, expected) in [
        ("nan", "emitter `bad.float` failed: a float is not finite"),
        ("panic", "emitter `bad.panic` failed: it panicked: no such name"),
        ("many", "emitter `bad.panic` failed: the document has more than 10000 values"),
        ("groups", "emitter `bad.groups` failed: it gave 1 group values, and the table is grouped by 2"),
        ("a\0b", "emitter `name` failed: a string contains NUL, which SQL cannot store"),
    ] {
        assert_eq!(rows(&mother(Some(name))), Err(expected.to_owned()));
    }
    let mut document = mother(None);
    document["owner_id"] = json!("x".repeat(10_000));
    assert_eq!(
        rows(&document),
        Err("emitter `owner` failed: a group value has more than 255 characters".to_owned())
    );
    document["owner_id"] = json!("o");
    document["visits"][0]["on"] = json!("+12000-01-01");
    assert_eq!(
        rows(&document),
        Err("emitter `visits.all` failed: a date is not in the years 1 to 9999".to_owned())
    );
}

#[test]
fn the_fingerprint_covers_what_the_file_says() {
    let definition = pillowtop_fluff::definition::<Mothers>();
    assert!(definition.is_table());
    assert_eq!(definition.filter, Some("not(is a test)"));
    assert_eq!(definition.transform_version, 3);
    assert_eq!(definition.mappings["table"]["calculators"][0]["version"], 2);
    assert_eq!(definition.mappings["_meta"]["windows"], json!({"visits": 30, "bad": 1}));
}

#[test]
fn a_snapshot_shows_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mothers.jsonl");
    let samples = mother(None).to_string();
    let compare = || std::panic::catch_unwind(|| pillowtop_fluff::assert_emits::<Mothers>(&samples, &path));
    let message = *compare().unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("FLUFF_BLESS=1 and commit"), "{message}");
    let rows = json!({"id": "m", "rows": rows(&mother(None)).unwrap()});
    let versions = r#"{"calculators":[["visits",2],["bad",1]],"table":"mothers","version":3}"#;
    fs_err::write(&path, format!("{versions}\n{rows}\n")).unwrap();
    compare().unwrap();
    fs_err::write(&path, format!("{versions}\n{{}}\n")).unwrap();
    let message = *compare().unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("raise the version"), "{message}");
}
