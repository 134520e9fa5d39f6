//! The webhook target against a receiver within this process.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod receiver;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pillowtop_core::Definition;
use pillowtop_runtime::claim::{AcquireOptions, DatabaseIdentity, Slice};
use pillowtop_runtime::target::contract::{self, TargetUnderTest};
use pillowtop_runtime::target::{CustomDestination, Destination, GuardedTarget, LocalOptions};
use pillowtop_runtime::{Action, Operation, Outcome, Target, Version, WriteError};
use serde_json::{Value, json};
use webhook_target::WebhookTarget;

use receiver::Receiver;

fn index(id: &str, version: Version, document: &Value) -> Operation {
    Operation { id: id.into(), version, action: Action::Index(Bytes::from(document.to_string())) }
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

#[tokio::test]
async fn a_pillow_is_followed_into_it_with_a_claim_in_a_directory() {
    let (directory, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let definition = Definition::of_mapping("case", "cases", json!({}), json!({"properties": {}}));
    let database = DatabaseIdentity { name: "commcare".into(), instance_start_time: "1".to_owned() };
    let webhook = Arc::new(WebhookTarget::new(receiver.url.clone()).unwrap());
    let destination =
        CustomDestination::new(webhook, "webhook", directory.path(), definition, LocalOptions::default());
    let target = destination.targets().await.unwrap().remove(0);
    let mut begin = Some(database);
    for (position, expected) in [("1-a", None), ("2-b", Some("1-a".into()))] {
        let options = AcquireOptions::default();
        let open = destination.open(&target, Slice::Whole, begin.take(), options).await.unwrap();
        assert_eq!(open.claim.state().checkpoint, expected);
        let open = open.guarded(GuardedTarget::LIMIT);
        let version = open.claim.versions().stamp().unwrap();
        open.target.write(&[index("a", version, &json!({"at": position}))]).await.unwrap();
        open.target.flush().await.unwrap();
        open.claim.save(Some(position.into())).await.unwrap();
        open.claim.release().await.unwrap();
        assert_eq!(receiver.document("a"), Some(json!({"at": position})));
    }
    assert_eq!(receiver.requests(), 2);
}
