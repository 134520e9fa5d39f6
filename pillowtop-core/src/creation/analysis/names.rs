//! Built-in parts by name or type that some versions lack, and those that a normalizer cannot have.

use serde_json::Value;

use super::super::{BEFORE_ELASTICSEARCH_8, Problem};
use super::{Analysis, Entry};
use crate::analysis::{has_type, is_built_in_filter};
use crate::requirement::{NEVER, Versions};

const BEFORE_8_AND_3: Versions = Versions { elasticsearch: (0, 0x0800), opensearch: (0, 0x0300) };
const UNUSED_EDGE_GRAMS: Versions = Versions { elasticsearch: (0, NEVER), opensearch: (0, 0x0300) };
const ELASTICSEARCH_BEFORE_8: Versions = Versions { elasticsearch: (0, 0x0800), opensearch: (NEVER, NEVER) };
const ELASTICSEARCH_SINCE_8: Versions =
    Versions { elasticsearch: (0x0800, NEVER), opensearch: (NEVER, NEVER) };
/// What Lucene 9 brought.
pub(super) const SINCE_LUCENE_9: Versions =
    Versions { elasticsearch: (0x0800, NEVER), opensearch: (0x0200, NEVER) };
const OPENSEARCH: Versions = Versions { elasticsearch: (NEVER, NEVER), opensearch: (0, NEVER) };

/// How a part is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Name,
    Type,
}

/// Parts that not every version has: their section, their name, and how each is called.
const PARTS: [(&str, &str, By, Versions, &str); 20] = [
    ("tokenizer", "nGram", By::Name, BEFORE_8_AND_3, "ngram"),
    ("tokenizer", "nGram", By::Type, BEFORE_8_AND_3, "ngram"),
    ("tokenizer", "edgeNGram", By::Name, BEFORE_8_AND_3, "edge_ngram"),
    ("tokenizer", "edgeNGram", By::Type, BEFORE_8_AND_3, "edge_ngram"),
    ("filter", "nGram", By::Type, BEFORE_ELASTICSEARCH_8, "ngram"),
    ("filter", "edgeNGram", By::Type, BEFORE_8_AND_3, "edge_ngram"),
    ("filter", "standard", By::Type, Versions::NONE, ""),
    ("filter", "delimited_payload_filter", By::Type, Versions::NONE, "delimited_payload"),
    ("filter", "concatenate_graph", By::Name, OPENSEARCH, ""),
    ("filter", "concatenate_graph", By::Type, OPENSEARCH, ""),
    ("filter", "delimited_term_freq", By::Name, OPENSEARCH, ""),
    ("filter", "delimited_term_freq", By::Type, OPENSEARCH, ""),
    ("filter", "persian_stem", By::Name, SINCE_LUCENE_9, ""),
    ("filter", "persian_stem", By::Type, SINCE_LUCENE_9, ""),
    ("filter", "keyword_repeat", By::Type, Versions::NONE, ""),
    ("filter", "type_as_payload", By::Type, Versions::NONE, ""),
    ("char_filter", "htmlStrip", By::Name, ELASTICSEARCH_BEFORE_8, "html_strip"),
    ("char_filter", "htmlStrip", By::Type, Versions::NONE, "html_strip"),
    ("analyzer", "standard_html_strip", By::Type, Versions::NONE, ""),
    ("analyzer", "serbian", By::Type, ELASTICSEARCH_SINCE_8, ""),
];

/// Built-in analyzers that not every version has by name.
const ANALYZERS: [(&str, Versions); 2] =
    [("standard_html_strip", ELASTICSEARCH_BEFORE_8), ("serbian", ELASTICSEARCH_SINCE_8)];

/// Filters that work on a whole value, letter by letter.
const OF_NORMALIZERS: [&str; 18] = [
    "lowercase",
    "uppercase",
    "asciifolding",
    "trim",
    "elision",
    "decimal_digit",
    "cjk_width",
    "arabic_normalization",
    "bengali_normalization",
    "german_normalization",
    "hindi_normalization",
    "indic_normalization",
    "persian_normalization",
    "scandinavian_folding",
    "scandinavian_normalization",
    "serbian_normalization",
    "sorani_normalization",
    "pattern_replace",
];

pub(super) fn of_entry(analysis: Analysis<'_>, entry: Entry<'_>, is_used: bool) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Some(type_name) = entry.type_name() {
        let old = part(entry, (entry.section, type_name, By::Type));
        let is_known = old.is_some() || is_known_type(entry, type_name);
        found.extend(match (entry.section, type_name) {
            // Elasticsearch refuses these when it makes one, OpenSearch 3 at once.
            ("filter", "nGram") if !is_used => None,
            ("filter", "edgeNGram") if !is_used => old.map(|old| old.accepted_by(UNUSED_EDGE_GRAMS)),
            _ => old,
        });
        if !is_known {
            let what = format!("has the type `{type_name}`, which no server is known to have");
            let help = "correct it, or name the definition as its type if a plugin brings that";
            found.push(entry.refuse(&what, help));
        }
    }
    if matches!(entry.section, "analyzer" | "normalizer") {
        for section in ["tokenizer", "filter", "char_filter"] {
            for name in entry.list(section) {
                if analysis.definition(section, name).is_none() {
                    found.extend(part(entry, (section, name, By::Name)));
                }
            }
        }
    }
    if entry.section == "normalizer" {
        found.extend(of_normalizer(analysis, entry));
    }
    found
}

/// Whether a server or one of its usual plugins has a type. One of the definition's own name stands
/// for another plugin's, or for a definition that the source of `new-pillow` lacks.
fn is_known_type(entry: Entry<'_>, type_name: &str) -> bool {
    entry.section == "normalizer" || type_name == entry.name || has_type(entry.section, type_name)
}

fn part(entry: Entry<'_>, (section, name, by): (&str, &str, By)) -> Option<Problem> {
    let (.., versions, now) = PARTS
        .iter()
        .find(|(of_section, of_name, how, ..)| (*of_section, *of_name, *how) == (section, name, by))?;
    let what = match by {
        By::Type => format!("has the type `{name}`"),
        By::Name => format!("names the {section} `{name}`"),
    };
    let what =
        if *versions == Versions::NONE { format!("{what}, which no server has any more") } else { what };
    let help = if now.is_empty() { "leave it out".to_owned() } else { format!("write `{now}`") };
    Some(entry.refuse(&what, help).accepted_by(*versions))
}

/// What a normalizer names and cannot use.
fn of_normalizer(analysis: Analysis<'_>, entry: Entry<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    for name in entry.list("filter") {
        let defined = analysis.definition("filter", name).and_then(Entry::type_name);
        let type_name = defined.unwrap_or(name);
        let is_known = is_built_in_filter(type_name);
        let help = "use filters that only change letters, such as `lowercase` and `asciifolding`";
        if is_known && !OF_NORMALIZERS.contains(&type_name) {
            found.push(
                entry.refuse(&format!("names the filter `{name}`, which works on more than letters"), help),
            );
        } else if type_name == "pattern_replace" {
            let what = format!("names the filter `{name}`, of type `pattern_replace`");
            found.push(entry.refuse(&what, help).accepted_by(ELASTICSEARCH_SINCE_8));
        }
    }
    for name in entry.list("char_filter") {
        let defined = analysis.definition("char_filter", name).and_then(Entry::type_name);
        if ["html_strip", "htmlStrip"].contains(&defined.unwrap_or(name)) {
            let what = format!("names the char_filter `{name}`, which a normalizer cannot use");
            found.push(entry.refuse(&what, "leave it out, or define an analyzer"));
        }
    }
    found
}

/// A built-in analyzer that a mapping names and some versions lack.
pub(super) fn analyzer(settings: &Value, parameter: &str, name: &str) -> Option<Problem> {
    if (Analysis { settings }).definition("analyzer", name).is_some() {
        return None;
    }
    let (_, versions) = ANALYZERS.iter().find(|(known, _)| *known == name)?;
    let what = format!("`{parameter}` is the built-in analyzer `{name}`");
    Some(Problem::everywhere(parameter, what, "define it in the settings").accepted_by(*versions))
}

/// The normalizer of the index's default, which Elasticsearch has no more.
pub(super) fn normalizer(settings: &Value, name: &str) -> Option<Problem> {
    const HAVE_IT: Versions = Versions { elasticsearch: (0, 0x0711), opensearch: (0, NEVER) };
    let is_defined = (Analysis { settings }).definition("normalizer", name).is_some();
    (name == "default" && !is_defined).then(|| {
        let what = "`normalizer` is the built-in normalizer `default`";
        Problem::everywhere("normalizer", what, "leave it out: it changes nothing").accepted_by(HAVE_IT)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check_refusals as check;
    use super::*;

    /// As the servers did it.
    #[test]
    fn names_that_a_version_lacks_are_refused_by_it_alone() {
        check(&json!({"analyzer": {"x": {"tokenizer": "edgeNGram"}}}), "..XX.X");
        check(&json!({"tokenizer": {"x": {"type": "nGram"}}}), "..XX.X");
        let used = |filter: &str| json!({"filter": {"x": {"type": filter}}, "analyzer": {"u": {"tokenizer": "standard", "filter": "x"}}});
        check(&used("nGram"), "..XX..");
        check(&used("edgeNGram"), "..XX.X");
        check(&json!({"filter": {"x": {"type": "nGram"}}}), "......");
        check(&json!({"filter": {"x": {"type": "edgeNGram"}}}), ".....X");
        check(&used("persian_stem"), "XX....");
        check(&used("delimited_term_freq"), "XXXX..");
        check(&used("keyword_repeat"), "XXXXXX");
        check(&used("bogus"), "XXXXXX");
        check(&used("icu_folding"), "......");
        check(&used("x"), "......");
        check(&json!({"filter": {"x": {"type": "standard"}}}), "XXXXXX");
        check(
            &json!({"analyzer": {"x": {"tokenizer": "standard", "filter": ["concatenate_graph"]}}}),
            "XXXX..",
        );
        check(&json!({"analyzer": {"x": {"tokenizer": "standard", "char_filter": "htmlStrip"}}}), "..XXXX");
        check(&json!({"analyzer": {"x": {"type": "serbian"}}}), "XX..XX");
        check(&json!({"analyzer": {"x": {"tokenizer": "PathHierarchy"}}}), "......");
    }

    #[test]
    fn a_normalizer_has_filters_of_letters_alone() {
        let normalizer = |filter: &str| json!({"normalizer": {"n": {"type": "custom", "filter": [filter]}}});
        for refused in ["stop", "ngram", "kstem", "length", "shingle", "cjk_bigram", "apostrophe", "classic"]
        {
            check(&normalizer(refused), "XXXXXX");
        }
        for accepted in
            ["lowercase", "asciifolding", "trim", "elision", "decimal_digit", "icu_folding", "brand_new"]
        {
            check(&normalizer(accepted), "......");
        }
        let defined =
            |filter: Value| json!({"normalizer": {"n": {"filter": ["d"]}}, "filter": {"d": filter}});
        check(&defined(json!({"type": "stop"})), "XXXXXX");
        check(&defined(json!({"type": "elision", "articles": ["l"]})), "......");
        check(&defined(json!({"type": "pattern_replace", "pattern": "a"})), "XX..XX");
        check(&json!({"normalizer": {"n": {"char_filter": ["html_strip"]}}}), "XXXXXX");
    }
}
