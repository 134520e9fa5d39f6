//! The servers of a measurement: started here, or running already.

use anyhow::Context as _;
use pillowtop_tests::{
    Cluster, ClusterOptions, CouchOptions, CouchServer, Installable, Product, Server, install,
};
use reqwest::Method;
use serde_json::Value;

use super::http::Http;
use crate::arguments::ServerArguments;
use crate::output::progress;

/// The memory of the search server. With the one gigabyte of the tests, its circuit breaker refuses
/// requests of five megabytes now and then.
const HEAP: &str = "2g";

/// `CouchDB` and a search server.
pub(super) struct Servers {
    /// `CouchDB`.
    pub(super) couch: Http,
    /// The search server.
    pub(super) elastic: Http,
    /// Those that were started here; stopped when dropped.
    started: Vec<Server>,
}

impl Servers {
    /// Starts both servers, unless the URLs of running ones are given.
    pub(super) fn start(arguments: &ServerArguments) -> anyhow::Result<Self> {
        if let Some((couch, elastic)) = arguments.urls() {
            let couch = Http::new(couch).context("the URL of CouchDB")?;
            let elastic = Http::new(elastic).context("the URL of the search server")?;
            return Ok(Self { couch, elastic, started: Vec::new() });
        }
        let product = Product::from_key(&arguments.product).context("an unknown product")?;
        for installable in [Installable::Couch, product.installable()] {
            install(installable, &progress)?;
        }
        progress(&format!("starting {} and a CouchDB double …", product.label()));
        let couch = CouchServer::start(&CouchOptions::default())?;
        // The servers of the tests do without the optimising compiler, which would make the ceiling
        // lower than it is.
        let options = ClusterOptions { heap: HEAP.to_owned(), ..ClusterOptions::default() }
            .java_option("-XX:TieredStopAtLevel=4");
        let elastic = Cluster::start(product, &options)?;
        Ok(Self {
            couch: Http::new(&couch.url())?,
            elastic: Http::new(&elastic.url())?,
            started: vec![couch, elastic],
        })
    }

    /// Whether the servers are stopped, and their data removed, when this is dropped.
    pub(super) fn are_temporary(&self) -> bool {
        !self.started.is_empty()
    }

    /// Asks both servers for their versions.
    pub(super) async fn versions(&self) -> anyhow::Result<Versions> {
        let couch = self.couch.json(Method::GET, "/", &Value::Null).await.context("CouchDB")?;
        let elastic = self.elastic.json(Method::GET, "/", &Value::Null).await.context("the search server")?;
        Ok(Versions { couch: couch_version(&couch), elastic: elastic_version(&elastic) })
    }
}

/// Names and versions of the servers.
pub(super) struct Versions {
    /// Such as `CouchDB 3.5.0`.
    pub(super) couch: String,
    /// Such as `OpenSearch 3.6.0`.
    pub(super) elastic: String,
}

impl Versions {
    /// Both, as reports have them.
    pub(super) fn to_json(&self) -> Value {
        serde_json::json!({"couch": self.couch, "elastic": self.elastic})
    }
}

fn couch_version(welcome: &Value) -> String {
    let version = welcome["version"].as_str().unwrap_or("of an unknown version");
    match welcome["vendor"]["name"].as_str() {
        // Not CouchDB itself: the reader has to know.
        Some(vendor) if vendor != "The Apache Software Foundation" => format!("CouchDB {version} ({vendor})"),
        _ => format!("CouchDB {version}"),
    }
}

fn elastic_version(welcome: &Value) -> String {
    let version = &welcome["version"];
    let product = if version["distribution"] == "opensearch" { "OpenSearch" } else { "Elasticsearch" };
    format!("{product} {}", version["number"].as_str().unwrap_or("of an unknown version"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_read_from_the_welcome() {
        let couch = json!({"couchdb": "Welcome", "version": "3.5.0", "vendor": {"name": "The Apache Software Foundation"}});
        assert_eq!(couch_version(&couch), "CouchDB 3.5.0");
        let double = json!({"version": "3.5.0", "vendor": {"name": "a test double on PouchDB"}});
        assert_eq!(couch_version(&double), "CouchDB 3.5.0 (a test double on PouchDB)");
        let opensearch = json!({"version": {"distribution": "opensearch", "number": "3.6.0"}});
        assert_eq!(elastic_version(&opensearch), "OpenSearch 3.6.0");
        assert_eq!(elastic_version(&json!({"version": {"number": "7.10.2"}})), "Elasticsearch 7.10.2");
    }
}
