//! What an index with a mapping does to a document: refuse it, leave values out, or take it whole,
//! told before a server does.
//!
//! The rules are those of the servers' own code, per product and version where they differ, and are
//! compared with real servers by `tests/tests/audit`. What is not decided here is reported as
//! [`Effect::NotChecked`], never as fine.

mod finding;
mod json;

mod numeric;
mod regex;

mod patterns;

mod plan;

mod value;

mod dynamic;
mod flattened;
mod geo;
mod metrics;
mod range;
mod shape;
mod special;

mod check;

mod additions;
mod earlier;
mod hint;

mod walk;

mod added;
mod copies;
mod multi_fields;
mod sequence;

mod faults;
mod lists;

mod growth;

use serde_json::Value;

use dynamic::Dynamics;
use pillowtop_core::creation::{self, Problem};
use pillowtop_core::field_types::{Target, field_type};
use pillowtop_core::lenient::boolean;
use plan::Plan;

pub use finding::{Effect, Finding, Report};
pub use growth::Rehearsal;
pub use value::{exceeds, ip_address};

/// A mapping, ready for documents.
#[derive(Debug)]
pub struct Conformance {
    plan: Plan,
    /// How members become fields, which no document changes.
    dynamics: Dynamics,
    mappings: Value,
    settings: Value,
    /// What is wrong with the index, whatever its documents are.
    problems: Vec<Problem>,
    /// Whether every document needs a routing value.
    requires_routing: bool,
}

impl Conformance {
    /// Reads a root mapping, product-neutral, and settings in their normal form
    /// ([`pillowtop_core::settings::normalize`]).
    #[must_use]
    pub fn new(mappings: &Value, settings: &Value) -> Self {
        Self {
            plan: Plan::new(mappings, settings),
            dynamics: mappings.as_object().map(Dynamics::new).unwrap_or_default(),
            mappings: mappings.clone(),
            settings: settings.clone(),
            problems: creation::problems(mappings, settings),
            requires_routing: mappings.pointer("/_routing/required").and_then(boolean) == Some(true),
        }
    }

    /// What is wrong with the index itself, for which a target does not create it or rejects every
    /// document.
    #[must_use]
    pub fn problem(&self, target: Target) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.rejects_all(target))
    }

    /// New indices of these targets, to which documents are given one after the other.
    #[must_use]
    pub fn rehearse(&self, targets: &[Target]) -> Rehearsal<'_> {
        Rehearsal::new(self, targets)
    }

    /// What a new index of a target does to a document under an id; `source` is the text that is
    /// sent.
    #[must_use]
    pub fn check(&self, id: &str, source: &str, target: Target) -> Report {
        self.check_each(id, source, &[target]).pop().unwrap_or_default()
    }

    /// What a new index of each target does to it; the document is read once.
    #[must_use]
    pub fn check_each(&self, id: &str, source: &str, targets: &[Target]) -> Vec<Report> {
        self.rehearse(targets).index(id, source)
    }

    /// Whether a target has all the types of the mapping.
    #[must_use]
    pub fn is_for(&self, target: Target) -> bool {
        let mut types = Vec::new();
        types_of(&self.plan.root, &mut types);
        types.iter().all(|name| field_type(name).is_none_or(|found| found.is_available(target).is_ok()))
    }

    /// The paths of the mapping that a document can have a value at, in order.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        collect(&self.plan.root, &mut paths);
        paths
    }
}

fn collect<'a>(object: &'a plan::ObjectPlan, paths: &mut Vec<&'a str>) {
    for node in object.children.values() {
        match node {
            plan::Node::Object(inner) if inner.enabled && !inner.children.is_empty() => collect(inner, paths),
            plan::Node::Object(inner) => paths.push(&inner.path),
            plan::Node::Leaf(leaf) if matches!(leaf.kind, plan::Kind::Alias) => {}
            plan::Node::Leaf(leaf) => paths.push(&leaf.path),
        }
    }
}

fn types_of<'a>(object: &'a plan::ObjectPlan, types: &mut Vec<&'a str>) {
    for node in object.children.values() {
        match node {
            plan::Node::Object(inner) => types_of(inner, types),
            plan::Node::Leaf(leaf) => {
                types.push(&leaf.type_name);
                types.extend(leaf.fields.iter().map(|field| field.type_name.as_str()));
            }
        }
    }
}

fn refuse(reason: String) -> Finding {
    Finding {
        path: String::new(),
        effect: Effect::Rejected,
        reason,
        value: String::new(),
        hint: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Which of the servers reject a document, as they did.
    #[track_caller]
    fn check(properties: &Value, settings: &Value, source: &str, rejecting: &str) {
        let mappings = json!({"dynamic": false, "properties": properties});
        let reports = Conformance::new(&mappings, settings).check_each("1", source, &Target::CHECKED);
        let verdicts = reports.iter().map(|report| if report.is_rejected() { 'X' } else { '.' });
        assert_eq!(verdicts.collect::<String>(), rejecting, "{properties} {source} {reports:?}");
    }

    #[test]
    fn the_default_formats_of_date_nanos_depend_on_the_version() {
        let nanos = json!({"f": {"type": "date_nanos"}});
        check(&nanos, &json!({}), r#"{"f":"2024-01-02T03:04Z"}"#, ".XXX..");
        check(&nanos, &json!({}), r#"{"f":"2024-01-02T03:04:05Z"}"#, "......");
    }

    #[test]
    fn the_setting_ignore_malformed_leaves_no_boolean_out_where_the_type_has_no_such_parameter() {
        let settings = json!({"mapping": {"ignore_malformed": true}});
        let reports = Conformance::new(&json!({"properties": {"f": {"type": "boolean"}}}), &settings)
            .check_each("1", r#"{"f":"x"}"#, &Target::CHECKED);
        let is_rejected: Vec<bool> = reports.iter().map(Report::is_rejected).collect();
        assert_eq!(is_rejected[..4], [true, true, false, false]);
    }

    #[test]
    fn an_object_is_copied_by_new_opensearch_alone() {
        let ranges = json!({"f": {"type": "long_range", "copy_to": "g"}, "g": {"type": "long_range"}});
        check(&ranges, &json!({}), r#"{"f":{"gte":1}}"#, "XXXXX.");
        let points = json!({"f": {"type": "geo_point", "copy_to": "g"}, "g": {"type": "keyword"}});
        check(&points, &json!({}), r#"{"f":{"lat":1,"lon":2}}"#, "XXXXXX");
        check(&points, &json!({}), r#"{"f":"1,2"}"#, "......");
        let nowhere = json!({"f": {"type": "long_range", "copy_to": "missing"}});
        check(&nowhere, &json!({}), r#"{"f":{"gte":1}}"#, ".XXX..");
        let both =
            json!({"f": {"type": "long_range", "copy_to": ["missing", "g"]}, "g": {"type": "half_float"}});
        check(&both, &json!({}), r#"{"f":{}}"#, "XXXXXX");
    }

    #[test]
    fn a_null_that_is_copied_to_where_no_field_is_makes_none() {
        let mapping = json!({"properties": {"f": {"type": "keyword", "copy_to": "missing"}}});
        let reports =
            Conformance::new(&mapping, &json!({})).check_each("1", r#"{"f":null}"#, &Target::CHECKED);
        let verdicts = reports.iter().map(|report| if report.is_rejected() { 'X' } else { '.' });
        assert_eq!(verdicts.collect::<String>(), "X...XX");
    }

    #[test]
    fn bounds_of_a_range_may_be_exchanged_where_it_is_not_indexed() {
        let upside_down = r#"{"f":{"gte":5,"lt":1}}"#;
        check(&json!({"f": {"type": "float_range"}}), &json!({}), upside_down, "XXXXXX");
        check(&json!({"f": {"type": "float_range", "index": false}}), &json!({}), upside_down, "......");
    }

    #[test]
    fn a_search_as_you_type_may_take_no_value_at_all() {
        let field = |name: &str, value: Value| json!({"f": {"type": "search_as_you_type", name: value}});
        check(&field("index", json!(false)), &json!({}), r#"{"f":"a"}"#, "X...XX");
        check(&field("term_vector", json!("with_positions")), &json!({}), r#"{"f":"a"}"#, "X.....");
    }

    #[test]
    fn a_number_of_32_bits_becomes_no_whole_number_of_another_field() {
        let field =
            |outer: &str, inner: &str| json!({"f": {"type": outer, "fields": {"m": {"type": inner}}}});
        for outer in ["float", "half_float", "rank_feature"] {
            for number in ["1.5", "1e2"] {
                let source = format!(r#"{{"f":{number}}}"#);
                check(&field(outer, "long"), &json!({}), &source, ".XXXXX");
                check(&field(outer, "double"), &json!({}), &source, "......");
            }
            check(&field(outer, "long"), &json!({}), r#"{"f":2}"#, "......");
            check(&field(outer, "long"), &json!({}), r#"{"f":"1.5"}"#, "......");
        }
        check(&field("double", "long"), &json!({}), r#"{"f":1.5}"#, "......");
        let copies = |targets: Value| json!({"f": {"type": "float", "copy_to": targets}, "d": {"type": "double"}, "l": {"type": "long"}});
        // What reads it as 64 bits in between helps.
        check(&copies(json!(["d", "l"])), &json!({}), r#"{"f":1.5}"#, "......");
        check(&copies(json!(["l", "d"])), &json!({}), r#"{"f":1.5}"#, ".XXXXX");
        let lenient =
            json!({"f": {"type": "float", "copy_to": "l"}, "l": {"type": "long", "ignore_malformed": true}});
        check(&lenient, &json!({}), r#"{"f":1.5}"#, ".XXX..");
    }

    #[test]
    fn multi_fields_of_a_point_get_its_geohash() {
        let field = |inner: &str| json!({"f": {"type": "geo_point", "fields": {"m": {"type": inner}}}});
        for point in [r#""1,2""#, r#""drm3""#, r#""POINT (2 1)""#] {
            let source = format!(r#"{{"f":{point}}}"#);
            check(&field("keyword"), &json!({}), &source, "......");
            check(&field("geo_point"), &json!({}), &source, "X...XX");
        }
        let mut moved = field("rank_feature");
        moved["f"]["ignore_malformed"] = json!(true);
        check(&moved, &json!({}), r#"{"f":{"lat":91,"lon":0}}"#, "XX..XX");
        let mut null = field("byte");
        null["f"]["null_value"] = json!([-71.34, 41.12]);
        check(&null, &json!({}), r#"{"f":null}"#, "XX..XX");
        let object = Conformance::new(&json!({"properties": field("date")}), &json!({}));
        let report = object.check("1", r#"{"f":{"lat":1,"lon":2}}"#, Target::opensearch(3, 6));
        assert!(report.findings[0].reason.contains("s01mtw037ms0"), "{report:?}");
    }

    #[test]
    fn some_fields_give_nothing_to_their_multi_fields() {
        let field = |outer: &str| json!({"f": {"type": outer, "fields": {"m": {"type": "ip"}}}});
        check(&field("search_as_you_type"), &json!({}), r#"{"f":"a b"}"#, "..XXXX");
        let shapes = Conformance::new(&json!({"properties": field("geo_shape")}), &json!({}));
        for target in [Target::opensearch(2, 19), Target::opensearch(3, 6)] {
            assert!(!shapes.check("1", r#"{"f":"POINT (1 2)"}"#, target).is_rejected());
        }
    }

    #[test]
    fn a_boolean_of_which_nothing_is_kept_may_be_anything_but_an_object() {
        let field = |store: bool| json!({"f": {"type": "boolean", "index": false, "doc_values": false, "store": store}});
        check(&field(false), &json!({}), r#"{"f":"x"}"#, "......");
        check(&field(false), &json!({}), r#"{"f":{"a":1}}"#, "XXXXXX");
        check(&field(true), &json!({}), r#"{"f":"x"}"#, "XXXXXX");
    }

    #[test]
    fn a_string_behind_the_last_position_is_refused() {
        let field = |gap: i64| json!({"f": {"type": "text", "position_increment_gap": gap}});
        for (gap, source, verdicts) in [
            (2_147_483_647, r#"{"f":["a","b"]}"#, "XXXXXX"),
            (2_147_483_647, r#"{"f":["a",""]}"#, "......"),
            (2_147_483_647, r#"{"f":[null,"a"]}"#, "......"),
            (1_073_741_824, r#"{"f":["a","b"]}"#, "......"),
            (1_073_741_824, r#"{"f":["a","b","c"]}"#, "XXXXXX"),
            (715_827_882, r#"{"f":["a","b","c"]}"#, "......"),
        ] {
            check(&field(gap), &json!({}), source, verdicts);
        }
    }

    #[test]
    fn a_shape_for_points_only_is_a_point() {
        let polygon = r#"{"f":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}"#;
        for (parameter, value) in [("strategy", json!("term")), ("points_only", json!(true))] {
            let mapping = json!({"properties": {"f": {"type": "geo_shape", parameter: value}}});
            let field = Conformance::new(&mapping, &json!({}));
            let target = Target::opensearch(3, 6);
            assert!(field.check("1", polygon, target).is_rejected(), "{mapping}");
            assert!(!field.check("1", r#"{"f":"POINT (1 2)"}"#, target).is_rejected(), "{mapping}");
        }
    }

    #[test]
    fn a_rank_feature_has_one_value_with_copies() {
        let fields = json!({"f": {"type": "rank_feature"}, "g": {"type": "long", "copy_to": "f"}});
        check(&fields, &json!({}), r#"{"f":"2","g":7}"#, "XXXXXX");
        check(&fields, &json!({}), r#"{"f":null,"g":7}"#, "......");
    }

    #[test]
    fn a_dot_leads_into_a_value_that_is_an_object_where_dots_are_expanded() {
        let range = json!({"f": {"type": "long_range"}});
        check(&range, &json!({}), r#"{"f.gte":1}"#, "XX..XX");
        check(&json!({"f": {"type": "keyword"}}), &json!({}), r#"{"f.gte":1}"#, "XXXXXX");
    }

    #[test]
    fn a_field_is_copied_to_itself_and_to_others() {
        let mapping = json!({"properties": {"f": {"type": "long", "copy_to": ["f", "g"]}}});
        let conformance = Conformance::new(&mapping, &json!({}));
        let mut rehearsal = conformance.rehearse(&[Target::opensearch(3, 6)]);
        assert!(!rehearsal.index("1", r#"{"f":7}"#)[0].is_rejected());
        assert!(!rehearsal.index("2", r#"{"f":null}"#)[0].is_rejected());
    }

    #[test]
    fn a_template_with_conditions_on_what_it_is_not_for_is_for_nothing() {
        let template = |condition: Value| {
            let mut template = json!({"mapping": {"type": "ip"}});
            template["unmatch"] = json!("g*");
            template.as_object_mut().unwrap().extend(condition.as_object().unwrap().clone());
            let mappings = json!({"dynamic_templates": [{"t": template}]});
            let target = Target::elasticsearch(9, 4);
            Conformance::new(&mappings, &json!({})).check("1", r#"{"f":"no address"}"#, target).is_rejected()
        };
        assert!(!template(json!({})));
        assert!(template(json!({"match": "*"})));
        assert!(template(json!({"unmatch_mapping_type": "long"})));
    }
}
