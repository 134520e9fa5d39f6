//! `process --ids`.

use serde_json::{Value, json};

use super::{assert_found_soon, built, case, followed, json_of, lose};

#[test]
fn documents_are_processed_again_by_their_ids() {
    let world = built("processed", &[case("one"), case("two")]);
    let file = world.directory().join("ids.txt");
    let path = file.to_str().expect("a path").to_owned();
    let process = |ids: &str, more: &[&str], code: i32| {
        fs_err::write(&file, ids).expect("a file");
        let arguments: Vec<&str> = ["process", "case", "--ids", &path].iter().chain(more).copied().collect();
        json_of(&world, &arguments, code)
    };
    for is_followed in [false, true] {
        let service = is_followed.then(|| followed(&world));
        lose(&world, "one");
        let planned = process("one\ntwo\n", &["--dry-run"], 0);
        assert_eq!((&planned["dry_run"], &planned["parts"][0]["documents"]), (&json!(true), &json!(2)));
        assert_found_soon(&world, &["two"]);
        let processed = process("one\ntwo\none\nnosuch\n", &[], 0);
        assert_eq!(processed["dry_run"], false, "{processed}");
        let result = &processed["parts"][0]["result"];
        let counts = ["indexed", "removed", "not_indexed"].map(|name| result[name].clone());
        assert_eq!(counts, [json!(2), json!(0), json!(1)], "{processed}");
        assert_found_soon(&world, &["one", "two"]);
        if let Some(service) = service {
            assert_eq!(service.terminate(), Some(0));
        }
    }
}

#[test]
fn ids_that_no_index_accepts_become_dead_letters_and_stop_nothing() {
    let world = built("processed_long", &[case("one")]);
    let long = "é".repeat(300);
    world.save(&[case(&long), case("two")]);
    let file = world.directory().join("ids.json");
    let path = file.to_str().expect("a path").to_owned();
    // One that is a document, one that is not, and one that is fine.
    fs_err::write(&file, json!([long, "y".repeat(513), "two"]).to_string()).expect("a file");
    let arguments = ["process", "case", "--ids", &path];
    let output = world.run(&arguments);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{printed}");
    assert!(printed.contains("2 ids") && printed.contains("512 bytes"), "{printed}");
    assert_found_soon(&world, &["one", "two"]);
    let dead_letters = world.dead_letters();
    assert_eq!(dead_letters.keys().collect::<Vec<_>>(), [&long]);
    assert_eq!(dead_letters[&long]["error_type"], "id_too_long");
    let service = followed(&world);
    let processed = json_of(&world, &arguments, 4);
    let result = &processed["parts"][0]["result"];
    let counts = ["indexed", "dead_letters", "ignored"].map(|name| result[name].clone());
    assert_eq!(counts, [json!(1), json!(1), json!(1)], "{processed}");
    assert_eq!(service.terminate(), Some(0));

    for contents in ["", "\n \n", "[\"\"]", "[\"one\", \"\"]", "[1]"] {
        fs_err::write(&file, contents).expect("a file");
        let printed = world.run_badly(&arguments, 2);
        assert!(printed.contains("ids.json"), "{printed}");
    }
    fs_err::write(&file, [0xff, 0xfe]).expect("a file");
    world.run_badly(&arguments, 2);
    let printed = world.run_badly(&["process", "user", "--ids", &path], 2);
    assert!(!printed.contains("panic"), "{printed}");
    let deleted = world.elastic("HEAD", &format!("/{}-hqcases", world.prefix()), &Value::Null);
    assert_eq!(deleted.status, 200);
}
