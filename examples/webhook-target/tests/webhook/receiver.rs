//! A receiver of changes within this process: HTTP/1.1 over a socket, enough for one client.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A receiver, and what it stored.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub url: Url,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The version of each document, and its content unless it was deleted.
    documents: HashMap<String, (u64, Option<Value>)>,
    /// What to respond with instead of storing anything.
    failure: Option<(u16, String)>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/changes", listener.local_addr().unwrap())).unwrap();
        let receiver = Self { url, state: Arc::default() };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = serving.clone();
                tokio::spawn(async move { receiver.serve(stream).await });
            }
        });
        receiver
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn document(&self, id: &str) -> Option<Value> {
        self.state().documents.get(id).and_then(|(_, document)| document.clone())
    }

    /// Fails all requests from now on, or none.
    pub(crate) fn fail(&self, failure: Option<(u16, &str)>) {
        self.state().failure = failure.map(|(status, body)| (status, body.to_owned()));
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(body) = read_request(&mut stream).await? {
            let (status, response) = self.respond(&body);
            let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", response.len());
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(response.as_bytes()).await?;
        }
        Ok(())
    }

    fn respond(&self, body: &[u8]) -> (u16, String) {
        let mut state = self.state();
        if let Some(failure) = &state.failure {
            return failure.clone();
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let mut rejected = Vec::new();
        for (position, change) in body["changes"].as_array().unwrap().iter().enumerate() {
            if change["document"].get("n").is_some_and(|n| !n.is_number()) {
                rejected.push(json!({"position": position, "reason": "`n` is not a number"}));
                continue;
            }
            let (id, version) = (change["id"].as_str().unwrap(), change["version"].as_u64().unwrap());
            let document = if change["deleted"] == true { None } else { Some(change["document"].clone()) };
            if state.documents.get(id).is_none_or(|(stored, _)| version >= *stored) {
                state.documents.insert(id.to_owned(), (version, document));
            }
        }
        (200, if rejected.is_empty() { String::new() } else { json!({"rejected": rejected}).to_string() })
    }
}

/// The body of the next request; `None` once the client closed the connection.
async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            _ if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(body))
}
