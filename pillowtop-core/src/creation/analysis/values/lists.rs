//! Lists of words and rules in definitions, all of which servers read at once.

use serde_json::Value;

use super::super::super::Problem;
use super::Entry;

/// The classes of characters of n-grams, which are read in any case of letters.
const CLASSES: [&str; 28] = [
    "letter",
    "digit",
    "whitespace",
    "punctuation",
    "symbol",
    "custom",
    "private_use",
    "paragraph_separator",
    "start_punctuation",
    "unassigned",
    "enclosing_mark",
    "connector_punctuation",
    "letter_number",
    "other_number",
    "math_symbol",
    "lowercase_letter",
    "space_separator",
    "surrogate",
    "initial_quote_punctuation",
    "decimal_digit_number",
    "other_punctuation",
    "dash_punctuation",
    "currency_symbol",
    "non_spacing_mark",
    "format",
    "modifier_letter",
    "control",
    "uppercase_letter",
];

/// Those that newer versions may have beside them.
const MORE_CLASSES: [&str; 10] = [
    "other_letter",
    "titlecase_letter",
    "line_separator",
    "modifier_symbol",
    "other_symbol",
    "end_punctuation",
    "final_quote_punctuation",
    "combining_spacing_mark",
    "lower",
    "upper",
];

/// What a character group names beside single characters.
const GROUPS: [&str; 5] = ["letter", "digit", "whitespace", "punctuation", "symbol"];

/// The types of characters of a word delimiter.
const TYPES: [&str; 6] = ["LOWER", "UPPER", "ALPHA", "DIGIT", "ALPHANUM", "SUBWORD_DELIM"];

pub(super) fn of_entry(entry: Entry<'_>, type_name: &str) -> Option<Problem> {
    let words = |name: &str| match entry.members.get(name) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match (entry.section, type_name) {
        ("tokenizer", "ngram" | "nGram" | "edge_ngram" | "edgeNGram") => {
            classes(entry, &words("token_chars"))
        }
        ("tokenizer", "char_group") => {
            let list = words("tokenize_on_chars");
            let is_known = |word: &str| word.chars().count() == 1 || GROUPS.contains(&word);
            let wrong = list.into_iter().find(|word| !is_known(word) && !word.starts_with('\\'))?;
            let what = format!("has `{wrong}` in `tokenize_on_chars`");
            Some(entry.refuse(&what, format!("write characters, or `{}`", GROUPS.join("`, `"))))
        }
        ("filter", "stemmer_override") => rules(entry, &words("rules")),
        ("filter", "word_delimiter" | "word_delimiter_graph") => {
            let list = words("type_table");
            let is_right =
                |rule: &str| rule.split_once("=>").is_some_and(|(_, to)| TYPES.contains(&to.trim()));
            let wrong = list.into_iter().find(|rule| !is_right(rule))?;
            let what = format!("has `{wrong}` in `type_table`");
            Some(entry.refuse(&what, format!("write `c => TYPE`, with a type of `{}`", TYPES.join("`, `"))))
        }
        ("char_filter", "mapping") => mappings(entry, &words("mappings")),
        _ => None,
    }
}

fn classes(entry: Entry<'_>, words: &[&str]) -> Option<Problem> {
    let is_known = |word: &str| {
        let word = word.to_ascii_lowercase();
        CLASSES.contains(&word.as_str()) || MORE_CLASSES.contains(&word.as_str())
    };
    if let Some(wrong) = words.iter().find(|word| !is_known(word)) {
        let what = format!("has `{wrong}` in `token_chars`, which is not a class of characters");
        return Some(entry.refuse(&what, format!("write some of `{}`", CLASSES[..6].join("`, `"))));
    }
    let is_custom = words.iter().any(|word| word.eq_ignore_ascii_case("custom"));
    (is_custom && !entry.has("custom_token_chars")).then(|| {
        entry.refuse("has `custom` in `token_chars` without `custom_token_chars`", "write the characters")
    })
}

/// Rules of the form `word, other => stem`.
fn rules(entry: Entry<'_>, rules: &[&str]) -> Option<Problem> {
    let is_right = |rule: &str| {
        let sides: Vec<&str> = rule.split("=>").map(str::trim).collect();
        matches!(sides[..], [from, to] if !from.is_empty() && !to.is_empty())
    };
    let wrong = rules.iter().find(|rule| !is_right(rule))?;
    Some(entry.refuse(&format!("has the rule `{wrong}`"), "write `\"word => stem\"`"))
}

/// Mappings of characters, each at most once.
fn mappings(entry: Entry<'_>, rules: &[&str]) -> Option<Problem> {
    let mut seen: Vec<&str> = Vec::new();
    for rule in rules {
        let Some((from, _)) = rule.split_once("=>") else {
            let what = format!("has the rule `{rule}` without `=>`");
            return Some(entry.refuse(&what, "write `\"a => b\"`"));
        };
        let from = from.trim();
        if from.is_empty() {
            let what = format!("has the rule `{rule}`, which maps nothing");
            return Some(entry.refuse(&what, "write `\"a => b\"`"));
        }
        if seen.contains(&from) {
            let what = format!("maps `{from}` twice");
            return Some(entry.refuse(&what, "leave one of them out"));
        }
        seen.push(from);
    }
    None
}
