//! What every claim store must keep. A store passes by calling [`holds`] in a test of its own.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "it fails as a test does")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::store::{ClaimStore, StoreError, Token};

/// Panics where a store breaks the contract. The store must be empty.
pub async fn holds(store: Arc<dyn ClaimStore>) {
    only_the_first_writer_creates(store.as_ref()).await;
    only_the_last_seen_write_is_overwritten(store.as_ref()).await;
    of_many_writers_one_wins(&store).await;
    a_removed_document_is_created_again(store.as_ref()).await;
    documents_are_listed_by_the_start_of_their_keys(store.as_ref()).await;
}

#[track_caller]
fn is_conflict<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
}

async fn only_the_first_writer_creates(store: &dyn ClaimStore) {
    assert_eq!(store.read("claim:a").await, Ok(None));
    let token = store.write("claim:a", &json!({"n": 1}), None).await.unwrap();
    is_conflict(&store.write("claim:a", &json!({"n": 2}), None).await);
    let stored = store.read("claim:a").await.unwrap().unwrap();
    assert_eq!((stored.value, stored.token), (json!({"n": 1}), token));
}

async fn only_the_last_seen_write_is_overwritten(store: &dyn ClaimStore) {
    let first = store.read("claim:a").await.unwrap().unwrap().token;
    let second = store.write("claim:a", &json!({"n": 2}), Some(first)).await.unwrap();
    assert_ne!(first, second);
    is_conflict(&store.write("claim:a", &json!({"n": 3}), Some(first)).await);
    is_conflict(&store.remove("claim:a", first).await);
    is_conflict(&store.write("claim:missing", &json!({}), Some(Token { term: 1, number: 7 })).await);
    assert_eq!(store.read("claim:a").await.unwrap().unwrap().value, json!({"n": 2}));
}

async fn of_many_writers_one_wins(store: &Arc<dyn ClaimStore>) {
    let seen = store.write("claim:race", &json!({}), None).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = Arc::clone(store);
        writers.spawn(async move { store.write("claim:race", &json!({"w": writer}), Some(seen)).await });
    }
    let results = writers.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
}

async fn a_removed_document_is_created_again(store: &dyn ClaimStore) {
    let token = store.write("lease:x", &json!({"n": 1}), None).await.unwrap();
    store.remove("lease:x", token).await.unwrap();
    store.remove("lease:x", token).await.unwrap();
    assert_eq!(store.read("lease:x").await, Ok(None));
    let again = store.write("lease:x", &json!({"n": 2}), None).await.unwrap();
    is_conflict(&store.write("lease:x", &json!({"n": 3}), Some(token)).await.map(|_| again));
}

async fn documents_are_listed_by_the_start_of_their_keys(store: &dyn ClaimStore) {
    for key in ["request:t:2", "request:t:1", "request:t/db:1", "request:u:1"] {
        store.write(key, &json!({"key of": key}), None).await.unwrap();
    }
    let mut found = Vec::new();
    for _ in 0..50 {
        found = store.list("request:t:").await.unwrap();
        if found.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["request:t:1", "request:t:2"]);
    assert_eq!(found[0].1, store.read("request:t:1").await.unwrap().unwrap());
}
