//! Facts of clusters that the end-to-end tests cannot have.

use pillowtop_core::Definition;
use serde_json::{Value, json};

use super::*;
use crate::target::elastic::scripted::{Scripted, ScriptedCluster};

fn definition() -> Definition {
    Definition::of_mapping("case", "cases", json!({}), json!({"properties": {"name": {"type": "keyword"}}}))
}

/// The index of the definition, in this state.
fn overview(health: IndexHealth, blocks: &[&str], policy: Option<&str>) -> Overview {
    let definition = definition();
    Overview::of(vec![IndexStatus {
        uuid: "uuid".to_owned(),
        pillow: definition.pillow.clone(),
        hash: definition.hash.to_string(),
        rest: None,
        is_backfilling: false,
        aliases: vec![definition.hashed_alias(None)],
        created: 0,
        blocks: blocks.iter().map(|block| (*block).to_owned()).collect(),
        policy: policy.map(str::to_owned),
        health,
        documents: None,
        bytes: None,
        claims: Vec::new(),
        name: definition.index_name(None, 1),
    }])
}

async fn facts(server: &ScriptedCluster, overview: &Overview) -> Vec<String> {
    let facts = server.cluster.facts(&[&definition()], overview).await.unwrap();
    facts.iter().map(|fact| format!("{} {fact}", if fact.forbids() { "refused:" } else { "told:" })).collect()
}

#[track_caller]
fn assert_one(facts: &[String], parts: &[&str]) {
    let [fact] = facts else { panic!("{facts:?}") };
    assert!(parts.iter().all(|part| fact.contains(part)), "{fact}: {parts:?}");
}

#[tokio::test]
async fn a_data_stream_takes_the_name_of_an_alias() {
    let resolved =
        json!({"indices": [], "aliases": [], "data_streams": [{"name": "cases"}, {"name": "cases-old"}]});
    let server = Scripted::elasticsearch().and("GET /_resolve/index/cases*", 200, resolved).start().await;
    assert_one(&facts(&server, &Overview::default()).await, &["refused:", "`cases` is a data stream"]);
}

#[tokio::test]
async fn a_policy_that_manages_an_index_is_named() {
    let server = Scripted::elasticsearch().start().await;
    let managed = overview(IndexHealth::Green, &[], Some("hot-warm"));
    assert_one(&facts(&server, &managed).await, &["refused:", "policy `hot-warm`"]);
    // OpenSearch attaches policies elsewhere.
    let index = definition().index_name(None, 1);
    let explained = json!({(index.as_str()): {"index.plugins.index_state_management.policy_id": "rollover"}});
    let server =
        Scripted::opensearch("3.6.0").and("GET /_plugins/_ism/explain/", 200, explained).start().await;
    let plain = overview(IndexHealth::Green, &[], None);
    assert_one(&facts(&server, &plain).await, &["refused:", "policy `rollover`", index.as_str()]);
}

#[tokio::test]
async fn templates_of_both_kinds_are_told_by_what_they_add() {
    let settings = json!({"index": {"default_pipeline": "spoil"}});
    let composable = json!({"index_templates": [
        {"name": "spoiling", "index_template": {"index_patterns": ["cases_*"], "template": {"settings": settings}}},
        {"name": "harmless", "index_template": {"index_patterns": "cases_*", "template": {}}},
        {"name": "of-others", "index_template": {"index_patterns": ["logs-*"], "template": {"settings": settings}}},
    ]});
    let server = Scripted::opensearch("2.19.0").and("GET /_index_template", 200, composable).start().await;
    let found = facts(&server, &Overview::default()).await;
    let [spoiling, harmless] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        spoiling.starts_with("refused:") && spoiling.contains("`spoiling`") && spoiling.contains("pipeline")
    );
    assert!(harmless.starts_with("told:") && harmless.contains("`harmless`"), "{harmless}");
}

#[tokio::test]
async fn a_red_cluster_is_told_and_a_closed_red_or_read_only_index_is_refused() {
    let red = json!({"status": "red"});
    let server = Scripted::opensearch("3.6.0").and("GET /_cluster/health", 200, red).start().await;
    assert_one(&facts(&server, &Overview::default()).await, &["told:", "the cluster is red"]);
    let server = Scripted::opensearch("3.6.0").start().await;
    for (health, blocks, expected) in [
        (IndexHealth::Closed, &[][..], "is closed"),
        (IndexHealth::Red, &[], "is red"),
        (IndexHealth::Green, &["write"], "is read-only (`index.blocks.write`)"),
    ] {
        assert_one(&facts(&server, &overview(health, blocks, None)).await, &["refused:", expected]);
    }
    assert!(facts(&server, &overview(IndexHealth::Yellow, &[], None)).await.is_empty());
}

#[tokio::test]
async fn missing_privileges_are_named_where_the_server_tells() {
    let granted = json!({"index": {"*": {"manage": false, "read": true, "write": false}}});
    let server =
        Scripted::elasticsearch().and("POST /_security/user/_has_privileges", 200, granted).start().await;
    assert_one(&facts(&server, &Overview::default()).await, &["refused:", "manage, write"]);

    let denied = |privilege: &str| json!({"accessAllowed": false, "missingPrivileges": [privilege]});
    let secured = |version: &str| {
        Scripted::opensearch(version)
            .and("GET /_plugins/_security/authinfo", 200, json!({"user_name": "search"}))
            .and(
                "PUT /pillowtop-permission-check/_mapping?perform_permission_check=true",
                200,
                denied("indices:admin/mapping/put"),
            )
            .and(
                "GET /pillowtop-permission-check/_search?perform_permission_check=true",
                200,
                json!({"accessAllowed": true, "missingPrivileges": []}),
            )
            .and(
                "DELETE /pillowtop-permission-check/_doc/none?perform_permission_check=true",
                200,
                denied("indices:data/write/delete"),
            )
    };
    let server = secured("3.6.0").start().await;
    let expected = ["refused:", "indices:admin/mapping/put, indices:data/write/delete"];
    assert_one(&facts(&server, &Overview::default()).await, &expected);
    // An older one would execute the requests.
    let server = secured("2.19.0").start().await;
    assert!(facts(&server, &Overview::default()).await.is_empty());
    assert!(server.requests("permission-check").is_empty());
    // So would one without the plugin.
    let server = Scripted::opensearch("3.6.0").start().await;
    assert!(facts(&server, &Overview::default()).await.is_empty());
    assert!(server.requests("permission-check").is_empty());
}

#[tokio::test]
async fn what_a_user_may_not_read_is_left_out() {
    let denied = || json!({"error": {"type": "security_exception", "reason": "no permissions"}});
    let server = Scripted::opensearch("3.6.0")
        .and("GET /_resolve", 403, denied())
        .and("GET /_template", 403, denied())
        .and("GET /_index_template", 403, denied())
        .and("GET /_cluster/health", 403, denied())
        .and("GET /_plugins", 403, denied())
        .start()
        .await;
    let plain = overview(IndexHealth::Green, &[], None);
    assert_eq!(facts(&server, &plain).await, Vec::<String>::new());
    let unknown: Value =
        server.cluster.told(Request::get(&["_resolve"]), "resolving").await.unwrap().unwrap_or_default();
    assert_eq!(unknown, Value::Null);
}
