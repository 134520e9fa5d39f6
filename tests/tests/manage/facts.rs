//! What a cluster has that prevents a deploy is reported before anything is changed.

use serde_json::{Value, json};

use crate::{indices, world_of_two};

#[test]
fn an_alias_whose_name_is_taken_by_an_index_is_refused_at_once() {
    let world = world_of_two("taken", 1);
    let name = format!("/{}-hqusers", world.prefix());
    assert!(world.elastic("PUT", &name, &Value::Null).status < 300);
    let printed = world.run_badly(&["preindex"], 1);
    assert!(printed.contains("is an index, so no alias can have this name"), "{printed}");
    assert!(indices(&world, "case").is_empty(), "nothing was built");
    world.elastic("DELETE", &name, &Value::Null);
    world.run_well(&["preindex"]);
}

#[test]
fn a_template_that_would_spoil_an_index_is_named_before_one_is_made() {
    let world = world_of_two("template", 1);
    let template = format!("/_template/{}", world.prefix());
    let pattern = format!("{}-hqcases_*", world.prefix());
    let body = json!({"index_patterns": [pattern], "settings": {"index.default_pipeline": "spoil"}});
    assert!(world.elastic("PUT", &template, &body).status < 300);
    let printed = world.run_badly(&["preindex"], 1);
    world.elastic("DELETE", &template, &Value::Null);
    assert!(printed.contains("index template") && printed.contains("pipeline"), "{printed}");
    assert!(indices(&world, "case").is_empty(), "nothing was built");
}

#[test]
fn a_block_on_what_is_searched_is_told_before_a_flip() {
    let world = world_of_two("blocked", 1);
    world.run_well(&["preindex"]);
    world.run_well(&["es-manage", "flip", "case", "user"]);
    let index = indices(&world, "case")[0].clone();
    world.elastic(
        "PUT",
        &format!("/{index}/_settings"),
        &json!({"index.blocks.read_only_allow_delete": true}),
    );
    let printed = world.run_badly(&["es-manage", "flip", "case"], 1);
    world.elastic(
        "PUT",
        &format!("/{index}/_settings"),
        &json!({"index.blocks.read_only_allow_delete": null}),
    );
    assert!(printed.contains("is read-only") && printed.contains("read_only_allow_delete"), "{printed}");
}

#[test]
fn a_data_stream_that_has_the_name_of_an_alias_is_refused() {
    let world = world_of_two("stream", 1);
    let name = format!("{}-hqusers", world.prefix());
    let template = format!("/_index_template/{}", world.prefix());
    let body = json!({"index_patterns": [name], "data_stream": {}});
    let stream = format!("/_data_stream/{name}");
    if world.elastic("PUT", &template, &body).status >= 300 {
        // The open-source distribution of Elasticsearch has no data streams. What it would be told
        // there is in the tests of `facts`.
        let product = std::env::var(pillowtop_tests::PRODUCT_VARIABLE);
        assert_eq!(product.as_deref(), Ok("elasticsearch7"));
        return;
    }
    let made = world.elastic("PUT", &stream, &Value::Null);
    assert!(made.status < 300, "{made:?}");
    let printed = world.run_badly(&["preindex"], 1);
    world.elastic("DELETE", &stream, &Value::Null);
    world.elastic("DELETE", &template, &Value::Null);
    assert!(printed.contains(&format!("`{name}` is a data stream")), "{printed}");
    assert!(indices(&world, "case").is_empty(), "nothing was built");
}

#[test]
fn a_red_cluster_is_told_and_a_closed_index_is_not_searched() {
    let world = world_of_two("red-cluster", 1);
    let broken = format!("/{}-broken", world.prefix());
    let nowhere = json!({"settings": {"index": {"routing.allocation.require.nowhere": "x"}}});
    let made = world.elastic("PUT", &format!("{broken}?wait_for_active_shards=0"), &nowhere);
    assert!(made.status < 300, "{made:?}");
    let output = world.run(&["preindex"]);
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    world.elastic("DELETE", &broken, &Value::Null);
    assert!(output.status.success() && printed.contains("the cluster is red"), "{printed}");

    let index = format!("/{}", indices(&world, "case")[0]);
    world.elastic("POST", &format!("{index}/_close"), &Value::Null);
    let printed = world.run_badly(&["es-manage", "flip", "case"], 1);
    assert!(printed.contains("it is closed"), "{printed}");
}
