//! Tables in `PostgreSQL`, which is installed and started here.

#![allow(clippy::unwrap_used, reason = "it is a test")]

#[path = "../../../pillowtop-fluff/tests/support/mod.rs"]
mod support;

use std::sync::{LazyLock, Mutex, PoisonError};

use pillowtop_tests::Postgres;
use sqlx::Executor as _;
use support::Clinic;

static SERVER: LazyLock<Mutex<Option<Postgres>>> = LazyLock::new(Mutex::default);

/// The address of an empty database.
async fn database(name: &str) -> String {
    let (admin, address) = {
        let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        let server = server.get_or_insert_with(|| Postgres::start(&|_| {}).unwrap());
        (server.address("postgres"), server.address(name))
    };
    let admin = sqlx::PgPool::connect(&admin).await.unwrap();
    admin.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
    address
}

// In one test, so that the server is stopped at its end: nothing drops a static.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_in_postgresql_as_in_sqlite() {
    support::contract(&database("contract").await).await;
    support::rows_follow_their_documents(&database("follow").await).await;
    support::results(&database("results").await).await;
    support::views(&database("views").await).await;
    support::reading_back(&database("reading").await).await;
    support::changes(&database("changes").await).await;
    let address = database("kills").await;
    tokio::task::spawn_blocking(move || support::kills(&address)).await.unwrap();
    drop(SERVER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// The other process of the test above.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is the process that the test above kills"]
async fn follows_until_it_is_killed() {
    let Ok(directory) = std::env::var("FLUFF_TEST_DIRECTORY") else { return };
    let address = std::env::var("FLUFF_TEST_DATABASE").unwrap();
    Clinic::at(directory.into()).follow(&address, None).await;
}
