//! The states of made-up clusters.

use pillowtop_runtime::claim::Phase;
use pillowtop_runtime::target::elastic::ForeignIndex;
use serde_json::json;

use super::super::samples::{definition, followed, in_phase, index};
use super::*;

/// State, reason and next command of the pillow.
#[track_caller]
fn check(overview: &Overview, expected: (State, &str, Option<&str>)) {
    let own = definition("own");
    let feeds = BTreeMap::from([("db".into(), 1000)]);
    // 2026-01-01, an hour after the position was saved.
    let look = Look { overview, prefix: None, feeds, now: 1_767_225_600 + 3600 };
    let status = look.at(&own);
    let reason = status.reason.clone().unwrap_or_default();
    assert_eq!((status.state, status.next.as_deref()), (expected.0, expected.2), "{reason}");
    assert!(reason.contains(expected.1), "{reason}");
}

fn of(indices: Vec<IndexStatus>) -> Overview {
    Overview::of(indices)
}

#[test]
fn what_is_missing_or_loaded_is_to_be_built() {
    let (own, other) = (definition("own"), definition("other"));
    let hashed = own.hashed_alias(None);
    check(&of(Vec::new()), (State::Missing, "no index", Some("preindex case")));
    let searched = || index(&other, 1, &["cases"]);
    check(&of(vec![searched()]), (State::Missing, "another mapping", Some("preindex case")));
    let loading = || in_phase(index(&own, 1, &[hashed.as_str()]), Phase::Loading);
    check(&of(vec![loading()]), (State::Building(None), "", Some("preindex case")));
    let mut overview = of(Vec::new());
    let loading = followed(loading(), &mut overview, &json!({"pending": 570}));
    overview.indices.push(loading);
    check(&overview, (State::Building(Some(43)), "", None));
}

#[test]
fn what_is_complete_is_to_be_searched_and_followed() {
    let (own, other) = (definition("own"), definition("other"));
    let hashed = own.hashed_alias(None);
    let ready = || index(&own, 1, &[hashed.as_str()]);
    let searched = || index(&own, 1, &[hashed.as_str(), "cases"]);
    check(&of(vec![ready()]), (State::Ready, "on no index yet", Some("es-manage flip case")));
    let old = index(&other, 1, &["cases"]);
    check(&of(vec![old.clone(), ready()]), (State::Ready, "searches still use", Some("run case")));
    let mut overview = of(vec![old]);
    let ready = followed(ready(), &mut overview, &json!({"pending": 0}));
    overview.indices.push(ready);
    check(&overview, (State::Ready, "searches still use", Some("verify case")));
    let key = format!("verified:{}", overview.indices[1].uuid);
    for (missing, next) in [(0, "es-manage flip case"), (2, "verify case --repair")] {
        let found = Verified { missing, ..Verified::default() };
        overview.take(&key, &json!(found)).unwrap();
        check(&overview, (State::Ready, "searches still use", Some(next)));
    }

    check(&of(vec![searched()]), (State::NotFollowed, "no process", Some("run case")));
    for (report, expected) in [
        (json!({"pending": 0}), (State::Current, "", None)),
        (json!({"pending": 5000}), (State::Behind, "5000 changes", None)),
        (json!({"paused": "CouchDB does not respond"}), (State::Paused, "CouchDB", None)),
    ] {
        let mut overview = of(Vec::new());
        let index = followed(searched(), &mut overview, &report);
        overview.indices.push(index);
        check(&overview, expected);
    }
}

#[test]
fn what_cannot_be_used_says_why() {
    let own = definition("own");
    let hashed = own.hashed_alias(None);
    let searched = || index(&own, 1, &[hashed.as_str(), "cases"]);
    let closed = IndexStatus { health: IndexHealth::Closed, ..searched() };
    check(&of(vec![closed]), (State::Paused, "is closed", None));
    let blocked = IndexStatus { blocks: vec!["write".to_owned()], ..searched() };
    check(&of(vec![blocked]), (State::Paused, "read-only", None));
    let backfilling = IndexStatus { is_backfilling: true, ..searched() };
    check(&of(vec![backfilling]), (State::Backfilling(0), "old documents", Some("es-manage apply")));
    let mut overview = of(vec![searched()]);
    overview.foreign = vec![ForeignIndex { name: "theirs".into(), aliases: vec!["cases".into()] }];
    overview.indices[0].aliases.pop();
    check(&overview, (State::Unmanaged, "`theirs`", None));
    overview.foreign = vec![ForeignIndex { name: "cases".into(), aliases: Vec::new() }];
    check(&overview, (State::Unmanaged, "is an index", None));
}

#[test]
fn the_lag_counts_from_when_nothing_was_missing() {
    let own = definition("own");
    let lag = |overview: &Overview| {
        Look { overview, prefix: None, feeds: BTreeMap::new(), now: 1_767_225_600 + 90 }.at(&own).lag
    };
    let one = || index(&own, 1, &["cases"]);
    assert_eq!(lag(&of(vec![one()])), Some(90), "since the position was saved");
    for (report, expected) in [
        (json!({"pending": 0}), Some(0)),
        (json!({"pending": 3, "behind_since": "2026-01-01T00:01:00Z"}), Some(30)),
    ] {
        let mut overview = of(Vec::new());
        let index = followed(one(), &mut overview, &report);
        overview.indices.push(index);
        assert_eq!(lag(&overview), expected, "{report}");
    }
}
