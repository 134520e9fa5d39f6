//! A CouchDB for tests that responds by a script, as a real one would that has a fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pillowtop_core::Sequence;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{CouchDatabase, CouchServer};
use crate::claim::DatabaseIdentity;
use crate::http::{Endpoint, EndpointOptions};
use crate::source::{Feed, FeedEvent, FeedMode, FeedRequest, Source as _};

/// The last lines of a page.
pub(crate) const END: &str = "],\n\"last_seq\":\"end\",\"pending\":0}\n";

/// A response.
#[derive(Clone)]
pub(crate) enum Script {
    /// Sends parts, and pauses after each.
    Parts(Vec<String>, Duration),
    /// Sends a status and a body.
    Status(u16, &'static str),
    /// Sends nothing, not even a status line.
    Silent,
}

impl Script {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Parts(vec![text.into()], Duration::ZERO)
    }
}

/// Responses to requests of one kind, one after the other, the last one again and again.
type Scripts = Vec<Script>;

/// The scripts of a server.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    /// Responses to `_changes`.
    pub(crate) changes: Scripts,
    /// Responses to `_bulk_get`.
    pub(crate) documents: Scripts,
    /// Responses to `_all_docs` and views; those to everything else if there are none.
    pub(crate) listings: Scripts,
    /// Responses to everything else, such as `GET /db`.
    pub(crate) info: Scripts,
}

/// A running server.
pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request that was received.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Scripted {
    pub(crate) async fn start(mut self) -> Server {
        if self.info.is_empty() {
            self.info.push(Script::text("{\"instance_start_time\":\"1\",\"update_seq\":\"s\"}"));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, self.clone(), Arc::clone(&received)));
            }
        });
        Server { url, requests }
    }

    fn of_kind(&self, kind: Kind) -> &Scripts {
        match kind {
            Kind::Changes => &self.changes,
            Kind::Documents => &self.documents,
            Kind::Listings => &self.listings,
            Kind::Other => &self.info,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Changes,
    Documents,
    Listings,
    Other,
}

impl Scripted {
    fn kind(&self, request: &Request) -> Kind {
        let is_listing = || request.head.contains(" /db/_all_docs") || request.head.contains("/_view/");
        if request.head.contains(" /db/_changes") {
            Kind::Changes
        } else if request.head.contains(" /db/_bulk_get") {
            Kind::Documents
        } else if !self.listings.is_empty() && is_listing() {
            Kind::Listings
        } else {
            Kind::Other
        }
    }
}

impl Server {
    pub(crate) fn database(&self) -> CouchDatabase {
        self.database_with(&EndpointOptions::default())
    }

    pub(crate) fn database_with(&self, options: &EndpointOptions) -> CouchDatabase {
        let endpoint = Endpoint::with_options(&self.url, None, None, options).unwrap();
        CouchServer::new(endpoint).database("db".into())
    }

    pub(crate) fn feed(&self, mode: FeedMode) -> Feed {
        self.database().open(request(mode))
    }

    /// The requests whose target starts with a string.
    pub(crate) fn requests(&self, target: &str) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.head.contains(&format!(" {target}"))).cloned().collect()
    }
}

pub(crate) fn request(mode: FeedMode) -> FeedRequest {
    let identity = DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() };
    FeedRequest { since: Sequence::start(), identity, mode, selector: None }
}

async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { head, body: String::from_utf8(body).unwrap() })
}

async fn respond(mut stream: TcpStream, scripted: Scripted, requests: Arc<Mutex<Vec<Request>>>) {
    let Some(request) = receive(&mut stream).await else { return };
    let kind = scripted.kind(&request);
    let scripts = scripted.of_kind(kind);
    let index = {
        let mut requests = requests.lock().unwrap();
        requests.push(request.clone());
        let of_kind = requests.iter().filter(|earlier| scripted.kind(earlier) == kind).count();
        of_kind.min(scripts.len()) - 1
    };
    let (status, parts, pause) = match scripts[index].clone() {
        Script::Parts(parts, pause) => (200, parts, pause),
        Script::Status(status, body) => (status, vec![body.to_owned()], Duration::ZERO),
        Script::Silent => std::future::pending().await,
    };
    let head = format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for part in parts {
        // The client may have closed the connection.
        if stream.write_all(part.as_bytes()).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// A row of a feed, with a comma after it.
pub(crate) fn row(sequence: &str, id: &str) -> String {
    format!("{{\"seq\":{sequence},\"id\":\"{id}\",\"changes\":[{{\"rev\":\"1-0\"}}],\"doc\":{{}}}},\n")
}

/// What a whole feed brought.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    pub(crate) ids: Vec<String>,
    /// The ids of the rows that are unreadable, and the types of their errors.
    pub(crate) unreadable: Vec<(String, String)>,
    pub(crate) deleted: Vec<String>,
    pub(crate) waits: Vec<String>,
}

/// Reads a feed to its end.
pub(crate) async fn drain(mut feed: Feed) -> Drained {
    let mut drained = Drained::default();
    while let Some(event) = feed.next().await {
        match event.unwrap() {
            FeedEvent::Rows(rows) => {
                for row in rows {
                    let id = row.id.to_string();
                    if let Some(why) = row.unreadable {
                        drained.unreadable.push((id.clone(), why.error_type));
                    }
                    if row.deleted {
                        drained.deleted.push(id.clone());
                    }
                    drained.ids.push(id);
                }
            }
            FeedEvent::Position { .. } => {}
            FeedEvent::Waiting(reason) => drained.waits.push(reason),
        }
    }
    drained
}
