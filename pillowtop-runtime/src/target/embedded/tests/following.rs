//! Following: replacing, deleting, phases, dead letters.

use serde_json::json;

use super::{database, delete, ids, index, letter, mapped, open, put, write};
use crate::operation::WriteMode;
use crate::sink::embedded::{EmbeddedIndex, EmbeddedOptions};
use crate::sink::{ItemOutcome, Sink, WriteError};
use crate::state::{LoadState, Phase};

#[tokio::test]
async fn documents_are_replaced_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let sink = open(folder.path(), &mapped(&json!({"n": {"type": "long"}})));
    // Twice in one commit, and again over commits.
    put(&sink, "a", &json!({"n": 1})).await;
    put(&sink, "a", &json!({"n": 2})).await;
    put(&sink, "b", &json!({"n": 3})).await;
    sink.save(Some("5".into())).await.unwrap();
    assert_eq!((sink.count(), sink.get("a").unwrap()), (2, Some(json!({"n": 2}))));
    put(&sink, "a", &json!({"n": 4})).await;
    let gone = write(&sink, &[delete(&sink, "b"), delete(&sink, "never there")]).await;
    assert_eq!(gone, [ItemOutcome::Done, ItemOutcome::Done]);
    assert_eq!(sink.count(), 2, "searches see commits only");
    sink.save(Some("6".into())).await.unwrap();
    assert_eq!(ids(&sink.search("*", 10).unwrap()), ["a"]);
    assert_eq!(sink.search("n:4", 10).unwrap().total, 1);
    assert_eq!(sink.search("n:2", 10).unwrap().total, 0);
}

#[tokio::test]
async fn a_refused_document_leaves_its_older_version_and_the_rest_of_the_bulk() {
    let folder = tempfile::tempdir().unwrap();
    let sink = open(folder.path(), &mapped(&json!({"n": {"type": "long"}})));
    put(&sink, "a", &json!({"n": 1})).await;
    let bulk = [index(&sink, "a", &json!({"n": "x"})), index(&sink, "b", &json!({"n": 2}))];
    let outcomes = write(&sink, &bulk).await;
    assert!(matches!(outcomes[0], ItemOutcome::Rejected { .. }));
    assert_eq!(outcomes[1], ItemOutcome::Done);
    sink.save(None).await.unwrap();
    assert_eq!(sink.get("a").unwrap(), Some(json!({"n": 1})));
    assert_eq!(sink.count(), 2);
}

#[tokio::test]
async fn dead_letters_stay_until_a_success_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let sink = open(folder.path(), &definition);
    let strange = "../a/ü?".repeat(100);
    sink.bury(vec![letter(&sink, "a"), letter(&sink, &strange), letter(&sink, "c")]).await.unwrap();
    let mut again = letter(&sink, "c");
    again.reason = "again".to_owned();
    sink.bury(vec![again.clone()]).await.unwrap();
    let letters = sink.dead_letters().unwrap();
    assert_eq!(letters, [letter(&sink, &strange), letter(&sink, "a"), again]);
    drop(sink);

    let sink = open(folder.path(), &definition);
    put(&sink, "a", &json!({"n": 1})).await;
    write(&sink, &[delete(&sink, &strange)]).await;
    put(&sink, "c", &json!({"n": 1})).await;
    // It fails again after the success.
    sink.bury(vec![letter(&sink, "c")]).await.unwrap();
    assert_eq!(sink.dead_letters().unwrap().len(), 3, "nothing is committed yet");
    sink.save(None).await.unwrap();
    assert_eq!(sink.dead_letters().unwrap(), [letter(&sink, "c")]);
}

#[tokio::test]
async fn a_load_ends_and_takes_no_more_writes() {
    let folder = tempfile::tempdir().unwrap();
    let load = LoadState { start: "s0".into(), position: "l0".into() };
    let options = EmbeddedOptions { load: Some(load), ..EmbeddedOptions::default() };
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let sink = EmbeddedIndex::open_with(folder.path(), &definition, database(), options).unwrap();
    assert_eq!((sink.state().phase, sink.state().position()), (Phase::Loading, "l0".into()));
    let bulk = [index(&sink, "a", &json!({"n": 1}))];
    assert_eq!(sink.write(&bulk, WriteMode::Load).await, Ok(vec![ItemOutcome::Done]));
    sink.save(Some("l1".into())).await.unwrap();
    assert_eq!(sink.state().position(), "l1".into());
    sink.enter(Phase::CatchingUp).await.unwrap();
    assert_eq!(sink.state().position(), "s0".into());
    assert!(matches!(sink.write(&bulk, WriteMode::Load).await, Err(WriteError::LeaseLost(_))));
    sink.enter(Phase::Following).await.unwrap();
    assert_eq!(sink.stored_state().unwrap(), Some(sink.state()));
    assert_eq!(sink.state().load, None);
}

#[tokio::test]
async fn after_release_nothing_is_written_and_all_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let sink = open(folder.path(), &definition);
    put(&sink, "a", &json!({"n": 1})).await;
    sink.release().await.unwrap();
    sink.release().await.unwrap();
    assert_eq!(sink.count(), 1);
    let late = sink.write(&[index(&sink, "b", &json!({}))], WriteMode::Follow).await;
    assert!(matches!(late, Err(WriteError::LeaseLost(_))), "{late:?}");
    assert!(sink.save(Some("9".into())).await.is_err());
    let next = open(folder.path(), &definition);
    assert_eq!((next.count(), next.state().checkpoint), (1, None));
}
