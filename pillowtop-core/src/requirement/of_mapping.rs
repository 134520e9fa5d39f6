//! What a mapping, as JSON, asks of its surroundings by the one table of field types. What the
//! table does not know asks nothing.
//!
//! The derives write this down as [`crate::requirement::Requirement`]s, and the runtime asks before
//! it creates an index.

use serde_json::{Map, Value};

use super::{Asks, NEVER, Requirement, Versions};
use crate::analysis::{NameKind, is_built_in};
use crate::field_types::{self, Availability, FieldType, Parameter, Product, Target, Unavailable, ValueKind};
use crate::lenient::boolean;

type Owned = Requirement<String>;

/// What a field asks, with its multi-fields and properties.
#[must_use]
pub fn of_field(mapping: &Value) -> Vec<Owned> {
    let mut found = Vec::new();
    field(mapping, "", &mut found);
    found
}

/// What the parameters of an object ask, wherever it stands; `properties` among them.
#[must_use]
pub fn of_object(parameters: &Map<String, Value>) -> Vec<Owned> {
    let mut found = Vec::new();
    if let Some(object) = field_types::field_type("object") {
        parameters
            .iter()
            .for_each(|(name, value)| parameter(object, name, value, ("", Versions::ALL), &mut found));
    }
    found
}

/// What the root of a mapping asks, with all that is in it.
#[must_use]
pub fn of_root(mapping: &Value) -> Vec<Owned> {
    let mut found = Vec::new();
    for (name, value) in mapping.as_object().into_iter().flatten() {
        if name == "properties" {
            fields(value, "", &mut found);
        } else if let Some(known) = field_types::root_parameter(name) {
            // Templates are reported one by one.
            let is_templates = matches!(known.value, ValueKind::DynamicTemplates(_));
            let versions = versions_where(|target| {
                known.is_available("the root", target)?;
                if is_templates { Ok(()) } else { known.value_is_available(value, target) }
            });
            server("", shown(name, value), versions, "", &mut found);
            if name == "_routing" && value.get("required").and_then(boolean) == Some(true) {
                routing("", "has `_routing` with `required = true`", &mut found);
            }
            if let (ValueKind::DynamicTemplates(members), Value::Array(templates)) = (known.value, value) {
                templates.iter().for_each(|template| dynamic_template(members, template, &mut found));
            }
        }
    }
    found
}

/// Since when a condition of a template may be a list: older servers take it for one name, and map
/// the field otherwise.
const TEMPLATE_LISTS: Versions = Versions { elasticsearch: (0x0809, NEVER), opensearch: (NEVER, NEVER) };

fn dynamic_template(members: &'static [Parameter], entry: &Value, found: &mut Vec<Owned>) {
    for (name, template) in entry.as_object().into_iter().flatten() {
        let path = format!("dynamic_templates.{name}");
        for (member, value) in template.as_object().into_iter().flatten() {
            if let Some(known) = members.iter().find(|known| known.name == member) {
                let versions = versions_where(|target| {
                    known.is_available("dynamic_templates", target)?;
                    known.value_is_available(value, target)
                });
                server(&path, shown(member, value), versions, "", found);
                if value.is_array() && matches!(known.value, ValueKind::TextOrList) {
                    server(&path, format!("has a list as `{member}`"), TEMPLATE_LISTS, "", found);
                }
            }
            if member == "mapping" && value.get("type").is_some() {
                let mut asked = Vec::new();
                field(value, &path, &mut asked);
                let asked = asked.into_iter().filter(|requirement| !names_the_field(requirement));
                found.extend(asked.map(|requirement| Requirement { is_of_template: true, ..requirement }));
            }
        }
    }
}

/// Whether a template asks for a definition that is named after the field it will map, whatever
/// that is.
fn names_the_field(requirement: &Owned) -> bool {
    matches!(&requirement.asks, Asks::Definition { name, .. } if name.contains("{name}") || name.contains("{dynamic_type}"))
}

/// `properties` or `fields`.
fn fields(fields: &Value, above: &str, found: &mut Vec<Owned>) {
    for (name, mapping) in fields.as_object().into_iter().flatten() {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        field(mapping, &path, found);
    }
}

fn field(mapping: &Value, path: &str, found: &mut Vec<Owned>) {
    let Some(members) = mapping.as_object() else { return };
    let type_name = members.get("type").and_then(Value::as_str).unwrap_or("object");
    let known = field_types::field_type(type_name);
    let mut of_type = Versions::ALL;
    if let Some(known) = known {
        of_type = versions_where(|target| known.is_available(target));
        server(path, format!("is of type `{type_name}`"), of_type, &hint(known), found);
    }
    if type_name == "join" && members.get("relations").is_some_and(has_children) {
        routing(path, "is a `join` with children", found);
    }
    for (name, value) in members {
        match (name.as_str(), known) {
            ("type", _) => {}
            ("properties", _) => fields(value, path, found),
            ("fields", _) => {
                if let Some(known) = known {
                    parameter(known, name, value, (path, of_type), found);
                }
                fields(value, path, found);
            }
            (_, Some(known)) => parameter(known, name, value, (path, of_type), found),
            (_, None) => {}
        }
    }
}

/// Whether a relation of a `join` has a child: that goes to the shard of its parent.
fn has_children(relations: &Value) -> bool {
    let mut children = relations.as_object().into_iter().flat_map(Map::values);
    children.any(|children| children.as_array().is_none_or(|names| !names.is_empty()))
}

fn routing(path: &str, what: &str, found: &mut Vec<Owned>) {
    found.push(Requirement {
        path: path.to_owned(),
        what: what.to_owned(),
        asks: Asks::Routing,
        is_of_template: false,
    });
}

/// A parameter of a field at `path`, whose type has `of_type`.
fn parameter(
    known: &FieldType,
    name: &str,
    value: &Value,
    (path, of_type): (&str, Versions),
    found: &mut Vec<Owned>,
) {
    let Some(parameter) = known.parameter(name) else { return };
    // Most parameters are everywhere, and that is seen at once.
    if parameter.availability != Availability::EVERYWHERE
        || !parameter.limited_values.is_empty()
        || value.is_object()
        || value.is_array()
        || known.counterpart.is_some()
    {
        let versions = versions_where(|target| {
            known.is_available(target)?;
            known.parameter_is_available(name, target)?;
            parameter.value_is_available(value, target)
        });
        // What the type's own versions say is reported once.
        if versions != of_type {
            server(path, shown(name, value), versions, "", found);
        }
    }
    let kind = match parameter.value {
        ValueKind::Analyzer => NameKind::Analyzer,
        ValueKind::Normalizer => NameKind::Normalizer,
        ValueKind::Similarity => NameKind::Similarity,
        _ => return,
    };
    if let Some(text) = value.as_str().filter(|text| !is_built_in(kind, text)) {
        found.push(Requirement {
            path: path.to_owned(),
            what: String::new(),
            asks: Asks::Definition { kind, name: text.to_owned() },
            is_of_template: false,
        });
    }
}

/// A parameter as a message shows it, with its value where that is a word.
fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 40 => format!("has `{name} = {text:?}`"),
        Value::Bool(_) | Value::Number(_) => format!("has `{name} = {value}`"),
        _ => format!("has the parameter `{name}`"),
    }
}

/// Adds a requirement, unless every version meets it.
fn server(path: &str, what: String, versions: Versions, hint: &str, found: &mut Vec<Owned>) {
    if versions == Versions::ALL {
        return;
    }
    let needs = format!("{}{hint}", words(versions));
    found.push(Requirement {
        path: path.to_owned(),
        what,
        asks: Asks::Server { versions, needs },
        is_of_template: false,
    });
}

/// The versions in which a check passes.
fn versions_where(check: impl Fn(Target) -> Result<(), Unavailable>) -> Versions {
    Versions {
        elasticsearch: span(Product::Elasticsearch, &check),
        opensearch: span(Product::OpenSearch, &check),
    }
}

/// The last minor version that is asked for; later ones than any product has yet.
const LAST_MINOR: u16 = 40;

/// From which version of a product on, and before which, a check passes, without duplicates.
fn span(product: Product, check: &impl Fn(Target) -> Result<(), Unavailable>) -> (u16, u16) {
    let (first_major, last_major) = majors(product);
    let (mut first, mut removed) = (NEVER, NEVER);
    for major in first_major..=last_major {
        for minor in 0..=LAST_MINOR {
            let target = Target { product, version: field_types::Version::new(major, minor) };
            let number = major * 256 + minor;
            match check(target) {
                Ok(()) if first == NEVER => {
                    first = if (major, minor) == (first_major, 0) { 0 } else { number };
                }
                Err(_) if first != NEVER && removed == NEVER => removed = number,
                _ => {}
            }
        }
    }
    (first, removed)
}

/// The major versions of a product that the table covers.
#[must_use]
pub const fn majors(product: Product) -> (u16, u16) {
    match product {
        Product::Elasticsearch => (7, 9),
        Product::OpenSearch => (1, 3),
    }
}

pub(crate) fn words(versions: Versions) -> String {
    let one = |product: Product, (first, removed): (u16, u16)| {
        let text = |number: u16| format!("{}.{}", number / 256, number % 256);
        match (first, removed) {
            (NEVER, _) => None,
            (0, NEVER) => Some(product.to_string()),
            (0, removed) => Some(format!("{product} before {}", text(removed))),
            (first, NEVER) => Some(format!("{product} {} or later", text(first))),
            (first, removed) => Some(format!("{product} from {} to before {}", text(first), text(removed))),
        }
    };
    let both =
        [one(Product::Elasticsearch, versions.elasticsearch), one(Product::OpenSearch, versions.opensearch)];
    let both: Vec<String> = both.into_iter().flatten().collect();
    if both.is_empty() { "what no product has".to_owned() } else { both.join(", or ") }
}

/// What stands for a type in the other product, where it must be written anew.
fn hint(field_type: &FieldType) -> String {
    let Some(field_types::Counterpart::Similar(name)) = field_type.counterpart else { return String::new() };
    let Some(other) = field_types::field_type(name) else { return String::new() };
    let products: Vec<String> = [Product::Elasticsearch, Product::OpenSearch]
        .into_iter()
        .filter(|product| field_type.availability.of(*product).is_none())
        .filter(|product| other.availability.of(*product).is_some())
        .map(|product| product.to_string())
        .collect();
    match products.first() {
        Some(product) => format!("; for the same purpose {product} has `{name}`"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lacks(mapping: &Value, target: Target) -> Vec<String> {
        of_root(mapping).iter().filter_map(|requirement| requirement.lack(target)).collect()
    }

    #[test]
    fn a_type_asks_for_the_versions_that_have_it() {
        let mapping = json!({"properties": {"actions": {"type": "nested", "properties": {"embedding": {"type": "dense_vector", "dims": 3}}}}});
        let found = lacks(&mapping, Target::opensearch(2, 19));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(
                "`actions.embedding` is of type `dense_vector`, which OpenSearch 2.19 does not have: it needs Elasticsearch;"
            ) && found[0].ends_with("; for the same purpose OpenSearch has `knn_vector`"),
            "{found:?}"
        );
        assert_eq!(lacks(&mapping, Target::elasticsearch(8, 15)), Vec::<String>::new());
    }

    #[test]
    fn a_renamed_type_is_in_both() {
        let mapping = json!({"properties": {"labels": {"type": "flattened"}}});
        assert!(lacks(&mapping, Target::opensearch(2, 19)).is_empty());
        assert!(lacks(&mapping, Target::elasticsearch(8, 0)).is_empty());
        let found = lacks(&mapping, Target::opensearch(2, 6));
        assert!(found[0].contains("Elasticsearch 7.3 or later, or OpenSearch 2.7 or later"), "{found:?}");
        let mapping = json!({"properties": {"labels": {"type": "flattened", "depth_limit": 3}}});
        let found = lacks(&mapping, Target::opensearch(3, 6));
        assert!(found.len() == 1 && found[0].contains("has `depth_limit = 3`"), "{found:?}");
    }

    #[test]
    fn parameters_values_templates_and_runtime_fields_ask_too() {
        let mapping = json!({"dynamic": "runtime", "runtime": {"day": {"type": "keyword"}}, "properties": {},
            "dynamic_templates": [{"all": {"unmatch_mapping_type": "long", "mapping": {"type": "wildcard"}}}]});
        let found = lacks(&mapping, Target::opensearch(2, 14));
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found.iter().any(|lack| lack.contains("`dynamic_templates.all` is of type `wildcard`")));
        assert!(lacks(&mapping, Target::elasticsearch(8, 8)).is_empty());
    }

    #[test]
    fn names_that_are_not_built_in_are_looked_up_in_the_settings() {
        let found = of_field(
            &json!({"type": "text", "analyzer": "comma", "search_analyzer": "standard", "similarity": "own",
                "fields": {"exact": {"type": "keyword", "normalizer": "lower"}}}),
        );
        let names: Vec<(&str, &Asks<String>)> =
            found.iter().map(|one| (one.path.as_str(), &one.asks)).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names.iter().any(|(path, asked)| *path == "exact"
            && **asked == Asks::Definition { kind: NameKind::Normalizer, name: "lower".to_owned() }));
    }

    #[test]
    fn children_and_required_routing_ask_for_a_routing() {
        let asks = |mapping: Value| -> Vec<String> {
            let found = of_root(&mapping).into_iter().filter(|found| found.asks == Asks::Routing);
            found.map(|found| format!("{}: {}", found.path, found.what)).collect()
        };
        let join = |relations: Value| json!({"properties": {"at": {"properties": {"kin": {"type": "join", "relations": relations}}}}});
        assert_eq!(asks(join(json!({"household": "person"}))), ["at.kin: is a `join` with children"]);
        assert_eq!(asks(join(json!({"household": ["person"]}))).len(), 1);
        assert!(asks(join(json!({"household": []}))).is_empty());
        assert_eq!(
            asks(json!({"_routing": {"required": "true"}})),
            [": has `_routing` with `required = true`"]
        );
        assert!(asks(json!({"_routing": {"required": false}})).is_empty());
    }

    #[test]
    fn a_template_names_what_its_fields_are_called() {
        let template = |analyzer: &str| {
            of_root(
                &json!({"dynamic_templates": [{"named": {"mapping": {"type": "text", "analyzer": analyzer}}}]}),
            )
        };
        assert_eq!(template("{name}"), []);
        assert_eq!(template("comma").len(), 1);
    }

    #[test]
    fn what_the_table_does_not_know_asks_nothing() {
        assert_eq!(of_field(&json!({"type": "brand_new", "analyzer": "x", "sparkle": 1})), []);
        assert_eq!(of_field(&json!({"type": "keyword", "sparkle": {"a": 1}})), []);
    }
}
