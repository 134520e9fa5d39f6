//! Loads by ranges, from a server that responds by a script.

use std::time::Duration;

use super::load::{CouchListing, CouchLoad};
use super::scripted::{Script, Scripted, Server, drain, request};
use crate::row::Row;
use crate::source::ranges::{IdRange, Listing as _, after};
use crate::source::{Feed, FeedEvent, FeedMode, FeedRequest};

/// A page of rows, each an id with a revision, of a database of ten documents.
fn page(rows: &[(&str, &str)]) -> Script {
    let row = |(id, revision): &(&str, &str)| {
        format!("{{\"id\":\"{id}\",\"key\":\"{id}\",\"value\":{{\"rev\":\"{revision}\"}}}}")
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    Script::text(format!("{{\"total_rows\":10,\"offset\":0,\"rows\":[{}]}}", rows.join(",")))
}

/// A response of `_bulk_get`: ids and revisions; without a revision a document is not found, and
/// with one that ends in `!` it is deleted.
fn found(documents: &[(&str, &str)]) -> Script {
    let results = documents.iter().map(|(id, revision)| {
        let leaf = match (*revision, revision.strip_suffix('!')) {
            ("", _) => r#"{"error":{"error":"not_found","reason":"missing"}}"#.to_owned(),
            (_, Some(revision)) => {
                format!(r#"{{"ok":{{"_id":"{id}","_rev":"{revision}","_deleted":true}}}}"#)
            }
            (revision, None) => format!(r#"{{"ok":{{"_id":"{id}","_rev":"{revision}"}}}}"#),
        };
        format!(r#"{{"id":"{id}","docs":[{leaf}]}}"#)
    });
    let results: Vec<String> = results.collect();
    Script::text(format!("{{\"results\":[{}]}}", results.join(",")))
}

fn open(server: &Server, listing: CouchListing, range: IdRange, since: Option<&str>) -> Feed {
    let request = request(FeedMode::OneShot);
    let since = since.map_or(request.since, |id| after(&id.into()));
    CouchLoad::new(server.database(), listing).range(range).open(FeedRequest { since, ..request })
}

async fn rows_of(mut feed: Feed) -> (Vec<(String, String, bool)>, Vec<String>) {
    let (mut rows, mut positions) = (Vec::new(), Vec::new());
    while let Some(event) = feed.next().await {
        match event.unwrap() {
            FeedEvent::Rows(found) => rows.extend(
                found.into_iter().map(|row: Row| (row.id.to_string(), row.revision.to_string(), row.deleted)),
            ),
            FeedEvent::Position { sequence, .. } => positions.push(sequence.to_string()),
            FeedEvent::Waiting(_) => {}
        }
    }
    (rows, positions)
}

fn row(id: &str, revision: &str) -> (String, String, bool) {
    (id.to_owned(), revision.to_owned(), false)
}

#[tokio::test]
async fn ids_are_listed_and_their_documents_fetched() {
    let listings = vec![page(&[("a", "1-a"), ("b", "2-b")])];
    let documents = vec![found(&[("a", "1-a"), ("b", "3-c")])];
    let server = Scripted { documents, listings, ..Scripted::default() }.start().await;
    let (rows, positions) = rows_of(open(&server, CouchListing::Ids, IdRange::default(), None)).await;
    assert_eq!(rows, [row("a", "1-a"), row("b", "3-c")], "a later revision is what the document is now");
    assert_eq!(positions, ["after:b"]);
    assert!(!server.requests("/db/_all_docs")[0].head.contains("include_docs"));
}

#[tokio::test]
async fn a_range_resumes_after_a_document_and_ends_before_another() {
    let listings = vec![page(&[("b", "1-a"), ("c", "1-a")])];
    let documents = vec![found(&[("c", "1-a")])];
    let server = Scripted { documents, listings, ..Scripted::default() }.start().await;
    let range = IdRange { from: Some("a".into()), to: Some("d\"".into()) };
    let (rows, _) = rows_of(open(&server, CouchListing::Ids, range, Some("b"))).await;
    assert_eq!(rows, [row("c", "1-a")]);
    let head = &server.requests("/db/_all_docs")[0].head;
    assert!(head.contains("startkey=%22b%22&endkey=%22d%5C%22%22&inclusive_end=false"), "{head}");
}

#[tokio::test]
async fn an_older_document_than_the_listed_one_is_requested_again() {
    let listings = vec![page(&[("a", "2-x"), ("b", "2-x")])];
    let documents = vec![
        found(&[("a", "1-a"), ("b", "")]),
        // By the revision that is listed: `a` at last, `b` after the listing is read once more.
        found(&[("a", "2-x")]),
        found(&[("b", "")]),
        found(&[("b", "2-x")]),
    ];
    let server = Scripted { documents, listings, ..Scripted::default() }.start().await;
    let range = IdRange { from: Some("a".into()), to: None };
    // The listing of `b` alone.
    let feed = open(&server, CouchListing::Ids, range, None);
    let (rows, _) = rows_of(feed).await;
    assert_eq!(rows[0], row("a", "2-x"));
    assert!(rows.contains(&row("b", "2-x")), "{rows:?}");
    let requests = server.requests("/db/_bulk_get?latest=true");
    assert!(requests[0].body.contains("\"rev\":\"2-x\""), "{}", requests[0].body);
}

#[tokio::test]
async fn a_listed_revision_that_was_deleted_beside_another_is_the_other() {
    let listings = vec![page(&[("a", "3-x")]), page(&[("a", "2-y")])];
    let documents = vec![found(&[("a", "2-y")]), found(&[("a", "4-x!")]), found(&[("a", "2-y")])];
    let server = Scripted { documents, listings, ..Scripted::default() }.start().await;
    let (rows, _) = rows_of(open(&server, CouchListing::Ids, IdRange::default(), None)).await;
    assert_eq!(rows, [row("a", "2-y")]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_not_listed_any_more_is_missing() {
    let listings = vec![page(&[("a", "1-x")]), page(&[("b", "1-x")])];
    let documents = vec![found(&[("a", "")])];
    let server = Scripted { documents, listings, ..Scripted::default() }.start().await;
    let (rows, _) = rows_of(open(&server, CouchListing::Ids, IdRange::default(), None)).await;
    assert_eq!(rows, [("a".to_owned(), String::new(), true)]);
}

#[tokio::test]
async fn documents_of_all_docs_are_checked_too() {
    let text = r#"{"total_rows":2,"rows":[
        {"id":"a","key":"a","value":{"rev":"1-a"},"doc":{"_id":"a","_rev":"1-a"}},
        {"id":"b","key":"b","value":{"rev":"2-b"},"doc":{"_id":"b","_rev":"1-b"}},
        {"id":"c","key":"c","value":{"rev":"1-c"},"doc":null}]}"#;
    let documents = vec![found(&[("b", "2-b"), ("c", "1-c")])];
    let server =
        Scripted { listings: vec![Script::text(text)], documents, ..Scripted::default() }.start().await;
    let (rows, _) = rows_of(open(&server, CouchListing::AllDocs, IdRange::default(), None)).await;
    assert_eq!(rows, [row("a", "1-a"), row("b", "2-b"), row("c", "1-c")]);
    assert!(server.requests("/db/_all_docs")[0].head.contains("include_docs=true"));
}

#[tokio::test]
async fn a_view_is_read_without_documents_and_waited_for_while_it_is_built() {
    let built = r#"{"total_rows":1,"rows":[{"id":"a","key":"a","value":"1-a"}]}"#;
    let listings = vec![Script::Status(500, r#"{"error":"timeout"}"#), Script::text(built)];
    let documents = vec![found(&[("a", "1-a")])];
    let server = Scripted { documents, listings, ..Scripted::default() }.start().await;
    let view = CouchListing::View("pillowtop/cases".parse().unwrap());
    let drained = drain(open(&server, view.clone(), IdRange::default(), None)).await;
    assert_eq!((drained.ids.len(), drained.waits.len()), (1, 1));
    let head = &server.requests("/db/_design/pillowtop/_view/cases")[0].head;
    assert!(head.contains("reduce=false") && !head.contains("include_docs"), "{head}");
    let other = r#"{"total_rows":1,"rows":[{"id":"a","key":"x","value":"1-a"}]}"#;
    let server = Scripted { listings: vec![Script::text(other)], ..Scripted::default() }.start().await;
    let mut feed = open(&server, view, IdRange::default(), None);
    let error = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Some(Err(error)) = feed.next().await {
                return error.to_string();
            }
        }
    });
    assert!(error.await.unwrap().contains("is not the id of its document"));
}

#[tokio::test]
async fn another_database_of_the_same_name_is_not_loaded() {
    let info = vec![Script::text(r#"{"instance_start_time":"2","update_seq":"s"}"#)];
    let server = Scripted { info, listings: vec![page(&[])], ..Scripted::default() }.start().await;
    let mut feed = open(&server, CouchListing::Ids, IdRange::default(), None);
    let error = feed.next().await.unwrap().unwrap_err().to_string();
    assert!(error.contains("created at 2, not at 1"), "{error}");
    assert!(server.requests("/db/_all_docs").is_empty());
}

#[tokio::test]
async fn boundaries_are_found_by_their_places_in_the_listing() {
    let listings = vec![page(&[("a", "1-a")]), page(&[("d", "1-a")]), page(&[("g", "1-a")]), page(&[])];
    let server = Scripted { listings, ..Scripted::default() }.start().await;
    let load = CouchLoad::new(server.database(), CouchListing::Ids);
    let boundaries = load.boundaries(3).await.unwrap();
    assert_eq!(boundaries, ["d".into(), "g".into()]);
    let requests = server.requests("/db/_all_docs");
    assert!(requests[2].head.contains("limit=1&startkey=%22d%22&skip=3"), "{}", requests[2].head);
}
