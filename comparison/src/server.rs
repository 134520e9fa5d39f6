//! One running server on this machine: what it is, and what it does with indices and documents.

use std::collections::{BTreeMap, BTreeSet};

use pillowtop_core::field_types::{FieldType, Product, Target};
use pillowtop_tests::{Response, request};
use serde_json::{Map, Value, json};

use crate::error::ConformanceError;
use crate::{exceptions, homes};

/// A search server.
#[derive(Debug, Clone)]
pub struct Server {
    port: u16,
    target: Target,
    /// Modules and plugins by name.
    modules: BTreeSet<String>,
}

/// What a server does with a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Why it was refused.
    pub error: Option<String>,
    /// The fields that were left out.
    pub ignored: BTreeSet<String>,
    /// Whether the server could not decide: it was busy, or ran out of time.
    pub is_undecided: bool,
}

/// Errors of a server that is busy, whatever the document is.
const UNDECIDED: [&str; 6] = [
    "mapper_exception",
    "unavailable_shards_exception",
    "process_cluster_event_timeout_exception",
    "es_rejected_execution_exception",
    "rejected_execution_exception",
    "timeout_exception",
];

impl Server {
    /// The server on a port of this machine.
    ///
    /// # Errors
    ///
    /// It does not respond, or is not a search server.
    pub fn connect(port: u16) -> Result<Self, ConformanceError> {
        let home = get(port, "/")?;
        let version = &home["version"];
        let number = version["number"].as_str().and_then(|number| number.parse().ok());
        let version_of = number.ok_or(ConformanceError::NotASearchServer { port })?;
        let product = match version["distribution"].as_str() {
            Some("opensearch") => Product::OpenSearch,
            _ => Product::Elasticsearch,
        };
        let nodes = get(port, "/_nodes/plugins")?;
        let nodes = nodes["nodes"].as_object().into_iter().flat_map(Map::values);
        let lists = nodes.flat_map(|node| [node["modules"].as_array(), node["plugins"].as_array()]);
        let names = lists.flatten().flatten().filter_map(|module| module["name"].as_str());
        let modules = names.map(str::to_owned).collect();
        Ok(Self { port, target: Target { product, version: version_of }, modules })
    }

    /// Product and version.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether a module or plugin is installed.
    #[must_use]
    pub fn has_module(&self, name: &str) -> bool {
        self.modules.contains(name)
    }

    /// Whether a field can have a type: the version has it, its module is installed, and no licence
    /// is needed.
    #[must_use]
    pub fn has_type(&self, field_type: &FieldType) -> bool {
        field_type.availability.includes(self.target)
            && homes::absent_module(self, field_type).is_none()
            && !exceptions::needs_licence(field_type.name)
    }

    /// Creates an index; `Err` within is the reason for which the server refuses it.
    ///
    /// # Errors
    ///
    /// The server did neither.
    pub fn create(&self, name: &str, body: &Value) -> Result<Result<(), String>, ConformanceError> {
        let path = format!("/{name}?wait_for_active_shards=0");
        let response = self.send("PUT", &path, &body.to_string())?;
        match response.status {
            200 => Ok(Ok(())),
            400 | 500 => Ok(Err(reasons(&response.body))),
            _ => Err(self.failure("PUT", &path, &response)),
        }
    }

    /// Deletes an index; none is not an error.
    ///
    /// # Errors
    ///
    /// The server did not do it.
    pub fn delete(&self, name: &str) -> Result<(), ConformanceError> {
        let path = format!("/{name}");
        let response = self.send("DELETE", &path, "")?;
        if matches!(response.status, 200 | 404) {
            Ok(())
        } else {
            Err(self.failure("DELETE", &path, &response))
        }
    }

    /// Indexes documents in their order, given by id and text, as one bulk.
    ///
    /// # Errors
    ///
    /// The server did not respond to the bulk as a whole.
    pub fn index(
        &self,
        name: &str,
        documents: &[(String, String)],
    ) -> Result<BTreeMap<String, Done>, ConformanceError> {
        let mut body = String::new();
        for (id, source) in documents {
            let action = json!({"index": {"_id": id}}).to_string();
            body.extend([action.as_str(), "\n", source, "\n"]);
        }
        let path = format!("/{name}/_bulk?refresh=true");
        let response = self.send("POST", &path, &body)?;
        let parsed: Value = serde_json::from_str(&response.body).unwrap_or_default();
        let items = parsed["items"].as_array().filter(|items| items.len() == documents.len());
        let items = items.ok_or_else(|| self.failure("POST", &path, &response))?;
        let mut done = BTreeMap::new();
        for (item, (id, _)) in items.iter().zip(documents) {
            let error = item["index"].get("error").map(|error| {
                let cause = &error["caused_by"]["reason"];
                format!("{}: {} {cause}", error["type"], error["reason"]).chars().take(300).collect()
            });
            let reason = item["index"]["error"]["type"].as_str().unwrap_or_default();
            let is_undecided = UNDECIDED.contains(&reason);
            done.insert(id.clone(), Done { error, ignored: BTreeSet::new(), is_undecided });
        }
        let search =
            json!({"size": documents.len(), "query": {"exists": {"field": "_ignored"}}, "_source": false});
        let found = self.send("POST", &format!("/{name}/_search"), &search.to_string())?;
        let found: Value = serde_json::from_str(&found.body).unwrap_or_default();
        for hit in found["hits"]["hits"].as_array().into_iter().flatten() {
            let fields = hit["_ignored"].as_array().into_iter().flatten();
            let fields = fields.filter_map(|field| field.as_str().map(str::to_owned)).collect();
            if let Some(done) = hit["_id"].as_str().and_then(|id| done.get_mut(id)) {
                done.ignored = fields;
            }
        }
        Ok(done)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<Response, ConformanceError> {
        send(self.port, method, path, body)
    }

    fn failure(&self, method: &str, path: &str, response: &Response) -> ConformanceError {
        ConformanceError::Status {
            port: self.port,
            method: method.to_owned(),
            path: path.to_owned(),
            status: response.status,
            reason: reasons(&response.body),
        }
    }
}

fn send(port: u16, method: &str, path: &str, body: &str) -> Result<Response, ConformanceError> {
    request(port, method, path, body).map_err(|source| ConformanceError::Request {
        port,
        method: method.to_owned(),
        path: path.to_owned(),
        source,
    })
}

fn get(port: u16, path: &str) -> Result<Value, ConformanceError> {
    let response = send(port, "GET", path, "")?;
    serde_json::from_str(&response.body).map_err(|_| ConformanceError::NotASearchServer { port })
}

/// The reason of a refusal, with those it was caused by.
#[must_use]
pub fn reasons(body: &str) -> String {
    let response: Value = serde_json::from_str(body).unwrap_or_default();
    let mut error = &response["error"];
    let mut all: Vec<&str> = Vec::new();
    while let Some(reason) = error["reason"].as_str() {
        if !all.iter().any(|earlier| earlier.contains(reason)) {
            all.push(reason);
        }
        error = &error["caused_by"];
    }
    let text = if all.is_empty() { body.to_owned() } else { all.join(" <- ") };
    text.chars().take(400).collect()
}
