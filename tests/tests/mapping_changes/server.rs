//! Indices on the server that `cargo xtask test` has started, and what it says to a changed
//! mapping.

use pillowtop_core::field_types::Target;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{Cluster, ClusterOptions};
use pillowtop_tests::ELASTIC_URL_VARIABLE;
use serde_json::{Value, json};

/// The server.
#[derive(Clone)]
pub(crate) struct Server {
    endpoint: Endpoint,
    pub(crate) target: Target,
}

/// An index of a test's own, until it is deleted.
pub(crate) struct Index {
    server: Server,
    name: String,
}

impl Server {
    pub(crate) async fn connect() -> Self {
        let url = std::env::var(ELASTIC_URL_VARIABLE)
            .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
        let endpoint = Endpoint::parse(&url, None, None).unwrap();
        let cluster = Cluster::connect(endpoint.clone(), ClusterOptions::default()).await.unwrap();
        Self { endpoint, target: cluster.target() }
    }

    /// An index of this mapping, or why the server does not make one.
    pub(crate) async fn create(&self, name: &str, mappings: &Value) -> Result<Index, String> {
        let name = format!("drift-{name}-{}", std::process::id());
        let settings = json!({"number_of_shards": 1, "number_of_replicas": 0, "mapping": {"total_fields": {"limit": 10_000}},
            "analysis": {"normalizer": {"other": {"type": "custom", "filter": ["asciifolding"]}}}});
        let index = Index { server: self.clone(), name };
        self.call("PUT", &index.name, &json!({"settings": {"index": settings}, "mappings": mappings}))
            .await?;
        Ok(index)
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Result<(), String> {
        let url = self.endpoint.url(&[]).join(path).unwrap();
        let request = self.endpoint.request(method.parse().unwrap(), url);
        let request = match body {
            Value::Null => request,
            body => request.header("content-type", "application/json").body(body.to_string()),
        };
        let response = self.endpoint.send(request).await.unwrap();
        let is_success = response.status().is_success();
        let text = response.text().await.unwrap();
        if is_success { Ok(()) } else { Err(text) }
    }
}

impl Index {
    /// Indexes a document, so that the index is a live one.
    pub(crate) async fn index(&self, document: &Value) {
        self.server.call("PUT", &format!("{}/_doc/1?refresh=true", self.name), document).await.unwrap();
    }

    /// Whether the live index takes this mapping.
    pub(crate) async fn put(&self, mappings: &Value) -> Result<(), String> {
        self.server.call("PUT", &format!("{}/_mapping", self.name), mappings).await
    }

    pub(crate) async fn delete(self) {
        self.server.call("DELETE", &self.name, &Value::Null).await.unwrap();
    }
}
