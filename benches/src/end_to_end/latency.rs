//! How long one document takes from `CouchDB` into an index: through the measured program, and
//! through the servers alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};

use super::ceiling::{bulk, bulk_path};
use super::documents::{bulk_lines, couch_document, id};
use super::environment::Environment;
use super::http::Http;
use crate::statistics::percentile;

/// The time between two writes to the same database.
const INTERVAL: Duration = Duration::from_millis(50);
/// Writes before those that count: the servers are slow at first.
pub(super) const WARM_UP: u32 = 100;
/// The pause between two looks at the index.
const LOOK: Duration = Duration::from_millis(1);
/// How long a document may take.
const LONGEST: Duration = Duration::from_mins(1);

/// Milliseconds of each write.
pub(super) struct Latencies {
    /// Through the measured program.
    pub(super) ours: Vec<f64>,
    /// Through the servers alone.
    pub(super) servers: Vec<f64>,
}

impl Latencies {
    /// The median through the measured program.
    pub(super) fn p50(&self) -> f64 {
        percentile(self.ours.clone(), 50)
    }

    /// The median through the servers alone.
    pub(super) fn servers_p50(&self) -> f64 {
        percentile(self.servers.clone(), 50)
    }
}

/// Writes documents at a steady pace to two databases in turns: one that the measured program
/// follows, and one that nothing follows but a plain request. A slow document does not delay the
/// next ones. [`WARM_UP`] writes before them do not count.
pub(super) async fn measure(
    environment: &Environment,
    alias: &str,
    first: u32,
    writes: u32,
) -> anyhow::Result<Latencies> {
    let alone = Alone::start(environment).await?;
    let followed: Arc<str> = environment.database().into();
    let (sender, written) = unbounded_channel();
    let mut watch = JoinSet::new();
    watch.spawn(watch_index(environment.elastic().clone(), alias.to_owned(), written));
    let (mut ours, mut servers) = (JoinSet::new(), JoinSet::new());
    let mut ticks = tokio::time::interval(INTERVAL / 2);
    let counted = first + WARM_UP;
    for number in first..counted + writes {
        ticks.tick().await;
        let write_followed = write(environment.couch().clone(), Arc::clone(&followed), number);
        let sender = sender.clone();
        ours.spawn(async move {
            // The receiver is gone if looking has failed, which is reported below.
            let _ = sender.send(write_followed.await?);
            anyhow::Ok(())
        });
        ticks.tick().await;
        servers.spawn(write(environment.couch().clone(), Arc::clone(&alone.database), number));
    }
    // Looking ends when all documents of all senders have arrived.
    drop(sender);
    while let Some(ended) = ours.join_next().await {
        ended??;
    }
    let arrived = watch.join_next().await.context("the index is not watched")???;
    let counted_only = arrived.into_iter().filter(|(number, _)| *number >= counted);
    let ours = counted_only.map(|(_, latency)| milliseconds(latency)).collect();
    let mut started = HashMap::new();
    while let Some(written) = servers.join_next().await {
        let Written { number, started: at } = written??;
        if number >= counted {
            started.insert(id(number), at);
        }
    }
    Ok(Latencies { ours, servers: alone.latencies(started).await? })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A document that `CouchDB` has.
struct Written {
    number: u32,
    /// Before the request was sent.
    started: Instant,
}

/// Writes one document to a database.
async fn write(couch: Http, database: Arc<str>, number: u32) -> anyhow::Result<Written> {
    let started = Instant::now();
    let path = format!("/{database}/{}", id(number));
    couch.json(Method::PUT, &path, &couch_document(number)).await?;
    Ok(Written { number, started })
}

/// Writes one document, and waits until it is in the index.
pub(super) async fn write_and_wait(
    environment: &Environment,
    alias: &str,
    number: u32,
) -> anyhow::Result<()> {
    let written = write(environment.couch().clone(), environment.database().into(), number).await?;
    let (sender, receiver) = unbounded_channel();
    let _ = sender.send(written);
    drop(sender);
    watch_index(environment.elastic().clone(), alias.to_owned(), receiver).await.map(drop)
}

/// Looks for documents in the index until all have arrived; returns how long each took.
///
/// A realtime get by id does not wait for a refresh. One request at a time gets all documents that
/// have not arrived yet, so that looking does not become a load of its own.
async fn watch_index(
    elastic: Http,
    alias: String,
    mut written: UnboundedReceiver<Written>,
) -> anyhow::Result<Vec<(u32, Duration)>> {
    let path = format!("/{alias}/_mget?_source=false&filter_path=docs._id,docs.found,docs.error");
    let (mut awaited, mut arrived) = (HashMap::new(), Vec::new());
    loop {
        if awaited.is_empty() {
            let Some(next) = written.recv().await else { return Ok(arrived) };
            awaited.insert(id(next.number), next);
        }
        while let Ok(next) = written.try_recv() {
            awaited.insert(id(next.number), next);
        }
        let ids: Vec<&String> = awaited.keys().collect();
        let response = elastic.json(Method::POST, &path, &json!({"ids": ids})).await?;
        let now = Instant::now();
        for document in response["docs"].as_array().context("not a list of documents")? {
            ensure!(document.get("error").is_none(), "{path}: {document}");
            if document["found"] == true
                && let Some(found) = document["_id"].as_str().and_then(|id| awaited.remove(id))
            {
                arrived.push((found.number, now.duration_since(found.started)));
            }
        }
        if let Some((id, late)) = awaited.iter().find(|(_, late)| late.started.elapsed() > LONGEST) {
            bail!("document {} (`{id}`) did not arrive within {} s", late.number, LONGEST.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The servers alone: a continuous feed of a database, each of whose rows becomes a bulk request of
/// one document at once.
struct Alone {
    database: Arc<str>,
    indexed: UnboundedReceiver<anyhow::Result<(String, Instant)>>,
    reader: AbortHandle,
}

impl Alone {
    async fn start(environment: &Environment) -> anyhow::Result<Self> {
        let database = environment.other("alone");
        environment.create_database(&database).await?;
        environment.create_index(&database, "1s").await?;
        let path =
            format!("/{database}/_changes?feed=continuous&include_docs=true&heartbeat=10000&since=now");
        let feed = environment.couch().stream(&path).await?;
        let (sender, indexed) = unbounded_channel();
        let (elastic, path) = (environment.elastic().clone(), bulk_path(&database));
        let reader = tokio::spawn(async move {
            if let Err(error) = read(feed, &elastic, path.into(), &sender).await {
                // The receiver is gone if the measurement has failed.
                let _ = sender.send(Err(error));
            }
        });
        Ok(Self { database: database.into(), indexed, reader: reader.abort_handle() })
    }

    /// The milliseconds from the start of each write to the response of its bulk request.
    async fn latencies(mut self, started: HashMap<String, Instant>) -> anyhow::Result<Vec<f64>> {
        let mut latencies = Vec::new();
        while latencies.len() < started.len() {
            let next = tokio::time::timeout(LONGEST, self.indexed.recv()).await;
            let (id, at) =
                next.context("a row of the continuous feed is missing")?.context("the feed ended")??;
            if let Some(started) = started.get(&id) {
                latencies.push(milliseconds(at.duration_since(*started)));
            }
        }
        Ok(latencies)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

type Indexed = UnboundedSender<anyhow::Result<(String, Instant)>>;

/// Reads a continuous feed until it ends.
async fn read(
    mut feed: reqwest::Response,
    elastic: &Http,
    path: Arc<str>,
    indexed: &Indexed,
) -> anyhow::Result<()> {
    let mut unread = Vec::new();
    while let Some(chunk) = feed.chunk().await.map_err(reqwest::Error::without_url)? {
        unread.extend_from_slice(&chunk);
        while let Some(end) = memchr::memchr(b'\n', &unread) {
            let line: Vec<u8> = unread.drain(..=end).collect();
            // An empty line is a heartbeat.
            if line.len() > 1 {
                let (elastic, path, indexed) = (elastic.clone(), Arc::clone(&path), indexed.clone());
                tokio::spawn(async move {
                    let _ = indexed.send(index(&elastic, &path, &line).await);
                });
            }
        }
    }
    bail!("the continuous feed ended")
}

/// Indexes the document of one row.
async fn index(elastic: &Http, path: &str, line: &[u8]) -> anyhow::Result<(String, Instant)> {
    let mut row: Value = serde_json::from_slice(line).context("a row of the continuous feed")?;
    let id = row["id"].as_str().context("a row without an id")?.to_owned();
    let document = &mut row["doc"];
    let members = document.as_object_mut().context("a row without its document")?;
    // Servers reserve names with an underscore.
    members.retain(|name, _| !name.starts_with('_'));
    let mut body = String::new();
    bulk_lines(&mut body, &id, document);
    bulk(elastic, path, body.into()).await?;
    Ok((id, Instant::now()))
}
