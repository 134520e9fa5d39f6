//! The committed file: the same bytes again, nothing that is not covered, and every edit noticed.

use pillowtop_core::committed::{CommittedFile, CommittedFileError};
use pillowtop_core::diff::{ChangeClass, diff};
use pillowtop_core::document::DocumentInfo;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::pillow::{Committed, PillowInfo};
use pillowtop_core::{ChangeMeta, CouchDocument, Definition, Field, Member, Object, Parameter, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Serialize, Deserialize)]
struct Case {
    name: String,
}

impl CouchDocument for Case {
    const MAPPING: &'static Object = &Object::new(
        &[
            Member::property(
                "name",
                hash_text("name"),
                Field::leaf("text", &[Parameter::new("analyzer", "\"comma\"")]),
            ),
            Member::property("opened", hash_text("opened"), Field::leaf("date", &[])),
        ],
        &[],
        &[],
    );
    const DOCUMENT: DocumentInfo =
        DocumentInfo { types: &["Case"], database: Some("hq"), ..DocumentInfo::PART };
}

impl Pillow for Case {
    type Document<'text> = Self;
    type Index = Self;
    type Lookup = pillowtop_core::lookup::NoLookup;
    const PILLOW: PillowInfo = PillowInfo {
        filter: Some("self.name != \"x\""),
        selector: Some(r#"{"name":{"$ne":"x"}}"#),
        settings: Some(r#"{"index.analysis.analyzer.comma.type": "pattern", "number_of_replicas": 1}"#),
        settings_hash: 7,
        ..PillowInfo::named("case", "cases")
    };
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        true
    }
    fn transform(self, _: &ChangeMeta) -> Option<Self> {
        Some(self)
    }
}

#[test]
fn write_read_write_is_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mappings/case.json");
    let file = CommittedFile::of(&Definition::of::<Case>());
    assert!(file.write(&path).unwrap());
    assert!(!file.write(&path).unwrap(), "nothing changed");
    let read = CommittedFile::read(&path).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.to_bytes(), file.to_bytes());
    assert_eq!(std::fs::read_dir(directory.path().join("mappings")).unwrap().count(), 1, "no part is left");
}

#[test]
fn the_file_is_readable_in_review() {
    insta::assert_snapshot!(
        String::from_utf8(CommittedFile::of(&Definition::of::<Case>()).to_bytes()).unwrap()
    );
}

#[test]
fn each_edit_by_hand_is_noticed() {
    let text = String::from_utf8(CommittedFile::of(&Definition::of::<Case>()).to_bytes()).unwrap();
    for (from, to) in [
        ("\"analyzer\": \"comma\"", "\"analyzer\": \"dot\""),
        ("\"alias\": \"cases\"", "\"alias\": \"case\""),
        ("\"number_of_replicas\": 1", "\"number_of_replicas\": 2"),
        ("\"database\": \"hq\"", "\"database\": \"hr\""),
        ("\"transform_version\": 1", "\"transform_version\": 2"),
    ] {
        let edited = text.replace(from, to);
        assert_ne!(edited, text, "{from}");
        let error = CommittedFile::parse(edited.as_bytes()).unwrap_err();
        assert!(matches!(error, CommittedFileError::EditedByHand(_)), "{from}: {error}");
    }
    assert!(matches!(CommittedFile::parse(b"{}"), Err(CommittedFileError::Malformed(_))));
    let later = text.replace("\"format\": 1", "\"format\": 9");
    assert!(matches!(CommittedFile::parse(later.as_bytes()), Err(CommittedFileError::LaterFormat(9))));
    // White space and the order of members have no effect.
    let again: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(CommittedFile::parse(again.to_string().as_bytes()).is_ok());
}

#[test]
fn the_hash_covers_what_decides_the_contents_and_nothing_else() {
    let base = Definition::of::<Case>();
    let hash_of = |change: &dyn Fn(&mut CommittedFile)| {
        let mut file = CommittedFile::of(&base);
        change(&mut file);
        let content = pillowtop_core::definition::Content {
            mappings: &file.mappings,
            settings: &file.settings,
            document: &file.document,
            filter: file.filter["text"].as_str(),
            routing: file.routing.as_deref(),
            transform_version: file.transform_version,
        };
        pillowtop_core::definition::content_hash(&content)
    };
    let same: [&dyn Fn(&mut CommittedFile); 4] = [
        &|file| file.mappings["_meta"] = json!({"comment": "2012-08-01"}),
        &|file| file.settings["number_of_replicas"] = json!(3),
        &|file| file.settings["number_of_shards"] = json!(3),
        &|file| file.document["database"] = json!("other"),
    ];
    let other: [&dyn Fn(&mut CommittedFile); 6] = [
        &|file| file.mappings["properties"]["name"]["analyzer"] = json!("standard"),
        &|file| file.settings["analysis"]["analyzer"]["comma"]["pattern"] = json!(","),
        &|file| file.document["types"] = json!(["Case", "Kase"]),
        &|file| file.filter["text"] = json!("true"),
        &|file| file.transform_version = 2,
        &|file| file.routing = Some("self.owner".to_owned()),
    ];
    for (index, change) in same.iter().enumerate() {
        assert_eq!(hash_of(change), base.hash, "same {index}");
    }
    for (index, change) in other.iter().enumerate() {
        assert_ne!(hash_of(change), base.hash, "other {index}");
    }
}

#[test]
fn a_routing_is_in_the_file_where_it_is_declared() {
    let plain = CommittedFile::of(&Definition::of::<Case>());
    assert!(!String::from_utf8(plain.to_bytes()).unwrap().contains("routing"));
    let mut definition = Definition::of::<Case>();
    definition.routing = Some("self.owner");
    let content = pillowtop_core::definition::Content {
        mappings: &definition.mappings,
        settings: &definition.settings,
        document: &pillowtop_core::definition::document_json(&definition.document),
        filter: definition.filter,
        routing: definition.routing,
        transform_version: definition.transform_version,
    };
    definition.hash = pillowtop_core::definition::content_hash(&content);
    let routed = CommittedFile::of(&definition);
    assert_ne!(routed.hash, plain.hash);
    let bytes = routed.to_bytes();
    assert_eq!(CommittedFile::parse(&bytes).unwrap(), routed);
    let edited = String::from_utf8(bytes).unwrap().replace("self.owner", "self.other");
    assert!(matches!(CommittedFile::parse(edited.as_bytes()), Err(CommittedFileError::EditedByHand(_))));
}

#[test]
fn a_diff_says_each_path_and_what_it_asks() {
    let before = CommittedFile::of(&Definition::of::<Case>());
    assert_eq!(diff(&before, &before), []);
    let mut after = before.clone();
    after.mappings["properties"]["name"]["analyzer"] = json!("standard");
    after.mappings["properties"]["opened"] = json!({"type": "keyword"});
    after.mappings["properties"]["closed"] = json!({"type": "boolean"});
    after.settings["number_of_replicas"] = json!(2);
    after.transform_version = 2;
    let explicit: Vec<String> = diff(&before, &after).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(explicit.join("\n"));
    let classes: Vec<ChangeClass> = diff(&before, &after).iter().map(|change| change.class).collect();
    assert_eq!(classes.iter().max(), Some(&ChangeClass::Breaking));
}
