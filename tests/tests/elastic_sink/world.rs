//! A prefix of a test's own on the cluster that `cargo xtask test` has started.

use std::time::Duration;

use bytes::Bytes;
use pillowtop_core::field_types::Product;
use pillowtop_core::{Definition, IndexName, Sequence};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::sink::elastic::{
    AcquireError, AcquireOptions, Cluster, ClusterOptions, CreatedIndex, IndexUse, OwnedIndex, WhenHeld,
};
use pillowtop_runtime::{
    Action, DatabaseIdentity, IndexState, ItemOutcome, LoadState, Operation, Phase, Sink as _, Version,
    WriteMode,
};
use pillowtop_tests::ELASTIC_URL_VARIABLE;
use serde_json::{Value, json};

/// An index in the phase of following, and the cluster that it is in.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) definition: Definition,
    pub(crate) created: CreatedIndex,
    endpoint: Endpoint,
}

impl World {
    /// An index under a prefix that is named after the test.
    pub(crate) async fn new(test: &str) -> Self {
        Self::of(test, IndexUse::Following).await
    }

    pub(crate) async fn of(test: &str, index_use: IndexUse) -> Self {
        let url = std::env::var(ELASTIC_URL_VARIABLE)
            .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
        let endpoint = Endpoint::parse(&url, None, None).unwrap();
        let prefix = format!("{test}{}", std::process::id());
        let cluster = Cluster::connect(
            endpoint.clone(),
            ClusterOptions { prefix: Some(prefix), ..ClusterOptions::default() },
        )
        .await
        .unwrap();
        let mut properties = json!({"name": {"type": "text"}, "count": {"type": "integer"}, "code": {"type": "keyword"},
            "at": {"type": "date"}});
        if cluster.target().product == Product::OpenSearch {
            // The Elasticsearch that the tests install is the one without the types of its commercial part.
            properties["labels"] = json!({"type": "flattened"});
        }
        let definition = definition(&properties);
        let created = cluster.create_index(&definition, index_use).await.unwrap();
        Self { cluster, definition, created, endpoint }
    }

    pub(crate) fn index(&self) -> &IndexName {
        &self.created.name
    }

    /// A request past the sink, whose answer must have this status.
    #[track_caller]
    pub(crate) fn http(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let url = self.endpoint.url(&[]).join(path).unwrap();
        let mut request = self.endpoint.client().request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let exchange = async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let runtime = tokio::runtime::Handle::current();
        let (found, text) = tokio::task::block_in_place(|| runtime.block_on(exchange));
        assert_eq!(found, status, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The path of the control document.
    pub(crate) fn control_path(&self) -> String {
        format!("/{}-pillowtop-control/_doc/{}", self.cluster.prefix().unwrap(), self.created.uuid)
    }

    /// The control document's source.
    #[track_caller]
    pub(crate) fn control(&self) -> Value {
        self.http("GET", &self.control_path(), &Value::Null, 200)["_source"].clone()
    }

    pub(crate) async fn try_acquire(
        &self,
        label: &str,
        lease: Duration,
        when_held: WhenHeld,
    ) -> Result<OwnedIndex, AcquireError> {
        let options = AcquireOptions { lease, when_held, ..AcquireOptions::new(label) };
        let initial = Some(self.state());
        OwnedIndex::acquire(&self.cluster, &self.definition, self.index(), options, initial).await
    }

    pub(crate) async fn acquire(&self, label: &str) -> OwnedIndex {
        self.try_acquire(label, Duration::from_secs(30), WhenHeld::Fail).await.unwrap()
    }

    /// The state of a load that has just begun.
    pub(crate) fn state(&self) -> IndexState {
        IndexState {
            pillow: "case".into(),
            index: self.index().clone(),
            hash: self.definition.hash.to_string(),
            phase: Phase::Loading,
            checkpoint: None,
            load: Some(LoadState { start: "s0".into(), version: Version(1000), position: Sequence::start() }),
            database: DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() },
            ceiling: Version(0),
            past: Vec::new(),
        }
    }

    /// A document as it is, without waiting for a refresh.
    pub(crate) async fn document(&self, id: &str) -> Option<Value> {
        self.cluster.document(self.index(), &id.into()).await.unwrap()
    }
}

pub(crate) fn definition(properties: &Value) -> Definition {
    let mappings = json!({"dynamic": false, "properties": properties});
    Definition::of_mapping("case", "cases", json!({"number_of_replicas": 0}), mappings)
}

pub(crate) fn index(id: &str, version: Version, source: &Value) -> Operation {
    Operation { id: id.into(), version, action: Action::Index(Bytes::from(source.to_string())) }
}

pub(crate) fn delete(id: &str, version: Version) -> Operation {
    Operation { id: id.into(), version, action: Action::Delete }
}

/// Indexes a document with a new version; the one outcome.
pub(crate) async fn put(owned: &OwnedIndex, id: &str, source: &Value) -> ItemOutcome {
    let operation = index(id, owned.versions().stamp().unwrap(), source);
    owned.write(&[operation], WriteMode::Follow).await.unwrap().remove(0)
}
