//! The server that `cargo xtask test` has started, and two indices to try mappings on.

use pillowtop_comparison::exceptions;
use pillowtop_core::field_types::Target;
use pillowtop_tests::{ELASTIC_URL_VARIABLE, Response, request};
use serde_json::{Map, Value, json};

use crate::probes::{Location, Probe, Verdict};

/// How many fields go into one request.
const BATCH: usize = 64;

pub(crate) struct Server {
    asked: pillowtop_comparison::Server,
    port: u16,
    /// What the names of this test's indices begin with.
    prefix: String,
}

impl Server {
    /// The server alone, for asking what it is.
    pub(crate) fn connect() -> Self {
        let url = std::env::var(ELASTIC_URL_VARIABLE)
            .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
        let asked = pillowtop_comparison::Server::connect(port).unwrap();
        Self { asked, port, prefix: String::new() }
    }

    /// The server with an index that probes go to.
    pub(crate) fn new(name: &str) -> Self {
        let mut server = Self::connect();
        server.prefix = format!("table-{name}-{}", std::process::id());
        server.create(&server.fields_index(), &Map::new()).unwrap();
        server
    }

    /// What it is, and which types it has.
    pub(crate) fn asked(&self) -> &pillowtop_comparison::Server {
        &self.asked
    }

    pub(crate) fn target(&self) -> Target {
        self.asked.target()
    }

    /// The probes that end otherwise than expected, each with what the server said.
    pub(crate) fn differences(&self, probes: Vec<Probe>) -> Vec<String> {
        let mut differences = Vec::new();
        let (together, alone): (Vec<_>, Vec<_>) = probes
            .into_iter()
            .enumerate()
            .partition(|(_, probe)| probe.expected == Verdict::Taken && probe.location == Location::Field);
        for batch in together.chunks(BATCH) {
            self.bisect(batch, &mut differences);
        }
        for (number, probe) in &alone {
            let response = match probe.location {
                Location::Field => self.put(&[(*number, probe)]),
                Location::OnlyField => {
                    self.one_index(*number, &json!({"properties": {"field": probe.mapping}}))
                }
                Location::Root => self.one_index(*number, &probe.mapping),
            };
            if let Some(difference) = probe.difference(response.err().as_deref()) {
                differences.push(difference);
            }
        }
        differences
    }

    fn bisect(&self, batch: &[(usize, Probe)], differences: &mut Vec<String>) {
        let borrowed: Vec<_> = batch.iter().map(|(number, probe)| (*number, probe)).collect();
        let Err(reason) = self.put(&borrowed) else { return };
        if let [(_, probe)] = batch {
            differences.extend(probe.difference(Some(&reason)));
            return;
        }
        let (left, right) = batch.split_at(batch.len() / 2);
        self.bisect(left, differences);
        self.bisect(right, differences);
    }

    fn fields_index(&self) -> String {
        format!("{}-fields", self.prefix)
    }

    fn put(&self, probes: &[(usize, &Probe)]) -> Result<(), String> {
        let properties: Map<String, Value> =
            probes.iter().map(|(number, probe)| (format!("p{number}"), probe.mapping.clone())).collect();
        let path = format!("/{}/_mapping", self.fields_index());
        refusal(self.port, "PUT", &path, &json!({"properties": properties}))
    }

    fn one_index(&self, number: usize, mapping: &Value) -> Result<(), String> {
        let name = format!("{}-{number}", self.prefix);
        let created = self.create(&name, mapping.as_object().unwrap());
        if created.is_ok() {
            self.delete(&name);
        }
        created
    }

    /// An index with a keyword that mappings may refer to, and with a text in the one for fields.
    fn create(&self, name: &str, root: &Map<String, Value>) -> Result<(), String> {
        let is_shared = root.is_empty();
        let extra = exceptions::settings(&Value::Object(root.clone()));
        let mut root = root.clone();
        let properties = root.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("exact".to_owned(), json!({"type": "keyword"}));
            if is_shared {
                properties.insert("words".to_owned(), json!({"type": "text"}));
            }
        }
        let mut body = json!({
            "settings": {
                "number_of_replicas": 0,
                "mapping": {"total_fields": {"limit": 1_000_000}, "nested_fields": {"limit": 10_000}},
                "analysis": {"normalizer": {"low": {"type": "custom", "filter": ["lowercase"]}}},
            },
            "mappings": root,
        });
        body["settings"].as_object_mut().unwrap().extend(extra);
        refusal(self.port, "PUT", &format!("/{name}?wait_for_active_shards=0"), &body)
    }

    fn delete(&self, name: &str) {
        let response = request(self.port, "DELETE", &format!("/{name}"), "").unwrap();
        assert!(matches!(response.status, 200 | 404), "{}", response.body);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.prefix.is_empty() {
            // The server may be the reason why the test fails, and it is gone after the tests anyway.
            let _ = request(self.port, "DELETE", &format!("/{}", self.fields_index()), "");
        }
    }
}

/// What the server said if it did not do what was asked; only a refusal, no failure of another
/// kind.
fn refusal(port: u16, method: &str, path: &str, body: &Value) -> Result<(), String> {
    let response = send(port, method, path, body);
    match response.status {
        200 => Ok(()),
        400 | 500 => Err(pillowtop_comparison::server::reasons(&response.body)),
        other => panic!("{method} {path} {body}: {other} {}", response.body),
    }
}

fn send(port: u16, method: &str, path: &str, body: &Value) -> Response {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    request(port, method, path, &text).unwrap()
}
