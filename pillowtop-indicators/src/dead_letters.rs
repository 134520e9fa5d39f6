//! Dead letters as documents beside the claims.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::DocumentId;
use pillowtop_runtime::claim::{ClaimStore as _, StoreError, overwrite};
use pillowtop_runtime::dead_letter::{DeadLetter, DeadLetterError, DeadLetterStore};
use pillowtop_runtime::operation::Version;
use serde_json::{Value, json};

use crate::claims::CouchClaimStore;

/// The dead letters of one target.
#[derive(Debug, Clone)]
pub struct CouchDeadLetters {
    store: CouchClaimStore,
    target: String,
}

impl CouchDeadLetters {
    /// Those of the target with this uuid.
    pub fn new(store: CouchClaimStore, target: String) -> Self {
        Self { store, target }
    }

    fn prefix(&self) -> String {
        format!("dead-letter:{}:", self.target)
    }

    fn key(&self, id: &DocumentId) -> String {
        format!("{}{id}", self.prefix())
    }

    /// All of them, in order of ids.
    ///
    /// # Errors
    ///
    /// When the database does not respond, or one of them cannot be read.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let found = self.store.list(&self.prefix()).await.map_err(|error| unavailable(&error))?;
        let read = |(_, stored): (String, pillowtop_runtime::claim::Stored)| {
            serde_json::from_value(stored.value)
                .map_err(|error| DeadLetterError::Unavailable(error.to_string()))
        };
        found.into_iter().map(read).collect()
    }
}

fn unavailable(error: &StoreError) -> DeadLetterError {
    DeadLetterError::Unavailable(error.to_string())
}

fn version(letter: &Value) -> u64 {
    letter["version"].as_u64().unwrap_or(0)
}

impl DeadLetterStore for CouchDeadLetters {
    fn record<'a>(&'a self, letters: &'a [DeadLetter]) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            for letter in letters {
                let next = |stored: Option<Value>| {
                    Some(
                        stored
                            .filter(|stored| version(stored) > letter.version.0)
                            .unwrap_or_else(|| json!(letter)),
                    )
                };
                overwrite(&self.store, &self.key(&letter.id), next)
                    .await
                    .map_err(|error| unavailable(&error))?;
            }
            Ok(())
        }
        .boxed()
    }

    fn resolve<'a>(
        &'a self,
        decided: &'a [(DocumentId, Version)],
    ) -> BoxFuture<'a, Result<(), DeadLetterError>> {
        async move {
            for (id, decided) in decided {
                let next = |stored: Option<Value>| stored.filter(|stored| version(stored) > decided.0);
                overwrite(&self.store, &self.key(id), next).await.map_err(|error| unavailable(&error))?;
            }
            Ok(())
        }
        .boxed()
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<DocumentId>, DeadLetterError>> {
        async move { Ok(self.list().await?.into_iter().map(|letter| letter.id).collect()) }.boxed()
    }
}
