//! An index as documents make it grow: each is checked against the mapping that those before it
//! have left.

use serde_json::{Map, Value, json};

use super::Conformance;
use super::additions::Additions;
use super::finding::{Effect, Finding, Report};
use super::json::{DEEPEST, Json};
use super::plan::{Plan, truth};
use super::walk;
use pillowtop_core::creation::{self, Consequence, Problem};
use pillowtop_core::field_types::{Product, Target, Version};
use pillowtop_core::limits::{self, Limited};
use pillowtop_core::name::MAX_INDEX_ID_BYTES;
use pillowtop_core::references::wrong_references;

/// Indices of several targets, into which documents go one after the other, as into the servers'
/// own. Nothing is kept of a document but the fields that it adds under `dynamic: true`.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    conformance: &'a Conformance,
    indices: Vec<Index>,
}

#[derive(Debug)]
struct Index {
    target: Target,
    /// Why there can be no such index, or none that takes documents.
    refusal: Option<Finding>,
    /// The mapping with what documents have added to it; `None` while that is nothing.
    grown: Option<Grown>,
}

#[derive(Debug)]
struct Grown {
    mappings: Value,
    plan: Plan,
}

impl<'a> Rehearsal<'a> {
    /// New indices with the mapping.
    pub(super) fn new(conformance: &'a Conformance, targets: &[Target]) -> Self {
        let index = |target: &Target| Index {
            target: *target,
            refusal: conformance.problem(*target).map(refusal),
            grown: None,
        };
        Self { conformance, indices: targets.iter().map(index).collect() }
    }

    /// What each target does to a document under an id; `source` is the text that is sent.
    pub fn index(&mut self, id: &str, source: &str) -> Vec<Report> {
        self.index_routed(id, None, source)
    }

    /// The same for a document that may come with a routing value.
    pub fn index_routed(&mut self, id: &str, routing: Option<&str>, source: &str) -> Vec<Report> {
        let levels = Json::levels(source);
        if levels > DEEPEST {
            return self.indices.iter().map(|index| too_deep(index.target, levels)).collect();
        }
        if levels <= SHALLOW {
            return self.index_here(id, routing, source);
        }
        // Looking at a document goes as deep as the document, and takes as much stack.
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(levels * STACK_OF_LEVEL);
            let thread = builder.spawn_scoped(scope, || self.index_here(id, routing, source));
            let reports = thread.ok().and_then(|thread| thread.join().ok());
            reports.unwrap_or_else(|| vec![unlooked(format!("a document of {levels} levels is not checked"))])
        })
    }

    fn index_here(&mut self, id: &str, routing: Option<&str>, source: &str) -> Vec<Report> {
        let document = Json::parse(source);
        let long_id = (id.len() > MAX_INDEX_ID_BYTES)
            .then(|| super::refuse(format!("the id is {} bytes long, over {MAX_INDEX_ID_BYTES}", id.len())));
        let conformance = self.conformance;
        let unrouted = (conformance.requires_routing && routing.is_none()).then(|| {
            super::refuse("the mapping requires a routing value, and the document has none".to_owned())
        });
        self.indices
            .iter_mut()
            .map(|index| match (&document, &long_id) {
                (_, Some(reason)) => Report { findings: vec![reason.clone()], ..Report::default() },
                (Err(reason), _) => {
                    Report { findings: vec![super::refuse(reason.clone())], ..Report::default() }
                }
                (Ok(document), _) => {
                    let mut report = index.take(conformance, document, routing);
                    report.findings.extend(index.refusal.iter().chain(&unrouted).cloned());
                    report
                }
            })
            .collect()
    }
}

impl Index {
    fn take(&mut self, conformance: &Conformance, document: &Json<'_>, routing: Option<&str>) -> Report {
        let plan = self.grown.as_ref().map_or(&conformance.plan, |grown| &grown.plan);
        let (mut report, additions) = walk::walk(plan, &conformance.dynamics, self.target, document, routing);
        if additions.fields.is_empty() || (report.is_rejected() && !additions.stay) {
            return report;
        }
        let settings = &conformance.settings;
        if let Some(finding) = refused_field(&additions, settings, self.target) {
            report.findings.push(finding);
            return report;
        }
        let before = self.grown.as_ref().map_or(&conformance.mappings, |grown| &grown.mappings);
        let mut mappings = before.clone();
        if leaves_out_beyond_limit(settings) {
            let mut left_out: Vec<String> = Vec::new();
            for (path, mapping) in additions.fields {
                if left_out.iter().any(|above| path.starts_with(above.as_str())) {
                    continue;
                }
                let mut larger = mappings.clone();
                insert(&mut larger, &path, mapping);
                match past_limit(&larger, settings, self.target) {
                    Some(finding) if finding.effect == Effect::Malformed => {
                        report.findings.push(Finding { path: path.clone(), ..finding });
                        left_out.push(format!("{path}."));
                    }
                    _ => mappings = larger,
                }
            }
        } else {
            additions.fields.into_iter().for_each(|(path, mapping)| insert(&mut mappings, &path, mapping));
        }
        let wrong =
            past_limit(&mappings, settings, self.target).or_else(|| wrong_reference(&mappings, self.target));
        if let Some(finding) = wrong {
            report.findings.push(finding);
            return report;
        }
        let plan = Plan::new(&mappings, settings);
        self.grown = Some(Grown { mappings, plan });
        report
    }
}

/// Documents of no more levels are checked as they come.
const SHALLOW: usize = 64;
/// More than what a level takes of the stack, in builds without optimisation too.
const STACK_OF_LEVEL: usize = 64 * 1024;

/// What becomes of a document of more than [`DEEPEST`] levels: newer servers refuse it, older ones
/// continue.
fn too_deep(target: Target, levels: usize) -> Report {
    let is_limited = match target.product {
        Product::Elasticsearch => target.version >= Version::new(8, 9),
        Product::OpenSearch => target.version.major >= 3,
    };
    if is_limited {
        let reason = format!("the document has {levels} levels of objects and lists, more than {DEEPEST}");
        return Report { findings: vec![super::refuse(reason)], ..Report::default() };
    }
    unlooked(format!("a document of {levels} levels is not checked"))
}

fn unlooked(reason: String) -> Report {
    let finding = Finding { effect: Effect::NotChecked, ..super::refuse(reason) };
    Report { findings: vec![finding], ..Report::default() }
}

/// A problem of the index itself, as what becomes of every document.
fn refusal(problem: &Problem) -> Finding {
    let reason = match problem.consequence {
        Consequence::NotCreated | Consequence::RejectsSome => format!("no index is created: {problem}"),
        Consequence::RejectsDocuments | Consequence::StopsRuntime => {
            format!("every document is rejected: {problem}")
        }
    };
    Finding { hint: problem.help.clone(), ..super::refuse(reason) }
}

/// Whether fields for which there is no room are left out; Elasticsearch 8.14 and newer know the
/// setting.
fn leaves_out_beyond_limit(settings: &Value) -> bool {
    settings.pointer("/mapping/total_fields/ignore_dynamic_beyond_limit").and_then(truth) == Some(true)
}

/// Puts a field into a root mapping; the objects above it are there.
fn insert(mappings: &mut Value, path: &str, mut mapping: Map<String, Value>) {
    let mut object = mappings;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        let Some(members) = object.as_object_mut() else { return };
        let properties = members.entry("properties").or_insert_with(|| json!({}));
        let Some(properties) = properties.as_object_mut() else { return };
        if parts.peek().is_none() {
            if mapping.get("type") == Some(&json!("object")) {
                mapping.remove("type");
            }
            properties.insert(part.to_owned(), Value::Object(mapping));
            return;
        }
        object = properties.entry(part).or_insert_with(|| json!({}));
    }
}

/// A field of a dynamic template at which the server looks only when a document needs it, and which
/// it refuses then.
fn refused_field(additions: &Additions, settings: &Value, target: Target) -> Option<Finding> {
    additions.fields.iter().find_map(|(path, mapping)| {
        let reason = creation::refusal_of_made(mapping, settings, target)?;
        let hint = "fix the dynamic template: `cargo xtask make-mapping` tells what is wrong with it";
        let reason = format!("a dynamic template maps it to what the server refuses: {reason}");
        Some(Finding { path: path.clone(), hint: hint.to_owned(), ..super::refuse(reason) })
    })
}

/// What fields say of those that a document has added.
fn wrong_reference(mappings: &Value, target: Target) -> Option<Finding> {
    let wrong = wrong_references(mappings).into_iter().find(|wrong| wrong.prevents_creation(target))?;
    let hint = "map the field to which values are copied".to_owned();
    Some(Finding { hint, ..super::refuse(format!("with the fields that are added, {wrong}")) })
}

/// The limit that a mapping is past, as a finding of the document that brought it there.
fn past_limit(mappings: &Value, settings: &Value, target: Target) -> Option<Finding> {
    let found = limits::examine(mappings, settings, &[target])
        .into_iter()
        .find(|found| found.is_past() && found.limited != Limited::Dimensions)?;
    let is_left_out = found.limited == Limited::TotalFields && leaves_out_beyond_limit(settings);
    let setting = found.limited.setting();
    Some(Finding {
        path: found.path.clone().unwrap_or_default(),
        effect: if is_left_out { Effect::Malformed } else { Effect::Rejected },
        reason: format!(
            "with the fields that are added the mapping is past `{setting}`, which is {}",
            found.limit
        ),
        value: String::new(),
        hint: format!("map what you need and write `dynamic = false`, or raise `index.{setting}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(mappings: &Value, settings: &Value, documents: &[&str]) -> Vec<bool> {
        let conformance = Conformance::new(mappings, settings);
        let mut rehearsal = conformance.rehearse(&[Target::opensearch(3, 6)]);
        documents.iter().map(|source| rehearsal.index("id", source)[0].is_rejected()).collect()
    }

    #[test]
    fn a_document_must_fit_the_fields_that_those_before_it_have_made() {
        let mappings = json!({"dynamic": true});
        let documents = [r#"{"a":1}"#, r#"{"a":"x"}"#, r#"{"b":1,"a":"x"}"#, r#"{"b":"x"}"#, r#"{"b":1}"#];
        // What a refused document would have made is not made.
        assert_eq!(verdicts(&mappings, &json!({}), &documents), [false, true, true, false, false]);
    }

    #[test]
    fn an_index_that_takes_no_documents_as_they_are_sent_rejects_each() {
        let append_only = json!({"append_only": {"enabled": true}});
        assert_eq!(verdicts(&json!({}), &append_only, &["{}", r#"{"a":1}"#]), [true, true]);
        let unsearched = json!({"blocks": {"read": true}});
        assert_eq!(verdicts(&json!({}), &unsearched, &[r#"{"a":1}"#]), [false]);
    }

    #[test]
    fn a_routing_value_is_needed_where_it_is_required_and_by_children() {
        let rejected = |mappings: &Value, routing: Option<&str>, source: &str| {
            let conformance = Conformance::new(mappings, &json!({}));
            let mut rehearsal = conformance.rehearse(&[Target::elasticsearch(8, 14)]);
            rehearsal.index_routed("1", routing, source)[0].is_rejected()
        };
        let required = json!({"_routing": {"required": true}});
        assert!(rejected(&required, None, "{}"));
        assert!(!rejected(&required, Some("a"), "{}"));
        let join = json!({"properties": {"kin": {"type": "join", "relations": {"household": "person"}}}});
        let child = r#"{"kin":{"name":"person","parent":"a"}}"#;
        assert!(rejected(&join, None, child));
        assert!(!rejected(&join, Some("a"), child));
        assert!(!rejected(&join, None, r#"{"kin":"household"}"#));
    }

    #[test]
    fn depth_is_limited_by_product_and_version() {
        let rejecting = |source: &str, mappings: Value| {
            let targets = [
                Target::elasticsearch(7, 10),
                Target::elasticsearch(8, 14),
                Target::opensearch(2, 19),
                Target::opensearch(3, 6),
            ];
            let conformance = Conformance::new(&mappings, &json!({}));
            let reports = conformance.check_each("1", source, &targets);
            reports.iter().map(Report::is_rejected).collect::<Vec<_>>()
        };
        let lists = |count: usize| format!(r#"{{"g":{}1{}}}"#, "[".repeat(count), "]".repeat(count));
        let objects = |count: usize| format!(r#"{{"g":{}1{}}}"#, r#"{"o":"#.repeat(count), "}".repeat(count));
        let long = json!({"dynamic": false, "properties": {"g": {"type": "long"}}});
        let disabled = json!({"properties": {"g": {"type": "object", "enabled": false}}});
        for mappings in [json!({"dynamic": false}), long, disabled.clone(), json!({"dynamic": true})] {
            assert_eq!(rejecting(&lists(20), mappings.clone()), [false; 4], "{mappings}");
            assert_eq!(rejecting(&lists(21), mappings.clone()), [false, false, true, true], "{mappings}");
        }
        assert_eq!(rejecting(&objects(999), disabled.clone()), [false; 4]);
        assert_eq!(rejecting(&objects(1000), disabled), [false, true, false, true]);
    }

    #[test]
    fn what_is_copied_to_does_not_become_an_object() {
        let copied = json!({"properties": {"f": {"type": "keyword", "copy_to": "g"}}});
        let documents = [r#"{"g":{"a":1}}"#, r#"{"f":"a"}"#, r#"{"g.a":1}"#];
        assert_eq!(verdicts(&copied, &json!({}), &documents), [true, false, true]);
    }

    #[test]
    fn older_servers_take_for_a_date_what_has_the_shape_of_one() {
        for (source, rejecting) in [
            (r#"{"a":"2024/02/30"}"#, [true, false, true]),
            (r#"{"a":"2024/45/99 12:00:00"}"#, [true, false, true]),
            (r#"{"a":"2024/01/01 25:00:00"}"#, [false; 3]),
            (r#"{"a":"2024-45"}"#, [true, false, true]),
            (r#"{"a":"2024-02-30"}"#, [false; 3]),
            (r#"{"a":"20/45/99"}"#, [false; 3]),
        ] {
            let targets =
                [Target::elasticsearch(7, 10), Target::elasticsearch(8, 14), Target::opensearch(2, 19)];
            let reports = Conformance::new(&json!({}), &json!({})).check_each("1", source, &targets);
            assert_eq!(reports.iter().map(Report::is_rejected).collect::<Vec<_>>(), rejecting, "{source}");
        }
    }

    #[test]
    fn what_a_template_maps_is_checked_with_the_first_document() {
        for (mapping, is_refused) in [
            (json!({"type": "text", "store": null}), true),
            (json!({"type": "keyword", "similarity": "classic"}), true),
            (json!({"type": "text", "analyzer": "missing"}), true),
            (json!({"type": "date", "format": "bogus"}), true),
            (json!({"type": "keyword", "coerce": null}), true),
            // The type leaves out a parameter that it does not have.
            (json!({"type": "geo_point", "coerce": true}), false),
        ] {
            let mappings = json!({"dynamic_templates": [{"t": {"match": "f", "mapping": mapping}}]});
            let found = verdicts(&mappings, &json!({}), &[r#"{"f":"1,1"}"#, r#"{"g":"1"}"#]);
            assert_eq!(found, [is_refused, false], "{mappings}");
        }
    }

    #[test]
    fn a_new_index_forgets() {
        let conformance = Conformance::new(&json!({"dynamic": true}), &json!({}));
        let target = Target::elasticsearch(8, 14);
        assert!(!conformance.check("1", r#"{"a":1}"#, target).is_rejected());
        assert!(!conformance.check("2", r#"{"a":"x"}"#, target).is_rejected());
    }

    #[test]
    fn a_mapping_grows_up_to_its_limits() {
        let settings = json!({"mapping": {"total_fields": {"limit": 3}}});
        // A `text` field has a second field.
        let documents = [r#"{"a":1}"#, r#"{"b":"x"}"#, r#"{"c":1}"#, r#"{"a":2}"#];
        assert_eq!(verdicts(&json!({"dynamic": true}), &settings, &documents), [false, false, true, false]);
    }

    #[test]
    fn a_copy_is_copied_no_further() {
        let template =
            json!({"match_mapping_type": "string", "mapping": {"type": "keyword", "copy_to": "all.{name}"}});
        let mappings = json!({"dynamic": true, "dynamic_templates": [{"copies": template}]});
        assert_eq!(verdicts(&mappings, &json!({}), &[r#"{"a":"x"}"#]), [false]);
    }
}
