//! The snapshot of what sample documents become, and what is reported when a transform changes it.

use pillowtop::drift::{State, samples_finding};
use pillowtop::{ChangeMeta, CouchDocument, Pillow, Registry, samples};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "Visit")]
#[pillow(
    name = "visit",
    alias = "visits",
    filter = self.village != "",
    transform = Visit::doubled,
    samples = "tests/samples/visits.jsonl",
    mapping = unchecked
)]
struct Visit {
    village: String,
    count: u32,
}

impl Visit {
    fn doubled(self, _: &ChangeMeta) -> Option<Self> {
        (self.count < 1000).then_some(Self { count: self.count * 2, ..self })
    }
}

fn registry() -> Registry {
    pillowtop::registry![Visit]
}

#[test]
fn a_snapshot_has_a_line_for_each_sample_document() {
    let snapshot = samples::snapshot(registry().pillows()[0].as_ref()).unwrap();
    let lines: Vec<&str> = snapshot.lines().collect();
    assert_eq!(
        lines[0],
        r#"{"id":"a","source":{"count":6,"pillowtop":{"db":"samples","id":"a","rev":"1-a"},"village":"Ourense"}}"#
    );
    assert_eq!(lines[1], r#"{"becomes":"filtered","id":"b"}"#);
    assert!(lines[2].contains(r#""id":"c""#) && lines[2].contains("error"), "{}", lines[2]);
    assert_eq!(lines[3], r#"{"becomes":"of another type","id":"d"}"#);
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_changed_transform_is_told_by_the_documents_that_it_changes() {
    let registry = registry();
    let pillow = registry.pillows()[0].as_ref();
    let folder = std::env::temp_dir().join(format!("pillowtop-samples-{}", std::process::id()));
    fs_err::create_dir_all(&folder).unwrap();
    let mapping = folder.join("visit.json");
    let find = || samples_finding(pillow, &mapping, "mappings/visit.samples.jsonl", "cargo xtask").unwrap();
    assert_eq!(find().state, State::SamplesNew);

    let snapshot = samples::snapshot(pillow).unwrap();
    fs_err::write(samples::path_beside(&mapping), &snapshot).unwrap();
    assert_eq!(find().state, State::Fresh);

    fs_err::write(samples::path_beside(&mapping), snapshot.replace("\"count\":6", "\"count\":3")).unwrap();
    let changed = find();
    assert_eq!(
        changed.lines(false),
        [
            "sample documents of `Visit` become something else than in `mappings/visit.samples.jsonl`: `a`",
            "help: raise `transform_version` if indices are to be rebuilt, then run `cargo xtask make-mapping visit`",
        ]
    );
    fs_err::remove_dir_all(&folder).unwrap();
}
