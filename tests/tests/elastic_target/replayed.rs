//! Files of bulk requests that are sent to a server, as a person does it with `curl`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pillowtop_runtime::Operation;
use pillowtop_runtime::claim::{AcquireOptions, Slice};
use pillowtop_runtime::target::ndjson::{NdjsonDestination, NdjsonOptions};
use pillowtop_runtime::target::{Destination as _, Outcome};
use serde_json::{Value, json};

use crate::world::{World, database, delete, index};

/// Sends a file to the index; the statuses of its items.
async fn replay(world: &World, file: &PathBuf) -> Vec<u64> {
    let url = world.endpoint.url(&[world.index().as_str(), "_bulk"]);
    let request = world.endpoint.request("POST".parse().unwrap(), url);
    let request = request.header("content-type", "application/x-ndjson").body(fs_err::read(file).unwrap());
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let response: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let items = response["items"].as_array().unwrap();
    let status =
        |item: &Value| item.as_object().unwrap().values().next().unwrap()["status"].as_u64().unwrap();
    items.iter().map(status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_files_are_replayed_in_any_order_and_twice() {
    let world = World::new("replayed").await;
    let directory = tempfile::tempdir().unwrap();
    let options = NdjsonOptions { max_bytes: 600, ..NdjsonOptions::default() };
    let destination = NdjsonDestination::new(directory.path(), world.definition.clone(), options);
    let target = destination.targets().await.unwrap().remove(0);
    let open =
        destination.open(&target, Slice::Whole, Some(database()), AcquireOptions::default()).await.unwrap();
    let stamp = || open.claim.versions().stamp().unwrap();
    for round in 0..4 {
        let note = |number: u64| {
            index(
                &format!("d{number}"),
                stamp(),
                &json!({"name": "a \"name\"\n", "count": round * 100 + number}),
            )
        };
        let mut operations: Vec<Operation> = (0..12).map(note).collect();
        operations.push(delete(&format!("d{round}"), stamp()));
        operations.push(delete("never-there", stamp()));
        operations.push(index("ключ/ä b", stamp(), &json!({"count": round})));
        let outcomes = open.target.write(&operations).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Done), "{outcomes:?}");
    }
    open.target.flush().await.unwrap();
    let files = fs_err::read_dir(destination.files()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "ndjson")).collect();
    files.sort();
    assert!(files.len() > 4, "{files:?}");

    let mut statuses = BTreeSet::new();
    for file in files.iter().rev().chain(&files) {
        statuses.extend(replay(&world, file).await);
    }
    // An older write, and the delete of a missing document, are what the documentation names.
    assert!(statuses.iter().all(|status| [200, 201, 404, 409].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&409), "{statuses:?}");
    for number in 0..12 {
        let found = world.document(&format!("d{number}")).await;
        // The last round deletes one of them.
        let expected = (number != 3).then(|| json!(300 + number));
        assert_eq!(found.map(|found| found["count"].clone()), expected, "d{number}");
    }
    assert_eq!(world.document("ключ/ä b").await.unwrap()["count"], 3);
    assert!(world.document("never-there").await.is_none());
}
