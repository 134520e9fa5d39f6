//! Documents of the real system, when their directory is beside the workspace.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{indexed, pillow, pillows_of, process_by};
use pillowtop::Verdict;

/// Whose value a transform changes, at the root.
const CHANGED: [&str; 4] = ["owner_id", "form", "_id", "_rev"];

fn documents() -> Vec<(String, Value)> {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/docs"));
    let Ok(entries) = fs_err::read_dir(directory) else { return Vec::new() };
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
        if pillows_of(doc_type).is_empty() {
            continue;
        }
        seen += 1;
        let source = indexed(document);
        let members = document.as_object().unwrap();
        match doc_type {
            "CommCareCase" => {
                // References have no member of their own that is named here only in part, so lists are
                // compared one by one.
                assert_kept(file, members, &source, |name| {
                    CHANGED.contains(&name) || name == "actions" || name == "indices"
                });
                for (action, kept) in pairs(members, &source, "actions") {
                    assert_kept(file, action, kept, |name| name == "indices");
                }
                for (reference, kept) in pairs(members, &source, "indices") {
                    assert_kept(file, reference, kept, |_| false);
                }
            }
            "Application" => assert_application_kept(file, members, &source),
            "Group" => assert_kept(file, members, &source, |name| CHANGED.contains(&name)),
            _ => {
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
    }
    assert!(
        documents.is_empty() || seen >= 16,
        "only {seen} of {} documents belong to a pillow",
        documents.len()
    );
}

/// Members of an application that are dropped, or stand otherwise: they belong to nobody's search.
const DROPPED: [&str; 8] = [
    "admin_password",
    "admin_password_charset",
    "archived_media",
    "custom_base_url",
    "logo_refs",
    "media_form_errors",
    "media_language_map",
    "modules",
];

const KEPT_OF_MODULE: [&str; 10] = [
    "doc_type",
    "unique_id",
    "comment",
    "module_type",
    "case_type",
    "put_in_root",
    "root_module_id",
    "parent_select",
    "fixture_select",
    "media_image",
];
const KEPT_OF_FORM: [&str; 9] = [
    "doc_type",
    "unique_id",
    "xmlns",
    "version",
    "form_type",
    "requires",
    "post_form_workflow",
    "show_count",
    "media_image",
];

fn assert_application_kept(file: &str, members: &Map<String, Value>, source: &Value) {
    assert_kept(file, members, source, |name| {
        CHANGED.contains(&name)
            || DROPPED.contains(&name)
            || name.starts_with('_')
            || name == "user_registration"
    });
    assert!(source.get("admin_password").is_none(), "{file}");
    for (module, kept) in pairs(members, source, "modules") {
        assert_kept(file, module, kept, |name| !KEPT_OF_MODULE.contains(&name));
        for (form, kept) in pairs(module, kept, "forms") {
            assert_kept(file, form, kept, |name| !KEPT_OF_FORM.contains(&name));
            assert_kept(file, form["actions"].as_object().unwrap(), &kept["actions"], |_| false);
        }
    }
}

#[test]
fn a_real_case_can_be_searched_by_each_of_its_properties() {
    let search = pillow("case_search");
    let mut seen = 0;
    for (file, document) in documents() {
        if document["doc_type"] != "CommCareCase" || document["domain"] != "care-bihar" {
            continue;
        }
        let (verdict, source) = process_by(search.as_ref(), &document).unwrap();
        assert_eq!(verdict, Verdict::Index, "{file}");
        for (name, value) in
            [("husband_name", "papa test"), ("edd", "2013-08-19"), ("age", "24"), ("status", "active")]
        {
            let found =
                source["case_properties"].as_array().unwrap().iter().find(|property| property["key"] == name);
            assert_eq!(found.unwrap()["value"], value, "`{name}` of {file}");
        }
        let keys = source["case_properties"]
            .as_array()
            .unwrap()
            .iter()
            .map(|property| property["key"].as_str().unwrap());
        for own in ["actions", "xform_ids", "_rev", "computed_", "#export_tag", "domain", "doc_type"] {
            assert!(keys.clone().all(|key| key != own), "`{own}` of {file}");
        }
        seen += 1;
    }
    assert!(documents().is_empty() || seen == 1);
}

fn pairs<'a>(
    document: &'a Map<String, Value>,
    source: &'a Value,
    list: &str,
) -> Vec<(&'a Map<String, Value>, &'a Value)> {
    let originals: Vec<_> =
        document[list].as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let kept: Vec<_> = source[list].as_array().into_iter().flatten().collect();
    assert_eq!(originals.len(), kept.len(), "`{list}`");
    originals.into_iter().zip(kept).collect()
}
