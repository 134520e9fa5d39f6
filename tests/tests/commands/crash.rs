//! A process that is killed in the middle loses nothing and leaves nothing over.

use std::time::{Duration, Instant};

use crate::support::World;
use serde_json::{Value, json};

fn case(number: usize, version: usize) -> Value {
    json!({"_id": format!("case-{number}"), "doc_type": "CommCareCase", "domain": "d", "type": "child", "name": format!("v{version}"),
        "filler": "x".repeat(500)})
}

#[test]
fn killed_while_following() {
    let world = World::new("killed_following");
    world.save(&(0..200).map(|number| case(number, 0)).collect::<Vec<_>>());
    world.build_all();
    for round in 1..=4_usize {
        let follower = world.follow();
        for step in 0..40 {
            let id = format!("case-{}", (round * 37 + step * 5) % 240);
            match step % 8 {
                0 if world.indexed("hqcases").contains_key(&id) && exists(&world, &id) => world.delete(&id),
                1 => world.change(&id, |document| document["domain"] = json!("demo")),
                _ => world.change(&id, |document| {
                    let version = case(0, round * 100 + step);
                    for (name, value) in
                        version.as_object().into_iter().flatten().filter(|(name, _)| *name != "_id")
                    {
                        document[name] = value.clone();
                    }
                }),
            }
        }
        // In the middle of a bulk, before a checkpoint, or after: another place each round.
        std::thread::sleep(Duration::from_millis(150 * round as u64));
        follower.kill();
    }
    world.run_well(&["run", "--until-caught-up"]);
    world.assert_equal_soon(&[]);
    assert!(world.indexed("hqcases").len() > 100);
}

#[test]
fn killed_while_loading() {
    let world = World::new("killed_loading");
    world.save(&(0..9000).map(|number| case(number, 0)).collect::<Vec<_>>());
    for _ in 0..2 {
        let before = world.written("hqcases");
        let mut loading = world.command(&["fast-reindex", "case"]).spawn().expect("the binary");
        let end = Instant::now() + Duration::from_mins(1);
        while world.written("hqcases") <= before {
            assert!(Instant::now() < end, "nothing is loaded");
            std::thread::sleep(Duration::from_millis(2));
        }
        loading.kill().expect("to kill it");
        loading.wait().expect("its end");
    }
    let status = world.run_well(&["--json", "es-manage", "status"]);
    assert!(status.contains("loading"), "it was killed while loading: {status}");
    // What changes while the load is interrupted is caught up with.
    world.delete("case-0");
    world.change("case-1", |document| document["domain"] = json!("demo"));
    world.change("case-2", |document| document["name"] = json!("changed"));
    world.build_all();
    world.assert_equal_soon(&[]);
    assert_eq!(world.indexed("hqcases").len(), 8998);
}

fn exists(world: &World, id: &str) -> bool {
    world.couch("GET", &format!("/{id}"), &Value::Null).status == 200
}
