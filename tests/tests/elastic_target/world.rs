//! A prefix of a test's own on the cluster that `cargo xtask test` has started.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pillowtop_core::field_types::Product;
use pillowtop_core::{Definition, IndexName};
use pillowtop_runtime::claim::{
    AcquireOptions, Claim, ClaimKey, ClaimState, ClaimStore, DatabaseIdentity, Lease, LoadForm, LoadState,
    Phase, Slice, WhenHeld,
};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::target::elastic::{
    Cluster, ClusterOptions, ControlIndex, CreatedIndex, ElasticDestination, IndexFence, IndexUse,
};
use pillowtop_runtime::target::{OpenError, OpenTarget, TargetRef};
use pillowtop_runtime::{Action, Operation, Outcome, Version};
use pillowtop_tests::ELASTIC_URL_VARIABLE;
use serde_json::{Value, json};

/// The usual length of a lease.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// An index, and the cluster that it is in.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) definition: Definition,
    pub(crate) created: CreatedIndex,
    pub(crate) endpoint: Endpoint,
}

/// The server of the tests.
pub(crate) fn endpoint() -> Endpoint {
    let url = std::env::var(ELASTIC_URL_VARIABLE)
        .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
    Endpoint::parse(&url, None, None).unwrap()
}

/// How requests are made under a prefix that is named after the test.
pub(crate) fn options(test: &str) -> ClusterOptions {
    let prefix = Some(format!("{test}{}", std::process::id()));
    ClusterOptions { prefix, retry_within: Duration::from_secs(3), ..ClusterOptions::default() }
}

impl World {
    /// An index with the settings of following.
    pub(crate) async fn new(test: &str) -> Self {
        Self::of(test, IndexUse::Following, json!({"number_of_replicas": 0})).await
    }

    pub(crate) async fn of(test: &str, index_use: IndexUse, settings: Value) -> Self {
        let endpoint = endpoint();
        let cluster = Cluster::connect(endpoint.clone(), options(test)).await.unwrap();
        let mut properties = json!({"name": {"type": "text"}, "count": {"type": "integer"}, "code": {"type": "keyword"},
            "at": {"type": "date"}});
        if cluster.target().product == Product::OpenSearch {
            // The Elasticsearch that the tests install is the one without the types of its
            // commercial part.
            properties["labels"] = json!({"type": "flattened"});
        }
        let definition = Definition { settings, ..definition(&properties) };
        let created = cluster.create_index(&definition, index_use).await.unwrap();
        Self { cluster, definition, created, endpoint }
    }

    /// The same index, for another connection.
    pub(crate) fn again(&self) -> Self {
        Self {
            cluster: self.cluster.clone(),
            definition: self.definition.clone(),
            created: self.created.clone(),
            endpoint: self.endpoint.clone(),
        }
    }

    pub(crate) fn index(&self) -> &IndexName {
        &self.created.name
    }

    pub(crate) fn target(&self) -> TargetRef {
        TargetRef { name: self.created.name.clone(), uuid: self.created.uuid.clone() }
    }

    pub(crate) fn key(&self) -> ClaimKey {
        ClaimKey::whole(self.created.uuid.clone())
    }

    pub(crate) fn control(&self) -> ControlIndex {
        ControlIndex::new(&self.cluster)
    }

    /// A request past the target, whose response must have this status.
    #[track_caller]
    pub(crate) fn http(&self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let (found, text) = self.exchange(method, path, body);
        assert_eq!(found, status, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A request past the target: the status of its response, and the body.
    pub(crate) fn exchange(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let url = self.endpoint.url(&[]).join(path).unwrap();
        let mut request = self.endpoint.request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let exchange = async {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        };
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(exchange))
    }

    /// The aliases of the index.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let found = self.http("GET", &format!("/{}/_alias", self.index()), &Value::Null, 200);
        found[self.index().as_str()]["aliases"].as_object().unwrap().keys().cloned().collect()
    }

    /// The claim's document.
    pub(crate) async fn claim(&self) -> Value {
        self.control().read(&self.key().claim()).await.unwrap().unwrap().value
    }

    /// Changes the claim's document from outside.
    pub(crate) async fn amend(&self, change: impl FnOnce(&mut Value)) {
        let stored = self.control().read(&self.key().claim()).await.unwrap().unwrap();
        let mut value = stored.value;
        change(&mut value);
        self.control().write(&self.key().claim(), &value, Some(stored.token)).await.unwrap();
    }

    pub(crate) async fn lease(&self, label: &str, length: Duration) -> Arc<Lease> {
        Lease::start(Arc::new(self.control()), label, length).await.unwrap()
    }

    pub(crate) async fn destination(&self, label: &str) -> ElasticDestination {
        ElasticDestination::new(&self.cluster, &self.definition, &self.lease(label, LEASE).await)
    }

    pub(crate) async fn try_acquire(
        &self,
        label: &str,
        length: Duration,
        when_held: WhenHeld,
    ) -> Result<Owner, OpenError> {
        let lease = self.lease(label, length).await;
        let destination = ElasticDestination::new(&self.cluster, &self.definition, &lease);
        self.open(&destination, when_held, Some(self.state())).await
    }

    pub(crate) async fn open(
        &self,
        destination: &ElasticDestination,
        when_held: WhenHeld,
        initial: Option<ClaimState>,
    ) -> Result<Owner, OpenError> {
        let options = AcquireOptions { when_held, ..AcquireOptions::default() };
        let opened = destination.open_with(&self.target(), Slice::Whole, initial, options).await?;
        let fence = IndexFence::new(
            &self.cluster,
            self.index(),
            &self.created.uuid,
            &Slice::Whole,
            &self.definition.pillow,
        );
        Ok(Owner { opened, fence })
    }

    pub(crate) async fn acquire(&self, label: &str) -> Owner {
        self.try_acquire(label, LEASE, WhenHeld::Fail).await.unwrap()
    }

    /// The state of a load that has just begun.
    pub(crate) fn state(&self) -> ClaimState {
        let load = LoadState::new("s0".into(), LoadForm::Feed);
        ClaimState::new(&self.definition, self.index().clone(), database(), Some(load))
    }

    /// A document as it is, without waiting for a refresh.
    pub(crate) async fn document(&self, id: &str) -> Option<Value> {
        self.cluster.document(self.index(), &id.into()).await.unwrap()
    }
}

/// An index whose claim is held.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) opened: OpenTarget,
    pub(crate) fence: IndexFence,
}

impl Owner {
    pub(crate) fn claim(&self) -> &Claim {
        &self.opened.claim
    }

    pub(crate) fn stamp(&self) -> Version {
        self.claim().versions().stamp().unwrap()
    }

    pub(crate) fn write_alias(&self) -> String {
        self.fence.alias(self.claim().epoch())
    }

    pub(crate) async fn write(&self, operations: &[Operation]) -> Vec<Outcome> {
        self.opened.target.write(operations).await.unwrap()
    }

    /// Indexes a document with a new version; the one outcome.
    pub(crate) async fn put(&self, id: &str, source: &Value) -> Outcome {
        self.write(&[index(id, self.stamp(), source)]).await.remove(0)
    }

    /// Enters the phase of following.
    pub(crate) async fn follow(&self) {
        self.claim().enter(Phase::CatchingUp).await.unwrap();
        self.claim().enter(Phase::Following).await.unwrap();
    }
}

pub(crate) fn database() -> DatabaseIdentity {
    DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() }
}

pub(crate) fn definition(properties: &Value) -> Definition {
    let mappings = json!({"dynamic": false, "properties": properties});
    Definition::of_mapping("case", "cases", json!({"number_of_replicas": 0}), mappings)
}

pub(crate) fn index(id: &str, version: Version, source: &Value) -> Operation {
    Operation::new(id.into(), version, Action::Index(Bytes::from(source.to_string())))
}

pub(crate) fn delete(id: &str, version: Version) -> Operation {
    Operation::new(id.into(), version, Action::Delete)
}
