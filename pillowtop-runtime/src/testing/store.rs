//! A claim store in memory that can be away.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;

use crate::claim::{ClaimStore, StoreError, Stored, Token};

#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    documents: Mutex<BTreeMap<String, Stored>>,
    next: Mutex<u64>,
    /// Keys of all writes.
    pub(crate) writes: Mutex<Vec<String>>,
    away_until: Mutex<Option<Instant>>,
}

impl MemoryStore {
    /// Does not respond for so long.
    pub(crate) fn away_for(&self, time: Duration) {
        *self.away_until.lock().unwrap() = Some(Instant::now() + time);
    }

    /// Loses everything.
    pub(crate) fn clear(&self) {
        self.documents.lock().unwrap().clear();
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.documents.lock().unwrap().keys().cloned().collect()
    }

    fn check(&self, key: &str) -> Result<(), StoreError> {
        if self.away_until.lock().unwrap().is_some_and(|until| until > Instant::now()) {
            return Err(StoreError::Unavailable { doing: key.to_owned(), reason: "away".to_owned() });
        }
        Ok(())
    }
}

async fn latency() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
}

impl ClaimStore for MemoryStore {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        async move {
            latency().await;
            self.check(key)?;
            Ok(self.documents.lock().unwrap().get(key).cloned())
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        value: &'a Value,
        seen: Option<Token>,
    ) -> BoxFuture<'a, Result<Token, StoreError>> {
        async move {
            latency().await;
            self.check(key)?;
            let mut documents = self.documents.lock().unwrap();
            if documents.get(key).map(|stored| stored.token) != seen {
                return Err(StoreError::Conflict { key: key.to_owned() });
            }
            let mut next = self.next.lock().unwrap();
            *next += 1;
            let token = Token { term: 1, number: *next };
            documents.insert(key.to_owned(), Stored { value: value.clone(), token });
            self.writes.lock().unwrap().push(key.to_owned());
            Ok(token)
        }
        .boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, seen: Token) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            latency().await;
            self.check(key)?;
            let mut documents = self.documents.lock().unwrap();
            match documents.get(key) {
                Some(stored) if stored.token != seen => Err(StoreError::Conflict { key: key.to_owned() }),
                _ => {
                    documents.remove(key);
                    Ok(())
                }
            }
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, Stored)>, StoreError>> {
        async move {
            latency().await;
            self.check(prefix)?;
            let documents = self.documents.lock().unwrap();
            let found = documents.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(found.map(|(key, stored)| (key.clone(), stored.clone())).collect())
        }
        .boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_in_memory_keeps_the_contract_of_claim_stores() {
    crate::claim::store_contract::holds(std::sync::Arc::new(MemoryStore::default())).await;
}
