//! A clinic's documents on a server of the test's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pillowtop_indicators::{
    Indicator, IndicatorDestination, IndicatorOptions, Indicators, NoRelated, follow, indicator, pillow,
};
use pillowtop_runtime::claim::{AcquireOptions, WhenHeld};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing};
use pillowtop_runtime::source::{CouchDatabase, CouchServer, Written};
use pillowtop_tests::{CouchOptions, Server};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
#[couch(doc_type = "Visit", deleted = "Visit-Deleted", database = "clinic")]
pub(crate) struct Visit {
    #[serde(default)]
    pub(crate) weight: i64,
    #[serde(default)]
    pub(crate) is_closed: bool,
}

fn doubled(visit: &Visit) -> Value {
    assert!(visit.weight != 13, "an unlucky weight");
    (visit.weight * 2).into()
}

/// The indicators of a release.
pub(crate) struct Plain;

impl Indicators for Plain {
    type Document = Visit;
    type Related = NoRelated;
    const NAME: &'static str = "visit_indicators";
    const NAMESPACE: &'static str = "mvp";
    const INDICATORS: &'static [Indicator<Visit>] = &[indicator("doubled", 1, doubled)];

    fn accepts(visit: &Visit) -> bool {
        !visit.is_closed
    }
}

/// Those of the next one.
pub(crate) struct Next;

impl Indicators for Next {
    type Document = Visit;
    type Related = NoRelated;
    const NAME: &'static str = "visit_indicators";
    const NAMESPACE: &'static str = "mvp";
    const INDICATORS: &'static [Indicator<Visit>] =
        &[indicator("doubled", 2, |visit: &Visit| json!([visit.weight])).multi_value()];
}

/// One whose value is another one each time.
pub(crate) struct Restless;

impl Indicators for Restless {
    type Document = Visit;
    type Related = NoRelated;
    const NAME: &'static str = "restless";
    const NAMESPACE: &'static str = "other";
    const INDICATORS: &'static [Indicator<Visit>] = &[indicator("count", 1, |_| {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        COUNT.fetch_add(1, Ordering::Relaxed).into()
    })];
}

/// A server, and its client.
pub(crate) struct World {
    /// Stopped when it is dropped.
    server: Server,
    pub(crate) couch: CouchServer,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = pillowtop_tests::CouchServer::start(&CouchOptions::default()).unwrap();
        let address = format!("http://127.0.0.1:{}", server.port());
        let couch = CouchServer::new(Endpoint::parse(&address, None, None).unwrap());
        Self { server, couch }
    }

    pub(crate) fn database(&self, name: &str) -> CouchDatabase {
        self.couch.database(name.into())
    }

    pub(crate) fn destination_of<I: Indicators<Related = NoRelated>>(
        &self,
        options: &IndicatorOptions,
    ) -> IndicatorDestination {
        IndicatorDestination::new(pillow::<I>(NoRelated), self.couch.clone(), options.clone())
    }

    /// Follows to the end of what there is.
    pub(crate) async fn follow_to_end<I: Indicators<Related = NoRelated>>(&self, options: &IndicatorOptions) {
        let service = ServiceOptions {
            mode: ReadMode::ToEnd,
            acquire: AcquireOptions { when_held: WhenHeld::Fail, ..AcquireOptions::default() },
            when_failing: WhenFailing::Stop,
        };
        let stop = CancellationToken::new();
        let destinations = [Arc::new(self.destination_of::<I>(options))];
        follow(&self.couch, &destinations, &service, &stop).await.unwrap();
    }

    /// Follows until it is stopped.
    pub(crate) fn start<I: Indicators<Related = NoRelated>>(&self, options: &IndicatorOptions) -> Service {
        self.start_all(vec![Arc::new(self.destination_of::<I>(options))])
    }

    pub(crate) fn start_all(&self, destinations: Vec<Arc<IndicatorDestination>>) -> Service {
        let stop = CancellationToken::new();
        let (couch, stopped) = (self.couch.clone(), stop.clone());
        let task = tokio::spawn(async move {
            follow(&couch, &destinations, &ServiceOptions::default(), &stopped).await.unwrap();
        });
        Service { stop, task }
    }

    /// Writes a document over its latest revision, with what it has beside its new members.
    pub(crate) async fn edit(&self, id: &str, change: impl Fn(&mut Value)) {
        let database = self.database("clinic");
        loop {
            let mut document = database.document(id).await.unwrap().unwrap_or_else(|| json!({"_id": id}));
            change(&mut document);
            let written = database.write_json(&[document.to_string()]).await.unwrap().remove(0);
            match written {
                Written::Done(_) => return,
                Written::Conflict => {}
                Written::Refused { error, reason } => panic!("{error}: {reason}"),
            }
        }
    }

    pub(crate) async fn put(&self, id: &str, members: Value) {
        self.edit(id, |document| {
            for (name, value) in members.as_object().unwrap() {
                document[name] = value.clone();
            }
        })
        .await;
    }

    /// Posts JSON as nothing of pillowtop does.
    pub(crate) async fn post(&self, path: &str, body: &Value) {
        let (port, path, body) = (self.server.port(), format!("/{path}"), body.to_string());
        let sent = tokio::task::spawn_blocking(move || pillowtop_tests::request(port, "POST", &path, &body));
        let response = sent.await.unwrap().unwrap();
        assert!(response.status < 300, "{response:?}");
    }

    /// All documents of a database.
    pub(crate) async fn all(&self, database: &str) -> BTreeMap<String, Value> {
        self.database(database).documents_of_prefix("").await.unwrap().into_iter().collect()
    }

    /// How many changes a database has had.
    pub(crate) async fn update_sequence(&self) -> String {
        self.database("clinic").info().await.unwrap().update_sequence.to_string()
    }
}

/// A running service.
pub(crate) struct Service {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Service {
    /// Ends it as a crash does: the claim and the lease stay.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

pub(crate) fn visit(weight: i64) -> Value {
    json!({"doc_type": "Visit", "weight": weight})
}

pub(crate) fn shared() -> Arc<World> {
    Arc::new(World::new())
}

pub(crate) fn options() -> IndicatorOptions {
    IndicatorOptions::watched("clinic".into())
}
