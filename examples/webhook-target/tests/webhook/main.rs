//! The webhook target against a receiver within this process.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod receiver;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop::{CouchDocument, Pillow};
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, OneDatabase, Served};
use pillowtop_runtime::member::MemberOptions;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, serve};
use pillowtop_runtime::source::ChangesFile;
use pillowtop_runtime::target::contract::{self, TargetUnderTest};
use pillowtop_runtime::target::{CustomDestination, LocalOptions};
use pillowtop_runtime::{Action, Operation, Outcome, Target, Version, WriteError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use webhook_target::WebhookTarget;

use receiver::Receiver;

fn index(id: &str, version: Version, document: &Value) -> Operation {
    Operation::new(id.into(), version, Action::Index(Bytes::from(document.to_string())))
}

struct Webhook(Receiver);

impl TargetUnderTest for Webhook {
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Target>> {
        let target: Arc<dyn Target> = Arc::new(WebhookTarget::new(self.0.url.clone()).unwrap());
        async move { target }.boxed()
    }

    fn read<'a>(&'a mut self, id: &'a str) -> BoxFuture<'a, Option<Value>> {
        let document = self.0.document(id);
        async move { document }.boxed()
    }

    fn rejected(&self) -> Option<Value> {
        Some(json!({"n": "many"}))
    }

    fn compares_versions(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn the_webhook_keeps_the_contract_of_targets() {
    contract::holds(&mut Webhook(Receiver::start().await)).await;
}

#[tokio::test]
async fn the_status_of_a_response_decides_how_changes_are_retried() {
    let receiver = Receiver::start().await;
    let target = WebhookTarget::new(receiver.url.clone()).unwrap();
    let bulk = [index("a", Version(1), &json!({"n": 1}))];
    for (status, expected) in [
        (429, WriteError::Busy("429 Too Many Requests: no".to_owned())),
        (503, WriteError::Busy("503 Service Unavailable: no".to_owned())),
        (413, WriteError::TooLarge("413 Payload Too Large: no".to_owned())),
        (400, WriteError::Refused("400 Bad Request: no".to_owned())),
        (500, WriteError::Unreachable("500 Internal Server Error: no".to_owned())),
        (403, WriteError::Blocked("403 Forbidden: no".to_owned())),
    ] {
        receiver.fail(Some((status, "no")));
        assert_eq!(target.write(&bulk).await, Err(expected), "{status}");
    }
    for torn in ["{", r#"{"rejected": [{"position": 1, "reason": "-"}]}"#] {
        receiver.fail(Some((200, torn)));
        let outcome = target.write(&bulk).await;
        assert!(matches!(outcome, Err(WriteError::Unreachable(_))), "{torn}: {outcome:?}");
    }
    assert_eq!(receiver.document("a"), None);
    receiver.fail(None);
    assert_eq!(target.write(&bulk).await, Ok(vec![Outcome::Done]));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://user:secret@{}/changes?token=secret", listener.local_addr().unwrap());
    drop(listener);
    let target = WebhookTarget::new(url.parse().unwrap()).unwrap();
    let error = target.write(&[index("a", Version(1), &json!({}))]).await.unwrap_err();
    assert!(matches!(error, WriteError::Unreachable(_)), "{error}");
    assert!(!error.to_string().contains("secret") && !target.describe().contains("secret"), "{error}");
}

/// Where a person was seen.
#[derive(Debug, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit", database = "clinic")]
#[pillow(name = "visit", alias = "visits", mapping = unchecked)]
struct Visit {
    #[es(keyword)]
    location: String,
}

/// A line of a changes file.
fn line(seq: u32, id: &str, location: &str) -> String {
    let revision = format!("{seq}-a");
    let document = json!({"_id": id, "_rev": revision, "doc_type": "Visit", "location": location});
    let row = json!({"seq": format!("{seq}-s"), "id": id, "changes": [{"rev": revision}], "doc": document});
    format!("{row}\n")
}

#[tokio::test]
async fn a_pillow_is_followed_into_it_and_resumes_from_its_checkpoint() {
    let (directory, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let changes = directory.path().join("changes.jsonl");
    let registry = pillowtop::registry![Visit];
    let pillow = Arc::clone(&registry.pillows()[0]);
    let mut lines = String::new();
    for (seq, location) in [(1, "home"), (2, "clinic")] {
        lines.push_str(&line(seq, "a", location));
        fs_err::write(&changes, &lines).unwrap();
        let source = Arc::new(ChangesFile::open(&changes, "clinic".into()).unwrap());
        let databases = Arc::new(OneDatabase { name: "clinic".into(), source });
        let destination = CustomDestination::new(
            Arc::new(WebhookTarget::new(receiver.url.clone()).unwrap()),
            "webhook",
            directory.path(),
            pillow.definition().clone(),
            LocalOptions::default(),
        );
        let served = Served {
            pillow: Arc::clone(&pillow),
            destination: Arc::new(destination),
            databases: DatabaseSelection::One("clinic".into()),
            counters: Arc::default(),
            options: MemberOptions::default(),
        };
        let counters = Arc::clone(&served.counters);
        let options = ServiceOptions { mode: ReadMode::ToEnd, ..ServiceOptions::default() };
        let engine = Engine::new(databases, EngineOptions::default());
        serve(&engine, vec![served], &options, &CancellationToken::new()).await.unwrap();
        assert_eq!(receiver.document("a").unwrap()["location"], location);
        assert_eq!(counters.snapshot().seen, 1);
    }
}
