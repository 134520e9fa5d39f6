//! Indicators in the documents of a CouchDB-like server, and in copies of them.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod defined;
mod example;
mod related;
mod separate;
mod watched;
mod world;

use std::sync::Arc;

use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_documents() {
    let world = World::new();
    let store = world.destination_of::<world::Plain>(&world::options()).claim_store();
    world.database("pillowtop").create().await.unwrap();
    pillowtop_runtime::claim::store_contract::holds(Arc::new(store)).await;
}
