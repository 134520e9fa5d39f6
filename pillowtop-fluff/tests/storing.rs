//! Rows in a database, followed by the engine: `SQLite` here; `PostgreSQL` runs the same in the
//! end-to-end tests.

mod support;

use support::{Clinic, SqliteFile};

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_claims_keeps_its_contract() {
    let file = SqliteFile::new();
    support::contract(&file.address()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_follow_their_documents() {
    let file = SqliteFile::new();
    support::rows_follow_their_documents(&file.address()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_reduced_over_keys_dates_and_periods() {
    let file = SqliteFile::new();
    support::results(&file.address()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_flip_and_go_back() {
    let file = SqliteFile::new();
    support::views(&file.address()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_back_as_it_was_written() {
    let file = SqliteFile::new();
    support::reading_back(&file.address()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_after_they_are_committed() {
    let file = SqliteFile::new();
    support::changes(&file.address()).await;
}

/// The other process of the test below: it follows the file of changes until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is the process that the next test kills"]
async fn follows_until_it_is_killed() {
    let Ok(directory) = std::env::var("FLUFF_TEST_DIRECTORY") else { return };
    let address = std::env::var("FLUFF_TEST_DATABASE").unwrap();
    Clinic::at(directory.into()).follow(&address, None).await;
}

#[test]
fn kills_lose_nothing_and_repeat_nothing() {
    let file = SqliteFile::new();
    support::kills(&file.address());
}
