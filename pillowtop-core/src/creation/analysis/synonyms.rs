//! Synonyms: what their filters need, where they may stand in an analyzer, and analyzers for
//! searches alone.

use super::super::Problem;
use super::{Analysis, Entry};
use crate::lenient::strings;
use crate::requirement::{NEVER, Versions};

const BEFORE_ELASTICSEARCH_9: Versions = Versions { elasticsearch: (0, 0x0900), opensearch: (0, NEVER) };

/// Types of filters after which synonyms cannot be read.
const BEFORE_SYNONYMS: [&str; 12] = [
    "ngram",
    "edge_ngram",
    "nGram",
    "edgeNGram",
    "shingle",
    "word_delimiter",
    "word_delimiter_graph",
    "multiplexer",
    "keyword_repeat",
    "min_hash",
    "common_grams",
    "fingerprint",
];

fn is_synonym(filter: Entry<'_>) -> bool {
    matches!(filter.type_name(), Some("synonym" | "synonym_graph"))
}

/// The analyzers that searches alone can have, because a filter of theirs is read anew while the
/// index is open.
pub(super) fn search_only(analysis: Analysis<'_>) -> Vec<&str> {
    let analyzers = analysis.entries().filter(|entry| entry.section == "analyzer");
    analyzers.filter(|entry| has_updateable(analysis, *entry)).map(|entry| entry.name).collect()
}

fn has_updateable<'a>(analysis: Analysis<'a>, analyzer: Entry<'a>) -> bool {
    let filters = analyzer.list("filter").into_iter();
    filters.filter_map(|name| analysis.definition("filter", name)).any(|filter| filter.is("updateable"))
}

pub(super) fn of_settings(analysis: Analysis<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for analyzer in analysis.entries().filter(|entry| entry.section == "analyzer") {
        if analyzer.name == "default" && has_updateable(analysis, analyzer) {
            let what = "has an `updateable` filter, which works only in searches";
            found.push(analyzer.refuse(what, "name it `default_search`, or leave `updateable` out"));
        }
        let mut unreadable = None;
        for name in analyzer.list("filter") {
            let defined = analysis.definition("filter", name);
            let type_name = defined.and_then(Entry::type_name).unwrap_or(name);
            if defined.is_some_and(is_synonym) {
                used.push(name);
                if let Some(before) = unreadable {
                    let what = format!(
                        "has the synonyms `{name}` after the filter `{before}`, with which they cannot be read"
                    );
                    found.push(analyzer.refuse(&what, "write the synonyms before it"));
                }
            } else if BEFORE_SYNONYMS.contains(&type_name) {
                unreadable = unreadable.or(Some(name));
            }
        }
    }
    for filter in analysis.entries().filter(|entry| entry.section == "filter" && is_synonym(*entry)) {
        if used.contains(&filter.name) {
            found.extend(of_filter(filter));
        } else {
            // Elasticsearch 9 looks at once whether there are any.
            found.extend(without_source(filter).map(|problem| problem.accepted_by(BEFORE_ELASTICSEARCH_9)));
        }
    }
    found
}

fn without_source(filter: Entry<'_>) -> Option<Problem> {
    let sources = ["synonyms", "synonyms_path", "synonyms_set"];
    let help = "write `synonyms`, `synonyms_path` or `synonyms_set`";
    (!sources.iter().any(|source| filter.has(source))).then(|| filter.refuse("has no synonyms", help))
}

/// What is wrong with a filter of synonyms that an analyzer has.
fn of_filter(filter: Entry<'_>) -> Option<Problem> {
    if let Some(problem) = without_source(filter) {
        return Some(problem);
    }
    if filter.has("synonyms_set") && !filter.is("updateable") {
        return Some(
            filter.refuse("has `synonyms_set` without `updateable`", "write `\"updateable\": true`"),
        );
    }
    let is_wordnet = filter.members.get("format").is_some_and(|format| format == "wordnet");
    let rules = strings(Some(filter.members.get("synonyms")?));
    if is_wordnet {
        let is_right = |rule: &str| rule.starts_with("s(");
        let wrong = rules.into_iter().find(|rule| !is_right(rule))?;
        return Some(filter.refuse(&format!("has the rule `{wrong}`"), "write rules as WordNet has them"));
    }
    let wrong = rules.into_iter().find(|rule| rule.matches("=>").count() > 1)?;
    Some(filter.refuse(&format!("has the rule `{wrong}` with more than one `=>`"), "write a rule for each"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::problems;

    fn settings(filter: &Value, analyzer: &Value, name: &str) -> Value {
        json!({"analysis": {"analyzer": {name: analyzer}, "filter": {"s": filter, "grams": {"type": "edge_ngram"}}}})
    }

    /// Each checked against the servers.
    #[test]
    fn synonyms_that_no_server_reads_are_refused() {
        let words = json!({"type": "synonym", "synonyms": ["a, b"]});
        let after = |filters: Value| json!({"tokenizer": "standard", "filter": filters});
        for (filter, filters, is_refused) in [
            (json!({"type": "synonym"}), json!(["s"]), true),
            (json!({"type": "synonym"}), json!(["lowercase"]), false),
            (json!({"type": "synonym", "synonyms": ["a => b => c"]}), json!(["s"]), true),
            (json!({"type": "synonym", "synonyms_set": "x"}), json!(["s"]), true),
            (words.clone(), json!(["grams", "s"]), true),
            (words.clone(), json!("shingle,s"), true),
            (words.clone(), json!(["word_delimiter", "s"]), true),
            (words.clone(), json!(["lowercase", "s", "grams"]), false),
        ] {
            let found = problems(&json!({}), &settings(&filter, &after(filters.clone()), "x"));
            let is_found = found.iter().any(|problem| problem.concerns_any(&[]));
            assert_eq!(is_found, is_refused, "{filter} {filters} {found:?}");
        }
    }

    #[test]
    fn an_analyzer_with_an_updateable_filter_is_for_searches_alone() {
        let filter = json!({"type": "synonym_graph", "synonyms": ["a, b"], "updateable": true});
        let analyzer = json!({"tokenizer": "standard", "filter": ["s"]});
        let mapping = |field: Value| json!({"properties": {"o": {"properties": {"f": field}}}});
        let of = |field: Value| problems(&mapping(field), &settings(&filter, &analyzer, "x"));
        let found = of(json!({"type": "text", "analyzer": "x"}));
        assert_eq!(
            (found.len(), found[0].path.as_str(), found[0].parameter.as_str()),
            (1, "o.f", "analyzer")
        );
        let found = of(json!({"type": "keyword", "fields": {"t": {"type": "text", "analyzer": "x"}}}));
        assert_eq!(found[0].path, "o.f.t");
        assert_eq!(of(json!({"type": "text", "analyzer": "standard", "search_analyzer": "x"})), []);
        assert_eq!(of(json!({"type": "text", "search_quote_analyzer": "x"})), []);
        assert_eq!(problems(&json!({}), &settings(&filter, &analyzer, "default")).len(), 1);
    }
}
