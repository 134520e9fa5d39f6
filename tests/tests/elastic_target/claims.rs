//! Who may write.

use std::time::{Duration, Instant};

use pillowtop_runtime::claim::{
    AcquireError, AcquireOptions, ClaimError, Fence as _, FenceError, Phase, Slice, WhenHeld,
};
use pillowtop_runtime::target::elastic::{Cluster, IndexFence, IndexUse};
use pillowtop_runtime::target::{Destination as _, OpenError};
use pillowtop_runtime::{Outcome, WriteError};
use serde_json::{Value, json};

use crate::world::{LEASE, Owner, World, database, delete, endpoint, options};

/// An owner in a runtime of its own, which runs only while it is used: it sleeps between.
struct Sleeper {
    runtime: Option<tokio::runtime::Runtime>,
    owner: Owner,
}

impl Sleeper {
    fn start(world: &World, test: &str, length: Duration) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let owner = tokio::task::block_in_place(|| {
            runtime.block_on(async {
                // Connections belong to the runtime that opened them.
                let cluster = Cluster::connect(endpoint(), options(test)).await.unwrap();
                let own = World { cluster, ..world.again() };
                own.try_acquire("sleeper", length, WhenHeld::Fail).await.unwrap()
            })
        });
        Self { runtime: Some(runtime), owner }
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Owner) -> T) -> T {
        tokio::task::block_in_place(|| self.runtime.as_ref().unwrap().block_on(work(&self.owner)))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // A runtime that waits for its tasks must not be dropped where another one runs.
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn acquire_error(error: OpenError) -> AcquireError {
    match error {
        OpenError::Acquire(error) => error,
        error => panic!("{error:?}"),
    }
}

fn is_lost<T>(result: &Result<T, ClaimError>) -> bool {
    matches!(result, Err(ClaimError::Lost { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_survives_its_owner() {
    let world = World::new("position").await;
    let owner = world.acquire("first").await;
    let claim = owner.claim();
    assert_eq!(claim.state().phase, Phase::Loading);
    claim.save(Some("l1".into())).await.unwrap();
    owner.follow().await;
    assert_eq!(claim.state().position(), "l1".into());
    claim.save(Some("s1".into())).await.unwrap();
    let (ceiling, state) = (claim.versions().ceiling(), claim.state());
    assert_eq!(state.position(), "s1".into());
    claim.release().await.unwrap();
    assert_eq!(world.claim().await["owner"], Value::Null);

    let refused = owner.opened.target.write(&[delete("x", ceiling)]).await;
    assert!(matches!(refused, Err(WriteError::ClaimLost(_))), "{refused:?}");
    assert!(is_lost(&claim.save(None).await));

    let again = world.acquire("second").await;
    assert_eq!(again.claim().state().position(), "s1".into());
    assert!(again.stamp() > ceiling);
    assert_eq!(again.put("x", &json!({})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_owner_is_named() {
    let world = World::new("named").await;
    let _owner = world.try_acquire("host-a: run", Duration::from_secs(3), WhenHeld::Fail).await.unwrap();
    let refused = acquire_error(world.try_acquire("host-b", LEASE, WhenHeld::Fail).await.unwrap_err());
    assert!(matches!(refused, AcquireError::Held { .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("host-a: run") && text.contains("alive") && text.contains("3s"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeper_is_waited_for_a_lease_and_sends_nothing_after_it() {
    let world = World::new("sleeper").await;
    let short = Duration::from_secs(2);
    let sleeper = Sleeper::start(&world, "sleeper", short);
    let old_alias = sleeper.owner.write_alias();
    let began = Instant::now();
    let owner = world.try_acquire("standby", LEASE, WhenHeld::Standby).await.unwrap();
    assert!(began.elapsed() >= short, "it was taken after {:?}", began.elapsed());
    assert_ne!(owner.write_alias(), old_alias);
    assert!(!world.aliases().contains(&old_alias));
    let late = sleeper.run(async |owner| owner.opened.target.write(&[delete("x", owner.stamp())]).await);
    assert!(matches!(late, Err(WriteError::Blocked(_) | WriteError::ClaimLost(_))), "{late:?}");
    assert!(is_lost(&sleeper.run(async |owner| owner.claim().save(None).await)));
    assert_eq!(owner.put("x", &json!({})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_within_its_lease_is_fenced() {
    let world = World::new("zombie").await;
    let zombie = world.acquire("zombie").await;
    assert_eq!(zombie.put("x", &json!({"count": 1})).await, Outcome::Done);
    // As a checkpoint is set from outside.
    world
        .amend(|claim| {
            claim["owner"] = Value::Null;
            claim["state"]["phase"] = json!("following");
            claim["state"]["load"] = Value::Null;
            claim["state"]["checkpoint"] = json!("rewound");
        })
        .await;
    let owner = world.acquire("next").await;
    assert_eq!(owner.claim().state().position(), "rewound".into());
    assert_eq!(owner.put("x", &json!({"count": 2})).await, Outcome::Done);
    for _ in 0..2 {
        match zombie.opened.target.write(&[delete("x", zombie.stamp())]).await {
            Ok(outcomes) => assert!(matches!(outcomes[..], [Outcome::Fenced { .. }]), "{outcomes:?}"),
            Err(error) => assert!(matches!(error, WriteError::ClaimLost(_)), "{error:?}"),
        }
    }
    let lost = zombie.claim().save(Some("zombie".into())).await.unwrap_err();
    assert!(lost.to_string().contains("next"), "{lost}");
    assert_eq!(world.document("x").await, Some(json!({"count": 2})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_need_not_be_waited_for() {
    let world = World::new("dead").await;
    drop(world.acquire("dead").await);
    let started = world.claim().await["owner"]["start_ticks"].as_u64();
    let Some(started) = started else { return }; // Only where processes can be told apart.
    world.amend(|claim| claim["owner"]["start_ticks"] = json!(started - 1)).await;
    let owner = world.acquire("next").await;
    assert_eq!(owner.put("x", &json!({})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_whose_response_was_lost_does_not_lose_the_claim() {
    let world = World::new("lost").await;
    let owner = world.acquire("owner").await;
    // As if an earlier save had arrived without its response.
    world.amend(|claim| claim["state"]["load"]["position"] = json!("l7")).await;
    owner.claim().save(None).await.unwrap();
    assert_eq!(owner.claim().state().position(), "l7".into());
    assert_eq!(world.claim().await["state"]["load"]["position"], json!("l7"));
    assert_eq!(owner.put("x", &json!({})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_index_is_not_continued() {
    let world = World::new("restored").await;
    let owner = world.acquire("owner").await;
    owner.claim().release().await.unwrap();
    world.amend(|claim| claim["histories"]["0"] = json!("another history")).await;
    let refused = acquire_error(world.try_acquire("next", LEASE, WhenHeld::Fail).await.unwrap_err());
    assert!(matches!(refused, AcquireError::IdentityChanged { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_alias_and_a_removed_claim_are_repaired() {
    let world = World::new("repaired").await;
    let owner = world.acquire("owner").await;
    let alias = owner.write_alias();
    world.http("DELETE", &format!("/{}/_alias/{alias}", world.index()), &Value::Null, 200);
    let outcome = owner.put("x", &json!({"count": 1})).await;
    assert!(
        matches!(&outcome, Outcome::Busy { reason } if reason.contains("installed again")),
        "{outcome:?}"
    );
    assert_eq!(owner.put("x", &json!({"count": 1})).await, Outcome::Done);
    assert!(world.aliases().contains(&alias));

    // The control index too. While the fence is ours, so is the claim.
    let name = format!("{}-pillowtop-control", world.cluster.prefix().unwrap());
    world.http("DELETE", &format!("/{name}"), &Value::Null, 200);
    owner.claim().save(Some("l1".into())).await.unwrap();
    assert_eq!(world.claim().await["state"]["load"]["position"], json!("l1"));
    let mapping = world.http("GET", &format!("/{name}/_mapping"), &Value::Null, 200);
    assert_eq!(mapping[&name]["mappings"]["properties"]["key"]["type"], json!("keyword"));
    assert_eq!(owner.put("x", &json!({"count": 2})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stored_state_nothing_is_assumed() {
    let world = World::new("nostate").await;
    let refused = world.open(&world.destination("owner").await, WhenHeld::Fail, None).await.unwrap_err();
    assert!(matches!(acquire_error(refused), AcquireError::NoState(_)));
    let first = world.acquire("first").await;
    // The control index is lost, and another process is faster: the epoch still rises, as the alias
    // has the last one.
    let name = format!("/{}-pillowtop-control", world.cluster.prefix().unwrap());
    world.http("DELETE", &name, &Value::Null, 200);
    let second = world.acquire("second").await;
    assert!(second.claim().epoch() > first.claim().epoch());
    let outcomes = first.write(&[delete("x", first.stamp())]).await;
    assert!(matches!(outcomes[..], [Outcome::Fenced { .. }]), "{outcomes:?}");
    assert_eq!(second.put("x", &json!({})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_built_again_refuses_its_old_owner() {
    let mut world = World::new("again").await;
    let old = world.acquire("old").await;
    let old_alias = old.write_alias();
    world.cluster.delete_index(world.index()).await.unwrap();
    let name = world.index().clone();
    world.created = world.cluster.create_index(&world.definition, IndexUse::Following).await.unwrap();
    assert_eq!(world.index(), &name);
    let new = world.acquire("new").await;
    assert_eq!(new.claim().epoch(), old.claim().epoch(), "epochs start again");
    assert_ne!(new.write_alias(), old_alias);
    assert_eq!(new.put("x", &json!({"count": 1})).await, Outcome::Done);
    let outcomes = old.write(&[delete("x", old.stamp())]).await;
    let [Outcome::Fenced { reason }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(reason.contains("was deleted; run `fast-reindex case`"), "{reason}");
    assert!(old.claim().lost().is_some());
    assert_eq!(world.document("x").await, Some(json!({"count": 1})));
    // An alias that a snapshot brought back is removed by the next owner.
    world.http("PUT", &format!("/{name}/_alias/{old_alias}"), &Value::Null, 200);
    new.claim().release().await.unwrap();
    let next = world.acquire("next").await;
    assert!(!world.aliases().contains(&old_alias));
    assert_eq!(next.put("x", &json!({"count": 2})).await, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_of_an_index_have_owners_of_their_own() {
    let world = World::new("sliced").await;
    let slice = |name: &str| Slice::Database(name.into());
    let destination = world.destination("owner").await.with_slices(vec![slice("a"), slice("b")]);
    let open = async |name: &str| {
        let options = AcquireOptions::default();
        destination.open(&world.target(), slice(name), Some(database()), options).await.unwrap()
    };
    let first = open("a").await;
    assert!(matches!(destination.targets().await, Err(OpenError::NotReady { .. })));
    let second = open("b").await;
    assert_eq!(destination.targets().await.unwrap(), [world.target()]);
    for opened in [&first, &second] {
        let operation = delete("x", opened.claim.versions().stamp().unwrap());
        let outcomes = opened.target.write(&[operation]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Absent]);
    }
    assert_eq!(world.aliases().iter().filter(|alias| alias.contains(".W")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_knows_its_index_from_another_one() {
    let world = World::new("fence").await;
    let fence = |uuid: &str| {
        IndexFence::new(&world.cluster, world.index(), uuid, &Slice::Whole, &world.definition.pillow)
    };
    let own = fence(&world.created.uuid);
    assert_eq!(own.installed().await, Ok(0));
    own.install(3).await.unwrap();
    own.install(3).await.unwrap();
    assert_eq!(own.installed().await, Ok(3));
    assert!(matches!(own.install(2).await, Err(FenceError::Overtaken(_))));
    assert_eq!(own.histories().await.unwrap().len(), 1);
    let other = fence("AnotherUuidThatNoIndexHas");
    for result in
        [other.install(9).await, other.installed().await.map(drop), other.histories().await.map(drop)]
    {
        assert!(matches!(result, Err(FenceError::TargetGone(_))), "{result:?}");
    }
}
