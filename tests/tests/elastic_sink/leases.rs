//! Who may write.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pillowtop_runtime::sink::elastic::{AcquireError, AcquireOptions, OwnedIndex, WhenHeld};
use pillowtop_runtime::{ItemOutcome, Member, Phase, Sink as _, SinkError, WriteError, WriteMode};
use serde_json::{Value, json};

use crate::world::{World, delete, put};

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_position_survives_its_owner() {
    let world = World::new("position").await;
    let owned = world.acquire("first").await;
    assert_eq!(owned.state().phase, Phase::Loading);
    owned.save(Some("l1".into())).await.unwrap();
    owned.enter(Phase::CatchingUp).await.unwrap();
    assert_eq!(owned.state().position(), "s0".into());
    owned.save(Some("s1".into())).await.unwrap();
    owned.enter(Phase::Following).await.unwrap();
    owned.save(None).await.unwrap();
    let (ceiling, state) = (owned.versions().ceiling(), owned.state());
    assert_eq!(state.position(), "s1".into());
    owned.release().await.unwrap();
    assert_eq!(world.control()["owner"], Value::Null);

    let refused = owned.write(&[delete("x", ceiling)], WriteMode::Follow).await;
    assert!(matches!(refused, Err(WriteError::LeaseLost(_))), "{refused:?}");
    assert!(matches!(owned.save(None).await, Err(SinkError::LeaseLost { .. })));

    let again = world.acquire("second").await;
    assert_eq!(again.state().position(), "s1".into());
    assert!(again.versions().stamp().unwrap() > ceiling);
    assert_eq!(put(&again, "x", &json!({})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_is_there_is_named() {
    let world = World::new("named").await;
    let owned = world.acquire("host-a: run").await;
    let alive = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            owned.save(None).await.unwrap();
        }
    };
    let refused = tokio::select! {
        taken = world.try_acquire("host-b", LEASE, WhenHeld::Fail) => taken.unwrap_err(),
        () = alive => unreachable!(),
    };
    assert!(matches!(refused, AcquireError::Held { .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("host-a: run") && text.contains("alive") && text.contains("30s"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_is_gone_is_waited_for_a_lease_and_no_longer() {
    let world = World::new("gone").await;
    let short = Duration::from_secs(2);
    let gone = world.try_acquire("another machine", short, WhenHeld::Fail).await.unwrap();
    let began = Instant::now();
    let owned = world.try_acquire("next", LEASE, WhenHeld::Fail).await.unwrap();
    assert!(began.elapsed() >= short, "it was taken after {:?}", began.elapsed());
    assert_eq!(put(&owned, "x", &json!({})).await, ItemOutcome::Done);
    assert!(matches!(gone.save(None).await, Err(SinkError::LeaseLost { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_and_that_nobody_took_is_renewed() {
    let world = World::new("ran_out").await;
    let owned = world.try_acquire("owner", Duration::from_secs(1), WhenHeld::Fail).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let operation = [delete("x", owned.versions().stamp().unwrap())];
    let held = owned.write(&operation, WriteMode::Follow).await;
    assert!(matches!(held, Err(WriteError::Held(_))), "{held:?}");
    owned.renew().await.unwrap();
    assert_eq!(owned.write(&operation, WriteMode::Follow).await, Ok(vec![ItemOutcome::Done]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_keeps_its_lease_without_a_session() {
    let world = World::new("kept").await;
    let owned = world.try_acquire("owner", Duration::from_secs(2), WhenHeld::Fail).await.unwrap();
    let owned = Arc::new(owned);
    let pillow = Arc::clone(&commcare::registry().pillows()[0]);
    let member = Member::new(pillow, Arc::clone(&owned) as Arc<_>);
    tokio::select! {
        taken = world.try_acquire("standby", LEASE, WhenHeld::Standby) => panic!("{taken:?}"),
        () = tokio::time::sleep(Duration::from_secs(5)) => {}
    }
    assert_eq!(put(&owned, "x", &json!({})).await, ItemOutcome::Done);
    drop(member);
    let next = world.try_acquire("standby", LEASE, WhenHeld::Standby).await.unwrap();
    assert_eq!(put(&next, "x", &json!({})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_runs_out_and_the_sleeper_sends_nothing() {
    let world = World::new("sleeper").await;
    let short = Duration::from_secs(2);
    let sleeper = world.try_acquire("sleeper", short, WhenHeld::Fail).await.unwrap();
    let old_alias = sleeper.write_alias();
    let began = Instant::now();
    let owned = world.try_acquire("standby", LEASE, WhenHeld::Standby).await.unwrap();
    assert!(began.elapsed() >= short, "it was taken after {:?}", began.elapsed());
    let late = sleeper.write(&[delete("x", sleeper.versions().stamp().unwrap())], WriteMode::Follow).await;
    assert!(matches!(late, Err(WriteError::Held(_))), "{late:?}");
    assert!(matches!(sleeper.save(None).await, Err(SinkError::LeaseLost { .. })));
    assert_ne!(owned.write_alias(), old_alias);
    assert_eq!(put(&owned, "x", &json!({})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_renewed_is_not_taken() {
    let world = World::new("renewed").await;
    let short = Duration::from_secs(2);
    let owned = world.try_acquire("owner", short, WhenHeld::Fail).await.unwrap();
    let renewing = async {
        for _ in 0..10 {
            tokio::time::sleep(short / 4).await;
            owned.save(None).await.unwrap();
        }
    };
    tokio::select! {
        taken = world.try_acquire("standby", LEASE, WhenHeld::Standby) => panic!("{taken:?}"),
        () = renewing => {}
    }
    assert_eq!(put(&owned, "x", &json!({})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_within_its_lease_is_fenced() {
    let world = World::new("zombie").await;
    let zombie = world.acquire("zombie").await;
    assert_eq!(put(&zombie, "x", &json!({"count": 1})).await, ItemOutcome::Done);
    let amended = world.cluster.amend_state(world.index(), |state| {
        state.enter(Phase::Following);
        state.set_position("rewound".into(), "2026-01-01T00:00:00Z");
    });
    assert!(amended.await.unwrap());
    let owned = world.acquire("next").await;
    assert_eq!(owned.state().position(), "rewound".into());
    assert_eq!(put(&owned, "x", &json!({"count": 2})).await, ItemOutcome::Done);
    for _ in 0..2 {
        let zombie_write = [delete("x", zombie.versions().stamp().unwrap())];
        match zombie.write(&zombie_write, WriteMode::Follow).await {
            Ok(outcomes) => assert!(matches!(outcomes[..], [ItemOutcome::Fenced { .. }]), "{outcomes:?}"),
            Err(error) => assert!(matches!(error, WriteError::LeaseLost(_)), "{error:?}"),
        }
    }
    let lost = zombie.save(Some("zombie".into())).await.unwrap_err();
    assert!(lost.to_string().contains("next"), "{lost}");
    assert_eq!(world.document("x").await, Some(json!({"count": 2})));
    assert_eq!(owned.state().position(), "rewound".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_need_not_be_waited_for() {
    let world = World::new("dead").await;
    let owned = world.acquire("dead").await;
    drop(owned);
    let mut control = world.control();
    let started = control["owner"]["start_ticks"].as_u64();
    let Some(started) = started else { return }; // Only where processes can be told apart.
    control["owner"]["start_ticks"] = json!(started - 1);
    world.http("PUT", &world.control_path(), &control, 200);
    let owned = world.acquire("next").await;
    assert_eq!(put(&owned, "x", &json!({})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_whose_answer_was_lost_does_not_lose_the_lease() {
    let world = World::new("lost").await;
    let owned = world.acquire("owner").await;
    // As if an earlier save had arrived without its answer.
    let mut control = world.control();
    control["state"]["load"]["position"] = json!("l7");
    world.http("PUT", &world.control_path(), &control, 200);
    owned.save(None).await.unwrap();
    assert_eq!(owned.state().position(), "l7".into());
    assert_eq!(world.control()["state"]["load"]["position"], json!("l7"));
    assert_eq!(put(&owned, "x", &json!({})).await, ItemOutcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_index_is_not_gone_on_with() {
    let world = World::new("restored").await;
    let owned = world.acquire("owner").await;
    owned.release().await.unwrap();
    let mut control = world.control();
    control["shards"]["0"] = json!("another history");
    world.http("PUT", &world.control_path(), &control, 200);
    let refused = world.try_acquire("next", LEASE, WhenHeld::Fail).await.unwrap_err();
    assert!(matches!(refused, AcquireError::IdentityChanged { .. }), "{refused:?}");
    assert!(refused.to_string().contains("start anew"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stored_state_nothing_is_assumed() {
    let world = World::new("nostate").await;
    let acquire = async |initial| {
        let options = AcquireOptions { when_held: WhenHeld::Fail, ..AcquireOptions::new("owner") };
        OwnedIndex::acquire(&world.cluster, &world.definition, world.index(), options, initial).await
    };
    let refused = acquire(None).await.unwrap_err();
    assert!(matches!(refused, AcquireError::NoState(_)), "{refused:?}");
    let first = acquire(Some(world.state())).await.unwrap();

    // The control index is lost: the epoch still rises, as the alias tells the last one.
    let name = format!("{}-pillowtop-control", world.cluster.prefix().unwrap());
    world.http("DELETE", &format!("/{name}"), &Value::Null, 200);
    assert!(first.save(None).await.is_err());
    world.http("GET", &format!("/{name}/_settings"), &Value::Null, 404);
    let second = acquire(Some(world.state())).await.unwrap();
    assert_ne!(first.write_alias(), second.write_alias());
    let outcomes = first.write(&[delete("x", first.versions().stamp().unwrap())], WriteMode::Follow).await;
    assert!(matches!(outcomes.as_deref(), Ok([ItemOutcome::Fenced { .. }])), "{outcomes:?}");
}
