//! `prune` removes what nothing refers to, and nothing else.

use serde_json::{Value, json};

use crate::support::World;
use crate::{indices, told, world_of_two};

fn exists(world: &World, index: &str) -> bool {
    world.elastic("HEAD", &format!("/{index}"), &Value::Null).status == 200
}

#[test]
fn what_is_referred_to_is_kept_and_the_rest_goes_with_what_belongs_to_it() {
    let world = world_of_two("pruned", 3);
    world.save(&[json!({"_id": "bad", "doc_type": "CommCareCase", "domain": 7, "type": "child"})]);
    world.run_well(&["preindex"]);
    world.run_well(&["es-manage", "flip", "case", "user"]);
    world.run_well(&["fast-reindex", "case", "--restart"]);
    let old = indices(&world, "case")[0].clone();
    // A row describes the new index, and names the one that is searched.
    let new = indices(&world, "case")[1].clone();
    let shown = world.run_well(&["es-manage", "status"]);
    assert!(shown.contains(&format!("{new} (searched: {old})")), "{shown}");
    // It is searched.
    let shown = world.run_well(&["es-manage", "prune", "--older-than", "0s", "--yes"]);
    assert!(shown.contains("nothing to prune"), "{shown}");
    world.run_well(&["es-manage", "flip", "case", "--force"]);
    let foreign = format!("{}-hqcases_000000000000_1", world.prefix());
    assert!(world.elastic("PUT", &format!("/{foreign}"), &Value::Null).status < 300);
    std::thread::sleep(std::time::Duration::from_secs(2));

    // It was used just now.
    let kept = told(&world, &["es-manage", "prune", "--yes"]);
    assert!(
        kept["indices"].as_array().expect("indices").iter().all(|index| index["prune"] == false),
        "{kept}"
    );
    let printed = world.run_badly(&["es-manage", "prune", "--older-than", "0s"], 2);
    assert!(printed.contains("--yes") && printed.contains("--dry-run"), "{printed}");
    let shown = world.run_well(&["es-manage", "prune", "--older-than", "0s", "--dry-run"]);
    assert!(shown.contains(&old), "{shown}");
    assert!(exists(&world, &old));
    let dead_letters = || told(&world, &["dead-letters", "list", "--all"])["total"].clone();
    assert_eq!(dead_letters(), json!(2));
    let shown = world.run_well(&["es-manage", "status"]);
    assert!(shown.contains(", 2 dead letters") && shown.contains("dead-letters list case"), "{shown}");

    world.run_well(&["es-manage", "prune", "--older-than", "0s", "--close", "--yes"]);
    let closed = told(&world, &["es-manage", "status"]);
    assert!(
        closed["indices"].as_array().expect("indices").iter().any(|index| index["index"] == *old),
        "{closed}"
    );
    let removed = told(&world, &["es-manage", "prune", "--older-than", "0s", "--yes"]);
    assert!(!exists(&world, &old), "{removed}");
    assert!(exists(&world, &foreign), "pillowtop did not make it");
    assert_eq!(indices(&world, "case").len(), 1);
    assert_eq!(indices(&world, "user").len(), 1);
    assert_eq!(dead_letters(), json!(1), "those of a deleted index go with it");
    assert_eq!(crate::status(&world, "case")["dead_letters"], json!(1));
    assert_eq!(world.indexed("hqcases").len(), 3);

    // One that is deleted by other means leaves nothing behind either.
    let user = indices(&world, "user")[0].clone();
    world.elastic("DELETE", &format!("/{user}"), &Value::Null);
    world.run_well(&["es-manage", "prune", "--yes"]);
    let control = format!("/{}-pillowtop-control", world.prefix());
    world.elastic("POST", &format!("{control}/_refresh"), &Value::Null);
    let claims = world.elastic("GET", &format!("{control}/_count?q=key:claim*"), &Value::Null);
    assert!(claims.body.contains("\"count\":1,"), "{claims:?}");
}

#[test]
fn an_index_that_is_followed_or_built_is_kept() {
    let world = world_of_two("kept", 3);
    world.run_well(&["preindex"]);
    let service = world.follow_some(&["case"]);
    crate::wait_for_state(&world, "case", "ready");
    crate::support::wait_for("an owner", crate::MINUTE, || {
        crate::status(&world, "case")["owners"][0].is_string()
    });
    let kept = told(&world, &["es-manage", "prune", "--older-than", "0s", "--dry-run"]);
    let reasons: Vec<String> = kept["indices"]
        .as_array()
        .expect("indices")
        .iter()
        .map(|index| index["reason"].as_str().expect("a reason").to_owned())
        .collect();
    assert!(reasons.iter().any(|reason| reason.contains("owns it")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("committed mapping")), "{reasons:?}");
    drop(service);
}
