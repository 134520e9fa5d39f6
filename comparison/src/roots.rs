//! Generates whole bodies of indices: a root mapping with settings.

use pillowtop_core::field_types::{FieldType, Product, ROOT_PARAMETERS, Version, field_type};
use serde_json::{Map, Value, json};

use crate::draw::Draw;
use crate::exceptions;
use crate::fields::Menu;
use crate::samples::{fitting, unfit};
use crate::settings::{Parts, sort};

/// Parameters of the root that are drawn in another way, or need more of the mapping than its table
/// says.
const LEFT_OUT: [&str; 6] = [
    "dynamic_templates",
    "composite",
    "context_aware_grouping",
    "_data_stream_timestamp",
    "subobjects",
    "disable_objects",
];

/// The body of an index: a root mapping, and settings without `index.`.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The root mapping.
    pub mappings: Value,
    /// The settings, with dotted names.
    pub settings: Value,
}

/// Draws a body. Most have one kind of thing that may be wrong, so that one reason does not hide
/// another.
pub(crate) fn body(draw: &mut Draw, menu: &Menu<'_>, parts: &Parts) -> Body {
    let mut mappings = Map::new();
    let mut settings = Map::new();
    match draw.below(10) {
        0..=3 => {
            mappings.insert("properties".to_owned(), menu.properties(draw, 0));
        }
        4..=5 => {
            settings = parts.analysis(draw);
            if draw.one_in(3) {
                mappings.insert("properties".to_owned(), menu.properties(draw, 2));
            }
        }
        6 => {
            settings = parts.single(draw, menu.server());
            mappings.insert("properties".to_owned(), menu.properties(draw, 1));
        }
        7 => {
            settings = sort(draw);
            mappings.insert("properties".to_owned(), menu.properties(draw, 1));
        }
        8 => {
            mappings.insert("dynamic_templates".to_owned(), templates(draw, menu));
        }
        _ => mappings = root(draw, menu),
    }
    if draw.one_in(4) {
        let dynamic = draw.pick(&[json!(false), json!("strict"), json!(true), json!("false")]).cloned();
        mappings.entry("dynamic").or_insert(dynamic.unwrap_or_default());
    }
    Body { mappings: Value::Object(mappings), settings: Value::Object(settings) }
}

/// Parameters of the root beside each other.
fn root(draw: &mut Draw, menu: &Menu<'_>) -> Map<String, Value> {
    let target = menu.server().target();
    let mut root = Map::new();
    let Some(object) = field_type("object") else { return root };
    let object = FieldType { name: "root", ..*object };
    for _ in 0..=draw.below(3) {
        let Some(parameter) = draw.pick(ROOT_PARAMETERS) else { continue };
        let is_elsewhere = !parameter.availability.includes(target) && !draw.one_in(6);
        let is_other = LEFT_OUT.contains(&parameter.name);
        if is_elsewhere || is_other || exceptions::root_parameter_is_absent(menu.server(), parameter.name) {
            continue;
        }
        let values =
            if draw.one_in(8) { unfit("root", parameter) } else { fitting("root", parameter, target) };
        let Some(value) = draw.pick(&values).cloned() else { continue };
        // Which fields can be rebuilt is not checked.
        if value.get("mode").is_some_and(|mode| mode == "synthetic") {
            continue;
        }
        let is_unfit = parameter.check(&value).is_err();
        if is_unfit && exceptions::is_lenient(object.name, parameter, &value, target) {
            continue;
        }
        for (name, value) in exceptions::companions("root", parameter.name) {
            root.entry(name).or_insert(value);
        }
        root.insert(parameter.name.to_owned(), value);
    }
    if draw.one_in(2) && !root.contains_key("properties") {
        root.insert("properties".to_owned(), menu.properties(draw, 2));
    }
    root
}

/// One or two dynamic templates.
fn templates(draw: &mut Draw, menu: &Menu<'_>) -> Value {
    // Older servers take a list for one name, which pillowtop refuses and they do not.
    let target = menu.server().target();
    let has_lists = target.product == Product::Elasticsearch && target.version >= Version::new(8, 9);
    let mut templates = Vec::new();
    for name in ["one", "two"].into_iter().take(1 + draw.below(2)) {
        let mut template = Map::new();
        for _ in 0..=draw.below(2) {
            let (condition, mut values) = condition(draw);
            values.retain(|value| has_lists || !value.is_array());
            if let Some(value) = draw.pick(&values) {
                template.insert(condition.to_owned(), value.clone());
            }
        }
        let conditions = ["match", "path_match", "match_mapping_type"];
        if !conditions.iter().any(|name| template.contains_key(*name)) {
            template.insert("match".to_owned(), json!("f*"));
        }
        if !draw.one_in(25) {
            template.insert("mapping".to_owned(), menu.leaf(draw));
        } else if !draw.one_in(3) {
            template.insert("runtime".to_owned(), json!({"type": draw.word(&["keyword", "long", "text"])}));
        }
        templates.push(json!({name: template}));
    }
    Value::Array(templates)
}

/// A condition of a template, and values for it.
fn condition(draw: &mut Draw) -> (&'static str, Vec<Value>) {
    let condition = draw.word(&[
        "match",
        "match",
        "match_mapping_type",
        "match_mapping_type",
        "unmatch",
        "path_match",
        "path_unmatch",
        "unmatch_mapping_type",
        "match_pattern",
    ]);
    let values = match condition {
        "match_mapping_type" | "unmatch_mapping_type" => json!([
            "string",
            "long",
            "double",
            "boolean",
            "date",
            "object",
            "binary",
            "*",
            "byte",
            "String",
            ["string", "long"]
        ]),
        "match_pattern" => json!(["simple", "regex", "bogus"]),
        _ => json!(["f*", "*_id", "^f.*$", "*name", "o.*", ["f*", "g*"]]),
    };
    (condition, values.as_array().cloned().unwrap_or_default())
}
