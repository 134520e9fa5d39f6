//! Dynamic templates: their conditions, and what they map, which is checked like any field.

use serde_json::{Map, Value};

use super::analysis::pattern_problem;
use super::{Consequence, Problem, table};
use crate::lenient::strings;
use crate::requirement::{NEVER, Versions};

type Members = Map<String, Value>;

/// Since when a template may have a list of types, and since when none but `unmatch`.
const LISTS: Versions = Versions { elasticsearch: (0x0809, NEVER), opensearch: (NEVER, NEVER) };
const NO_CONDITION: Versions = Versions { elasticsearch: (0x070b, NEVER), opensearch: (NEVER, NEVER) };

/// What JSON values are treated as.
const KINDS: [&str; 8] = ["object", "string", "long", "double", "boolean", "date", "binary", "*"];

/// The types of runtime fields.
const RUNTIME_TYPES: [&str; 10] =
    ["boolean", "composite", "date", "double", "geo_point", "geo_shape", "ip", "keyword", "lookup", "long"];

/// The conditions on names and paths.
const NAMES: [&str; 4] = ["match", "unmatch", "path_match", "path_unmatch"];

/// What is wrong with the templates of a root.
pub(super) fn of_root(mappings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for entry in mappings.get("dynamic_templates").and_then(Value::as_array).into_iter().flatten() {
        let Some(entry) = entry.as_object() else { continue };
        if entry.len() != 1 {
            let what = format!("`dynamic_templates` has an entry of {} templates", entry.len());
            found.push(Problem::everywhere(
                "dynamic_templates",
                what,
                "write each template as an entry of its own",
            ));
        }
        for (name, template) in entry {
            let Some(template) = template.as_object() else { continue };
            let path = format!("dynamic_templates.{name}");
            let problems = of_template(template).into_iter().map(|problem| {
                let path =
                    if problem.path.is_empty() { path.clone() } else { format!("{path}.{}", problem.path) };
                Problem { parameter: "dynamic_templates".to_owned(), path, ..problem }
            });
            found.extend(problems);
        }
    }
    found
}

fn refuse(what: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem::everywhere("dynamic_templates", what, help)
}

fn of_template(template: &Members) -> Vec<Problem> {
    let mut found = conditions(template);
    match (template.get("mapping"), template.get("runtime")) {
        (None, None) => found.push(refuse("it maps nothing", "write `mapping(type = \"…\")`")),
        (Some(_), Some(_)) => {
            found.push(refuse("it has both `mapping` and `runtime`", "remove one of them"));
        }
        (Some(mapping), None) => found.extend(of_mapping(mapping).into_iter().map(later)),
        (None, Some(runtime)) => found.extend(of_runtime(runtime).map(later)),
    }
    found
}

/// The parameter at fault is the list of templates, whatever is wrong in one.
fn as_template(problem: Problem) -> Problem {
    Problem { parameter: "dynamic_templates".to_owned(), ..problem }
}

/// What a template maps is checked when it is used, by servers before Elasticsearch 8.
fn later(problem: Problem) -> Problem {
    Problem { consequence: Consequence::RejectsSome, ..problem }
}

fn conditions(template: &Members) -> Vec<Problem> {
    let mut found = Vec::new();
    if !["match", "path_match", "match_mapping_type"].iter().any(|name| template.contains_key(*name)) {
        let help = "write `match`, `path_match` or `match_mapping_type`";
        found.push(refuse("it has no condition", help).accepted_by(NO_CONDITION));
    }
    // Lists of names are not a problem of creation: older servers take them for one name, see
    // `requirement`.
    for name in ["match_mapping_type", "unmatch_mapping_type"] {
        if template.get(name).is_some_and(Value::is_array) {
            let what = format!("`{name}` has a list");
            found.push(refuse(what, "write a template for each type").accepted_by(LISTS));
        }
    }
    for name in ["match_mapping_type", "unmatch_mapping_type"] {
        if let Some(wrong) = strings(template.get(name))
            .into_iter()
            .find(|kind| !KINDS.contains(kind) || (name == "unmatch_mapping_type" && *kind == "*"))
        {
            let what = format!("`{name}` is `{wrong}`, which matches no JSON value");
            found.push(refuse(what, format!("write one of `{}`", KINDS.join("`, `"))));
        }
    }
    match template.get("match_pattern").and_then(Value::as_str) {
        Some("regex") => {
            for name in NAMES {
                let wrong = strings(template.get(name))
                    .into_iter()
                    .find_map(|pattern| Some((pattern, pattern_problem(pattern)?)));
                if let Some((pattern, problem)) = wrong {
                    let what = format!("`{name}` is `{pattern}`, in which {problem}");
                    found.push(refuse(
                        what,
                        "write a regular expression such as `.*name`, or leave `match_pattern` out",
                    ));
                }
            }
        }
        None | Some("simple") => {}
        Some(other) => {
            found.push(refuse(format!("`match_pattern` is `{other}`"), "write `simple` or `regex`"));
        }
    }
    found
}

/// A mapping is that of a field, of any type where it names none.
fn of_mapping(mapping: &Value) -> Vec<Problem> {
    let Some(members) = mapping.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(type_name) = members.get("type").and_then(Value::as_str) {
        found.extend(table::of_field(type_name, members).into_iter().map(as_template));
    }
    if found.is_empty() {
        found.extend(super::of_field(mapping));
    }
    found
}

/// What is wrong with a runtime field: it has a type of its own, or that of the value.
pub(super) fn of_runtime(runtime: &Value) -> Option<Problem> {
    let type_name = runtime.get("type").and_then(Value::as_str).filter(|name| !name.contains('{'))?;
    (!RUNTIME_TYPES.contains(&type_name)).then(|| {
        refuse(
            format!("`runtime` has the type `{type_name}`"),
            "write a type of runtime fields, such as `keyword`",
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::problems;
    use super::*;
    use crate::field_types::Target;

    #[track_caller]
    fn found(template: &Value) -> Vec<Problem> {
        problems(&json!({"dynamic_templates": [{"t": template}]}), &json!({}))
    }

    /// Each checked against the servers, which refuse it at once or with the first document.
    #[test]
    fn conditions_and_contents_of_templates_are_checked_like_fields() {
        let keyword = json!({"type": "keyword"});
        for template in [
            json!({"match_mapping_type": "byte", "mapping": keyword}),
            json!({"match_mapping_type": "String", "mapping": keyword}),
            json!({"match_pattern": "regex", "match": "*name", "mapping": keyword}),
            json!({"match_pattern": "regex", "path_match": "*.a", "mapping": keyword}),
            json!({"match_pattern": "bogus", "match": "f", "mapping": keyword}),
            json!({"match": "f*"}),
            json!({"match": "f*", "mapping": {"type": "bogus"}}),
            json!({"match": "f*", "mapping": {"type": "keyword", "bogus": 1}}),
            json!({"match": "f*", "mapping": {"type": "keyword", "ignore_above": "x"}}),
            json!({"match": "f*", "mapping": {"type": "scaled_float"}}),
            json!({"match": "f*", "mapping": {"type": "text", "fields": {"a": {"type": "keywrod"}}}}),
            json!({"match": "f*", "mapping": {"type": "date", "format": "bogus"}}),
            json!({"match": "f*", "mapping": {"type": "text", "index": false, "fielddata": true}}),
            json!({"match": "f*", "runtime": {"type": "text"}}),
            json!({"match": "f*", "runtime": {}, "mapping": keyword}),
        ] {
            let found = found(&template);
            assert_eq!(found.len(), 1, "{template} {found:?}");
            assert!(
                found[0].concerns_any(&[]) && found[0].path.starts_with("dynamic_templates.t"),
                "{found:?}"
            );
        }
        for template in [
            json!({"match_mapping_type": "*", "mapping": {"type": "{dynamic_type}", "index": false}}),
            json!({"match": "f*", "mapping": {"type": "text", "analyzer": "{name}"}}),
            json!({"match_pattern": "regex", "match": "^f.*$", "mapping": keyword}),
            json!({"match": "f*", "mapping": {}}),
            json!({"path_match": "a.*", "mapping": {"type": "nested"}, "match_mapping_type": "object"}),
            json!({"match": "f*", "runtime": {}}),
        ] {
            assert_eq!(found(&template), [], "{template}");
        }
    }

    #[test]
    fn lists_and_templates_without_a_condition_depend_on_the_version() {
        let keyword = json!({"type": "keyword"});
        for (template, first) in [
            (
                json!({"match_mapping_type": ["string", "long"], "mapping": keyword}),
                Target::elasticsearch(8, 9),
            ),
            (json!({"unmatch": "a", "mapping": keyword}), Target::elasticsearch(7, 17)),
        ] {
            let found = found(&template);
            assert_eq!(found.len(), 1, "{template}");
            assert!(!found[0].concerns(first) && !found[0].concerns_any(&[]), "{template}");
            assert!(
                found[0].concerns(Target::opensearch(3, 6))
                    && found[0].concerns(Target::elasticsearch(7, 10))
            );
        }
    }
}
