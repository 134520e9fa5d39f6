//! A server that responds as CouchDB does to the requests of a command that reads samples.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use serde_json::{Value, json};

/// A database `clinic` of documents in the order of their ids.
pub(crate) struct FakeCouch {
    /// The address of the database.
    pub(crate) url: String,
}

struct Database {
    documents: Vec<Value>,
    has_find: bool,
}

impl FakeCouch {
    /// The same over TLS.
    pub(crate) fn start_with_tls(documents: Vec<Value>, config: Arc<rustls::ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/clinic", listener.local_addr().unwrap());
        let database = Arc::new(Database { documents, has_find: true });
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                // A client that does not trust the certificate leaves.
                let _ = database.serve(&mut rustls::StreamOwned::new(connection, stream.unwrap()));
            }
        });
        Self { url }
    }

    /// Serves documents until the process ends; `has_find` as CouchDB since 2.0.
    pub(crate) fn start(mut documents: Vec<Value>, has_find: bool) -> Self {
        documents.sort_by_key(|document| document["_id"].as_str().unwrap().to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/clinic", listener.local_addr().unwrap());
        let database = Arc::new(Database { documents, has_find });
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let database = Arc::clone(&database);
                // What is not HTTP is refused by leaving.
                std::thread::spawn(move || database.serve(&mut stream.unwrap()));
            }
        });
        Self { url }
    }
}

impl Database {
    /// Answers one request of a connection.
    fn serve(&self, stream: &mut (impl Read + Write)) -> std::io::Result<()> {
        let mut reader = BufReader::new(&mut *stream);
        let (mut request, mut length) = (String::new(), 0);
        reader.read_line(&mut request)?;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (status, response) = self.respond(path, &body);
        let text = response.to_string();
        let head = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            text.len()
        );
        stream.write_all(format!("{head}{text}").as_bytes())?;
        stream.flush()
    }

    fn respond(&self, path: &str, body: &[u8]) -> (u16, Value) {
        let (resource, query) = path.split_once('?').unwrap_or((path, ""));
        match resource {
            "/clinic" => (
                200,
                json!({"db_name": "clinic", "doc_count": self.documents.len(), "doc_del_count": 0, "update_seq": "1-x", "instance_start_time": "1"}),
            ),
            "/clinic/_find" if self.has_find => (200, self.find(&serde_json::from_slice(body).unwrap())),
            "/clinic/_all_docs" => (200, self.all_docs(query)),
            _ => (404, json!({"error": "not_found", "reason": "missing"})),
        }
    }

    fn find(&self, request: &Value) -> Value {
        let (member, condition) = request["selector"].as_object().unwrap().iter().next().unwrap();
        let from: usize = request["bookmark"].as_str().map_or(0, |bookmark| bookmark.parse().unwrap());
        let limit = usize::try_from(request["limit"].as_u64().unwrap()).unwrap();
        let matching = self.documents.iter().filter(|document| document[member] == condition["$eq"]);
        let docs: Vec<&Value> = matching.skip(from).take(limit).collect();
        json!({"docs": docs, "bookmark": (from + docs.len()).to_string()})
    }

    fn all_docs(&self, query: &str) -> Value {
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| *known == name).map(|(_, value)| value.replace("%22", ""))
        };
        let start = value("startkey").unwrap_or_default();
        let skip = value("skip").map_or(0, |skip| skip.parse().unwrap());
        let limit: usize = value("limit").unwrap().parse().unwrap();
        let found = self.documents.iter().filter(|document| document["_id"].as_str() >= Some(start.as_str()));
        let rows: Vec<Value> = found
            .skip(skip)
            .take(limit)
            .map(|document| json!({"id": document["_id"], "key": document["_id"], "value": {"rev": "1-a"}, "doc": document}))
            .collect();
        json!({"total_rows": self.documents.len(), "offset": 0, "rows": rows})
    }
}
