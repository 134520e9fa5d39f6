//! The state of an index as the server tells it.

use serde_json::json;

use super::*;
use crate::target::elastic::scripted::Scripted;

/// The problems of an index that the server describes like this.
async fn problems(state: Value) -> Vec<Problem> {
    let definition = Definition::of_mapping("case", "cases", json!({}), json!({}));
    let settings = json!({"cases_1": {"settings": {"index": {"uuid": "u"}}}});
    let server = Scripted::opensearch("3.6.0")
        .and("GET /cases_1/_settings", 200, settings)
        .and("GET /_cat/indices/cases_1", 200, json!([state]))
        .and("GET /cases_1/_mapping", 200, json!({"cases_1": {"mappings": {}}}))
        .start()
        .await;
    let database = DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() };
    let options = GateOptions::default();
    server.cluster.gate(&definition, &"cases_1".into(), &[database], &options).await.unwrap()
}

#[tokio::test]
async fn a_red_or_closed_index_is_refused_and_a_yellow_one_is_not() {
    let state = |status: &str, health: &str| json!({"index": "cases_1", "status": status, "health": health});
    for (status, health, expected) in
        [("open", "red", Some(Problem::Red)), ("close", "", Some(Problem::Closed)), ("open", "yellow", None)]
    {
        let found = problems(state(status, health)).await;
        let is_state = |problem: &&Problem| matches!(problem, Problem::Red | Problem::Closed);
        assert_eq!(found.iter().find(is_state), expected.as_ref(), "{found:?}");
    }
}
