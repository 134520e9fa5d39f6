//! Similarities that settings define.

use serde_json::Value;

use super::{Problem, stands_for_missing};
use crate::requirement::{NEVER, Versions};

/// Parameters that have one of some words, or a number.
type Known = (&'static str, &'static [&'static str]);

/// The types of similarities, each with its parameters; those with words are required.
const TYPES: [(&str, &[Known]); 8] = [
    ("BM25", &[("k1", &[]), ("b", &[]), ("discount_overlaps", &[])]),
    ("boolean", &[]),
    (
        "DFR",
        &[
            ("basic_model", &["g", "if", "in", "ine"]),
            ("after_effect", &["b", "l"]),
            ("normalization", NORMALIZATIONS),
        ],
    ),
    ("DFI", &[("independence_measure", &["standardized", "saturated", "chisquared"])]),
    (
        "IB",
        &[("distribution", &["ll", "spl"]), ("lambda", &["df", "ttf"]), ("normalization", NORMALIZATIONS)],
    ),
    ("LMDirichlet", &[("mu", &[])]),
    ("LMJelinekMercer", &[("lambda", &[])]),
    ("scripted", &[]),
];

const NORMALIZATIONS: &[&str] = &["no", "h1", "h2", "h3", "z"];

/// What is wrong with the similarities of settings.
pub(super) fn of_settings(settings: &Value) -> Vec<Problem> {
    let definitions = settings.get("similarity").and_then(Value::as_object).into_iter().flatten();
    definitions.flat_map(|(name, definition)| of_definition(name, definition)).collect()
}

fn of_definition(name: &str, definition: &Value) -> Vec<Problem> {
    let location = format!("similarity.{name}");
    let refuse = |what: String, help: String| {
        Problem::everywhere(&location, format!("the similarity `{name}` {what}"), help)
    };
    if ["BM25", "boolean"].contains(&name) {
        return vec![refuse("is built in".to_owned(), "give it another name".to_owned())];
    }
    let mut found = Vec::new();
    if name == "classic" {
        let since_8 = Versions { elasticsearch: (0x0800, NEVER), opensearch: (NEVER, NEVER) };
        found.push(refuse("is built in".to_owned(), "give it another name".to_owned()).accepted_by(since_8));
    }
    let types: Vec<String> = TYPES.iter().map(|(name, _)| format!("`{name}`")).collect();
    let help = || format!("write one of {}", types.join(", "));
    match definition.get("type").and_then(Value::as_str) {
        None => found.push(refuse("has no `type`".to_owned(), help())),
        Some(type_name) => match TYPES.iter().find(|(known, _)| *known == type_name) {
            None if stands_for_missing(name, type_name) && name != "classic" => {}
            None => found.push(refuse(format!("has the type `{type_name}`, which no server has"), help())),
            Some((_, known)) => found
                .extend(wrong_parameter(type_name, known, definition).map(|(what, help)| refuse(what, help))),
        },
    }
    found
}

/// The first parameter that is wrong, and what to write.
fn wrong_parameter(type_name: &str, known: &[Known], definition: &Value) -> Option<(String, String)> {
    for (name, words) in known.iter().filter(|(_, words)| !words.is_empty()) {
        let value = definition.get(*name).and_then(Value::as_str);
        if !value.is_some_and(|value| words.contains(&value)) {
            let what =
                value.map_or_else(|| format!("has no `{name}`"), |value| format!("has `{name} = {value:?}`"));
            return Some((what, format!("write one of `{}`", words.join("`, `"))));
        }
    }
    let number = |name: &str| {
        let value = definition.get(name)?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok())
    };
    for (name, least, most) in
        [("k1", 0.0, f64::MAX), ("b", 0.0, 1.0), ("mu", 0.0, f64::MAX), ("lambda", f64::MIN_POSITIVE, 1.0)]
    {
        let wrong = number(name).filter(|value| !(least..=most).contains(value));
        if let Some(wrong) = wrong.filter(|_| known.iter().any(|(known, _)| *known == name)) {
            let help = match (name, most) {
                ("lambda", _) => "write a number above 0, up to 1".to_owned(),
                (_, f64::MAX) => "write 0 or more".to_owned(),
                _ => format!("write a number from {least} to {most}"),
            };
            return Some((format!("has `{name}` {wrong}"), help));
        }
    }
    if type_name == "scripted" {
        let script = definition.get("script");
        let is_script =
            script.is_some_and(|script| ["source", "id"].iter().any(|name| script.get(*name).is_some()));
        let help = "write `\"script\": {\"source\": \"…\"}`".to_owned();
        return (!is_script).then(|| ("has no `script`".to_owned(), help));
    }
    let mut names = definition.as_object()?.keys().filter(|name| *name != "type");
    let is_known =
        |name: &str| known.iter().any(|(known, _)| name.split('.').next().unwrap_or(name) == *known);
    let unknown = names.find(|name| !is_known(name))?;
    Some((
        format!("has the parameter `{unknown}`, which `{type_name}` does not have"),
        "leave it out".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each checked against the servers.
    #[test]
    fn similarities_that_no_server_makes_are_refused() {
        for definition in [
            json!({"s": {"type": "classic"}}),
            json!({"s": {"type": "TFIDF"}}),
            json!({"s": {"k1": 1}}),
            json!({"s": {"type": "BM25", "bogus": 1}}),
            json!({"s": {"type": "BM25", "k1": -1}}),
            json!({"s": {"type": "BM25", "b": 2}}),
            json!({"s": {"type": "DFR"}}),
            json!({"s": {"type": "LMJelinekMercer", "lambda": 0}}),
            json!({"s": {"type": "LMDirichlet", "mu": -1}}),
            json!({"s": {"type": "LMDirichlet", "bogus": 1}}),
            json!({"s": {"type": "scripted"}}),
            json!({"s": {"type": "scripted", "script": "return 1"}}),
            json!({"s": {"type": "DFR", "basic_model": "be", "after_effect": "l", "normalization": "h2"}}),
            json!({"BM25": {"type": "BM25"}}),
        ] {
            assert_eq!(of_settings(&json!({ "similarity": definition })).len(), 1, "{definition}");
        }
        for definition in [
            json!({"s": {"type": "BM25", "k1": "1.2", "b": 0.7, "discount_overlaps": false}}),
            json!({"s": {"type": "DFR", "basic_model": "g", "after_effect": "l", "normalization": "h2", "normalization.h2.c": "3"}}),
            json!({"s": {"type": "IB", "distribution": "ll", "lambda": "df", "normalization": "z"}}),
            json!({"s": {"type": "DFI", "independence_measure": "standardized"}}),
            json!({"s": {"type": "scripted", "script": {"source": "return 1"}}}),
            json!({"default": {"type": "boolean"}}),
        ] {
            assert_eq!(of_settings(&json!({ "similarity": definition })), [], "{definition}");
        }
    }
}
