//! Feeds of servers, and of what stands before them, that have a fault.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::live::FallBack;
use super::scripted::{END, Script, Scripted, Server, drain, request, row};
use crate::http::EndpointOptions;
use crate::source::{Feed, FeedEvent, FeedMode, Source as _};

async fn server(changes: Vec<Script>) -> Server {
    Scripted { changes, ..Scripted::default() }.start().await
}

#[tokio::test]
async fn a_page_may_take_longer_than_a_request() {
    let mut parts: Vec<String> = (0..8).map(|number| row("null", &number.to_string())).collect();
    parts.push(END.to_owned());
    let server = server(vec![Script::Parts(parts, Duration::from_millis(100))]).await;
    let options =
        EndpointOptions { request_timeout: Duration::from_millis(300), ..EndpointOptions::default() };
    let feed = server.database_with(&options).open(request(FeedMode::OneShot));
    let drained = tokio::time::timeout(Duration::from_secs(5), drain(feed)).await.unwrap();
    assert_eq!((drained.ids.len(), drained.waits), (8, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_respond_is_given_up() {
    let server = server(vec![Script::Silent, Script::text(END)]).await;
    let options = EndpointOptions { request_timeout: Duration::from_hours(1), ..EndpointOptions::default() };
    let waits = drain(server.database_with(&options).open(request(FeedMode::OneShot))).await.waits;
    assert!(waits.len() == 1 && waits[0].contains("nothing came for 60 seconds"), "{waits:?}");
}

#[tokio::test]
async fn a_torn_page_is_resumed_from_its_last_sequence() {
    let torn = row("\"a\"", "1") + &row("null", "2") + &row("\"c\"", "3") + &row("null", "4") + "{\"seq\":";
    let rest = row("null", "4") + &row("null", "5") + END;
    let server = server(vec![Script::text(torn), Script::text(rest)]).await;
    let drained = drain(server.feed(FeedMode::OneShot)).await;
    assert_eq!(drained.ids, ["1", "2", "3", "4", "4", "5"]);
    assert!(drained.waits.len() == 1 && drained.waits[0].contains("torn"), "{:?}", drained.waits);
    let requests = server.requests("/db/_changes");
    assert!(requests[0].head.contains("since=0&") && requests[1].head.contains("since=c&"));
}

#[tokio::test]
async fn the_end_of_a_feed_is_where_it_is_opened_now() {
    let server = server(vec![Script::text("{\"results\":[\n".to_owned() + END)]).await;
    let identity = request(FeedMode::OneShot).identity;
    let head = crate::source::head(&server.database(), &identity).await.unwrap();
    assert_eq!(head, "end".into());
    assert!(server.requests("/db/_changes")[0].head.contains("since=now&"));
    let other = crate::claim::DatabaseIdentity { instance_start_time: "2".to_owned(), ..identity };
    assert!(crate::source::head(&server.database(), &other).await.is_err());
}

/// A page of two rows of which the second has lost its document.
fn page_with_a_hole(hole: &str) -> Vec<Script> {
    let lost = row("\"b\"", "2").replace("\"doc\":{}", hole);
    vec![Script::text(row("\"a\"", "1") + &lost + &row("\"c\"", "3") + END)]
}

#[tokio::test]
async fn a_document_that_did_not_come_is_fetched_by_its_id() {
    for hole in ["\"doc\":null", "\"error\":\"timeout\"", "\"doc\":[]"] {
        let document = "{\"results\":[{\"id\":\"2\",\"docs\":[{\"ok\":{\"_id\":\"2\",\"_rev\":\"1-0\"}}]}]}";
        let scripted = Scripted {
            changes: page_with_a_hole(hole),
            documents: vec![Script::text(document)],
            ..Scripted::default()
        };
        let server = scripted.start().await;
        let drained = drain(server.feed(FeedMode::OneShot)).await;
        assert_eq!((drained.ids, drained.unreadable, drained.waits.len()), (ids(3), Vec::new(), 0));
        assert_eq!(server.requests("/db/_bulk_get")[0].body, "{\"docs\":[{\"id\":\"2\"}]}");
        assert_eq!(server.requests("/db/_changes").len(), 1);
    }
}

fn ids(count: usize) -> Vec<String> {
    (1..=count).map(|number| number.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_document_that_cannot_be_read_is_handed_over_as_unreadable() {
    let of = |entry: &str| format!("{{\"results\":[{{\"id\":\"2\",\"docs\":[{entry}]}}]}}");
    let missing =
        "{\"error\":{\"id\":\"2\",\"rev\":\"undefined\",\"error\":\"not_found\",\"reason\":\"missing\"}}";
    let broken = "{\"error\":{\"id\":\"2\",\"rev\":\"1-0\",\"error\":\"file_corruption\",\"reason\":\"x\"}}";
    for (response, error_type) in [
        (Script::text(of(missing)), "missing"),
        (Script::text(of(broken)), "file_corruption"),
        (Script::Status(500, "{\"error\":\"unknown_error\"}"), "read_failed"),
    ] {
        let scripted = Scripted {
            changes: page_with_a_hole("\"doc\":null"),
            documents: vec![response],
            ..Scripted::default()
        };
        let server = scripted.start().await;
        let drained = drain(server.feed(FeedMode::OneShot)).await;
        assert_eq!((drained.ids, drained.deleted), (ids(3), Vec::new()));
        assert_eq!(drained.unreadable, [("2".to_owned(), error_type.to_owned())]);
        assert_eq!(server.requests("/db/_changes").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_breaks_at_the_same_document_each_time_is_listed_without_documents() {
    let broken = row("\"a\"", "1") + "{\"error\":\"badmatch\",\"reason\":\"x\"}\n";
    let row_without = |id: &str| row("null", id).replace(",\"doc\":{}", "");
    let document =
        |id: &str| format!("{{\"id\":\"{id}\",\"docs\":[{{\"ok\":{{\"_id\":\"{id}\",\"_rev\":\"1-0\"}}}}]}}");
    let corrupt = "{\"id\":\"2\",\"docs\":[{\"error\":{\"id\":\"2\",\"rev\":\"1-0\",\"error\":\"badmatch\",\"reason\":\"x\"}}]}";
    let scripted = Scripted {
        changes: vec![
            Script::text(broken),
            Script::text("{\"error\":\"badmatch\",\"reason\":\"x\"}\n"),
            Script::text("{\"seq\":\"b\",\n"),
            Script::text(row_without("2") + &row_without("3") + END),
        ],
        documents: vec![
            Script::text(format!("{{\"results\":[{corrupt},{}]}}", document("3"))),
            Script::text(format!("{{\"results\":[{corrupt}]}}")),
        ],
        ..Scripted::default()
    };
    let server = scripted.start().await;
    let drained = drain(server.feed(FeedMode::OneShot)).await;
    assert_eq!((drained.ids, drained.waits.len()), (ids(3), 3));
    assert_eq!(drained.unreadable, [("2".to_owned(), "badmatch".to_owned())]);
    let requests = server.requests("/db/_changes");
    assert!(requests[3].head.contains("include_docs=false&since=a&"), "{requests:?}");
}

fn created_at(time: &str) -> Script {
    Script::text(format!("{{\"instance_start_time\":\"{time}\",\"update_seq\":\"s\"}}"))
}

#[tokio::test]
async fn a_database_without_a_start_time_matches_any() {
    for (stored, found) in [("0", "1700000000"), ("1700000000", "0"), ("0", "0")] {
        let info = vec![created_at(found)];
        let server = Scripted { changes: vec![Script::text(END)], info, ..Scripted::default() }.start().await;
        let mut request = request(FeedMode::OneShot);
        request.identity.instance_start_time = stored.to_owned();
        assert_eq!(drain(server.database().open(request)).await.waits, Vec::<String>::new());
    }
}

#[tokio::test]
async fn missing_start_times_are_reported_once_for_a_server() {
    let info = vec![created_at("1700000000"), created_at("0")];
    let server = Scripted { info, ..Scripted::default() }.start().await;
    let database = server.database();
    let is_reported = || database.server().lacks_start_times.load(Ordering::Relaxed);
    database.info().await.unwrap();
    assert!(!is_reported());
    database.info().await.unwrap();
    assert!(is_reported() && !database.server().note_missing_start_times());
}

#[tokio::test]
async fn a_start_time_that_a_feed_has_seen_once_is_held_against_later_ones() {
    let page = row("\"a\"", "1") + &END.replace("\"pending\":0", "\"pending\":1");
    let scripted = Scripted {
        changes: vec![Script::text(page), Script::text(""), Script::text(END)],
        info: vec![created_at("1700000000"), created_at("1700000001")],
        ..Scripted::default()
    };
    let server = scripted.start().await;
    let mut request = request(FeedMode::OneShot);
    request.identity.instance_start_time = "0".to_owned();
    let mut feed = server.database().open(request);
    let error = loop {
        if let Err(error) = feed.next().await.expect("an error") {
            break error.to_string();
        }
    };
    assert!(error.contains("created at 1700000001, not at 1700000000"), "{error}");
}

/// The id of the next row of a feed that must not report a failure.
async fn next_id(feed: &mut Feed) -> String {
    loop {
        match feed.next().await.expect("an event").unwrap() {
            FeedEvent::Rows(rows) => return rows[0].id.to_string(),
            FeedEvent::Position { .. } => {}
            FeedEvent::Waiting(reason) => panic!("{reason}"),
        }
    }
}

const HOUR: Duration = Duration::from_hours(1);

/// A response that starts and then stays open without a byte.
fn held_back() -> Script {
    Script::Parts(vec![String::new()], HOUR)
}

fn stream_of(text: &str, then_closes_after: Duration) -> Script {
    Script::Parts(vec![text.to_owned()], then_closes_after)
}

#[tokio::test(start_paused = true)]
async fn behind_a_proxy_that_buffers_changes_come_by_long_poll() {
    let server = server(vec![
        Script::text(END),
        held_back(),
        Script::text(row("\"a\"", "1") + END),
        Script::text(row("\"b\"", "2") + END),
        held_back(),
    ])
    .await;
    let mut feed = server.feed(FeedMode::Continuous);
    let start = Instant::now();
    assert_eq!((next_id(&mut feed).await, next_id(&mut feed).await), ("1".to_owned(), "2".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    let requests = server.requests("/db/_changes");
    assert!(requests[1].head.contains("feed=continuous") && requests[2].head.contains("feed=longpoll"));
    for request in requests {
        let head = request.head.to_ascii_lowercase();
        assert!(
            head.contains("accept-encoding: identity") && head.contains("x-accel-buffering: no"),
            "{head}"
        );
    }
    assert!(FallBack::Buffered.message().contains("nginx"));
}

#[tokio::test(start_paused = true)]
async fn that_a_proxy_buffers_is_found_out_once_for_all_databases_of_a_server() {
    let server =
        server(vec![Script::text(END), held_back(), Script::text(row("\"a\"", "1") + END), held_back()])
            .await;
    let database = server.database();
    assert_eq!(next_id(&mut database.open(request(FeedMode::Continuous))).await, "1");
    assert!(!database.server().note_held_back_streams());
    let before = server.requests("/db/_changes").len();
    let mut second = database.open(request(FeedMode::Continuous));
    assert!(tokio::time::timeout(Duration::from_secs(9), next_id(&mut second)).await.is_err());
    let requests = server.requests("/db/_changes");
    assert!(
        requests[before..].iter().all(|request| !request.head.contains("feed=continuous")),
        "{requests:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_closed_while_idle_is_opened_again_at_once() {
    let idle = stream_of("\n", Duration::from_secs(5));
    let last = stream_of(&row("\"a\"", "1"), HOUR);
    let server = server(vec![Script::text(END), idle.clone(), idle.clone(), idle, last]).await;
    let mut feed = server.feed(FeedMode::Continuous);
    let start = Instant::now();
    assert_eq!(next_id(&mut feed).await, "1");
    assert!(start.elapsed() < Duration::from_secs(16), "{:?}", start.elapsed());
    let requests = server.requests("/db/_changes");
    // Heartbeats come sooner each time, and the position stays.
    for (request, heartbeat) in requests[1..].iter().zip([5000, 2500, 1250, 1000]) {
        assert!(request.head.contains(&format!("heartbeat={heartbeat} ")), "{request:?}");
        assert!(request.head.contains("since=end&"), "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_closed_at_once_is_a_failure() {
    let server = server(vec![Script::text(END), Script::text("\n")]).await;
    let mut feed = server.feed(FeedMode::Continuous);
    let reason = loop {
        if let FeedEvent::Waiting(reason) = feed.next().await.expect("an event").unwrap() {
            break reason;
        }
    };
    assert!(reason.contains("ended without its last line"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_each_continuous_feed_at_once_is_not_flooded() {
    let server = server(vec![Script::text(END)]).await;
    let mut feed = server.feed(FeedMode::Continuous);
    let quiet = tokio::time::timeout(Duration::from_mins(1), next_id(&mut feed)).await;
    assert!(quiet.is_err(), "{quiet:?}");
    let requests = server.requests("/db/_changes").len();
    assert!((20..40).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_that_something_gives_up_is_made_shorter() {
    let server = server(vec![
        Script::text(END),
        Script::text(END),
        stream_of("{\"results\":[\n", Duration::from_secs(10)),
        Script::text(row("\"a\"", "1") + END),
        held_back(),
    ])
    .await;
    let mut feed = server.feed(FeedMode::Continuous);
    assert_eq!(next_id(&mut feed).await, "1");
    let requests = server.requests("/db/_changes");
    assert!(requests[2].head.contains("timeout=50000") && requests[3].head.contains("timeout=25000"));
}

#[tokio::test]
async fn a_continuous_feed_reports_that_nothing_is_pending() {
    let page = row("\"a\"", "1") + &END.replace("\"pending\":0", "\"pending\":7");
    let stream = row("\"b\"", "2") + "\n";
    let server = server(vec![Script::text(page), stream_of(&stream, HOUR)]).await;
    let mut feed = server.feed(FeedMode::Continuous);
    let mut positions = Vec::new();
    while positions.len() < 2 {
        if let FeedEvent::Position { sequence, pending } = feed.next().await.expect("an event").unwrap() {
            positions.push((sequence.to_string(), pending));
        }
    }
    assert_eq!(positions, [("end".to_owned(), Some(7)), ("b".to_owned(), Some(0))]);
}

#[tokio::test]
async fn a_busy_continuous_feed_is_read_in_pages() {
    let rows: String = (0..10_001).map(|number| row(&format!("\"{number}\""), "x")).collect();
    let server = server(vec![
        Script::text(END),
        stream_of(&rows, HOUR),
        Script::text(row("\"z\"", "last") + END),
        held_back(),
    ])
    .await;
    let mut feed = server.feed(FeedMode::Continuous);
    while next_id(&mut feed).await != "last" {}
    let page = &server.requests("/db/_changes")[2];
    assert!(page.head.contains("limit=") && page.head.contains("since=9999&"), "{page:?}");
}

#[tokio::test]
async fn a_selector_never_withholds_deletions() {
    for (mode, feed) in [(FeedMode::OneShot, "limit="), (FeedMode::Continuous, "feed=longpoll")] {
        let deletion = "{\"seq\":\"a\",\"id\":\"1\",\"changes\":[{\"rev\":\"2-0\"}],\"deleted\":true}\n";
        let server =
            server(vec![Script::text(END), Script::text(deletion.to_owned() + END), held_back()]).await;
        let mut request = request(mode);
        request.selector = Some(serde_json::json!({"doc_type": "CommCareCase"}));
        let mut events = server.database().open(request);
        if mode == FeedMode::Continuous {
            assert_eq!(next_id(&mut events).await, "1");
        } else {
            drain(events).await;
        }
        let last = server.requests("/db/_changes").pop().unwrap();
        assert!(last.head.starts_with("POST") && last.head.contains("filter=_selector"), "{last:?}");
        assert!(last.head.contains(feed), "{last:?}");
        let body: serde_json::Value = serde_json::from_str(&last.body).unwrap();
        let widened = serde_json::json!({"$or": [{"doc_type": "CommCareCase"}, {"_deleted": true}]});
        assert_eq!(body, serde_json::json!({"selector": widened}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_position_follows_when_a_server_responds_again() {
    let server =
        server(vec![Script::text(END), Script::Status(500, "{}"), Script::text(END), held_back()]).await;
    let mut feed = server.feed(FeedMode::Continuous);
    let mut events = Vec::new();
    while events.len() < 3 {
        events.push(match feed.next().await.expect("an event").unwrap() {
            FeedEvent::Waiting(_) => "waiting",
            FeedEvent::Position { .. } => "position",
            FeedEvent::Rows(_) => "rows",
        });
    }
    assert_eq!(events, ["position", "waiting", "position"]);
}
