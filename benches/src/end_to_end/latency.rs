//! How long one document takes from `CouchDB` into an index: through the measured program, and
//! through the servers alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::Value;
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
    let (followed, alias): (Arc<str>, Arc<str>) = (environment.database().into(), alias.into());
    let (mut ours, mut servers) = (JoinSet::new(), JoinSet::new());
    let mut ticks = tokio::time::interval(INTERVAL / 2);
    let counted = first + WARM_UP;
    for number in first..counted + writes {
        ticks.tick().await;
        let (couch, elastic) = (environment.couch().clone(), environment.elastic().clone());
        let (followed, alias) = (Arc::clone(&followed), Arc::clone(&alias));
        ours.spawn(async move {
            let arrived = through_program(&couch, &elastic, &followed, &alias, number).await?;
            anyhow::Ok((number, arrived))
        });
        ticks.tick().await;
        let (couch, database) = (environment.couch().clone(), Arc::clone(&alone.database));
        servers.spawn(async move {
            let started = Instant::now();
            write(&couch, &database, number).await?;
            anyhow::Ok((number, started))
        });
    }
    let mut latencies = Latencies { ours: Vec::new(), servers: Vec::new() };
    while let Some(arrived) = ours.join_next().await {
        let (number, arrived) = arrived??;
        if number >= counted {
            latencies.ours.push(milliseconds(arrived));
        }
    }
    let mut started = HashMap::new();
    while let Some(written) = servers.join_next().await {
        let (number, at) = written??;
        if number >= counted {
            started.insert(id(number), at);
        }
    }
    latencies.servers = alone.latencies(started).await?;
    Ok(latencies)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Writes one document to a database.
pub(super) async fn write(couch: &Http, database: &str, number: u32) -> anyhow::Result<()> {
    let path = format!("/{database}/{}", id(number));
    couch.json(Method::PUT, &path, &couch_document(number)).await.map(drop)
}

/// Writes one document, and looks for it in the index until it is there. A get by id does not wait
/// for a refresh.
pub(super) async fn through_program(
    couch: &Http,
    elastic: &Http,
    database: &str,
    alias: &str,
    number: u32,
) -> anyhow::Result<Duration> {
    let started = Instant::now();
    write(couch, database, number).await?;
    let path = format!("/{alias}/_doc/{}?_source=false", id(number));
    loop {
        let response = elastic.send(Method::GET, &path, None).await?;
        let (status, arrived) = (response.status().as_u16(), started.elapsed());
        // The body is read, so that the connection can be used again.
        let body = response.bytes().await?;
        match status {
            200 => return Ok(arrived),
            404 => {}
            status => bail!("{path}: status {status}: {}", String::from_utf8_lossy(&body)),
        }
        ensure!(arrived < LONGEST, "document `{}` did not arrive within {} s", id(number), LONGEST.as_secs());
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
                // Nobody listens any more if the measurement has failed.
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
