//! What is there after a process ended, and who may open it.

use serde_json::json;

use super::{database, definition, delete, ids, index, mapped, open, put, write};
use crate::operation::WriteMode;
use crate::sink::Sink;
use crate::sink::embedded::{EmbeddedError, EmbeddedIndex, EmbeddedReader};

#[tokio::test]
async fn what_was_not_saved_is_gone_with_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let sink = open(folder.path(), &definition);
    put(&sink, "a", &json!({"n": 1})).await;
    put(&sink, "b", &json!({"n": 1})).await;
    sink.save(Some("7-abc".into())).await.unwrap();
    let saved = sink.state();
    put(&sink, "a", &json!({"n": 2})).await;
    write(&sink, &[delete(&sink, "b"), index(&sink, "c", &json!({"n": 3}))]).await;
    drop(sink);

    let sink = open(folder.path(), &definition);
    assert_eq!(ids(&sink.search("*", 10).unwrap()), ["a", "b"]);
    assert_eq!(sink.get("a").unwrap(), Some(json!({"n": 1})));
    let state = sink.state();
    assert_eq!((&state.checkpoint, &state.past, state.phase), (&saved.checkpoint, &saved.past, saved.phase));
    assert_eq!(state.position(), "7-abc".into());
    // Versions go on above all that were made.
    assert!(sink.versions().stamp().unwrap() > saved.ceiling);
}

#[tokio::test]
async fn only_one_opens_for_writing_and_many_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let missing = EmbeddedReader::open(folder.path(), &definition).unwrap_err();
    assert!(matches!(missing, EmbeddedError::Missing { .. }), "{missing}");
    let sink = open(folder.path(), &definition);
    let second = EmbeddedIndex::open(folder.path(), &definition, database()).unwrap_err();
    assert!(matches!(second, EmbeddedError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("open for writing elsewhere"), "{second}");

    let reader = EmbeddedReader::open(folder.path(), &definition).unwrap();
    put(&sink, "a", &json!({"n": 1})).await;
    sink.save(Some("3".into())).await.unwrap();
    assert_eq!(reader.count(), 0);
    reader.refresh().unwrap();
    assert_eq!(reader.count(), 1);
    assert_eq!(reader.stored_state().unwrap(), Some(sink.state()));

    sink.release().await.unwrap();
    let next = open(folder.path(), &definition);
    assert_eq!(next.state().checkpoint, Some("3".into()));
}

#[tokio::test]
async fn another_mapping_is_another_index_beside() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (mapped(&json!({"n": {"type": "long"}})), mapped(&json!({"n": {"type": "keyword"}})));
    let first = open(folder.path(), &one);
    let second = open(folder.path(), &other);
    put(&first, "a", &json!({"n": 1})).await;
    first.save(None).await.unwrap();
    assert_eq!((first.count(), second.count()), (1, 0));
    assert_eq!(first.name().as_str(), format!("cases_{}_1", one.hash.short()));
    assert!(second.folder().ends_with(format!("cases_{}_1", other.hash.short())));
}

#[tokio::test]
async fn a_database_that_was_made_anew_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({}));
    drop(open(folder.path(), &definition));
    let mut anew = database();
    anew.instance_start_time = "2".to_owned();
    let error = EmbeddedIndex::open(folder.path(), &definition, anew).unwrap_err();
    assert!(matches!(error, EmbeddedError::OtherDatabase { .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_folder_is_an_error_and_an_unfinished_one_is_not() {
    let definition = definition(json!({"properties": {"n": {"type": "long"}}}), json!({}));
    for (name, text, damaged) in [
        ("meta.json", Some("{\"segments\": ["), true),
        ("meta.json", None, true),
        ("store", Some(""), true),
        ("store", None, true),
        (".managed.json", Some("["), true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sink = open(folder.path(), &definition);
        put(&sink, "a", &json!({"n": 1})).await;
        sink.release().await.unwrap();
        let files = sink.folder().join("index");
        drop(sink);
        for entry in files.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(name) {
                match text {
                    Some(text) => fs_err::write(&path, text).unwrap(),
                    None => fs_err::remove_file(&path).unwrap(),
                }
            }
        }
        let opened = EmbeddedIndex::open(folder.path(), &definition, database());
        match opened {
            Err(EmbeddedError::Damaged { .. }) if damaged => {}
            other => panic!("{name} {text:?}: {other:?}"),
        }
    }
    // A first opening that was interrupted before the first commit.
    let folder = tempfile::tempdir().unwrap();
    let place = crate::sink::embedded::folder::Place::of(folder.path(), &definition);
    place.create(&definition).unwrap();
    fs_err::remove_file(place.index_folder().join("meta.json")).unwrap();
    drop(open(folder.path(), &definition));
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_done_before_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let sink = open(folder.path(), &mapped(&json!({"n": {"type": "long"}})));
    for round in 0..50 {
        let early = [index(&sink, "a", &json!({"n": round}))];
        let late = [index(&sink, "a", &json!({"n": 1000 + round}))];
        let abandoned = sink.write(&early, WriteMode::Follow);
        // Polled once, then dropped.
        futures_util::future::select(abandoned, futures_util::future::ready(())).await;
        write(&sink, &late).await;
    }
    sink.save(None).await.unwrap();
    assert_eq!((sink.count(), sink.get("a").unwrap()), (1, Some(json!({"n": 1049}))));
}
