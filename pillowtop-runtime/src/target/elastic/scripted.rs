//! A cluster for tests that responds by a script: what the servers of the end-to-end tests do not
//! have, such as a security plugin.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Cluster, ClusterOptions};
use crate::http::Endpoint;

/// Responses to requests whose method and path begin with a string.
#[derive(Clone, Default)]
pub(super) struct Scripted(Vec<(&'static str, u16, Value)>);

/// A connection to it, and the requests that it received.
pub(super) struct ScriptedCluster {
    pub(super) cluster: Cluster,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// An OpenSearch of this version.
    pub(super) fn opensearch(version: &str) -> Self {
        let version = json!({"distribution": "opensearch", "number": version});
        Self::default().and(
            "GET / ",
            200,
            json!({"version": version, "tagline": "The OpenSearch Project: https://opensearch.org/"}),
        )
    }

    /// An Elasticsearch 7.10.2.
    pub(super) fn elasticsearch() -> Self {
        Self::default().and(
            "GET / ",
            200,
            json!({"version": {"number": "7.10.2"}, "tagline": "You Know, for Search"}),
        )
    }

    /// With another response.
    pub(super) fn and(mut self, begins: &'static str, status: u16, body: Value) -> Self {
        self.0.push((begins, status, body));
        self
    }

    pub(super) async fn start(self) -> ScriptedCluster {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, self.clone(), Arc::clone(&received)));
            }
        });
        let endpoint = Endpoint::parse(&url, None, None).unwrap();
        let cluster = Cluster::connect(endpoint, ClusterOptions::default()).await.unwrap();
        ScriptedCluster { cluster, requests }
    }
}

impl ScriptedCluster {
    /// The methods and paths of the requests that contain a string.
    pub(super) fn requests(&self, part: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.contains(part)).cloned().collect()
    }
}

async fn respond(mut stream: TcpStream, scripted: Scripted, requests: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let first = head.lines().next().unwrap_or_default().to_owned();
    let found = scripted.0.iter().find(|(begins, ..)| first.starts_with(begins));
    let missing = json!({"error": {"type": "index_not_found_exception", "reason": "no such index"}});
    let (status, body) = found.map_or((404, missing), |(_, status, body)| (*status, body.clone()));
    requests.lock().unwrap().push(first);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The client may have closed the connection.
    let _ = stream.write_all((head + &body).as_bytes()).await;
}
