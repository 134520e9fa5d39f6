//! Documents of the real system, when their folder is beside the workspace.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{indexed, pillow_of};

/// Whose value a transform changes, at the root.
const CHANGED: [&str; 4] = ["owner_id", "form", "_id", "_rev"];

fn documents() -> Vec<(String, Value)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/docs"));
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let mut documents = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs_err::read_to_string(&path).unwrap();
            documents.push((path.display().to_string(), serde_json::from_str(&text).unwrap()));
        }
    }
    documents
}

/// That each member of `original` is in `kept` as it was, but for null in place of nothing.
#[track_caller]
fn assert_kept<'a>(
    file: &str,
    original: &'a Map<String, Value>,
    kept: &Value,
    but: impl Fn(&'a str) -> bool,
) {
    for (name, value) in original {
        if !but(name) {
            assert_eq!(&kept[name], value, "`{name}` of {file}");
        }
    }
}

#[test]
fn every_real_document_decodes_and_keeps_what_it_says() {
    let documents = documents();
    let mut seen = 0;
    for (file, document) in &documents {
        let doc_type = document["doc_type"].as_str().unwrap();
        if pillow_of(doc_type).is_none() {
            continue;
        }
        seen += 1;
        let source = indexed(document);
        let members = document.as_object().unwrap();
        if doc_type == "CommCareCase" {
            // References have no member of their own that is named here only in part, so lists are compared one by one.
            assert_kept(file, members, &source, |name| {
                CHANGED.contains(&name) || name == "actions" || name == "indices"
            });
            for (action, kept) in pairs(document, &source, "actions") {
                assert_kept(file, action, kept, |name| name == "indices");
            }
            for (reference, kept) in pairs(document, &source, "indices") {
                assert_kept(file, reference, kept, |_| false);
            }
        } else {
            let body = document["form"].as_object().unwrap();
            assert_kept(file, body, &source["form"], |name| name == "case" || name == "meta");
            for name in ["domain", "xmlns", "received_on", "app_id", "submit_ip"] {
                assert_eq!(
                    source[name],
                    document.get(name).cloned().unwrap_or_default(),
                    "`{name}` of {file}"
                );
            }
            assert!(source["form"]["case"].is_array(), "{file}");
        }
    }
    assert!(
        documents.is_empty() || seen >= 12,
        "only {seen} of {} documents belong to a pillow",
        documents.len()
    );
}

fn pairs<'a>(document: &'a Value, source: &'a Value, list: &str) -> Vec<(&'a Map<String, Value>, &'a Value)> {
    let originals: Vec<_> =
        document[list].as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let kept: Vec<_> = source[list].as_array().into_iter().flatten().collect();
    assert_eq!(originals.len(), kept.len(), "`{list}`");
    originals.into_iter().zip(kept).collect()
}
