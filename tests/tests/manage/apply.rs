//! An additive change is put on the live index, and old documents get the new field.

use serde_json::{Value, json};

use crate::support::World;
use crate::{case, indices, status, told, wait_for_state, world_of_two};

/// A content hash of another release.
const OLD: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

/// Makes of the index of `case` one of an earlier release, whose struct did not have the field
/// `name`.
fn back_to_the_release_before(world: &World) -> String {
    let new = indices(world, "case")[0].clone();
    let get = |path: &str| -> Value {
        serde_json::from_str(&world.elastic("GET", path, &Value::Null).body).expect("JSON")
    };
    let described = get(&format!("/{new}"))[&new].clone();
    let mut mappings = described["mappings"].clone();
    assert!(mappings["properties"].as_object_mut().expect("properties").remove("name").is_some());
    mappings["_meta"]["pillowtop"]["hash"] = json!(OLD);
    let old = format!("{}-hqcases_{}_1", world.prefix(), &OLD[..12]);
    let (hashed, alias) = (old.trim_end_matches("_1").to_owned(), format!("{}-hqcases", world.prefix()));
    let settings = json!({"analysis": described["settings"]["index"]["analysis"], "number_of_replicas": 0});
    let body = json!({"mappings": mappings, "settings": {"index": settings}, "aliases": {(hashed): {}, (alias): {}}});
    let made = world.elastic("PUT", &format!("/{old}"), &body);
    assert!(made.status < 300, "{made:?}");
    let copy = json!({"source": {"index": new}, "dest": {"index": old, "version_type": "external"}});
    let copied = world.elastic("POST", "/_reindex?refresh=true", &copy);
    assert!(copied.status < 300, "{copied:?}");
    let uuid = |index: &str| -> String {
        let settings = get(&format!("/{index}/_settings"));
        settings[index]["settings"]["index"]["uuid"].as_str().expect("a uuid").to_owned()
    };
    let control = format!("/{}-pillowtop-control/_doc/claim:", world.prefix());
    let mut claim = get(&format!("{control}{}", uuid(&new)))["_source"]["value"].clone();
    claim["state"]["hash"] = json!(OLD);
    claim["state"]["target"] = json!(old);
    claim["histories"] = json!({});
    let key = format!("claim:{}", uuid(&old));
    let put = world.elastic("PUT", &format!("{control}{}", uuid(&old)), &json!({"key": key, "value": claim}));
    assert!(put.status < 300, "{put:?}");
    assert!(world.elastic("DELETE", &format!("/{new}"), &Value::Null).status < 300);
    old
}

fn named(world: &World, name: &str) -> usize {
    world.indexed("hqcases");
    world.search("hqcases", &json!({"match": {"name": name}})).len()
}

fn steps(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let steps = plan["steps"].as_array().expect("steps").iter();
    steps
        .filter(|step| step["pillow"] == "case")
        .map(|step| (text(&step["step"]), text(&step["reason"])))
        .collect()
}

#[test]
fn an_additive_mapping_is_applied_to_the_live_index_with_a_backfill() {
    let world = world_of_two("additive", 50);
    world.run_well(&["preindex"]);
    let old = back_to_the_release_before(&world);
    assert_eq!(named(&world, "first"), 0, "the index of the release before has no such field");
    assert_eq!(status(&world, "case")["state"], "missing");

    // The new release is up already, and stands by.
    let service = world.follow_some(&["case"]);
    service.wait_for_words(crate::MINUTE, &["standing by: index"]);
    let plan = told(&world, &["es-manage", "plan"]);
    let found = steps(&plan);
    assert_eq!(found[0].0, "put mapping", "{plan}");
    assert!(found[0].1.contains("name"), "{plan}");
    assert_eq!(found[1].0, "backfill", "{plan}");
    let id = plan["plan"].as_str().expect("an id");
    let printed = world.run_badly(&["es-manage", "apply", "--yes", "--plan", "000000000000"], 1);
    assert!(printed.contains("the plan changed"), "{printed}");
    let applied = told(&world, &["es-manage", "apply", "--yes", "--plan", id]);
    assert_eq!(applied["applied"], json!(true), "{applied}");

    assert_eq!(named(&world, "first"), 50, "every old document has the field");
    wait_for_state(&world, "case", "current");
    assert_eq!(indices(&world, "case"), [old]);
    world.save(&[case("later", "second")]);
    world.assert_indexed_soon("hqcases", "later");
    assert_eq!(named(&world, "second"), 1);
    let plan = told(&world, &["es-manage", "plan"]);
    assert_eq!(steps(&plan)[0].0, "keep", "{plan}");
    drop(service);
    // A deploy finds nothing to build, and another load of the same hash finds the index.
    world.run_well(&["preindex", "--check"]);
}

#[test]
fn a_backfill_that_was_interrupted_is_continued() {
    let world = world_of_two("interrupted", 20);
    world.run_well(&["preindex"]);
    let old = back_to_the_release_before(&world);
    let printed = world.run_badly(&["--couch-url", "http://127.0.0.1:1", "es-manage", "apply", "--yes"], 1);
    assert!(printed.contains("does not respond"), "{printed}");
    // As if it had been killed after the mapping was put.
    world.run_well(&["es-manage", "apply", "--yes"]);
    let meta = json!({"_meta": meta_of(&world, &old, true)});
    assert!(world.elastic("PUT", &format!("/{old}/_mapping"), &meta).status < 300);
    let shown = status(&world, "case");
    assert_eq!(
        (&shown["state"], &shown["next"]),
        (&json!("backfilling"), &json!("es-manage apply")),
        "{shown}"
    );
    let plan = told(&world, &["es-manage", "plan"]);
    assert_eq!(steps(&plan)[0].0, "backfill", "{plan}");
    world.run_well(&["es-manage", "apply", "--yes"]);
    assert_ne!(status(&world, "case")["state"], "backfilling");
    assert_eq!(named(&world, "first"), 20);
}

fn meta_of(world: &World, index: &str, backfilling: bool) -> Value {
    let found = world.elastic("GET", &format!("/{index}/_mapping"), &Value::Null);
    let found: Value = serde_json::from_str(&found.body).expect("a mapping");
    let mut meta = found[index]["mappings"]["_meta"].clone();
    meta["pillowtop"]["backfilling"] = json!(backfilling);
    meta
}

#[test]
fn dynamic_settings_and_flips_are_part_of_a_plan() {
    let world = world_of_two("settings", 3);
    world.run_well(&["preindex"]);
    let configuration = fs_err::read_to_string(world.configuration()).expect("the configuration");
    let with = format!("{configuration}\n[settings]\nmax_result_window = 20000\n");
    fs_err::write(world.configuration(), with).expect("the configuration");
    let plan = told(&world, &["es-manage", "plan"]);
    let kinds: Vec<String> = steps(&plan).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["put settings", "flip"], "{plan}");
    world.run_well(&["es-manage", "apply", "--yes"]);
    let index = indices(&world, "case")[0].clone();
    let settings = world.elastic("GET", &format!("/{index}/_settings/index.max_result_window"), &Value::Null);
    assert!(settings.body.contains("20000"), "{settings:?}");
    assert_eq!(world.indexed("hqcases").len(), 3);
    assert!(world.run_well(&["es-manage", "apply", "--yes"]).contains("nothing to apply"));
}
