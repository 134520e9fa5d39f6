//! Analyzers and normalizers of the settings, as tokenizers of the search library.
//!
//! Known are the analyzers `standard`, `simple`, `whitespace`, `keyword`, `stop` and `pattern`,
//! custom ones of the tokenizers `standard`, `letter`, `lowercase`, `whitespace`, `keyword`,
//! `pattern` and `char_group` with the filters `lowercase`, `asciifolding` and `stop`, and
//! `analyzer.default`. Whatever else is named works as `standard`; character filters and other
//! filters are left out, and so is `search_analyzer`: a query is analyzed as the field is.

use pillowtop_core::lenient::strings;
use regex::Regex;
use serde_json::Value;
use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, StopWordFilter, TextAnalyzer, TokenizerManager};

use super::tokenizer::{Split, Splitter};

/// The tokenizer of fields whose whole value is one token.
pub(crate) const WHOLE: &str = "keyword";

/// The analyzer of text fields that name none.
pub(crate) const DEFAULT: &str = "default";

/// The words that Lucene's `stop` filter removes.
const ENGLISH: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

/// The analysis part of normal settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Analysis<'a>(&'a Value);

/// A filter that is known here.
enum Filter {
    Lowercase,
    AsciiFolding,
    Stop(Vec<String>),
}

impl<'a> Analysis<'a> {
    /// Of normal settings.
    pub(crate) fn of(settings: &'a Value) -> Self {
        Self(settings.get("analysis").unwrap_or(&Value::Null))
    }

    /// Registers the analyzer and gives the name under which it is.
    pub(crate) fn analyzer(self, name: &str, manager: &TokenizerManager) -> String {
        let registered = format!("analyzer:{name}");
        if manager.get(&registered).is_none() {
            manager.register(&registered, self.build_analyzer(name));
        }
        registered
    }

    /// Registers the normalizer and gives the name under which it is.
    pub(crate) fn normalizer(self, name: &str, manager: &TokenizerManager) -> String {
        let registered = format!("normalizer:{name}");
        if manager.get(&registered).is_none() {
            let custom = self.0.pointer("/normalizer").and_then(|all| all.get(name));
            let filters = match custom {
                Some(definition) => self.filters(definition),
                None if name == "lowercase" => vec![Filter::Lowercase],
                None => Vec::new(),
            };
            manager.register(&registered, build(Split::Whole, filters));
        }
        registered
    }

    fn build_analyzer(self, name: &str) -> TextAnalyzer {
        let custom = self.0.pointer("/analyzer").and_then(|all| all.get(name));
        let Some(definition) = custom else { return built_in(name, &Value::Null) };
        match text(definition, "type") {
            None | Some("custom") => {
                let split = text(definition, "tokenizer").map(|name| self.tokenizer(name));
                let (split, mut filters) = split.unwrap_or((Split::Standard, Vec::new()));
                filters.extend(self.filters(definition));
                build(split, filters)
            }
            Some(kind) => built_in(kind, definition),
        }
    }

    fn tokenizer(self, name: &str) -> (Split, Vec<Filter>) {
        let custom = self.0.pointer("/tokenizer").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
        let kind = text(custom, "type").unwrap_or(name);
        let split = match kind {
            "keyword" => Split::Whole,
            "whitespace" => Split::Whitespace,
            "letter" => Split::Letters,
            "lowercase" => return (Split::Letters, vec![Filter::Lowercase]),
            "pattern" => pattern(custom),
            "char_group" => Split::At(characters(custom)),
            _ => Split::Standard,
        };
        (split, Vec::new())
    }

    fn filters(self, definition: &Value) -> Vec<Filter> {
        strings(definition.get("filter")).iter().filter_map(|name| self.filter(name)).collect()
    }

    fn filter(self, name: &str) -> Option<Filter> {
        let custom = self.0.pointer("/filter").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
        match text(custom, "type").unwrap_or(name) {
            "lowercase" => Some(Filter::Lowercase),
            "asciifolding" => Some(Filter::AsciiFolding),
            "stop" => Some(Filter::Stop(stop_words(custom, true))),
            _ => None,
        }
    }
}

fn built_in(kind: &str, definition: &Value) -> TextAnalyzer {
    let stop = |by_default| match stop_words(definition, by_default) {
        words if words.is_empty() => Vec::new(),
        words => vec![Filter::Stop(words)],
    };
    let lower = |mut filters: Vec<Filter>| {
        filters.insert(0, Filter::Lowercase);
        filters
    };
    match kind {
        "whitespace" => build(Split::Whitespace, Vec::new()),
        "keyword" => build(Split::Whole, Vec::new()),
        "simple" => build(Split::Letters, lower(Vec::new())),
        "stop" => build(Split::Letters, lower(stop(true))),
        "pattern" => {
            let lowered = definition.get("lowercase").is_none_or(|value| value != &Value::Bool(false));
            let filters = if lowered { lower(stop(false)) } else { stop(false) };
            build(pattern(definition), filters)
        }
        _ => build(Split::Standard, lower(stop(false))),
    }
}

fn build(split: Split, filters: Vec<Filter>) -> TextAnalyzer {
    let mut analyzer = TextAnalyzer::builder(Splitter::new(split)).dynamic();
    for filter in filters {
        analyzer = match filter {
            Filter::Lowercase => analyzer.filter_dynamic(LowerCaser),
            Filter::AsciiFolding => analyzer.filter_dynamic(AsciiFoldingFilter),
            Filter::Stop(words) => analyzer.filter_dynamic(StopWordFilter::remove(words)),
        };
    }
    analyzer.build()
}

/// A pattern that this library cannot read splits as `standard`.
fn pattern(definition: &Value) -> Split {
    Regex::new(text(definition, "pattern").unwrap_or(r"\W+")).map_or(Split::Standard, Split::Pattern)
}

fn characters(definition: &Value) -> Vec<char> {
    let names = strings(definition.get("tokenize_on_chars"));
    let mut characters = Vec::new();
    for name in names {
        match name {
            "whitespace" => characters.extend([' ', '\t', '\n', '\r', '\u{a0}']),
            "punctuation" => characters.extend("!\"#%&'()*,-./:;?@[\\]_{}".chars()),
            "\\n" => characters.push('\n'),
            "\\t" => characters.push('\t'),
            other => characters.extend(other.chars().next()),
        }
    }
    characters
}

fn stop_words(definition: &Value, by_default: bool) -> Vec<String> {
    let declared = strings(definition.get("stopwords"));
    match (declared.as_slice(), by_default) {
        ([], true) | (["_english_"], _) => ENGLISH.iter().map(|word| (*word).to_owned()).collect(),
        ([], false) | (["_none_"], _) => Vec::new(),
        (words, _) => words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

fn text<'a>(definition: &'a Value, name: &str) -> Option<&'a str> {
    definition.get(name).and_then(Value::as_str)
}
