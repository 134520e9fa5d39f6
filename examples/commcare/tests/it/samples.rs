//! That the samples are what they say: the rows of a feed, and a summary that the pillows agree
//! with.

use std::collections::BTreeMap;
use std::net::IpAddr;

use commcare::samples::{self, Step, Summary};
use commcare::value::HqDate;
use pillowtop::{ProcessError, Verdict};
use serde_json::Value;

use crate::{pillows_of, process_by};

/// The paths at which a `_source` holds what its mapping cannot take: what a server would refuse it
/// for.
fn misfits(mapping: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| misfits(mapping, item, path, found));
    }
    if let Some(properties) = mapping["properties"].as_object() {
        match value {
            Value::Object(_) => {
                for (name, property) in properties {
                    misfits(property, &value[name], &format!("{path}.{name}"), found);
                }
            }
            Value::Null => {}
            _ => found.push(path.to_owned()),
        }
        return;
    }
    let fits = match (mapping["type"].as_str(), value) {
        (_, Value::Null) | (Some("object"), _) => true,
        (Some("date"), Value::String(text)) => {
            HqDate::new(text.clone()).as_str() == text && HqDate::new(text.clone()).is_valid()
        }
        (Some("ip"), Value::String(text)) => text.parse::<IpAddr>().is_ok(),
        (Some("geo_point"), Value::String(text)) => text.split(',').count() == 2,
        (Some("boolean"), value) => value.is_boolean(),
        (Some("integer" | "long"), value) => value.is_i64(),
        (Some("double"), Value::String(text)) => text.parse::<f64>().is_ok(),
        (Some("double"), value) => value.is_number(),
        (Some("keyword" | "text"), value) => !value.is_object(),
        _ => false,
    };
    if !fits {
        found.push(path.to_owned());
    }
}

fn summary_of<'a>(summaries: &'a [Summary], pillow: &str) -> &'a Summary {
    summaries.iter().find(|summary| summary.pillow == pillow).unwrap()
}

#[test]
fn the_pillows_make_of_the_last_documents_what_the_summary_says() {
    let summaries = samples::summary();
    let documents = samples::documents();
    let mut indexed = BTreeMap::<&str, usize>::new();
    let mut dead = BTreeMap::<&str, usize>::new();
    for document in &documents {
        for pillow in pillows_of(document["doc_type"].as_str().unwrap_or_default()) {
            let definition = pillow.definition();
            let summary = summary_of(&summaries, definition.pillow.as_str());
            let id = document["_id"].as_str().unwrap();
            match process_by(pillow.as_ref(), document) {
                Ok((Verdict::Index, source)) => {
                    let mut found = Vec::new();
                    misfits(&definition.mappings, &source, "", &mut found);
                    assert_eq!(summary.indexed.contains(id), found.is_empty(), "{id}: {found:?}");
                    assert_eq!(summary.rejected.contains(id), !found.is_empty(), "{id}: {found:?}");
                    let counts = if found.is_empty() { &mut indexed } else { &mut dead };
                    *counts.entry(summary.pillow).or_default() += 1;
                }
                Ok(_) => assert!(!summary.indexed.contains(id) && !summary.rejected.contains(id), "{id}"),
                Err(ProcessError::Decode(_)) => {
                    assert!(summary.undecodable.contains(id), "{id}");
                    *dead.entry(summary.pillow).or_default() += 1;
                }
                Err(error) => panic!("{id}: {error}"),
            }
        }
    }
    for summary in &summaries {
        assert_eq!(indexed.get(summary.pillow), Some(&summary.indexed.len()), "{}", summary.pillow);
        assert_eq!(
            dead.get(summary.pillow).copied().unwrap_or_default(),
            summary.dead_letters(),
            "{}",
            summary.pillow
        );
        assert!(summary.indexed.len() >= 3, "{summary:?}");
    }
}

#[test]
fn there_are_a_few_hundred_documents_of_every_kind() {
    let (documents, changes, summaries) = (samples::documents(), samples::changes(), samples::summary());
    assert!((200..600).contains(&documents.len()), "{}", documents.len());
    assert!(changes.len() > documents.len() + 50, "{} changes", changes.len());
    for doc_type in [
        "Domain-DUPLICATE",
        "Domain-Deleted",
        "Group-Deleted",
        "Application",
        "Application-Deleted",
        "RemoteApp",
        "WebUser",
        "CommCareUser-Deleted",
        "CommCareCase-Deleted",
        "XFormInstance-Deleted",
        "XFormArchived",
        "XFormDuplicate",
    ] {
        assert!(documents.iter().any(|document| document["doc_type"] == doc_type), "{doc_type}");
    }
    let registered: Vec<String> =
        commcare::registry().pillows().iter().map(|pillow| pillow.definition().pillow.to_string()).collect();
    assert_eq!(summaries.iter().map(|summary| summary.pillow).collect::<Vec<_>>(), registered);
    assert!(summaries.iter().any(|summary| !summary.rejected.is_empty()));
    assert!(summaries.iter().any(|summary| !summary.undecodable.is_empty()));
}

#[test]
fn changes_are_rows_of_a_feed_that_end_in_the_documents() {
    let mut generations = BTreeMap::<String, u64>::new();
    let mut last = BTreeMap::<String, Value>::new();
    let changes = samples::changes();
    assert_eq!(changes, samples::changes());
    for (position, line) in changes.iter().enumerate() {
        assert!(!line.contains('\n'));
        let mut row: Value = serde_json::from_str(line).unwrap();
        let id = row["id"].as_str().unwrap().to_owned();
        assert!(row["seq"].as_str().unwrap().starts_with(&format!("{}-", position + 1)), "{line}");
        let revision = row["changes"][0]["rev"].as_str().unwrap().to_owned();
        let generation = generations.entry(id.clone()).or_default();
        *generation += 1;
        assert!(revision.starts_with(&format!("{generation}-")) && revision.len() > 33, "{revision}");
        assert_eq!((&row["doc"]["_id"], &row["doc"]["_rev"]), (&row["id"], &row["changes"][0]["rev"]));
        assert_eq!(row.get("deleted").is_some(), row["doc"]["_deleted"] == true);
        let mut document = row["doc"].take();
        document.as_object_mut().unwrap().remove("_rev");
        last.insert(id, document);
    }
    last.retain(|_, document| document["_deleted"] != true);
    assert_eq!(last.into_values().collect::<Vec<_>>(), samples::documents());
    assert_eq!(samples::steps().len(), changes.len());
}

#[test]
fn steps_save_documents_without_a_revision_and_delete_what_is_there() {
    let mut there = std::collections::BTreeSet::new();
    for step in samples::steps() {
        match step {
            Step::Save(document) => {
                assert!(document.get("_rev").is_none() && document.get("_attachments").is_none());
                there.insert(document["_id"].as_str().unwrap().to_owned());
            }
            Step::Delete(id) => assert!(there.remove(&id), "{id}"),
            other => panic!("{other:?}"),
        }
    }
}
