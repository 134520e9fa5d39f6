//! A server that responds as CouchDB does to the requests of a command that reads samples.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use serde_json::{Value, json};

/// An index with a nested field, whose alias has a filter.
const INDEX: &str = r#"{"aliases": {"visits": {"filter": {"term": {"village": "Kano"}}}}, "settings": {"index": {"number_of_shards": "2"}},
    "mappings": {"dynamic": "false", "properties": {"doc_type": {"type": "keyword"}, "village": {"type": "keyword"}}}}"#;

/// A database `clinic` of documents in the order of their ids.
pub(crate) struct FakeCouch {
    /// The address of the database.
    pub(crate) url: String,
}

impl FakeCouch {
    /// The address of an index of the same documents.
    pub(crate) fn index(&self) -> String {
        self.url.replace("/clinic", "/visits_1")
    }
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
                // A client that does not trust the certificate closes the connection.
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
                // What is not HTTP ends the connection.
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
        let (status, text) = match path.strip_prefix("/clinic/_changes?") {
            Some(query) => (200, self.changes(query)),
            None => self.respond(path, &body),
        };
        let head = format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            text.len()
        );
        stream.write_all(format!("{head}{text}").as_bytes())?;
        stream.flush()
    }

    fn respond(&self, path: &str, body: &[u8]) -> (u16, String) {
        let (resource, query) = path.split_once('?').unwrap_or((path, ""));
        let (status, response) = match resource {
            "/clinic" => (
                200,
                json!({"db_name": "clinic", "doc_count": self.documents.len(), "doc_del_count": 0, "update_seq": "1-x", "instance_start_time": "1"}),
            ),
            "/clinic/_find" if self.has_find => (200, self.find(&serde_json::from_slice(body).unwrap())),
            "/clinic/_all_docs" => (200, self.all_docs(query)),
            "/" => (
                200,
                json!({"version": {"number": "3.6.0", "distribution": "opensearch"}, "tagline": "The OpenSearch Project"}),
            ),
            "/visits_1" => (200, json!({"visits_1": INDEX.parse::<Value>().unwrap()})),
            "/visits_1/_search" => {
                let hits: Vec<Value> =
                    self.documents.iter().map(|document| json!({"_source": document})).collect();
                (200, json!({"hits": {"hits": hits}}))
            }
            _ => (404, json!({"error": "not_found", "reason": "missing"})),
        };
        (status, response.to_string())
    }

    fn find(&self, request: &Value) -> Value {
        let after = request["selector"]["_id"]["$gt"].as_str();
        let selector = request["selector"].as_object().unwrap().iter();
        let (member, condition) = selector.into_iter().find(|(name, _)| *name != "_id").unwrap();
        let limit = usize::try_from(request["limit"].as_u64().unwrap()).unwrap();
        let is_after = |document: &&Value| document["_id"].as_str() > after;
        let matching =
            self.documents.iter().filter(is_after).filter(|document| document[member] == condition["$eq"]);
        json!({"docs": matching.take(limit).collect::<Vec<_>>(), "bookmark": "nil"})
    }

    /// All changes at once and none after them, laid out as CouchDB does.
    fn changes(&self, query: &str) -> String {
        let is_start = query.split('&').any(|pair| pair == "since=0");
        let documents = self.documents.iter().filter(|_| is_start).enumerate();
        let rows: Vec<String> = documents
            .map(|(number, document)| {
                let change = json!({"rev": document["_rev"]});
                json!({"seq": format!("{}-x", number + 1), "id": document["_id"], "changes": [change], "doc": document})
                    .to_string()
            })
            .collect();
        format!(
            "{{\"results\":[\n{}\n],\n\"last_seq\":\"{}-x\",\"pending\":0}}\n",
            rows.join(",\n"),
            self.documents.len()
        )
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
