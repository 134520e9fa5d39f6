//! What exists after a process ended, and who may open it.

use fs_err as fs;
use pillowtop_core::DatabaseName;
use serde_json::json;

use super::{
    acquire, database, definition, delete, destination, ids, index, mapped, open, put, try_open, write,
};
use crate::{EmbeddedError, EmbeddedReader};
use pillowtop_runtime::claim::{AcquireError, AcquireOptions, DatabaseIdentity, Phase, Slice};
use pillowtop_runtime::target::{Destination, GuardedTarget, OpenError, Target, WriteError};

/// What the error of a destination is at its root.
fn embedded(error: OpenError) -> EmbeddedError {
    let OpenError::Failed(error) = error else { panic!("{error:?}") };
    *error.downcast().unwrap()
}

#[tokio::test]
async fn what_was_not_flushed_is_gone_and_its_position_was_not_saved() {
    let directory = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let (opened, target) = try_open(&destination(directory.path(), &definition)).await.unwrap();
    assert_eq!((opened.claim.state().phase, opened.claim.state().checkpoint), (Phase::Following, None));
    put(&target, "a", &json!({"n": 1})).await;
    put(&target, "b", &json!({"n": 1})).await;
    target.flush().await.unwrap();
    opened.claim.save(Some("7-abc".into())).await.unwrap();
    let saved = opened.claim.state();
    put(&target, "a", &json!({"n": 2})).await;
    write(&target, &[delete("b"), index("c", &json!({"n": 3}))]).await;
    // Not released: as after a crash.
    drop((opened, target));

    let (opened, target) = try_open(&destination(directory.path(), &definition)).await.unwrap();
    assert_eq!(ids(&target.search("*", 10).unwrap()), ["a", "b"]);
    assert_eq!(target.get("a").unwrap(), Some(json!({"n": 1})));
    assert_eq!(opened.claim.state().position(), "7-abc".into());
    // Versions continue above all that were stamped.
    assert!(opened.claim.versions().stamp().unwrap() > saved.ceiling);
}

#[tokio::test]
async fn only_one_opens_for_writing_and_many_for_reading() {
    let directory = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({"n": {"type": "long"}}));
    let missing = EmbeddedReader::open(directory.path(), &definition).unwrap_err();
    assert!(matches!(missing, EmbeddedError::Missing { .. }), "{missing}");
    let first = destination(directory.path(), &definition);
    let (opened, target) = try_open(&first).await.unwrap();
    let second = destination(directory.path(), &definition);
    let error = acquire(&second, Some(database())).await.unwrap_err();
    assert!(error.to_string().contains("open for writing elsewhere"), "{error}");

    let reader = second.reader().unwrap();
    put(&target, "a", &json!({"n": 1})).await;
    target.flush().await.unwrap();
    assert_eq!(reader.count(), 0);
    reader.refresh().unwrap();
    assert_eq!(reader.count(), 1);

    opened.claim.save(Some("3".into())).await.unwrap();
    opened.claim.release().await.unwrap();
    drop((opened, target));
    let next = acquire(&second, None).await.unwrap();
    assert_eq!(next.claim.state().checkpoint, Some("3".into()));
}

#[tokio::test]
async fn whoever_stands_by_opens_once_the_directory_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({}));
    let opened = acquire(&destination(directory.path(), &definition), Some(database())).await.unwrap();
    let second = destination(directory.path(), &definition);
    let target = second.targets().await.unwrap().remove(0);
    let waiting = tokio::spawn(async move {
        second.open(&target, Slice::Whole, None, AcquireOptions::default()).await.map(|_| ())
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    drop(opened);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn slices_have_claims_of_their_own_and_one_writer() {
    let directory = tempfile::tempdir().unwrap();
    let destination = destination(directory.path(), &mapped(&json!({"n": {"type": "long"}})));
    let target = destination.targets().await.unwrap().remove(0);
    let mut opened = Vec::new();
    for name in ["one", "two"] {
        let name = DatabaseName::from(name);
        let begin = DatabaseIdentity { name: name.clone(), ..database() };
        let slice = Slice::Database(name);
        opened.push(destination.open(&target, slice, Some(begin), AcquireOptions::default()).await.unwrap());
    }
    opened[0].target.write(&[index("one/a", &json!({"n": 1}))]).await.unwrap();
    opened[1].target.write(&[index("two/a", &json!({"n": 1}))]).await.unwrap();
    opened[0].target.flush().await.unwrap();
    opened[0].claim.save(Some("5".into())).await.unwrap();
    assert_eq!(opened[1].claim.state().checkpoint, None);
    assert_eq!(destination.reader().unwrap().count(), 2);
}

#[tokio::test]
async fn another_mapping_is_another_index_beside() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (mapped(&json!({"n": {"type": "long"}})), mapped(&json!({"n": {"type": "keyword"}})));
    let first = open(directory.path(), &one).await;
    let second = open(directory.path(), &other).await;
    put(&first, "a", &json!({"n": 1})).await;
    first.flush().await.unwrap();
    assert_eq!((first.count(), second.count()), (1, 0));
    assert_eq!(first.name().as_str(), format!("cases_{}_1", one.hash.short()));
    assert!(second.directory().ends_with(format!("cases_{}_1", other.hash.short())));
}

#[tokio::test]
async fn a_database_that_was_created_again_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({}));
    drop(open(directory.path(), &definition).await);
    let again = DatabaseIdentity { instance_start_time: "2".to_owned(), ..database() };
    let error = acquire(&destination(directory.path(), &definition), Some(again)).await.unwrap_err();
    assert!(error.to_string().contains("was filled from database `commcare` (start time `1`)"), "{error}");
}

#[tokio::test]
async fn a_directory_that_was_deleted_is_another_target_and_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let definition = mapped(&json!({}));
    let destination = destination(directory.path(), &definition);
    let (opened, target) = try_open(&destination).await.unwrap();
    opened.claim.save(Some("9".into())).await.unwrap();
    let first = destination.targets().await.unwrap();
    assert_eq!(first, destination.targets().await.unwrap());
    let deleted = target.directory().to_owned();
    drop((opened, target));
    fs::remove_dir_all(deleted).unwrap();

    let gone = destination.open(&first[0], Slice::Whole, None, AcquireOptions::default()).await.unwrap_err();
    assert!(gone.to_string().contains("was deleted since"), "{gone}");
    assert_ne!(first, destination.targets().await.unwrap());
    let missing = acquire(&destination, None).await.unwrap_err();
    assert!(matches!(missing, OpenError::Acquire(AcquireError::NoState(_))), "{missing}");
    let opened = acquire(&destination, Some(database())).await.unwrap();
    assert_eq!(opened.claim.state().checkpoint, None);
}

#[tokio::test]
async fn a_directory_that_is_deleted_under_its_owner_loses_the_claim_and_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let destination = destination(directory.path(), &mapped(&json!({})));
    let (opened, target) = try_open(&destination).await.unwrap();
    let opened = opened.guarded(GuardedTarget::LIMIT);
    put(&target, "a", &json!({})).await;
    // The writer's threads may be creating files, so it is moved away at once.
    fs::rename(target.directory(), directory.path().join("deleted")).unwrap();
    let lost = opened.target.flush().await.unwrap_err();
    assert!(matches!(lost, WriteError::ClaimLost(_)), "{lost}");
    assert!(opened.claim.save(Some("9".into())).await.is_err());

    // The failed target is not used again, even while somebody still has it.
    let again = acquire(&destination, Some(database())).await.unwrap();
    assert_eq!(again.claim.state().checkpoint, None);
    again.target.write(&[index("a", &json!({}))]).await.unwrap();
    again.target.flush().await.unwrap();
    assert_eq!(destination.reader().unwrap().count(), 1);
}

#[tokio::test]
async fn documents_and_claim_are_only_used_together() {
    let definition = mapped(&json!({"n": {"type": "long"}}));
    for (lost, part) in [("claims", "its claim is missing"), ("index", "its documents are missing")] {
        let directory = tempfile::tempdir().unwrap();
        let destination = destination(directory.path(), &definition);
        let (opened, target) = try_open(&destination).await.unwrap();
        put(&target, "a", &json!({"n": 1})).await;
        target.flush().await.unwrap();
        let path = target.directory().to_owned();
        drop((opened, target));
        let uuid = fs::read(path.join("index/uuid")).unwrap();
        fs::remove_dir_all(path.join(lost)).unwrap();
        fs::create_dir_all(path.join("index")).unwrap();
        fs::write(path.join("index/uuid"), uuid).unwrap();
        let error = acquire(&destination, Some(database())).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_directory_is_an_error_and_an_unfinished_one_is_not() {
    let definition = definition(json!({"properties": {"n": {"type": "long"}}}), json!({}));
    for (name, contents) in [
        ("meta.json", Some("{\"segments\": [")),
        ("meta.json", None),
        ("store", Some("")),
        ("store", None),
        (".managed.json", Some("[")),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let target = open(directory.path(), &definition).await;
        put(&target, "a", &json!({"n": 1})).await;
        target.flush().await.unwrap();
        let files = target.directory().join("index");
        drop(target);
        for entry in files.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().ends_with(name) {
                match contents {
                    Some(contents) => fs::write(&path, contents).unwrap(),
                    None => fs::remove_file(&path).unwrap(),
                }
            }
        }
        let error = acquire(&destination(directory.path(), &definition), None).await.unwrap_err();
        let error = embedded(error);
        assert!(matches!(error, EmbeddedError::Damaged { .. }), "{name} {contents:?}: {error:?}");
    }
    // A creation that was interrupted before the list of files was written.
    let directory = tempfile::tempdir().unwrap();
    let files = crate::directory::IndexDirectory::below(directory.path(), &definition);
    files.create(&definition).unwrap();
    fs::remove_file(files.files().join("meta.json")).unwrap();
    drop(open(directory.path(), &definition).await);
}
