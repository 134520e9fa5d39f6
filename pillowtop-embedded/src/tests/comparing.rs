//! An index that is compared with its source.

use std::collections::BTreeMap;

use fs_err as fs;
use pillowtop_core::{AnyPillow, Registry};
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::{Counters, MemberOptions};
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::source::ChangesFile;
use pillowtop_runtime::target::Destination as _;
use pillowtop_runtime::touch::parts;
use pillowtop_runtime::verify::{Bodies, Verification, Verify, VerifyOptions};
use tokio_util::sync::CancellationToken;

use super::following::{Note, row};
use super::*;

/// Follows the file to its end.
async fn follow(engine: &Arc<Engine>, served: Served) {
    let options = ServiceOptions {
        mode: ReadMode::ToEnd,
        when_failing: WhenFailing::Stop,
        ..ServiceOptions::default()
    };
    serve(engine, vec![served], &options, &CancellationToken::new()).await.unwrap();
}

async fn verify(engine: &Engine, served: &Served, destination: &EmbeddedDestination) -> Verification {
    let part = parts(engine, served).await.unwrap().remove(0);
    let store = destination.claim_store().unwrap();
    let mut options = VerifyOptions::default();
    options.bodies = Bodies::All;
    let verify = Verify { engine, served, store: &store, part: &part, options };
    verify.run(&CancellationToken::new(), |_| ()).await.unwrap()
}

fn counts(verification: &Verification) -> BTreeMap<String, u64> {
    verification.found.iter().map(|(kind, found)| (kind.to_string(), found.count)).collect()
}

#[tokio::test]
async fn what_differs_from_the_file_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("changes.jsonl");
    let pillow: Arc<dyn AnyPillow> = Arc::clone(&Registry::new().with::<Note>().pillows()[0]);
    let definition = pillow.definition().clone();
    let mut rows: Vec<String> = (1..2500).map(|number| row(number, &format!("n{number}"), number)).collect();
    rows.push(row(2500, "n7", None));
    rows.push(row(2501, "broken", 1).replace(r#""n":1"#, r#""n":"x""#));
    fs::write(&file, rows.join("\n") + "\n").unwrap();
    let source = Arc::new(ChangesFile::open(&file, "db".into()).unwrap());
    let engine = Engine::new(Arc::new(OneDatabase { name: "db".into(), source }), EngineOptions::default());
    let own = Arc::new(destination(directory.path(), &definition));
    let served = Served {
        pillow,
        destination: Arc::<EmbeddedDestination>::clone(&own),
        databases: DatabaseSelection::One("db".into()),
        counters: Arc::new(Counters::default()),
        options: MemberOptions::default(),
    };
    follow(&engine, served.clone()).await;
    let equal = verify(&engine, &served, &own).await;
    assert_eq!(counts(&equal), BTreeMap::from([("dead letter".to_owned(), 1)]));
    assert_eq!((equal.index_documents, equal.bodies_compared), (2498, 2498));

    // One is lost, one is old, one has another body, and two should not be there.
    let reserved = |id: &str, revision: &str| json!({"id": id, "rev": revision, "db": "db"});
    let uuid = own.targets().await.unwrap().remove(0).uuid;
    let target = own.open_target(&uuid, &AcquireOptions::default()).await.unwrap();
    let written = [
        delete("n1"),
        index("n2", &json!({"n": 2, "pillowtop": reserved("n2", "0-a")})),
        index("n3", &json!({"n": 300, "pillowtop": reserved("n3", "3-a")})),
        index("n7", &json!({"n": 7, "pillowtop": reserved("n7", "7-a")})),
        index("stray", &json!({"n": 1})),
    ];
    write(&target, &written).await;
    target.flush().await.unwrap();
    drop(target);
    let found = verify(&engine, &served, &own).await;
    let expected = [("missing", 1), ("stale", 1), ("extra", 2), ("other body", 1), ("dead letter", 1)];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(counts(&found), BTreeMap::from(expected), "{:?}", found.found);
}
