//! All reasons for which one server does not create an index, in one list.

use serde_json::{Map, Value, json};

use super::{of_field, of_products, problems, table};
use crate::analysis::{defined, missing_names};
use crate::field_types::{Product, Target, Version};
use crate::limits::examine;
use crate::references::wrong_references;
use crate::requirement::{self, Asks};

/// Why a target does not create an index with a root mapping, which has the target's names of
/// types, and normal settings ([`crate::settings::normalize`]). Empty when it creates it.
///
/// The derives, `make-mapping` and the runtime report the same where each can; this is what `cargo
/// xtask conformance` compares with servers. Settings that are not known here count as accepted.
#[must_use]
pub fn refusals(mappings: &Value, settings: &Value, target: Target) -> Vec<String> {
    let mut found: Vec<String> = table::of_root(mappings).iter().map(ToString::to_string).collect();
    let looks_later = looks_into_templates_later(target);
    for requirement in requirement::of_root(mappings) {
        if requirement.is_of_template && looks_later {
            continue;
        }
        match &requirement.asks {
            Asks::Server { .. } => found.extend(requirement.lack(target)),
            Asks::Definition { kind, name } if !defined(settings, *kind).contains(name) => {
                found.push(format!(
                    "`{}` names the {} `{name}`, which is neither defined nor built in",
                    requirement.path,
                    kind.word()
                ));
            }
            // A pillow declares it, which a mapping alone does not show.
            Asks::Definition { .. } | Asks::Routing => {}
        }
    }
    found.extend(missing_names(settings).iter().map(ToString::to_string));
    let mut refused = problems(mappings, settings);
    refused.extend(of_products(settings));
    found.extend(refused.iter().filter(|problem| problem.prevents_creation(target)).map(ToString::to_string));
    let limits = examine(mappings, settings, &[target]);
    found.extend(limits.iter().filter(|limit| limit.is_past()).map(ToString::to_string));
    let references = wrong_references(mappings);
    found.extend(references.iter().filter(|wrong| wrong.prevents_creation(target)).map(ToString::to_string));
    found
}

/// Why a target refuses a field that a dynamic template makes of a member. Servers before
/// Elasticsearch 8 look at it only then.
#[must_use]
pub fn refusal_of_made(mapping: &Map<String, Value>, settings: &Value, target: Target) -> Option<String> {
    let type_name = mapping.get("type").and_then(Value::as_str).unwrap_or("object");
    let field = Value::Object(mapping.clone());
    let rejects_unknown = rejects_unknown_parameters(type_name, target);
    let table_of = if rejects_unknown { table::of_field } else { table::of_values };
    let mut problems = table_of(type_name, mapping);
    problems.extend(of_field(&field));
    let problem = problems.iter().find(|problem| problem.concerns(target)).map(ToString::to_string);
    problem.or_else(|| {
        let root = json!({"properties": {"made": field}});
        requirement::of_root(&root).iter().find_map(|requirement| match &requirement.asks {
            Asks::Definition { kind, name } if !defined(settings, *kind).contains(name) => {
                Some(format!("it names the {} `{name}`, which is neither defined nor built in", kind.word()))
            }
            Asks::Server { .. } if rejects_unknown => requirement.lack(target),
            _ => None,
        })
    })
}

/// Types that leave out a parameter they do not know, of the servers that reject it elsewhere.
const LENIENT: [&str; 8] =
    ["constant_keyword", "flat_object", "geo_point", "geo_shape", "join", "nested", "object", "percolator"];

/// Whether a parameter that the type does not have, in what a dynamic template maps, rejects the
/// document. Elasticsearch leaves it out from 7.11 on, and from 8 on does not create the index;
/// `OpenSearch` comes of 7.10.
fn rejects_unknown_parameters(type_name: &str, target: Target) -> bool {
    let is_strict = match target.product {
        Product::OpenSearch => true,
        Product::Elasticsearch => target.version < Version::new(7, 11),
    };
    is_strict && !LENIENT.contains(&type_name)
}

/// Whether a target looks at what a dynamic template maps when a document comes.
pub(super) fn looks_into_templates_later(target: Target) -> bool {
    target.product == Product::OpenSearch || target.version.major < 8
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_reason_is_in_the_list() {
        let target = Target::opensearch(3, 6);
        let field = |mapping: Value| json!({"properties": {"f": mapping}});
        for (mappings, settings) in [
            (json!({"bogus": 1}), json!({})),
            (field(json!({"type": "bogus"})), json!({})),
            (field(json!({"type": "keyword", "bogus": 1})), json!({})),
            (field(json!({"properties": {"g": {"type": "scaled_float"}}})), json!({})),
            (field(json!({"type": "histogram"})), json!({})),
            (field(json!({"type": "text", "analyzer": "a"})), json!({})),
            (field(json!({"type": "date", "format": "bogus"})), json!({})),
            (field(json!({"type": "alias", "path": "g"})), json!({})),
            (json!({}), json!({"analysis": {"analyzer": {"a": {"tokenizer": "bogus"}}}})),
            (json!({}), json!({"mode": "standard"})),
            (field(json!({"type": "text"})), json!({"mapping": {"total_fields": {"limit": 0}}})),
        ] {
            assert_eq!(refusals(&mappings, &settings, target).len(), 1, "{mappings} {settings}");
        }
        let defined = json!({"analysis": {"analyzer": {"a": {"type": "standard"}}}});
        let text = field(json!({"type": "text", "analyzer": "a", "fields": {"g": {"type": "keyword"}}}));
        assert_eq!(refusals(&text, &defined, target), Vec::<String>::new());
        // What a template maps is checked with the first document, except by Elasticsearch since version
        // 8.
        let template = json!({"dynamic_templates": [{"t": {"match": "f*", "mapping": {"type": "text", "analyzer": "a"}}}]});
        assert_eq!(refusals(&template, &json!({}), target), [""; 0]);
        assert_eq!(refusals(&template, &json!({}), Target::elasticsearch(8, 14)).len(), 1);
        let mapping = json!({"type": "keyword", "similarity": "classic"});
        assert!(refusal_of_made(mapping.as_object().unwrap(), &json!({}), target).is_some());
        let mapping = json!({"type": "text", "store": null});
        assert!(refusal_of_made(mapping.as_object().unwrap(), &json!({}), target).is_some());
        let mapping = json!({"type": "text", "analyzer": "a"});
        assert_eq!(refusal_of_made(mapping.as_object().unwrap(), &defined, target), None);
        // It is created, and rejects documents.
        assert_eq!(refusals(&json!({"_routing": {"required": true}}), &json!({}), target), [""; 0]);
    }

    #[test]
    fn an_unknown_parameter_of_a_template_rejects_documents_on_older_servers() {
        let targets = [Target::elasticsearch(7, 10), Target::elasticsearch(7, 17), Target::opensearch(3, 6)];
        for (mapping, rejecting) in [
            (json!({"type": "keyword", "bogus": 1}), [true, false, true]),
            (json!({"type": "keyword", "coerce": null}), [true, false, true]),
            // It came with OpenSearch 3.2.
            (json!({"type": "long", "skip_list": false}), [true, false, false]),
            (json!({"type": "geo_point", "bogus": 1}), [false; 3]),
            (json!({"type": "object", "bogus": null}), [false; 3]),
            // Multi-fields are checked by every server.
            (json!({"type": "text", "fields": {"f": {"type": "keyword", "bogus": 1}}}), [true; 3]),
        ] {
            let members = mapping.as_object().unwrap();
            let found = targets.map(|target| refusal_of_made(members, &json!({}), target).is_some());
            assert_eq!(found, rejecting, "{mapping}");
        }
    }
}
