//! Analyzers, normalizers and their parts: definitions that servers refuse, and names that some
//! versions no longer have.

mod definitions;
mod grams;
mod names;
mod patterns;
mod synonyms;

mod languages;
mod values;

use serde_json::{Map, Value};

use super::Problem;
use crate::lenient::{boolean, comma_list};

pub(super) use patterns::pattern_problem;

type Members = Map<String, Value>;

/// The sections of `analysis`.
const SECTIONS: [&str; 5] = ["analyzer", "normalizer", "tokenizer", "filter", "char_filter"];

/// The section of settings with definitions of one kind.
#[derive(Clone, Copy)]
struct Analysis<'a> {
    settings: &'a Value,
}

/// One definition, such as that of `analysis.filter.short`.
#[derive(Clone, Copy)]
struct Entry<'a> {
    section: &'static str,
    name: &'a str,
    members: &'a Members,
}

impl<'a> Analysis<'a> {
    fn section(self, section: &str) -> Option<&'a Members> {
        self.settings.get("analysis")?.get(section)?.as_object()
    }

    fn entries(self) -> impl Iterator<Item = Entry<'a>> {
        SECTIONS.into_iter().flat_map(move |section| {
            let definitions = self.section(section).into_iter().flatten();
            definitions.filter_map(move |(name, definition)| {
                // Servers do not see an empty object.
                let members = definition.as_object().filter(|members| !members.is_empty())?;
                Some(Entry { section, name, members })
            })
        })
    }

    /// The sections and names of the parts that analyzers and normalizers have, and of those that
    /// such a filter around filters has. Servers make many parts only then, so only then is wrong
    /// what is wrong in them.
    fn used(self) -> Vec<(&'static str, &'a str)> {
        const PARTS: &[(&str, &str)] =
            &[("tokenizer", "tokenizer"), ("filter", "filter"), ("char_filter", "char_filter")];
        let is_root = |entry: &Entry<'_>| matches!(entry.section, "analyzer" | "normalizer");
        let mut open: Vec<Entry<'a>> = self.entries().filter(is_root).collect();
        let mut used = Vec::new();
        while let Some(entry) = open.pop() {
            let members: &[(&'static str, &str)] = match (entry.section, entry.type_name()) {
                ("analyzer" | "normalizer", _) => PARTS,
                ("filter", Some("condition")) => &[("filter", "filter")],
                ("filter", Some("multiplexer")) => &[("filter", "filters")],
                _ => &[],
            };
            for (section, member) in members {
                for name in entry.list(member) {
                    if !used.contains(&(*section, name)) {
                        used.push((*section, name));
                        open.extend(self.definition(section, name));
                    }
                }
            }
        }
        used
    }

    /// The definition of a part by its name; none for what is built in.
    fn definition(self, section: &'static str, name: &'a str) -> Option<Entry<'a>> {
        let members = self.section(section)?.get(name)?.as_object()?;
        Some(Entry { section, name, members })
    }
}

impl<'a> Entry<'a> {
    fn type_name(self) -> Option<&'a str> {
        self.members.get("type").and_then(Value::as_str)
    }

    fn has(self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    fn is(self, name: &str) -> bool {
        self.members.get(name).and_then(boolean) == Some(true)
    }

    /// The names in a member: a list, or a string with commas.
    fn list(self, name: &str) -> Vec<&'a str> {
        comma_list(self.members.get(name))
    }

    fn refuse(self, what: &str, help: impl Into<String>) -> Problem {
        let location = format!("analysis.{}.{}", self.section, self.name);
        Problem::everywhere(&location, format!("`{location}` {what}"), help)
    }
}

/// What is wrong with definitions, whatever the mapping is.
pub(super) fn of_settings(settings: &Value) -> Vec<Problem> {
    let analysis = Analysis { settings };
    let used = analysis.used();
    let mut found = Vec::new();
    for entry in analysis.entries() {
        let is_used =
            matches!(entry.section, "analyzer" | "normalizer") || used.contains(&(entry.section, entry.name));
        found.extend(definitions::of_entry(entry));
        found.extend(values::of_entry(entry, is_used));
        found.extend(grams::of_entry(settings, entry, is_used));
        found.extend(languages::of_entry(entry, is_used));
        found.extend(names::of_entry(analysis, entry, is_used));
    }
    found.extend(synonyms::of_settings(analysis));
    found
}

/// What a mapping asks of analyzers that they cannot do, and names that some versions no longer
/// have.
pub(super) fn of_both(mappings: &Value, settings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let search_only = synonyms::search_only(Analysis { settings });
    super::fields::each(mappings, "", &mut |path, field| {
        let name = |parameter: &str| field.get(parameter).and_then(Value::as_str);
        if let Some(analyzer) = name("analyzer").filter(|name| search_only.contains(name)) {
            let what =
                format!("`analyzer` is `{analyzer}`, whose `updateable` filter works only in searches");
            let help = "write it as `search_analyzer`, beside another `analyzer`";
            found.push(Problem::everywhere("analyzer", what, help).at(path));
        }
        let normalizer = name("normalizer").and_then(|name| names::normalizer(settings, name));
        found.extend(normalizer.map(|problem| problem.at(path)));
        for parameter in ["analyzer", "search_analyzer", "search_quote_analyzer"] {
            found.extend(
                name(parameter)
                    .and_then(|name| names::analyzer(settings, parameter, name))
                    .map(|problem| problem.at(path)),
            );
        }
    });
    found
}

/// Checks which of the servers refuse an index with definitions of analysis: `X` for each that does,
/// and `.` for the others.
#[cfg(test)]
#[track_caller]
fn check_refusals(analysis: &Value, refusing: &str) {
    use crate::field_types::Target;

    let found = super::of_settings(&serde_json::json!({ "analysis": analysis }));
    let refuses = |target| if found.iter().any(|problem| problem.concerns(target)) { 'X' } else { '.' };
    assert_eq!(Target::CHECKED.map(refuses).iter().collect::<String>(), refusing, "{analysis} {found:?}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_around_each_other_are_used_only_by_an_analyzer() {
        let around = |name: &str| json!({"type": "multiplexer", "filters": [name]});
        let filters = json!({"a": around("b"), "b": around("a"), "c": {"type": "nGram"}});
        check_refusals(&json!({ "filter": filters }), "......");
        let filters = json!({"a": {"type": "multiplexer", "filters": ["b", "c"]}, "b": around("a"), "c": {"type": "nGram"}});
        let analyzer = json!({"x": {"tokenizer": "standard", "filter": "b"}});
        check_refusals(&json!({"filter": filters, "analyzer": analyzer}), "..XX..");
    }
}
