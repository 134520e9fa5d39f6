//! A clinic whose mothers are visited, and what must hold of its rows in any database.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unnecessary_wraps,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "it is a part of tests"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::NaiveDate;
use futures_util::TryStreamExt as _;
use pillowtop_fluff::sql::{
    ChangeHook, Grain, Period, Query, Results, Schema, SqlClaimStore, SqlDatabase, SqlDeadLetters,
    SqlDestination, SqlError, SqlOptions, SqlReader, stored_rows,
};
use pillowtop_fluff::{
    Calculator, Emitter, Filter, Fluff, Reduce, SqlValue, dated, definition, emit, pillow, undated,
};
use pillowtop_runtime::claim::{AcquireOptions, WhenHeld};
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::{Counters, MemberOptions};
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::ChangesFile;
use pillowtop_runtime::target::{Extent, TargetReader as _, TargetRef};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
#[couch(doc_type = "Mother", deleted = "Mother-Deleted", database = "clinic")]
pub struct Mother {
    domain: String,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    visits: Vec<Visit>,
    #[serde(default)]
    is_closed: bool,
}

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
pub struct Visit {
    on: NaiveDate,
    weight: i64,
}

pub struct Visits;

impl Calculator for Visits {
    type Document = Mother;
    const WINDOW: Option<u32> = Some(30);
    const EMITTERS: &'static [&'static [Emitter<Mother>]] = &[&[
        dated("total", Reduce::Sum)
            .integers(|mother: &Mother, out| mother.visits.iter().for_each(|visit| out.on(visit.on))),
        dated("least", Reduce::Min).integers(|mother: &Mother, out| {
            mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
        }),
        dated("most", Reduce::Max).integers(|mother: &Mother, out| {
            mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
        }),
        dated("mean", Reduce::Avg).integers(|mother: &Mother, out| {
            mother.visits.iter().for_each(|visit| out.value(visit.on, visit.weight));
        }),
        undated("mothers", Reduce::Count).integers(|_: &Mother, out| out.one()),
        undated("cost", Reduce::Sum).decimals(|mother: &Mother, out| {
            out.value(Decimal::new(i64::try_from(mother.visits.len()).unwrap() * 25, 1));
        }),
        undated("everywhere", Reduce::Sum).integers(|_: &Mother, out| {
            out.grouped(vec![SqlValue::Text("all".to_owned()), SqlValue::Null, SqlValue::Boolean(false)], 1);
        }),
    ]];
}

fn is_owned(mother: &Mother) -> bool {
    assert!(mother.name != "panic", "no such name");
    mother.owner.is_some()
}

#[derive(Fluff)]
#[fluff(name = "mothers", document = Mother, filter = Filter::All(&[Filter::Not(&Filter::Is("closed", |mother: &Mother| mother.is_closed))]), mapping = unchecked)]
pub struct Mothers {
    #[fluff(group_by)]
    domain: String,
    #[fluff(group_by)]
    owner: Option<String>,
    #[fluff(group_by = is_owned)]
    owned: bool,
    #[fluff(flat)]
    name: String,
    #[fluff(calculator)]
    visits: Visits,
}

/// A file of a database, removed at the end.
pub struct SqliteFile(tempfile::TempDir);

impl SqliteFile {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn address(&self) -> String {
        format!("sqlite:{}", self.0.path().join("rows.sqlite").display())
    }
}

/// A file of changes, and what its documents are now.
pub struct Clinic {
    directory: PathBuf,
    _owned: Option<tempfile::TempDir>,
    sequence: u64,
    documents: BTreeMap<String, Value>,
}

impl Clinic {
    pub fn new() -> Self {
        let owned = tempfile::tempdir().unwrap();
        let directory = owned.path().to_owned();
        fs_err::write(directory.join("changes.jsonl"), "").unwrap();
        Self { directory, _owned: Some(owned), sequence: 0, documents: BTreeMap::new() }
    }

    pub fn at(directory: PathBuf) -> Self {
        Self { directory, _owned: None, sequence: 0, documents: BTreeMap::new() }
    }

    fn append(&mut self, id: &str, document: Option<Value>) {
        use std::io::Write as _;
        self.sequence += 1;
        let rev = format!("{}-a", self.sequence);
        let mut line = json!({"seq": self.sequence.to_string(), "id": id, "changes": [{"rev": rev}]});
        match document {
            Some(mut document) => {
                document["_id"] = json!(id);
                document["_rev"] = json!(rev);
                line["doc"] = document.clone();
                self.documents.insert(id.to_owned(), document);
            }
            None => {
                line["deleted"] = json!(true);
                line["doc"] = json!({"_id": id, "_rev": rev, "_deleted": true});
                self.documents.remove(id);
            }
        }
        let mut file =
            std::fs::OpenOptions::new().append(true).open(self.directory.join("changes.jsonl")).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    pub fn put(&mut self, id: &str, document: Value) {
        self.append(id, Some(document));
    }

    pub fn delete(&mut self, id: &str) {
        self.append(id, None);
    }

    /// Follows the file to its end.
    pub async fn follow(&self, address: &str, hook: Option<ChangeHook>) {
        let schema = schema(address).await;
        let destination = Arc::new(SqlDestination::new(schema, SqlOptions { hook, ..SqlOptions::default() }));
        let name = pillowtop_core::DatabaseName::from("clinic");
        let file = ChangesFile::open(&self.directory.join("changes.jsonl"), name.clone()).unwrap();
        let source = OneDatabase { name: name.clone(), source: Arc::new(file) };
        let engine = Engine::new(Arc::new(source), EngineOptions::default());
        let options = MemberOptions { save_interval: Duration::from_millis(20), ..MemberOptions::default() };
        let served = Served {
            pillow: pillow::<Mothers>(),
            destination: Arc::clone(&destination) as _,
            databases: DatabaseSelection::One(name),
            counters: Arc::new(Counters::default()),
            options,
        };
        let options = ServiceOptions {
            mode: ReadMode::ToEnd,
            acquire: AcquireOptions { when_held: WhenHeld::Fail, ..AcquireOptions::default() },
            when_failing: WhenFailing::Stop,
        };
        serve(&engine, vec![served], &options, &CancellationToken::new()).await.unwrap();
        destination.end().await;
    }

    /// Compares the rows with a computation from scratch.
    pub async fn rows_are_those_of_the_documents(&self, address: &str) {
        let schema = schema(address).await;
        let table = schema.current().await.unwrap().remove(0);
        let sql_ids = self.documents.keys().map(String::as_str).chain(["removed", "m0", "m1", "m2", "m3"]);
        let ids: Vec<&str> = sql_ids.collect();
        let stored = stored_rows(schema.database(), &table.name, schema.layout(), &ids).await.unwrap();
        let expected: BTreeMap<String, Vec<Vec<Value>>> = self
            .documents
            .iter()
            .filter(|(_, document)| document["doc_type"] == "Mother")
            .filter_map(|(id, document)| {
                let rows = emit::<Mothers>(&document.to_string()).unwrap()?;
                (!rows.is_empty()).then(|| (id.clone(), rows))
            })
            .collect();
        let stored: BTreeMap<String, Vec<Vec<Value>>> = stored.into_iter().collect();
        assert_eq!(stored, expected);
    }
}

pub async fn schema(address: &str) -> Schema {
    let database = SqlDatabase::connect(address).await.unwrap();
    Schema::open(database, definition::<Mothers>()).await.unwrap()
}

pub fn mother(domain: &str, owner: Option<&str>, visits: &[(&str, i64)]) -> Value {
    let visits: Vec<Value> = visits.iter().map(|(on, weight)| json!({"on": on, "weight": weight})).collect();
    json!({"doc_type": "Mother", "domain": domain, "owner": owner, "name": "Ada\t\"é\"\n\\N", "visits": visits})
}

pub async fn contract(address: &str) {
    let schema = schema(address).await;
    pillowtop_runtime::claim::store_contract::holds(Arc::new(SqlClaimStore::new(schema.database().clone())))
        .await;
}

pub async fn rows_follow_their_documents(address: &str) {
    let mut clinic = Clinic::new();
    clinic.put("m1", mother("d", Some("o"), &[("2012-01-01", 5), ("2012-01-01", 7), ("2012-02-03", 2)]));
    clinic.put("m2", mother("d", None, &[]));
    clinic.put("other", json!({"doc_type": "Household"}));
    clinic.put("m3", mother("e", None, &[("2012-01-01", 9)]));
    clinic.put("closed", {
        let mut one = mother("e", None, &[]);
        one["is_closed"] = json!(true);
        one
    });
    clinic.follow(address, None).await;
    clinic.rows_are_those_of_the_documents(address).await;
    // Edits, a change of groups, a document that no longer matches, a deleted type, a deletion.
    clinic.put("m1", mother("f", Some("o"), &[("2012-01-02", 5)]));
    clinic.put("m2", {
        let mut one = mother("d", None, &[]);
        one["is_closed"] = json!(true);
        one
    });
    clinic.put("m3", {
        let mut one = mother("e", None, &[]);
        one["doc_type"] = json!("Mother-Deleted");
        one
    });
    clinic.put("m4", mother("g", None, &[]));
    clinic.delete("m4");
    clinic.follow(address, None).await;
    clinic.rows_are_those_of_the_documents(address).await;
    // What cannot be stored is a dead letter, and the old rows stay.
    let before = clinic.documents.clone();
    clinic.put("m1", {
        let mut one = mother("f", None, &[]);
        one["name"] = json!("panic");
        one
    });
    clinic.put("m5", {
        let mut one = mother("f", None, &[]);
        one["name"] = json!("a\0b");
        one
    });
    clinic.follow(address, None).await;
    clinic.documents = before;
    clinic.rows_are_those_of_the_documents(address).await;
    let schema = schema(address).await;
    let table = schema.current().await.unwrap().remove(0);
    let letters = SqlDeadLetters::new(schema.database().clone(), table.uuid).list().await.unwrap();
    let reasons: Vec<(String, String)> =
        letters.into_iter().map(|letter| (letter.id.to_string(), letter.reason)).collect();
    assert_eq!(
        reasons,
        [
            ("m1".to_owned(), "emitter `owned` failed: it panicked: no such name".to_owned()),
            (
                "m5".to_owned(),
                "emitter `name` failed: a string contains NUL, which SQL cannot store".to_owned()
            ),
        ]
    );
    clinic.put("m1", mother("f", None, &[]));
    clinic.delete("m5");
    clinic.follow(address, None).await;
    clinic.rows_are_those_of_the_documents(address).await;
}

fn date(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

pub async fn results(address: &str) {
    let mut clinic = Clinic::new();
    clinic.put("m1", mother("d", Some("o"), &[("2012-01-01", 5), ("2012-01-31", 7), ("2012-02-03", 2)]));
    clinic.put("m2", mother("d", None, &[("2012-02-29", 1)]));
    clinic.put("m3", mother("e", None, &[("2012-01-10", 9)]));
    clinic.follow(address, None).await;
    let results = Results::of(&schema(address).await).as_of(date("2012-03-02").unwrap());
    let of =
        |domain: &str| Query { groups: vec![("domain".to_owned(), domain.to_owned())], ..Query::default() };
    let values = |row: &pillowtop_fluff::sql::ResultRow| {
        ["total", "least", "most", "mean", "mothers", "cost"]
            .map(|name| row.get("visits", name).unwrap().clone())
    };
    // Both ends of the dates are included, and undated values do not depend on them.
    let january = Query { from: date("2012-01-01"), to: date("2012-01-31"), ..of("d") };
    let found = results.reduced(&january).await.unwrap();
    assert_eq!(values(&found[0]), [json!(2), json!(5), json!(7), json!(6.0), json!(2), json!("10")]);
    // Of several keys, the least is the least of all, and the mean that of all values.
    let mut both = january.clone();
    both.groups.push(("domain".to_owned(), "e".to_owned()));
    let found = results.reduced(&both).await.unwrap();
    assert_eq!(values(&found[0]), [json!(3), json!(5), json!(9), json!(7.0), json!(3), json!("12.5")]);
    // The window ends today.
    let found = results.reduced(&of("d")).await.unwrap();
    assert_eq!(values(&found[0])[..4], [json!(2), json!(1), json!(2), json!(1.5)]);
    // Of nothing.
    let found = results.reduced(&of("nowhere")).await.unwrap();
    assert_eq!(values(&found[0]), [json!(0), json!(null), json!(null), json!(null), json!(0), json!("0")]);
    for (by, expected) in [
        (Period::Day, vec![("2012-01-01", 1), ("2012-01-31", 1), ("2012-02-03", 1), ("2012-02-29", 1)]),
        (Period::Week, vec![("2011-W52", 1), ("2012-W05", 2), ("2012-W09", 1)]),
        (Period::Month, vec![("2012-01", 2), ("2012-02", 2)]),
        (Period::Year, vec![("2012", 4)]),
    ] {
        let rows = results.reduced(&Query { by: Some(by), ..of("d") }).await.unwrap();
        let found: Vec<(String, i64)> = rows
            .iter()
            .map(|row| (row.period.clone().unwrap(), row.get("visits", "total").unwrap().as_i64().unwrap()))
            .collect();
        let expected: Vec<(String, i64)> =
            expected.into_iter().map(|(one, other)| (one.to_owned(), other)).collect();
        assert_eq!(found, expected);
    }
    assert_eq!(results.ids(&january, "visits", "total").await.unwrap(), ["m1"]);
    let verbose = results.verbose(&january, "visits", "most").await.unwrap();
    assert_eq!(verbose[0]["date"], "2012-01-01");
    assert_eq!((verbose.len(), &verbose[1]["value"]), (2, &json!("7")));
    // An emitter's own groups.
    let all = Query {
        groups: vec![("owned".to_owned(), "false".to_owned()), ("domain".to_owned(), "all".to_owned())],
        ..Query::default()
    };
    assert_eq!(results.reduced(&all).await.unwrap()[0].get("visits", "everywhere"), Some(&json!(3)));
    let wrong = Query { groups: vec![("town".to_owned(), "x".to_owned())], ..Query::default() };
    let error = results.reduced(&wrong).await.unwrap_err().to_string();
    assert_eq!(error, "`mothers` is not grouped by `town`; it is grouped by: domain, owner, owned");
}

pub async fn views(address: &str) {
    let mut clinic = Clinic::new();
    clinic.put("m1", mother("d", Some("o"), &[("2012-01-01", 5)]));
    clinic.follow(address, None).await;
    let schema = schema(address).await;
    let first = schema.current().await.unwrap().remove(0);
    assert!(first.is_shown && first.name.ends_with("_1"));
    let second = schema.create().await.unwrap();
    assert!(!second.is_shown && second.name.ends_with("_2"));
    clinic.follow(address, None).await;
    assert!(matches!(schema.flip(&second).await, Err(SqlError::Incomplete(_))));
    schema.complete(&second).await.unwrap();
    schema.flip(&second).await.unwrap();
    assert_eq!(schema.unused().await.unwrap(), [], "a rollback shows the first one");
    assert_eq!(
        schema.tables().await.unwrap().iter().map(|table| table.is_shown).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(matches!(schema.drop_table(&second).await, Err(SqlError::Query(_))));
    assert_eq!(schema.rollback().await.unwrap().name, first.name);
    let third = schema.create().await.unwrap();
    assert_eq!(schema.unused().await.unwrap(), [], "the newest one may be complete soon");
    let fourth = schema.create().await.unwrap();
    assert_eq!(schema.unused().await.unwrap(), std::slice::from_ref(&third));
    schema.drop_table(&third).await.unwrap();
    schema.drop_table(&fourth).await.unwrap();
    schema.drop_table(&second).await.unwrap();
    assert_eq!(schema.tables().await.unwrap().len(), 1);
    let total =
        Results::of(&schema).reduced(&Query { from: date("2012-01-01"), ..Query::default() }).await.unwrap();
    assert_eq!(total[0].get("visits", "total"), Some(&json!(1)));
}

pub async fn reading_back(address: &str) {
    let mut clinic = Clinic::new();
    clinic.put("m1", mother("d", Some("o"), &[("2012-01-01", 5)]));
    clinic.put("m2", mother("e", None, &[]));
    clinic.follow(address, None).await;
    let schema = schema(address).await;
    let target = schema.current().await.unwrap()[0].target();
    let reader = SqlReader::new(schema.clone(), target.clone(), false);
    assert_eq!(reader.prepare().await.unwrap(), 2);
    assert!(reader.is_same().await.unwrap());
    let ids = async |extent: Extent| -> Vec<String> {
        let pages: Vec<_> = reader.list(extent).try_collect().await.unwrap();
        pages.into_iter().flatten().map(|found| format!("{} {}", found.id, found.revision)).collect()
    };
    assert_eq!(ids(Extent::Whole).await, ["m1 1-a", "m2 2-a"]);
    assert_eq!(ids(Extent::Database("clinic".into())).await, ["m1 1-a", "m2 2-a"]);
    assert_eq!(ids(Extent::Database("other".into())).await, Vec::<String>::new());
    assert_eq!(ids(Extent::OfNone(vec!["other".into()])).await, ["m1 ", "m2 "]);
    assert_eq!(ids(Extent::OfNone(vec!["clinic".into()])).await, Vec::<String>::new());
    let found = reader.read(&["m1".into(), "none".into()]).await.unwrap();
    let rows = emit::<Mothers>(&clinic.documents["m1"].to_string()).unwrap().unwrap();
    let found: Vec<_> = found.into_iter().map(|found| found.map(|found| found.source)).collect();
    let reserved = json!({"id": "m1", "rev": "1-a", "db": "clinic"});
    assert_eq!(found, [Some(json!({"pillowtop": reserved, "rows": rows})), None]);
    let another = TargetRef { uuid: "another".to_owned(), ..target };
    assert!(!SqlReader::new(schema, another, false).is_same().await.unwrap());
}

pub async fn changes(address: &str) {
    let told: Arc<Mutex<Vec<Grain>>> = Arc::default();
    let hook = || {
        let told = Arc::clone(&told);
        Some(ChangeHook(Arc::new(move |grains: &[Grain]| told.lock().unwrap().extend_from_slice(grains))))
    };
    let mut clinic = Clinic::new();
    clinic.put("m1", mother("d", Some("o"), &[("2012-01-01", 5)]));
    clinic.follow(address, hook()).await;
    let first = std::mem::take(&mut *told.lock().unwrap());
    assert!(
        first
            .iter()
            .any(|grain| grain.date == "2012-01-01"
                && grain.changes["visits_total"] == (json!(null), json!(1))),
        "{first:?}"
    );
    // The group changes: what was there is removed, and added elsewhere.
    clinic.put("m1", mother("e", Some("o"), &[("2012-01-01", 6)]));
    clinic.follow(address, hook()).await;
    let second = std::mem::take(&mut *told.lock().unwrap());
    let of = |domain: &str| {
        second.iter().find(|grain| grain.groups[0] == domain && grain.date == "2012-01-01").unwrap()
    };
    assert_eq!(of("d").changes["visits_total"], (json!(1), json!(null)));
    assert_eq!(of("e").changes["visits_least"], (json!(null), json!(6)));
    clinic.delete("m1");
    clinic.follow(address, hook()).await;
    let third = std::mem::take(&mut *told.lock().unwrap());
    assert!(third.iter().all(|grain| grain.changes.values().all(|(_, new)| new.is_null())));
}

/// Kills the process that follows at random moments, and compares at the end.
pub fn kills(address: &str) {
    let mut clinic = Clinic::new();
    let run = |clinic: &Clinic| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "follows_until_it_is_killed", "--nocapture"])
            .env("FLUFF_TEST_DIRECTORY", &clinic.directory)
            .env("FLUFF_TEST_DATABASE", address)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let days = ["2012-01-01", "2012-01-02", "2012-03-04"];
    for _ in 0..12 {
        for _ in 0..150 {
            let id = format!("m{}", fastrand::usize(..40));
            if fastrand::u8(..6) == 0 {
                clinic.delete(&id);
            } else {
                let visits: Vec<(&str, i64)> = (0..fastrand::usize(..4))
                    .map(|_| (days[fastrand::usize(..3)], fastrand::i64(-9..9)))
                    .collect();
                let owner = ["o", "p"][fastrand::usize(..2)];
                let mut document = mother(["d", "e"][fastrand::usize(..2)], Some(owner), &visits);
                document["is_closed"] = json!(fastrand::u8(..5) == 0);
                clinic.put(&id, document);
            }
        }
        let mut child = run(&clinic);
        std::thread::sleep(Duration::from_millis(fastrand::u64(50..600)));
        // SIGKILL; it may have ended.
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(run(&clinic).wait().unwrap().success());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(clinic.rows_are_those_of_the_documents(address));
}
