//! Overviews of made-up clusters, for tests.

use std::collections::BTreeMap;

use pillowtop_core::Definition;
use pillowtop_runtime::claim::{ClaimDocument, ClaimState, DatabaseIdentity, Owner, Phase, Slice};
use pillowtop_runtime::clock::now_text;
use pillowtop_runtime::target::elastic::{IndexHealth, IndexStatus, Overview};
use serde_json::{Value, json};

/// The definition of the pillow `case`, of one of several mappings.
pub(super) fn definition(field: &str) -> Definition {
    let mappings = json!({"properties": {(field): {"type": "keyword"}}});
    Definition::of_mapping("case", "cases", json!({}), mappings)
}

/// An index of a definition that was loaded long ago and that nobody follows.
pub(super) fn index(definition: &Definition, number: u32, aliases: &[&str]) -> IndexStatus {
    let name = definition.index_name(None, number);
    let database = DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() };
    let claim = ClaimDocument {
        state: ClaimState::new(definition, name.clone(), database, None),
        owner: None,
        lease_ms: 30_000,
        epoch: 1,
        histories: BTreeMap::new(),
        saved: "2026-01-01T00:00:00Z".to_owned(),
    };
    IndexStatus {
        uuid: format!("uuid-{name}"),
        pillow: definition.pillow.clone(),
        hash: definition.hash.to_string(),
        rest: None,
        is_backfilling: false,
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        // 2025-12-31.
        created: 1_767_139_200_000 + u64::from(number),
        blocks: Vec::new(),
        policy: None,
        health: IndexHealth::Green,
        documents: Some(7),
        bytes: Some(1_000_000),
        claims: vec![(Slice::Whole, claim)],
        name,
    }
}

/// An index in a phase.
pub(super) fn in_phase(mut index: IndexStatus, phase: Phase) -> IndexStatus {
    index.claims[0].1.state.phase = phase;
    index
}

/// An index with an owner whose lease was just renewed, and what that reports.
pub(super) fn followed(mut index: IndexStatus, overview: &mut Overview, report: &Value) -> IndexStatus {
    let owner: Owner =
        serde_json::from_value(json!({"id": "o", "label": "host run", "pid": 1, "boot_id": "another"}))
            .unwrap();
    overview.take("lease:o", &json!({"owner": owner, "renewed": now_text()})).unwrap();
    let mut report = report.clone();
    report["written"] = json!(now_text());
    overview.take(&format!("report:{}", index.uuid), &report).unwrap();
    index.claims[0].1.owner = Some(owner);
    index
}
