//! Documents that cannot be indexed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case;
use crate::support::{World, wait_for};

/// Of a type that the struct does not have.
fn undecodable(id: &str) -> Value {
    let mut document = case(id, "bad");
    document["domain"] = json!(7);
    document
}

#[test]
fn five_percent_of_bad_documents_slow_nothing_down() {
    const DOCUMENTS: usize = 2000;
    let world = World::new("five_percent");
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    let service = world.follow_some(&["case"]);
    let time_of = |round: &str, is_bad: &dyn Fn(usize) -> bool| {
        let document = |number: usize| {
            let id = format!("{round}-{number}");
            if is_bad(number) { undecodable(&id) } else { case(&id, "good") }
        };
        let documents: Vec<Value> = (0..DOCUMENTS).map(document).collect();
        let expected = world.indexed("hqcases").len() + (0..DOCUMENTS).filter(|n| !is_bad(*n)).count();
        let began = Instant::now();
        world.save(&documents);
        wait_for("every good document", Duration::from_mins(1), || {
            world.indexed("hqcases").len() == expected
        });
        began.elapsed()
    };
    time_of("warm", &|_| false);
    let good = time_of("good", &|_| false);
    let mixed = time_of("mixed", &|number| number % 20 == 0);
    // Both are mostly the time in which documents are saved and counted.
    assert!(mixed < good * 2 + Duration::from_secs(3), "{good:?} without bad documents, {mixed:?} with");
    let dead_letters = || world.dead_letters().len();
    wait_for("the dead letters", Duration::from_secs(10), || dead_letters() == DOCUMENTS / 20);
    service.kill();
}

#[test]
fn a_load_whose_documents_are_all_rejected_fails_and_names_audit() {
    let world = World::new("all_rejected");
    world.save(&(0..150).map(|number| undecodable(&number.to_string())).collect::<Vec<_>>());
    let began = Instant::now();
    let printed = world.run_badly(&["fast-reindex", "case"], 1);
    // How many are decided before the first are recorded is a matter of chance.
    assert!(
        printed.contains("documents became dead letters") && printed.contains("decode_error"),
        "{printed}"
    );
    assert!(printed.contains("audit case --docs") && printed.contains("dead-letters list case"), "{printed}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Nothing is searched that is not complete.
    let printed = world.run_badly(&["es-manage", "flip", "case"], 1);
    assert!(printed.contains("fast-reindex case"), "{printed}");
}
