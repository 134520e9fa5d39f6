//! A service that follows hundreds of databases.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case;
use crate::support::{World, wait_for};

const DATABASES: usize = 300;

/// Measured alone on two cores, servers included: see the assertions.
#[test]
fn three_hundred_databases_are_followed_within_a_minute() {
    let world = World::new("many");
    world.read_from(&json!([format!("{}-n*", world.prefix())]).to_string());
    let path = |number: usize| format!("/{}-n{number:03}", world.prefix());
    let create = |number: usize| {
        let created = world.couch_server("PUT", &path(number), &Value::Null);
        assert!(created.status < 300, "{created:?}");
    };
    let save = |number: usize, id: &str| {
        let saved = world.couch_server("PUT", &format!("{}/{id}", path(number)), &case(id, "one"));
        assert!(saved.status < 300, "{saved:?}");
    };
    create(0);
    save(0, "one");
    world.run_well(&["fast-reindex", "case"]);
    world.run_well(&["es-manage", "flip", "case"]);
    for number in 1..DATABASES {
        create(number);
        save(number, "one");
    }
    let count = || world.indexed("hqcases").len();

    // Those that appeared are read from their start.
    let began = Instant::now();
    let service = world.follow_some(&["case"]);
    wait_for("every database", Duration::from_mins(3), || count() == DATABASES);
    let first = began.elapsed();
    let began = Instant::now();
    assert_eq!(service.terminate(), Some(0));
    let stopped = began.elapsed();

    // And then from their positions.
    (0..DATABASES).for_each(|number| save(number, "two"));
    let began = Instant::now();
    let service = world.follow_some(&["case"]);
    wait_for("every database again", Duration::from_mins(3), || count() == 2 * DATABASES);
    let second = began.elapsed();
    service.kill();
    assert!(first < Duration::from_mins(1) && second < Duration::from_mins(1), "{first:?}, {second:?}");
    assert!(stopped < Duration::from_secs(30), "{stopped:?}");
}
