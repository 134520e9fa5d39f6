//! The form of a definition: what each kind of part needs, and what a normalizer cannot have.

use super::super::{Problem, stands_for_missing};
use super::Entry;

/// What a type needs, one of several parameters. Without it no server makes the part.
const REQUIRED: [(&str, &str, &[&str]); 15] = [
    ("filter", "truncate", &["length"]),
    ("filter", "keep", &["keep_words", "keep_words_path"]),
    ("filter", "keep_types", &["types"]),
    ("filter", "common_grams", &["common_words", "common_words_path"]),
    ("filter", "dictionary_decompounder", &["word_list", "word_list_path"]),
    ("filter", "hyphenation_decompounder", &["word_list", "word_list_path"]),
    ("filter", "hyphenation_decompounder", &["hyphenation_patterns_path"]),
    ("filter", "condition", &["script"]),
    ("filter", "predicate_token_filter", &["script"]),
    ("filter", "pattern_capture", &["patterns"]),
    ("filter", "pattern_replace", &["pattern"]),
    ("filter", "hunspell", &["locale", "language", "lang"]),
    ("filter", "stemmer_override", &["rules", "rules_path"]),
    ("filter", "keyword_marker", &["keywords", "keywords_path", "keywords_pattern"]),
    ("filter", "elision", &["articles", "articles_path"]),
];

const REQUIRED_OF_CHARACTERS: [(&str, &str, &[&str]); 2] = [
    ("char_filter", "mapping", &["mappings", "mappings_path"]),
    ("char_filter", "pattern_replace", &["pattern"]),
];

pub(super) fn of_entry(entry: Entry<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    match entry.section {
        "analyzer" => found.extend(of_analyzer(entry)),
        "normalizer" => found.extend(of_normalizer(entry)),
        _ if entry.type_name().is_none() => {
            found.push(entry.refuse("has no `type`", "write `\"type\": \"…\"`"));
        }
        _ => {}
    }
    let required = REQUIRED.iter().chain(&REQUIRED_OF_CHARACTERS);
    let lacking = required
        .filter(|(section, type_name, _)| *section == entry.section && entry.type_name() == Some(type_name))
        .filter(|(.., names)| !names.iter().any(|name| entry.has(name)));
    for (_, type_name, names) in lacking {
        let named = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        found.push(entry.refuse(&format!("is a `{type_name}` without {named}"), format!("write {named}")));
    }
    found
}

fn of_analyzer(entry: Entry<'_>) -> Option<Problem> {
    if entry.name.starts_with('_') {
        return Some(entry.refuse("has a name with `_` at its start", "give it another name"));
    }
    if entry.name == "default_index" {
        return Some(entry.refuse("is a name from before Elasticsearch 5", "write `default`"));
    }
    let is_custom = matches!(entry.type_name(), None | Some("custom"));
    (is_custom && !entry.has("tokenizer")).then(|| {
        entry.refuse("has no `tokenizer`", "write one, such as `\"tokenizer\": \"standard\"`, or a `type`")
    })
}

fn of_normalizer(entry: Entry<'_>) -> Option<Problem> {
    let is_known =
        |name: &&str| ["custom", "lowercase"].contains(name) || stands_for_missing(entry.name, name);
    if let Some(type_name) = entry.type_name().filter(|name| !is_known(name)) {
        let what = format!("has the type `{type_name}`, which no normalizer has");
        return Some(entry.refuse(&what, "write `\"type\": \"custom\"`"));
    }
    entry.has("tokenizer").then(|| {
        entry.refuse("has a `tokenizer`, which only analyzers have", "leave it out, or define an analyzer")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of_settings;

    /// Each checked against the servers, which all refuse it.
    #[test]
    fn definitions_that_no_server_makes_are_refused() {
        for (section, definition) in [
            ("analyzer", json!({"x": {"filter": ["lowercase"]}})),
            ("analyzer", json!({"x": {"type": "custom", "filter": ["lowercase"]}})),
            ("analyzer", json!({"_x": {"type": "standard"}})),
            ("analyzer", json!({"default_index": {"type": "standard"}})),
            ("analyzer", json!({"x": {"type": "pattern", "pattern": "("}})),
            ("analyzer", json!({"x": {"type": "standard", "max_token_length": -1}})),
            ("normalizer", json!({"x": {"type": "custom", "tokenizer": "keyword", "filter": ["lowercase"]}})),
            ("normalizer", json!({"x": {"type": "bogus"}})),
            ("filter", json!({"x": {"min_gram": 2}})),
            ("tokenizer", json!({"x": {"min_gram": 2}})),
            ("filter", json!({"x": {"type": "truncate"}})),
            ("filter", json!({"x": {"type": "keyword_marker"}})),
            ("filter", json!({"x": {"type": "condition", "filter": ["lowercase"]}})),
            ("filter", json!({"x": {"type": "pattern_replace", "pattern": "(", "replacement": ""}})),
            ("char_filter", json!({"x": {"mappings": ["a => b"]}})),
            ("char_filter", json!({"x": {"type": "mapping"}})),
            ("char_filter", json!({"x": {"type": "mapping", "mappings": ["a"]}})),
        ] {
            let found = of_settings(&json!({"analysis": {section: definition}}));
            assert_eq!(found.len(), 1, "{section} {definition} {found:?}");
        }
    }
}
