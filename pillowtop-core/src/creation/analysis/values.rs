//! Values of parameters of tokenizers, filters and character filters that servers refuse, at once
//! or when an analyzer has the part.

use serde_json::Value;

use super::super::Problem;
use super::Entry;
use super::patterns::{groups, pattern_problem};
use crate::lenient::integer;
use crate::requirement::{NEVER, Versions};

/// What a value must be.
#[derive(Clone, Copy)]
enum Must {
    BeAtLeast(i64),
    BeOneOf(&'static [&'static str]),
    BeOneCharacter,
    BePattern,
    BeFlags,
    BeScript,
    NotBeEmpty,
}

/// When servers look at it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AtOnce,
    Used,
}

use Must::{BeAtLeast, BeFlags, BeOneCharacter, BeOneOf, BePattern, BeScript, NotBeEmpty};
use When::{AtOnce, Used};

const LOWERCASE: &[&str] = &["greek", "irish", "turkish"];

/// Section, types, parameter, what it must be, and when that is checked.
const RULES: &[(&str, &[&str], &str, Must, When)] = &[
    ("analyzer", &["standard"], "max_token_length", BeAtLeast(1), AtOnce),
    ("analyzer", &["pattern"], "pattern", BePattern, AtOnce),
    ("analyzer", &["pattern"], "flags", BeFlags, AtOnce),
    ("analyzer", &["fingerprint"], "separator", BeOneCharacter, AtOnce),
    (
        "tokenizer",
        &["standard", "whitespace", "uax_url_email", "classic"],
        "max_token_length",
        BeAtLeast(1),
        Used,
    ),
    ("tokenizer", &["keyword"], "buffer_size", BeAtLeast(1), Used),
    ("tokenizer", &["pattern"], "pattern", BePattern, AtOnce),
    ("tokenizer", &["pattern"], "flags", BeFlags, AtOnce),
    ("tokenizer", &["path_hierarchy", "PathHierarchy"], "delimiter", BeOneCharacter, AtOnce),
    ("tokenizer", &["path_hierarchy", "PathHierarchy"], "replacement", BeOneCharacter, AtOnce),
    ("filter", &["truncate"], "length", BeAtLeast(1), AtOnce),
    ("filter", &["limit"], "max_token_count", BeAtLeast(1), Used),
    ("filter", &["min_hash"], "hash_count", BeAtLeast(1), Used),
    ("filter", &["min_hash"], "bucket_count", BeAtLeast(1), Used),
    ("filter", &["min_hash"], "hash_set_size", BeAtLeast(1), Used),
    ("filter", &["edge_ngram", "edgeNGram"], "side", BeOneOf(&["front", "back"]), AtOnce),
    ("filter", &["keep_types"], "mode", BeOneOf(&["include", "exclude"]), AtOnce),
    ("filter", &["lowercase"], "language", BeOneOf(LOWERCASE), Used),
    ("filter", &["fingerprint"], "separator", BeOneCharacter, AtOnce),
    ("filter", &["delimited_term_freq"], "delimiter", BeOneCharacter, AtOnce),
    ("filter", &["delimited_payload"], "delimiter", NotBeEmpty, AtOnce),
    ("filter", &["pattern_replace"], "pattern", BePattern, AtOnce),
    ("filter", &["pattern_replace"], "flags", BeFlags, AtOnce),
    ("filter", &["pattern_capture"], "patterns", BePattern, AtOnce),
    ("filter", &["keyword_marker"], "keywords_pattern", BePattern, AtOnce),
    ("filter", &["condition", "predicate_token_filter"], "script", BeScript, AtOnce),
    ("filter", &["condition"], "filter", NotBeEmpty, AtOnce),
    ("char_filter", &["pattern_replace"], "pattern", BePattern, AtOnce),
    ("char_filter", &["pattern_replace"], "flags", BeFlags, AtOnce),
];

/// The flags of Java's regular expressions.
const FLAGS: [&str; 10] = [
    "CASE_INSENSITIVE",
    "MULTILINE",
    "DOTALL",
    "UNICODE_CASE",
    "CANON_EQ",
    "UNIX_LINES",
    "LITERAL",
    "COMMENTS",
    "UNICODE_CHAR_CLASS",
    "UNICODE_CHARACTER_CLASS",
];

pub(super) fn of_entry(entry: Entry<'_>, is_used: bool) -> Vec<Problem> {
    let Some(type_name) = entry.type_name() else { return Vec::new() };
    let mut found = Vec::new();
    let rules = RULES.iter().filter(|(section, types, _, _, when)| {
        *section == entry.section && types.contains(&type_name) && (is_used || *when == AtOnce)
    });
    for (_, _, parameter, must, _) in rules {
        // A filter of conditions has filters, so none is as wrong as an empty list.
        let is_missing = matches!((type_name, *parameter), ("condition", "filter"));
        let value = match entry.members.get(*parameter) {
            Some(value) if !value.is_null() => value,
            _ if is_missing => &Value::Null,
            _ => continue,
        };
        if let Some((wrong, help)) = must.problem(value) {
            found.push(entry.refuse(&format!("has `{parameter}` {value}, {wrong}"), help));
        }
    }
    found.extend(lists::of_entry(entry, type_name));
    let is_marker = (entry.section, type_name) == ("filter", "keyword_marker");
    if is_marker
        && entry.has("keywords_pattern")
        && ["keywords", "keywords_path"].iter().any(|name| entry.has(name))
    {
        let what = "has both `keywords_pattern` and a list of keywords";
        found.push(entry.refuse(what, "leave one of them out"));
    }
    found.extend(if is_used { of_used(entry, type_name) } else { None });
    found.extend(simple_pattern(entry, type_name, is_used));
    found
}

impl Must {
    /// What is wrong with a value, and what to write.
    fn problem(self, value: &Value) -> Option<(String, String)> {
        let text = value.as_str();
        let plain = |wrong: &str, help: &str| Some((wrong.to_owned(), help.to_owned()));
        match self {
            BeAtLeast(least) if integer(value).is_some_and(|number| number < least) => {
                plain("which is too small", &format!("write {least} or more"))
            }
            BeOneOf(words) if !words.contains(&text?.to_ascii_lowercase().as_str()) => {
                plain("which is not known", &format!("write one of `{}`", words.join("`, `")))
            }
            BeOneCharacter if text?.chars().count() != 1 => {
                plain("which is not one character", "write one character")
            }
            BePattern => {
                let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                let problem = list.iter().filter_map(Value::as_str).find_map(pattern_problem)?;
                plain(&format!("in which {problem}"), "write a regular expression of Java")
            }
            BeFlags => {
                let wrong = text?.split('|').find(|flag| !FLAGS.contains(&flag.trim()))?;
                let help = format!("write some of `{}` with `|` between", FLAGS.join("`, `"));
                plain(&format!("in which `{wrong}` is not a flag"), &help)
            }
            BeScript if value.get("source").or_else(|| value.get("id")).is_none() => {
                plain("which is not a script", "write `{\"source\": \"…\"}`")
            }
            NotBeEmpty if value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty) => {
                plain("which is empty", "write what it needs")
            }
            _ => None,
        }
    }
}

/// What shows when an analyzer has the part.
fn of_used(entry: Entry<'_>, type_name: &str) -> Option<Problem> {
    let number = |name: &str| entry.members.get(name).and_then(integer);
    match (entry.section, type_name) {
        ("filter", "length") => {
            let (least, most) = (number("min").unwrap_or(0), number("max").unwrap_or(i64::MAX));
            let what = || format!("has `min` {least} above `max` {most}");
            (least > most).then(|| entry.refuse(&what(), "exchange them"))
        }
        ("tokenizer", "pattern") => {
            let group = number("group")?;
            let count = entry.members.get("pattern").and_then(Value::as_str).map_or(0, groups);
            let what = || format!("has `group` {group}, and its pattern has {count} groups");
            usize::try_from(group).ok().filter(|group| *group > count)?;
            Some(entry.refuse(&what(), "write `-1` to split at the pattern, or another group"))
        }
        _ => None,
    }
}

/// Patterns of Lucene: `OpenSearch` 3 reads them at once, the others when an analyzer has the
/// tokenizer.
fn simple_pattern(entry: Entry<'_>, type_name: &str, is_used: bool) -> Option<Problem> {
    const UNUSED: Versions = Versions { elasticsearch: (0, NEVER), opensearch: (0, 0x0300) };
    if !matches!((entry.section, type_name), ("tokenizer", "simple_pattern" | "simple_pattern_split")) {
        return None;
    }
    let pattern = entry.members.get("pattern").and_then(Value::as_str)?;
    let problem = pattern_problem(pattern).filter(|problem| problem.ends_with("is not closed"))?;
    let what = format!("has the pattern `{pattern}`, in which {problem}");
    let refused = entry.refuse(&what, "write a regular expression of Lucene");
    Some(if is_used { refused } else { refused.accepted_by(UNUSED) })
}

mod lists;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of_settings;
    use super::*;

    fn found(section: &str, definition: &Value, is_used: bool) -> usize {
        let mut analysis = json!({section: {"x": definition}});
        if is_used {
            analysis["analyzer"]["u"] = match section {
                "tokenizer" => json!({"tokenizer": "x"}),
                section => json!({"tokenizer": "standard", section: ["x"]}),
            };
        }
        of_settings(&json!({ "analysis": analysis })).len()
    }

    /// Each checked against the servers, which all refuse it, used or not.
    #[test]
    fn values_that_are_read_at_once_are_refused_at_once() {
        for (section, definition) in [
            ("tokenizer", json!({"type": "ngram", "token_chars": ["bogus"]})),
            ("tokenizer", json!({"type": "edge_ngram", "token_chars": ["custom"]})),
            ("tokenizer", json!({"type": "pattern", "flags": "BOGUS"})),
            ("tokenizer", json!({"type": "char_group", "tokenize_on_chars": ["bogus"]})),
            ("tokenizer", json!({"type": "path_hierarchy", "delimiter": "//"})),
            ("filter", json!({"type": "truncate", "length": 0})),
            ("filter", json!({"type": "edge_ngram", "side": "bogus"})),
            ("filter", json!({"type": "keep_types", "types": ["a"], "mode": "bogus"})),
            ("filter", json!({"type": "fingerprint", "separator": "++"})),
            ("filter", json!({"type": "pattern_capture", "patterns": ["("]})),
            ("filter", json!({"type": "keyword_marker", "keywords_pattern": "("})),
            ("filter", json!({"type": "stemmer_override", "rules": ["a => b => c"]})),
            ("filter", json!({"type": "stemmer_override", "rules": ["=> b"]})),
            ("filter", json!({"type": "keyword_marker", "keywords": ["a"], "keywords_pattern": "a"})),
            ("filter", json!({"type": "word_delimiter", "type_table": ["a => BOGUS"]})),
            ("filter", json!({"type": "condition", "script": {"source": "true"}, "filter": []})),
            ("filter", json!({"type": "condition", "script": "true", "filter": ["lowercase"]})),
            ("char_filter", json!({"type": "mapping", "mappings": ["a => b", "a => c"]})),
            ("char_filter", json!({"type": "mapping", "mappings": ["=> b"]})),
        ] {
            for is_used in [false, true] {
                assert_eq!(found(section, &definition, is_used), 1, "{definition}");
            }
        }
    }

    /// Each checked against the servers, which take it unless an analyzer has it.
    #[test]
    fn values_that_are_read_later_are_refused_in_what_is_used() {
        for (section, definition) in [
            ("tokenizer", json!({"type": "standard", "max_token_length": 0})),
            ("tokenizer", json!({"type": "keyword", "buffer_size": 0})),
            ("tokenizer", json!({"type": "pattern", "pattern": "a", "group": 1})),
            ("filter", json!({"type": "limit", "max_token_count": 0})),
            ("filter", json!({"type": "min_hash", "bucket_count": 0})),
            ("filter", json!({"type": "lowercase", "language": "bogus"})),
            ("filter", json!({"type": "length", "max": -1})),
        ] {
            assert_eq!(found(section, &definition, false), 0, "{definition}");
            assert_eq!(found(section, &definition, true), 1, "{definition}");
        }
    }
}
