//! Following indicators whose definitions are documents: a change of the definitions takes effect
//! while the service runs.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{DocumentId, DocumentInfo};
use pillowtop_runtime::clock::{now_micros, now_text};
use pillowtop_runtime::dead_letter::{DeadLetter, DeadLetterError, DeadLetterStore as _, Stage};
use pillowtop_runtime::operation::Version;
use pillowtop_runtime::service::{ServiceError, ServiceOptions};
use pillowtop_runtime::source::{CouchDatabase, CouchError, CouchServer};
use pillowtop_runtime::target::OpenError;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::claims::CouchClaimStore;
use crate::dead_letters::CouchDeadLetters;
use crate::defined::{DefinedIndicator, current, defined_pillow};
use crate::destination::{IndicatorDestination, IndicatorOptions, ensure, follow};
use crate::documents::Documents;

/// Indicators of one type of documents whose definitions are documents.
#[derive(Debug, Clone)]
pub struct DefinedIndicators {
    /// The pillow's name.
    pub name: &'static str,
    /// The namespace: definitions of others are left out.
    pub namespace: String,
    /// How the documents are distinguished from others.
    pub documents: DocumentInfo,
    /// The database of the definitions.
    pub definitions: CouchDatabase,
    /// The database that cases of forms, and forms of cases, are read from.
    pub related: CouchDatabase,
    /// How often the definitions are compared.
    pub interval: Duration,
}

impl DefinedIndicators {
    /// Where the dead letters of broken definitions are.
    pub fn dead_letters(&self, server: &CouchServer, options: &IndicatorOptions) -> CouchDeadLetters {
        let store = CouchClaimStore::new(server.database(options.state.clone()));
        CouchDeadLetters::new(store, format!("definitions:{}", self.name))
    }

    /// Follows as [`follow`] does, and begins anew whenever the definitions change.
    ///
    /// # Errors
    ///
    /// See [`pillowtop_runtime::service::serve`]; and when the definitions cannot be read.
    pub async fn follow(
        &self,
        server: &CouchServer,
        options: &IndicatorOptions,
        service: &ServiceOptions,
        stop: &CancellationToken,
    ) -> Result<(), ServiceError> {
        ensure(&server.database(options.state.clone())).await.map_err(failed)?;
        let letters = self.dead_letters(server, options);
        let mut definitions = self.load(&letters).await?;
        loop {
            let pillow = defined_pillow(
                self.name,
                &self.namespace,
                self.documents,
                definitions.clone(),
                Documents(self.related.clone()),
            );
            let destination = IndicatorDestination::new(pillow, server.clone(), options.clone());
            let stop_this = stop.child_token();
            let destinations = [Arc::new(destination)];
            let mut following = std::pin::pin!(follow(server, &destinations, service, &stop_this));
            let changed = tokio::select! {
                ended = &mut following => return ended,
                changed = self.changed(&letters, &definitions) => changed,
            };
            stop_this.cancel();
            following.await?;
            if stop.is_cancelled() {
                return Ok(());
            }
            tracing::info!(pillow = self.name, definitions = changed.len(), "the definitions changed");
            definitions = changed;
        }
    }

    /// Waits until the definitions are others than these. A database that does not respond is read
    /// again.
    async fn changed(
        &self,
        letters: &CouchDeadLetters,
        definitions: &[DefinedIndicator],
    ) -> Vec<DefinedIndicator> {
        let mut seen = None;
        loop {
            tokio::time::sleep(self.interval).await;
            let sequence = match self.definitions.info().await {
                Ok(info) => info.update_sequence,
                Err(error) => {
                    tracing::warn!(pillow = self.name, %error, "the definitions are not compared");
                    continue;
                }
            };
            if seen.as_ref() == Some(&sequence) {
                continue;
            }
            match self.load(letters).await {
                Ok(loaded) if loaded != definitions => return loaded,
                Ok(_) => seen = Some(sequence),
                Err(error) => tracing::warn!(pillow = self.name, %error, "the definitions are not read"),
            }
        }
    }

    /// The definitions that count now. A broken one becomes a dead letter, until it is fixed or
    /// gone.
    async fn load(&self, letters: &CouchDeadLetters) -> Result<Vec<DefinedIndicator>, ServiceError> {
        let documents = self.definitions.documents_of_prefix("").await.map_err(failed)?;
        let (mut all, mut broken) = (Vec::new(), Vec::new());
        for (id, document) in &documents {
            match DefinedIndicator::read(document, &self.namespace) {
                Some(Ok(one)) => all.push(one),
                Some(Err(reason)) => broken.push(self.dead_letter(id, document, reason)),
                None => {}
            }
        }
        self.record(letters, &broken)
            .await
            .map_err(|error| ServiceError::Open(OpenError::Failed(Box::new(error))))?;
        Ok(current(all))
    }

    async fn record(&self, letters: &CouchDeadLetters, broken: &[DeadLetter]) -> Result<(), DeadLetterError> {
        let open = letters.open().await?;
        let fixed = open.into_iter().filter(|id| !broken.iter().any(|letter| letter.id == *id));
        let fixed: Vec<(DocumentId, Version)> = fixed.map(|id| (id, Version(now_micros()))).collect();
        letters.resolve(&fixed).await?;
        for letter in broken {
            tracing::warn!(pillow = self.name, id = %letter.id, reason = letter.reason, "a definition is broken");
        }
        letters.record(broken).await
    }

    fn dead_letter(&self, id: &str, document: &Value, reason: String) -> DeadLetter {
        DeadLetter {
            pillow: self.name.into(),
            index: self.name.into(),
            database: self.definitions.name().clone(),
            id: id.into(),
            revision: document["_rev"].as_str().unwrap_or_default().into(),
            version: Version(now_micros()),
            stage: Stage::Decode,
            error_type: "broken_definition".to_owned(),
            path: None,
            reason,
            time: now_text(),
            document: None,
        }
    }
}

fn failed(error: CouchError) -> ServiceError {
    ServiceError::Open(OpenError::Failed(Box::new(error)))
}
