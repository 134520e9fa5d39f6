//! The documents that are measured on: cases of the example of about 1 KB with one nested action
//! each, the same in every run.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use fastrand::Rng;
use pillowtop_runtime::member::{Decider, Decision};
use pillowtop_runtime::row::Row;
use pillowtop_runtime::target::elastic::bulk_body;
use pillowtop_runtime::{Action, Operation, Version};
use serde_json::{Value, json};

/// A revision as long as CouchDB's.
const REVISION: &str = "1-967a00dff5e02add41819138abb3284d";
/// The version of the first write: one as long as the runtime's.
const FIRST_VERSION: u64 = 1_764_000_000_000_000;

const NAMES: [&str; 8] = [
    "Atieno Odhiambo",
    "सुनीता देवी",
    "عائشة حسن",
    "Lucía Íñiguez",
    "Lê Thị Hồng",
    "王秀英",
    "Олена Шевченко",
    "Ngozi \"Ngo\" Okafor",
];
const VILLAGES: [&str; 4] = ["Riverside", "Upper Mill", "Kibera West", "Old Bridge"];

/// The id of a document, as `CouchDB` makes them.
pub(super) fn id(number: u32) -> String {
    digits(&mut Rng::with_seed(u64::from(number)))
}

/// A document without its id.
pub(super) fn document(number: u32) -> Value {
    let mut rng = Rng::with_seed(u64::from(number) + (1 << 32));
    let user = digits(&mut Rng::with_seed(u64::from(number % 50) + (2 << 32)));
    let form = digits(&mut rng);
    let day = format!("2024-{:02}-{:02}", rng.u8(1..=12), rng.u8(1..=28));
    let time = format!("{:02}:{:02}:{:02}", rng.u8(0..24), rng.u8(0..60), rng.u8(0..60));
    let (on_phone, on_server) =
        (format!("{day}T{time}.{:06}Z", rng.u32(0..1_000_000)), format!("{day}T{time}Z"));
    json!({
        "doc_type": "CommCareCase", "domain": "riverside-clinics", "type": "pregnancy",
        "name": NAMES[rng.usize(..NAMES.len())], "external_id": null, "owner_id": user, "user_id": user,
        "opened_by": user, "opened_on": on_phone, "modified_on": on_phone, "server_modified_on": on_server,
        "closed": false, "closed_by": null, "closed_on": null, "version": "2.0", "xform_ids": [form],
        "actions": [{
            "doc_type": "CommCareCaseAction", "action_type": "create", "date": on_phone,
            "server_date": on_server, "user_id": user, "xform_id": form, "xform_name": "Registration",
            "xform_xmlns": "http://openrosa.org/formdesigner/registration", "sync_log_id": null, "indices": [],
        }],
        "indices": [], "initial_processing_complete": true,
        // The project's own properties.
        "village": VILLAGES[rng.usize(..VILLAGES.len())], "registered_on": day, "edd": day,
        "gravida": rng.u8(1..9).to_string(), "danger_signs": "none",
    })
}

/// A document with its id, as `CouchDB` stores it.
pub(super) fn couch_document(number: u32) -> Value {
    let mut document = document(number);
    document["_id"] = Value::from(id(number));
    document
}

/// The bodies of the bulk requests that `fast-reindex case` sends for documents; each is complete
/// once it has `bytes`.
pub(super) fn bulk_bodies(numbers: Range<u32>, bytes: usize) -> anyhow::Result<Vec<Bytes>> {
    let decider = decider()?;
    let (mut bodies, mut operations, mut waiting) = (Vec::new(), Vec::new(), 0);
    for number in numbers {
        let row = Row::of_document(couch_document(number).to_string(), "", REVISION)?;
        let Decision::Index { source, .. } = decider.decide_one(&row).decision else {
            bail!("pillow `case` does not index document {number}");
        };
        let version = Version(FIRST_VERSION + u64::from(number));
        let operation = Operation::new(row.id, version, Action::Index(source));
        waiting += operation.body_bytes();
        operations.push(operation);
        if waiting >= bytes {
            bodies.push(bulk_body(&operations));
            operations.clear();
            waiting = 0;
        }
    }
    if !operations.is_empty() {
        bodies.push(bulk_body(&operations));
    }
    Ok(bodies)
}

/// What decides the documents, as `fast-reindex case` does.
fn decider() -> anyhow::Result<Decider> {
    let registry = commcare::registry();
    let pillow = registry.get("case").context("no pillow `case`")?;
    Ok(Decider {
        pillow: Arc::clone(pillow),
        target: "ceiling".into(),
        database: "ceiling".into(),
        prefixes_ids: false,
        keeps_bodies: false,
    })
}

/// Appends the two lines of a bulk request that index a document.
pub(super) fn bulk_lines(body: &mut String, id: &str, document: &Value) {
    // Writing to a string cannot fail.
    let _ = writeln!(body, "{{\"index\":{{\"_id\":\"{id}\"}}}}\n{document}");
}

/// 32 hexadecimal digits.
fn digits(rng: &mut Rng) -> String {
    format!("{:032x}", rng.u128(..))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use commcare::Case;
    use pillowtop::Pillow as _;

    use super::*;

    #[test]
    fn documents_are_the_same_in_every_run() {
        assert_eq!(couch_document(7), couch_document(7));
        assert_eq!(id(0).len(), 32);
        let ids: BTreeSet<String> = (0..10_000).map(id).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn documents_are_cases_of_about_a_kilobyte_with_one_action() {
        for number in 0..100 {
            let text = couch_document(number).to_string();
            assert!((900..1200).contains(&text.len()), "{}: {text}", text.len());
            let case: Case<'_> = serde_json::from_str(&text).unwrap();
            assert!(case.accepts());
            assert_eq!(case.actions.len(), 1);
        }
    }

    #[test]
    fn bulk_bodies_are_those_of_the_runtime() {
        let bodies = bulk_bodies(0..6000, 5_000_000).unwrap();
        assert_eq!(bodies.len(), 2, "five megabytes, and the rest");
        assert!((4_500_000..5_005_000).contains(&bodies[0].len()), "{}", bodies[0].len());
        let lines: Vec<&[u8]> = bodies
            .iter()
            .flat_map(|body| body.split(|byte| *byte == b'\n'))
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines.len(), 12_000);
        let action: Value = serde_json::from_slice(lines[0]).unwrap();
        assert_eq!(action["index"]["_id"], Value::from(id(0)));
        assert_eq!(action["index"]["version_type"], "external_gte");
        let source: Value = serde_json::from_slice(lines[1]).unwrap();
        assert_eq!(source["name"], document(0)["name"]);
        assert_eq!(source["pillowtop"]["id"], Value::from(id(0)));
        assert!(bulk_bodies(3..3, 1).unwrap().is_empty());
    }
}
