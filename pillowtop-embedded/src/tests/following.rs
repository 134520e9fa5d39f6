//! Following a file of changes into an embedded index.

use std::sync::Arc;

use fs_err as fs;
use pillowtop_core::lookup::NoLookup;
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{AnyPillow, ChangeMeta, CouchDocument, DocumentInfo, Object, Pillow, Registry};
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::{Counters, Counts, MemberOptions};
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::ChangesFile;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{destination, ids};

#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Note {
    n: u32,
}

impl CouchDocument for Note {
    const MAPPING: &'static Object = &Object::EMPTY;
    const DOCUMENT: DocumentInfo = DocumentInfo { types: &["Note"], ..DocumentInfo::PART };
}

impl Pillow for Note {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = NoLookup;
    const PILLOW: PillowInfo = PillowInfo::named("note", "notes");
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        true
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        Some(self)
    }
}

/// A row of a note with this number, or of its deletion.
pub(super) fn row(seq: u32, id: &str, n: impl Into<Option<u32>>) -> String {
    let (revision, n) = (format!("{seq}-a"), n.into());
    let mut document = json!({"_id": id, "_rev": revision, "doc_type": "Note", "n": n});
    if n.is_none() {
        document = json!({"_id": id, "_rev": revision, "_deleted": true});
    }
    let deleted = n.is_none();
    json!({"seq": format!("{seq}-x"), "id": id, "changes": [{"rev": revision}], "deleted": deleted, "doc": document})
        .to_string()
}

#[tokio::test]
async fn the_index_has_what_the_file_has() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("changes.jsonl");
    let pillow: Arc<dyn AnyPillow> = Arc::clone(&Registry::new().with::<Note>().pillows()[0]);
    let definition = pillow.definition().clone();
    let follow = async || -> Counts {
        let source = Arc::new(ChangesFile::open(&file, "db".into()).unwrap());
        let engine =
            Engine::new(Arc::new(OneDatabase { name: "db".into(), source }), EngineOptions::default());
        let counters = Arc::new(Counters::default());
        let served = Served {
            pillow: Arc::clone(&pillow),
            destination: Arc::new(destination(directory.path(), &definition)),
            databases: DatabaseSelection::One("db".into()),
            counters: Arc::clone(&counters),
            options: MemberOptions::default(),
        };
        let options = ServiceOptions {
            mode: ReadMode::ToEnd,
            when_failing: WhenFailing::Stop,
            ..ServiceOptions::default()
        };
        serve(&engine, vec![served], &options, &CancellationToken::new()).await.unwrap();
        counters.snapshot()
    };
    let mut rows = vec![row(1, "a", 1), row(2, "b", 2).replace(r#""n":2"#, r#""n":"x""#), row(3, "c", 3)];
    fs::write(&file, rows.join("\n") + "\n").unwrap();
    assert_eq!(follow().await.dead_letters, 1);
    // From the saved position: nothing is read again.
    assert_eq!(follow().await.seen, 0);
    rows.extend([row(4, "b", 2), row(5, "c", None)]);
    fs::write(&file, rows.join("\n") + "\n").unwrap();
    assert_eq!(follow().await.indexed, 1);
    let reader = destination(directory.path(), &definition).reader().unwrap();
    assert_eq!(ids(&reader.search("*", 10).unwrap()), ["a", "b"]);
    assert_eq!(reader.get("b").unwrap().unwrap()["n"], json!(2));
    assert!(reader.dead_letters().unwrap().is_empty());
}
