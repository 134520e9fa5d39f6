//! What the servers allow: the changes feed is read and bulk requests are replayed at the same
//! time, unconnected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;

use super::documents::bulk_bodies;
use super::environment::Environment;
use super::http::{Http, read};

/// The size of a bulk request.
const BULK_BYTES: usize = 5_000_000;
/// Requests that each connection sends at least, so that all are busy with few documents too.
const REQUESTS_PER_CONNECTION: u32 = 4;
/// The pause after a request that the server had no room for.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Seconds of one round of the ceiling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling {
    /// Reading the changes feed.
    pub(super) feed: f64,
    /// Replaying the bulk requests.
    pub(super) bulk: f64,
}

impl Ceiling {
    /// No program that does both can be faster than the slower of the two.
    pub(super) fn seconds(self) -> f64 {
        self.feed.max(self.bulk)
    }
}

/// What is replayed.
pub(super) struct Replay {
    documents: u32,
    bodies: Arc<[Bytes]>,
    connections: u32,
}

impl Replay {
    /// Builds the bodies of all requests.
    pub(super) fn new(documents: u32, connections: u32) -> anyhow::Result<Self> {
        let bodies = bulk_bodies(0..documents, bulk_bytes(documents, connections))?.into();
        Ok(Self { documents, bodies, connections })
    }

    /// The mean size of a document in a bulk body.
    pub(super) fn document_bytes(&self) -> f64 {
        let bytes: usize = self.bodies.iter().map(Bytes::len).sum();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
        let bytes = bytes as f64;
        bytes / f64::from(self.documents)
    }

    /// One round, into an index of its own, which is deleted afterwards.
    pub(super) async fn round(&self, environment: &Environment) -> anyhow::Result<Ceiling> {
        let index = environment.other("ceiling");
        environment.create_index(&index, "-1").await?;
        let feed = read_feed(environment.couch(), environment.database(), self.documents);
        let bulk = self.send(environment.elastic(), &index);
        let (feed, bulk) = tokio::try_join!(feed, bulk)?;
        environment.require_count(&index, self.documents).await?;
        environment.remove_indices().await?;
        Ok(Ceiling { feed, bulk })
    }

    /// Sends all bodies; each connection takes the next one as soon as it is free.
    async fn send(&self, elastic: &Http, index: &str) -> anyhow::Result<f64> {
        let next = Arc::new(AtomicUsize::new(0));
        let path: Arc<str> = bulk_path(index).into();
        let started = Instant::now();
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            let (elastic, bodies) = (elastic.clone(), Arc::clone(&self.bodies));
            let (next, path) = (Arc::clone(&next), Arc::clone(&path));
            connections.spawn(async move {
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    bulk(&elastic, &path, body.clone()).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        Ok(started.elapsed().as_secs_f64())
    }
}

/// The size of the requests for this many documents of a kilobyte.
fn bulk_bytes(documents: u32, connections: u32) -> usize {
    let share = u64::from(documents) * 1000 / u64::from(connections * REQUESTS_PER_CONNECTION);
    usize::try_from(share).map_or(BULK_BYTES, |share| share.min(BULK_BYTES))
}

/// The path of a bulk request whose response has failures only.
pub(super) fn bulk_path(index: &str) -> String {
    format!("/{index}/_bulk?filter_path=errors,items.*.error")
}

/// Sends one bulk request, all of whose documents must be indexed.
pub(super) async fn bulk(elastic: &Http, path: &str, body: Bytes) -> anyhow::Result<()> {
    let response = loop {
        let response = elastic.send(Method::POST, path, Some(body.clone())).await?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS {
            break read(response, path).await?;
        }
        // The server's memory is full of earlier requests. The programs that are measured wait too.
        tokio::time::sleep(RETRY_AFTER).await;
    };
    let response: Value = serde_json::from_slice(&response).context("the response of a bulk request")?;
    ensure!(response["errors"] == false, "a document was refused: {}", response["items"][0]);
    Ok(())
}

/// Reads the whole changes feed with its documents, and does nothing with it but count its lines.
async fn read_feed(couch: &Http, database: &str, documents: u32) -> anyhow::Result<f64> {
    let path = format!("/{database}/_changes?include_docs=true&seq_interval={documents}");
    let started = Instant::now();
    let mut response = couch.stream(&path).await?;
    let mut lines = 0;
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        lines += memchr::memchr_iter(b'\n', &chunk).count();
    }
    let seconds = started.elapsed().as_secs_f64();
    ensure!(lines >= documents as usize, "the changes feed had {lines} lines for {documents} documents");
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_five_megabytes_unless_there_are_few_documents() {
        assert_eq!(bulk_bytes(200_000, 3), BULK_BYTES);
        assert_eq!(bulk_bytes(12_000, 3), 1_000_000);
        assert_eq!(bulk_bodies(0..10, bulk_bytes(10, 4)).unwrap().len(), 10);
    }

    #[test]
    fn the_ceiling_is_the_later_of_the_two() {
        assert_eq!(Ceiling { feed: 2.0, bulk: 3.0 }.seconds().to_string(), "3");
        assert_eq!(Ceiling { feed: 4.0, bulk: 3.0 }.seconds().to_string(), "4");
    }
}
