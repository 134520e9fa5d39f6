//! Writing: replacing, deleting, rejections, order.

use serde_json::json;

use super::{delete, ids, index, mapped, open, put, write};
use pillowtop_runtime::target::{Outcome, Target};

#[tokio::test]
async fn documents_are_replaced_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"n": {"type": "long"}}))).await;
    // Twice in one commit, and again over commits.
    put(&target, "a", &json!({"n": 1})).await;
    put(&target, "a", &json!({"n": 2})).await;
    put(&target, "b", &json!({"n": 3})).await;
    target.flush().await.unwrap();
    assert_eq!((target.count(), target.get("a").unwrap()), (2, Some(json!({"n": 2}))));
    put(&target, "a", &json!({"n": 4})).await;
    let deleted = write(&target, &[delete("b"), delete("b"), delete("missing")]).await;
    assert_eq!(deleted, [Outcome::Done, Outcome::Absent, Outcome::Absent]);
    assert_eq!(target.count(), 2, "searches see commits only");
    target.flush().await.unwrap();
    assert_eq!(ids(&target.search("*", 10).unwrap()), ["a"]);
    assert_eq!(target.search("n:4", 10).unwrap().total, 1);
    assert_eq!(target.search("n:2", 10).unwrap().total, 0);
}

#[tokio::test]
async fn a_document_is_deleted_and_indexed_again_within_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"n": {"type": "long"}}))).await;
    put(&target, "a", &json!({"n": 1})).await;
    target.flush().await.unwrap();
    let bulk = [delete("a"), index("a", &json!({"n": 2})), index("b", &json!({"n": 3})), delete("b")];
    assert_eq!(write(&target, &bulk).await, vec![Outcome::Done; 4]);
    target.flush().await.unwrap();
    assert_eq!((target.count(), target.get("a").unwrap()), (1, Some(json!({"n": 2}))));
}

#[tokio::test]
async fn a_rejected_document_leaves_its_older_version_and_the_rest_of_the_bulk() {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"n": {"type": "long"}}))).await;
    put(&target, "a", &json!({"n": 1})).await;
    let bulk = [index("a", &json!({"n": "x"})), index("b", &json!({"n": 2}))];
    let outcomes = write(&target, &bulk).await;
    assert!(matches!(outcomes[0], Outcome::Rejected { .. }));
    assert_eq!(outcomes[1], Outcome::Done);
    target.flush().await.unwrap();
    assert_eq!(target.get("a").unwrap(), Some(json!({"n": 1})));
    assert_eq!(target.count(), 2);
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_done_before_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let target = open(directory.path(), &mapped(&json!({"n": {"type": "long"}}))).await;
    for round in 0..50 {
        let early = [index("a", &json!({"n": round}))];
        let late = [index("a", &json!({"n": 1000 + round}))];
        let abandoned = target.write(&early);
        // Polled once, then dropped.
        futures_util::future::select(abandoned, futures_util::future::ready(())).await;
        write(&target, &late).await;
    }
    target.flush().await.unwrap();
    assert_eq!((target.count(), target.get("a").unwrap()), (1, Some(json!({"n": 1049}))));
}
