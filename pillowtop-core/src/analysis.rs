//! The names that analysis settings define, those that servers and their usual plugins bring along,
//! and definitions that name something that neither has.
//!
//! The lists are what Elasticsearch 7.10 to 9.4 and `OpenSearch` 2.19 to 3.6 accept as a name
//! without any definition; a name is on them when any of these versions has it. Whether a plugin is
//! installed is the server's say.

use serde_json::{Map, Value};

/// What a name in a mapping is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// An analyzer, also one for searching.
    Analyzer,
    /// A normalizer of exact strings.
    Normalizer,
    /// A way of scoring.
    Similarity,
}

impl NameKind {
    /// As people write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Normalizer => "normalizer",
            Self::Similarity => "similarity",
        }
    }

    /// Where settings define it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Analyzer => "analysis.analyzer",
            Self::Normalizer => "analysis.normalizer",
            Self::Similarity => "similarity",
        }
    }
}

/// Built-in analyzers, `default` among them, which is `standard` until settings define it.
const ANALYZERS: &[&str] = &[
    "default",
    "standard",
    "simple",
    "whitespace",
    "stop",
    "keyword",
    "pattern",
    "fingerprint",
    "snowball",
    "standard_html_strip",
    "arabic",
    "armenian",
    "basque",
    "bengali",
    "brazilian",
    "bulgarian",
    "catalan",
    "chinese",
    "cjk",
    "czech",
    "danish",
    "dutch",
    "english",
    "estonian",
    "finnish",
    "french",
    "galician",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "latvian",
    "lithuanian",
    "norwegian",
    "persian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "sorani",
    "spanish",
    "swedish",
    "thai",
    "turkish",
];

/// Analyzers of plugins: `analysis-icu`, `analysis-kuromoji`, `analysis-nori`, `analysis-smartcn`,
/// `analysis-stempel`, `analysis-ukrainian`.
const PLUGIN_ANALYZERS: &[&str] = &["icu_analyzer", "kuromoji", "nori", "smartcn", "polish", "ukrainian"];

const NORMALIZERS: &[&str] = &["lowercase", "default"];
const SIMILARITIES: &[&str] = &["BM25", "boolean"];

const TOKENIZERS: &[&str] = &[
    "standard",
    "letter",
    "lowercase",
    "whitespace",
    "uax_url_email",
    "classic",
    "thai",
    "ngram",
    "edge_ngram",
    "nGram",
    "edgeNGram",
    "keyword",
    "pattern",
    "simple_pattern",
    "char_group",
    "simple_pattern_split",
    "path_hierarchy",
    "PathHierarchy",
];

const PLUGIN_TOKENIZERS: &[&str] =
    &["icu_tokenizer", "kuromoji_tokenizer", "nori_tokenizer", "smartcn_tokenizer"];

const FILTERS: &[&str] = &[
    "apostrophe",
    "arabic_normalization",
    "arabic_stem",
    "asciifolding",
    "bengali_normalization",
    "brazilian_stem",
    "cjk_bigram",
    "cjk_width",
    "classic",
    "common_grams",
    "concatenate_graph",
    "czech_stem",
    "decimal_digit",
    "delimited_payload",
    "delimited_term_freq",
    "dutch_stem",
    "edge_ngram",
    "elision",
    "fingerprint",
    "flatten_graph",
    "french_stem",
    "german_normalization",
    "german_stem",
    "hindi_normalization",
    "indic_normalization",
    "keyword_repeat",
    "kstem",
    "length",
    "limit",
    "lowercase",
    "min_hash",
    "multiplexer",
    "ngram",
    "persian_normalization",
    "persian_stem",
    "porter_stem",
    "remove_duplicates",
    "reverse",
    "russian_stem",
    "scandinavian_folding",
    "scandinavian_normalization",
    "serbian_normalization",
    "shingle",
    "snowball",
    "sorani_normalization",
    "stemmer",
    "stop",
    "trim",
    "truncate",
    "type_as_payload",
    "unique",
    "uppercase",
    "word_delimiter",
    "word_delimiter_graph",
];

/// Types of filters that need a definition.
const FILTER_TYPES: &[&str] = &[
    "condition",
    "dictionary_decompounder",
    "hunspell",
    "hyphenation_decompounder",
    "keep",
    "keep_types",
    "keyword_marker",
    "pattern_capture",
    "pattern_replace",
    "predicate_token_filter",
    "stemmer_override",
    "synonym",
    "synonym_graph",
];

const PLUGIN_FILTERS: &[&str] = &[
    "icu_normalizer",
    "icu_folding",
    "icu_collation",
    "icu_transform",
    "kuromoji_baseform",
    "kuromoji_part_of_speech",
    "kuromoji_readingform",
    "kuromoji_stemmer",
    "kuromoji_number",
    "kuromoji_completion",
    "ja_stop",
    "nori_part_of_speech",
    "nori_readingform",
    "nori_number",
    "phonetic",
    "polish_stem",
    "polish_stop",
    "smartcn_stop",
    "smartcn_word",
];

const CHARACTER_FILTERS: &[&str] = &["html_strip", "htmlStrip"];

/// Types of character filters that need a definition.
const CHARACTER_FILTER_TYPES: &[&str] = &["mapping", "pattern_replace"];

const PLUGIN_CHARACTER_FILTERS: &[&str] = &["icu_normalizer", "kuromoji_iteration_mark"];

/// Whether a server, or one of its usual plugins, has a name without any settings.
#[must_use]
pub fn is_built_in(kind: NameKind, name: &str) -> bool {
    built_in(kind).iter().any(|names| names.contains(&name))
}

/// Whether a server has a token filter of this type itself.
pub(crate) fn is_built_in_filter(name: &str) -> bool {
    FILTERS.contains(&name) || FILTER_TYPES.contains(&name)
}

/// Whether a server, or one of its usual plugins, has a part of this type.
pub(crate) fn has_type(section: &str, name: &str) -> bool {
    let among = |lists: &[&[&str]]| lists.iter().any(|names| names.contains(&name));
    match section {
        "analyzer" => name == "custom" || among(&[ANALYZERS, PLUGIN_ANALYZERS]),
        "tokenizer" => among(&Part::Tokenizer.built_in()),
        "filter" => among(&[FILTERS, FILTER_TYPES, PLUGIN_FILTERS]),
        "char_filter" => among(&[CHARACTER_FILTERS, CHARACTER_FILTER_TYPES, PLUGIN_CHARACTER_FILTERS]),
        _ => true,
    }
}

/// The names that a server has without any settings, and those of its usual plugins.
pub(crate) const fn built_in(kind: NameKind) -> [&'static [&'static str]; 2] {
    match kind {
        NameKind::Analyzer => [ANALYZERS, PLUGIN_ANALYZERS],
        NameKind::Normalizer => [NORMALIZERS, &[]],
        NameKind::Similarity => [SIMILARITIES, &[]],
    }
}

/// The names of a kind that normal settings ([`crate::settings::normalize`]) define.
#[must_use]
pub fn defined(settings: &Value, kind: NameKind) -> Vec<String> {
    let mut section = Some(settings);
    for name in kind.section().split('.') {
        section = section.and_then(|section| section.get(name));
    }
    names(section)
}

fn names(section: Option<&Value>) -> Vec<String> {
    section.and_then(Value::as_object).map(|members| members.keys().cloned().collect()).unwrap_or_default()
}

/// A definition names something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{location}` names the {kind} `{name}`, which is neither defined nor built in")]
pub struct MissingName {
    /// The definition, such as `analysis.analyzer.comma`.
    pub location: String,
    /// What it names.
    pub kind: Part,
    /// The name.
    pub name: String,
    /// The names that could be meant: first those that the settings define.
    pub candidates: Vec<String>,
}

/// What an analyzer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Splits text into terms.
    Tokenizer,
    /// Changes terms.
    Filter,
    /// Changes text before it is split.
    CharacterFilter,
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.section())
    }
}

impl Part {
    const fn section(self) -> &'static str {
        match self {
            Self::Tokenizer => "tokenizer",
            Self::Filter => "filter",
            Self::CharacterFilter => "char_filter",
        }
    }

    const fn built_in(self) -> [&'static [&'static str]; 2] {
        match self {
            Self::Tokenizer => [TOKENIZERS, PLUGIN_TOKENIZERS],
            Self::Filter => [FILTERS, PLUGIN_FILTERS],
            Self::CharacterFilter => [CHARACTER_FILTERS, PLUGIN_CHARACTER_FILTERS],
        }
    }
}

/// What the definitions in normal settings name and nobody has.
#[must_use]
pub fn missing_names(settings: &Value) -> Vec<MissingName> {
    let Some(Value::Object(analysis)) = settings.get("analysis") else { return Vec::new() };
    let mut missing = Vec::new();
    for section in ["analyzer", "normalizer", "filter"] {
        for (name, definition) in analysis.get(section).and_then(Value::as_object).into_iter().flatten() {
            // What a filter around filters names is looked for when an analyzer has it.
            if section == "filter" && !is_named(analysis, name) {
                continue;
            }
            let location = format!("analysis.{section}.{name}");
            for (part, used) in parts(section, definition) {
                check(analysis, &location, part, &used, &mut missing);
            }
        }
    }
    missing
}

/// Whether another definition names a filter.
fn is_named(analysis: &Map<String, Value>, filter: &str) -> bool {
    ["analyzer", "normalizer", "filter"].into_iter().any(|section| {
        let definitions = analysis.get(section).and_then(Value::as_object).into_iter().flatten();
        definitions
            .filter(|(name, _)| section != "filter" || *name != filter)
            .any(|(_, definition)| parts(section, definition).contains(&(Part::Filter, filter.to_owned())))
    })
}

/// What a definition names. Only custom analyzers, normalizers and the filters around other filters
/// name anything.
fn parts(section: &str, definition: &Value) -> Vec<(Part, String)> {
    let type_name = definition.get("type").and_then(Value::as_str);
    let members: &[(Part, &str)] = match (section, type_name) {
        ("analyzer", None | Some("custom")) => &[
            (Part::Tokenizer, "tokenizer"),
            (Part::Filter, "filter"),
            (Part::CharacterFilter, "char_filter"),
        ],
        ("normalizer", None | Some("custom")) => {
            &[(Part::Filter, "filter"), (Part::CharacterFilter, "char_filter")]
        }
        ("filter", Some("condition")) => &[(Part::Filter, "filter")],
        ("filter", Some("multiplexer")) => &[(Part::Filter, "filters")],
        _ => &[],
    };
    let names = |member: &str| match definition.get(member) {
        Some(Value::String(text)) => split(text),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).flat_map(split).collect(),
        _ => Vec::new(),
    };
    members.iter().flat_map(|(part, member)| names(member).into_iter().map(|name| (*part, name))).collect()
}

/// Servers read a string with commas as a list.
fn split(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn check(
    analysis: &Map<String, Value>,
    location: &str,
    part: Part,
    name: &str,
    missing: &mut Vec<MissingName>,
) {
    let mut candidates = names(analysis.get(part.section()));
    let [built_in, of_plugins] = part.built_in();
    if candidates.iter().any(|known| known == name) || built_in.contains(&name) || of_plugins.contains(&name)
    {
        return;
    }
    candidates.extend(built_in.iter().map(|name| (*name).to_owned()));
    missing.push(MissingName {
        location: location.to_owned(),
        kind: part,
        name: name.to_owned(),
        candidates,
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_has_is_found() {
        let settings = json!({"analysis": {
            "analyzer": {
                "comma": {"type": "pattern", "pattern": ","},
                "exact": {"tokenizer": "keywrod", "filter": ["lowercase", "stopp", "icu_folding", "short"], "char_filter": "dots, html_strip"},
            },
            "normalizer": {"lower": {"type": "custom", "filter": "lowercase", "char_filter": ["dashes"]}},
            "filter": {"short": {"type": "multiplexer", "filters": ["lowercase, porter", "kstem"]},
                "unused": {"type": "multiplexer", "filters": ["bogus"]}},
            "char_filter": {"dots": {"type": "mapping", "mappings": []}},
        }});
        let found: Vec<String> = missing_names(&settings).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "`analysis.analyzer.exact` names the tokenizer `keywrod`, which is neither defined nor built in",
                "`analysis.analyzer.exact` names the filter `stopp`, which is neither defined nor built in",
                "`analysis.normalizer.lower` names the char_filter `dashes`, which is neither defined nor built in",
                "`analysis.filter.short` names the filter `porter`, which is neither defined nor built in",
            ]
        );
        assert_eq!(missing_names(&json!({})), []);
    }

    #[test]
    fn defined_names_are_read_from_normal_settings() {
        let settings =
            json!({"analysis": {"analyzer": {"comma": {}, "exact": {}}}, "similarity": {"scripted": {}}});
        assert_eq!(defined(&settings, NameKind::Analyzer), ["comma", "exact"]);
        assert_eq!(defined(&settings, NameKind::Similarity), ["scripted"]);
        assert_eq!(defined(&settings, NameKind::Normalizer), Vec::<String>::new());
        assert!(is_built_in(NameKind::Analyzer, "icu_analyzer") && !is_built_in(NameKind::Analyzer, "comma"));
    }
}
