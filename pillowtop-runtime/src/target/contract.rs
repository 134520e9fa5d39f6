//! What every target must keep. A target passes by calling [`holds`] in a test of its own.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{Outcome, Target};
use crate::operation::{Action, Operation, Version};

/// A target under test, and a look at what it has.
pub trait TargetUnderTest: Send {
    /// Opens the target over what was written before. What an earlier call returned was dropped.
    fn open(&mut self) -> BoxFuture<'_, Arc<dyn Target>>;

    /// The document of an id, as it is after a flush.
    fn read<'a>(&'a mut self, id: &'a str) -> BoxFuture<'a, Option<Value>>;

    /// A document that the target rejects; `None` if it rejects none. Others of the tests are
    /// `{"n": 1}` and the like.
    fn rejected(&self) -> Option<Value> {
        None
    }

    /// Whether a write with a lower version than the stored one has no effect.
    fn compares_versions(&self) -> bool {
        false
    }
}

/// Checks a target, which must be empty.
///
/// # Panics
///
/// Where the target breaks the contract.
pub async fn holds(subject: &mut dyn TargetUnderTest) {
    let mut test = Test { target: Some(subject.open().await), subject, version: 0 };
    test.documents_are_indexed_rewritten_and_deleted().await;
    test.a_delete_of_a_missing_document_is_acknowledged().await;
    test.a_repeated_bulk_changes_nothing().await;
    test.a_rejected_document_leaves_the_others_alone().await;
    test.a_late_write_has_no_effect().await;
    test.ids_and_documents_have_any_characters().await;
    test.what_was_flushed_is_there_after_opening_again().await;
}

struct Test<'a> {
    subject: &'a mut dyn TargetUnderTest,
    /// `None` only while it is opened again.
    target: Option<Arc<dyn Target>>,
    version: u64,
}

impl Test<'_> {
    fn operation(&mut self, id: &str, action: Action) -> Operation {
        self.version += 1;
        Operation::new(id.into(), Version(self.version), action)
    }

    fn index(&mut self, id: &str, document: &Value) -> Operation {
        self.operation(id, Action::Index(Bytes::from(document.to_string())))
    }

    fn delete(&mut self, id: &str) -> Operation {
        self.operation(id, Action::Delete)
    }

    fn target(&self) -> &dyn Target {
        self.target.as_deref().unwrap_or_else(|| unreachable!("the target is open between tests"))
    }

    async fn write(&self, operations: &[Operation]) -> Vec<Outcome> {
        match self.target().write(operations).await {
            Ok(outcomes) if outcomes.len() == operations.len() => outcomes,
            other => panic!("{} outcomes are expected: {other:?}", operations.len()),
        }
    }

    async fn accepted(&self, operations: &[Operation]) {
        let outcomes = self.write(operations).await;
        let is_accepted = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Absent);
        assert!(outcomes.iter().all(is_accepted), "{operations:?}: {outcomes:?}");
    }

    async fn has(&mut self, expected: &[(&str, Option<Value>)]) {
        if let Err(error) = self.target().flush().await {
            panic!("flushing failed: {error}");
        }
        for (id, document) in expected {
            assert_eq!(self.subject.read(id).await, *document, "document `{id}`");
        }
    }

    async fn documents_are_indexed_rewritten_and_deleted(&mut self) {
        let bulk = [self.index("a", &json!({"n": 1})), self.index("b", &json!({"n": 2}))];
        assert_eq!(self.write(&bulk).await, [Outcome::Done, Outcome::Done]);
        self.has(&[("a", Some(json!({"n": 1}))), ("b", Some(json!({"n": 2})))]).await;
        let bulk = [self.index("a", &json!({"n": 3})), self.delete("b")];
        assert_eq!(self.write(&bulk).await, [Outcome::Done, Outcome::Done]);
        self.has(&[("a", Some(json!({"n": 3}))), ("b", None)]).await;
        // The same once more, without a flush in between.
        let bulk = [self.index("b", &json!({"n": 4}))];
        self.accepted(&bulk).await;
        let bulk = [self.index("b", &json!({"n": 5})), self.delete("a")];
        self.accepted(&bulk).await;
        self.has(&[("a", None), ("b", Some(json!({"n": 5})))]).await;
    }

    async fn a_delete_of_a_missing_document_is_acknowledged(&mut self) {
        let bulk = [self.delete("missing"), self.delete("missing too")];
        self.accepted(&bulk).await;
        self.has(&[("missing", None)]).await;
    }

    /// As after a response that was lost.
    async fn a_repeated_bulk_changes_nothing(&mut self) {
        let first = [self.index("c", &json!({"n": 1})), self.index("d", &json!({"n": 1}))];
        self.accepted(&first).await;
        self.accepted(&first).await;
        let second = [self.delete("c"), self.index("d", &json!({"n": 2}))];
        self.accepted(&second).await;
        self.accepted(&second).await;
        self.has(&[("c", None), ("d", Some(json!({"n": 2})))]).await;
    }

    async fn a_rejected_document_leaves_the_others_alone(&mut self) {
        let older = [self.index("e1", &json!({"n": 0}))];
        self.accepted(&older).await;
        let rejected = self.subject.rejected();
        let document = rejected.clone().unwrap_or_else(|| json!({"n": 7}));
        let bulk = [
            self.index("e0", &json!({"n": 1})),
            self.index("e1", &document),
            self.delete("missing"),
            self.index("e3", &document),
            self.index("e4", &json!({"n": 1})),
        ];
        let outcomes = self.write(&bulk).await;
        let found: Vec<bool> =
            outcomes.iter().map(|outcome| matches!(outcome, Outcome::Rejected { .. })).collect();
        let is_rejected = rejected.is_some();
        assert_eq!(found, [false, is_rejected, false, is_rejected, false], "{outcomes:?}");
        let (first, second) = if is_rejected {
            (Some(json!({"n": 0})), None)
        } else {
            (Some(document.clone()), Some(document))
        };
        let one = Some(json!({"n": 1}));
        self.has(&[("e0", one.clone()), ("e1", first), ("e3", second), ("e4", one)]).await;
    }

    async fn a_late_write_has_no_effect(&mut self) {
        if !self.subject.compares_versions() {
            return;
        }
        let (late, late_delete) = (self.index("f", &json!({"n": 1})), self.delete("g"));
        let bulk = [self.index("f", &json!({"n": 2})), self.index("g", &json!({"n": 2}))];
        self.accepted(&bulk).await;
        self.accepted(&[late, late_delete]).await;
        self.has(&[("f", Some(json!({"n": 2}))), ("g", Some(json!({"n": 2})))]).await;
    }

    async fn ids_and_documents_have_any_characters(&mut self) {
        let id = "a/b \"ü\"\n\\{}\u{1F642}";
        let source = "{\n  \"n\": 1,\r\n  \"text\": \"ü\\n\\u0000\u{2028}\"\r\n}";
        let bulk = [self.operation(id, Action::Index(Bytes::from_static(source.as_bytes())))];
        self.accepted(&bulk).await;
        self.has(&[(id, Some(json!({"n": 1, "text": "ü\n\0\u{2028}"})))]).await;
        let bulk = [self.delete(id)];
        self.accepted(&bulk).await;
        self.has(&[(id, None)]).await;
    }

    async fn what_was_flushed_is_there_after_opening_again(&mut self) {
        let bulk = [self.index("h", &json!({"n": 1})), self.index("i", &json!({"n": 1}))];
        self.accepted(&bulk).await;
        let bulk = [self.delete("h")];
        self.accepted(&bulk).await;
        let expected = [("h", None), ("i", Some(json!({"n": 1})))];
        self.has(&expected).await;
        self.target = None;
        self.target = Some(self.subject.open().await);
        self.has(&expected).await;
        let bulk = [self.index("i", &json!({"n": 2}))];
        self.accepted(&bulk).await;
        self.has(&[("i", Some(json!({"n": 2})))]).await;
    }
}
