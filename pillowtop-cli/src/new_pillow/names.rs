//! Rust names from JSON names: fields in snake case, structs in capitals, each name once.

use std::collections::BTreeSet;

use pillowtop_core::rename::RenameRule;

use crate::new_pillow::characters;
use crate::new_pillow::model::StructDraft;

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that cannot be written raw.
const NEVER_RAW: &[&str] = &["crate", "self", "super"];

/// Names that mean something else in the generated module, or that the derive takes for a type it
/// knows.
const TAKEN: &[&str] = &[
    "AHashMap",
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "BigDecimal",
    "Box",
    "Clone",
    "Copy",
    "CouchDocument",
    "Cow",
    "Date",
    "DateTime",
    "Debug",
    "Decimal",
    "Default",
    "Deserialize",
    "Drop",
    "Eq",
    "Err",
    "Fn",
    "From",
    "FxHashMap",
    "HashMap",
    "HashSet",
    "Hash",
    "IndexMap",
    "Into",
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "Iterator",
    "LinkedList",
    "Map",
    "NaiveDate",
    "NaiveDateTime",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PhantomData",
    "Pillow",
    "RawValue",
    "Rc",
    "Result",
    "Self",
    "Send",
    "Serialize",
    "Sized",
    "Some",
    "String",
    "Sync",
    "Timestamp",
    "ToString",
    "Utc",
    "Uuid",
    "Value",
    "Vec",
    "VecDeque",
];

/// What symbols are called where nothing else tells two names apart.
const SYMBOLS: &[(char, &str)] = &[
    ('@', "at"),
    ('#', "hash"),
    ('$', "dollar"),
    ('+', "plus"),
    ('-', "minus"),
    ('*', "any"),
    ('%', "percent"),
    ('&', "and"),
    ('_', "underscore"),
];

/// The rules that rename more than nothing, the likelier ones first.
const RULES: &[RenameRule] = &[
    RenameRule::Camel,
    RenameRule::Pascal,
    RenameRule::Kebab,
    RenameRule::ScreamingSnake,
    RenameRule::ScreamingKebab,
];

/// Whether a name is a keyword of Rust.
pub(crate) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name) || NEVER_RAW.contains(&name)
}

/// The Rust name of a field, and the JSON name where serde must be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldName {
    pub(super) rust: String,
    pub(super) rename: Option<String>,
}

/// The names of a struct's fields, and the rule that most of them follow.
pub(super) fn field_names(json_names: &[&str]) -> (Option<&'static str>, Vec<FieldName>) {
    let wanted: Vec<String> = json_names.iter().map(|name| identifier(name)).collect();
    // What is a Rust name already stays so, whoever else would be called that.
    let mut taken: BTreeSet<String> = wanted
        .iter()
        .zip(json_names)
        .filter(|(rust, json)| rust == *json)
        .map(|(rust, _)| rust.clone())
        .collect();
    let mut names = Vec::new();
    for (rust, json) in wanted.iter().zip(json_names) {
        names.push(if rust == json { rust.clone() } else { unique(rust, json, &mut taken) });
    }
    let apply =
        |rule: Option<RenameRule>, name: &str| rule.map_or_else(|| name.to_owned(), |rule| rule.apply(name));
    let misses = |rule: Option<RenameRule>| {
        names.iter().zip(json_names).filter(|(rust, json)| apply(rule, rust) != **json).count()
    };
    let plain = misses(None);
    let best = RULES.iter().map(|rule| (misses(Some(*rule)), *rule)).min_by_key(|(missed, _)| *missed);
    let rule = best.filter(|(missed, _)| missed + 1 < plain).map(|(_, rule)| rule);
    let named = names.iter().zip(json_names).map(|(rust, json)| FieldName {
        rename: (apply(rule, rust) != **json || !json.is_ascii()).then(|| (*json).to_owned()),
        rust: if KEYWORDS.contains(&rust.as_str()) { format!("r#{rust}") } else { rust.clone() },
    });
    (rule.map(RenameRule::word), named.collect())
}

fn unique(identifier: &str, json_name: &str, taken: &mut BTreeSet<String>) -> String {
    let symbol =
        json_name.chars().next().and_then(|first| SYMBOLS.iter().find(|(symbol, _)| *symbol == first));
    let spelt = symbol.map(|(_, word)| format!("{word}_{identifier}"));
    let stem = identifier.trim_end_matches('_');
    let numbered = (2..).map(|number| format!("{stem}_{number}"));
    let mut candidates = [identifier.to_owned()].into_iter().chain(spelt).chain(numbered);
    candidates.find(|name| taken.insert(characters::confusable_key(name))).unwrap_or_default()
}

/// A JSON name in snake case.
fn identifier(json_name: &str) -> String {
    // A leading underscore would say that a field is not used.
    let is_snake = !json_name.contains("__")
        && json_name.trim_end_matches('_') == json_name
        && json_name.starts_with(|first: char| first.is_ascii_lowercase())
        && json_name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let name = if is_snake { json_name.to_owned() } else { words(json_name).join("_") };
    let name = match name.chars().next() {
        None => symbol_words(json_name),
        Some(first) if first.is_ascii_digit() => {
            let sign =
                json_name.chars().next().and_then(|sign| SYMBOLS.iter().find(|(symbol, _)| *symbol == sign));
            format!("{}_{name}", sign.map_or("field", |(_, word)| word))
        }
        Some(_) => name,
    };
    if NEVER_RAW.contains(&name.as_str()) { name + "_" } else { name }
}

/// A name of symbols alone.
fn symbol_words(json_name: &str) -> String {
    let words: Vec<&str> = json_name
        .chars()
        .filter_map(|letter| SYMBOLS.iter().find(|(symbol, _)| *symbol == letter).map(|(_, word)| *word))
        .collect();
    if words.is_empty() { "field".to_owned() } else { words.join("_") }
}

/// The words of a name in lower case: parted by whatever is neither a letter nor a digit, and by
/// capitals. A word with a letter that no name can have is left out whole.
pub(crate) fn words(name: &str) -> Vec<String> {
    let keeps_script = characters::keeps_script(name);
    let is_word = |word: &&str| {
        !word.is_empty() && word.chars().all(|letter| characters::is_part(letter, keeps_script))
    };
    let parts = name.split(|letter: char| !letter.is_alphanumeric()).filter(is_word);
    parts.flat_map(words_by_capitals).map(|word| characters::without_lookalikes(&word)).collect()
}

fn words_by_capitals(word: &str) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    let mut words: Vec<String> = Vec::new();
    for (index, letter) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| characters.get(index));
        let after = characters.get(index + 1);
        let begins = before.is_none_or(|before| {
            letter.is_uppercase()
                && (before.is_lowercase()
                    || before.is_ascii_digit()
                    || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
        });
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

/// A name in capitals, such as `CaseAction` of `case_action`.
pub(crate) fn type_name(name: &str) -> String {
    let words = words(name);
    let capital = |word: &String| {
        let mut characters = word.chars();
        characters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + characters.as_str())
    };
    let joined: String = words.iter().map(capital).collect();
    match joined.chars().next() {
        Some(first) if !first.is_ascii_digit() => joined,
        Some(_) => format!("N{joined}"),
        None => RenameRule::Pascal.apply(&symbol_words(name)),
    }
}

/// The names of all structs, in their order: the last part of where one stands, with as many parts
/// before it as tell it from others.
pub(super) fn struct_names(structs: &[StructDraft], document: &str) -> Vec<String> {
    let mut names = vec![String::new(); structs.len()];
    let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
    let mut order: Vec<usize> = (0..structs.len()).collect();
    let path = |index: usize| structs[index].places.iter().min_by_key(|path| (path.len(), *path));
    order.sort_by_key(|index| path(*index).map(|path| (path.len(), path.clone())));
    for index in order {
        let candidates: Vec<String> = match path(index) {
            None => vec![type_name(document), format!("{}Document", type_name(document))],
            Some(path) => {
                let parts = (1..=path.len()).map(|parts| &path[path.len() - parts..]);
                let mut candidates: Vec<String> =
                    parts.map(|parts| struct_name(parts, structs[index].is_element)).collect();
                if let Some(longest) = candidates.last() {
                    candidates.push(format!("{}{longest}", type_name(document)));
                }
                candidates
            }
        };
        let last = candidates.last().cloned().unwrap_or_default();
        let numbered = (2..).map(|number| format!("{last}{number}"));
        names[index] = candidates
            .into_iter()
            .chain(numbered)
            .find(|name| taken.insert(characters::confusable_key(name)))
            .unwrap_or(last);
    }
    names
}

fn struct_name(parts: &[String], is_element: bool) -> String {
    let mut parts: Vec<String> = parts.iter().map(|part| type_name(part)).collect();
    if let Some(last) = parts.last_mut().filter(|_| is_element) {
        *last = singular(last);
    }
    parts.concat()
}

fn singular(name: &str) -> String {
    let endings = [("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", "")];
    if ["ss", "us", "is", "ews", "Ss"].iter().any(|ending| name.ends_with(ending)) || name.len() < 3 {
        return name.to_owned();
    }
    let ending = endings.iter().find(|(plural, _)| name.ends_with(plural) && name.len() > plural.len() + 1);
    ending.map_or_else(
        || name.to_owned(),
        |(plural, one)| format!("{}{one}", &name[..name.len() - plural.len()]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json_names: &[&str], rule: Option<&str>, expected: &[(&str, Option<&str>)]) {
        let (found, names) = field_names(json_names);
        let names: Vec<_> = names.iter().map(|name| (name.rust.as_str(), name.rename.as_deref())).collect();
        assert_eq!((found, names.as_slice()), (rule, expected));
    }

    #[test]
    fn fields_are_in_snake_case() {
        check(&["type", "self", "name"], None, &[("r#type", None), ("self_", Some("self")), ("name", None)]);
        check(
            &["#type", "@type", "type"],
            None,
            &[("hash_type", Some("#type")), ("at_type", Some("@type")), ("r#type", None)],
        );
        check(
            &["+1", "-1", "*", "404", "a b", "A.B", "ﬁle_name", "ﬁle"],
            None,
            &[
                ("plus_1", Some("+1")),
                ("minus_1", Some("-1")),
                ("any", Some("*")),
                ("field_404", Some("404")),
                ("a_b", Some("a b")),
                ("a_b_2", Some("A.B")),
                ("name", Some("ﬁle_name")),
                ("field", Some("ﬁle")),
            ],
        );
        check(
            &["__is_tombstone__", "a__b", "größe", "_x", "x", "self_", "self"],
            None,
            &[
                ("is_tombstone", Some("__is_tombstone__")),
                ("a_b", Some("a__b")),
                ("größe", Some("größe")),
                ("underscore_x", Some("_x")),
                ("x", None),
                ("self_", None),
                ("self_2", Some("self")),
            ],
        );
    }

    #[test]
    fn one_rule_renames_what_follows_it() {
        check(
            &["creationDate", "answerId", "user", "@id"],
            Some("camelCase"),
            &[("creation_date", None), ("answer_id", None), ("user", None), ("id", Some("@id"))],
        );
        check(
            &["WatchID", "URL", "EventTime", "UserAgent"],
            Some("PascalCase"),
            &[
                ("watch_id", Some("WatchID")),
                ("url", Some("URL")),
                ("event_time", None),
                ("user_agent", None),
            ],
        );
        check(&["oneName", "user"], None, &[("one_name", Some("oneName")), ("user", None)]);
    }

    #[test]
    fn structs_have_names_of_their_own() {
        let draft = |path: &[&str], is_element| StructDraft {
            places: if path.is_empty() {
                Vec::new()
            } else {
                vec![path.iter().map(|part| (*part).to_owned()).collect()]
            },
            is_element,
            docs: Vec::new(),
            es: Vec::new(),
            fields: Vec::new(),
        };
        let structs = [
            draft(&[], false),
            draft(&["host", "os"], false),
            draft(&["user_agent", "os"], false),
            draft(&["date"], false),
            draft(&["answers"], true),
            draft(&["status"], true),
        ];
        assert_eq!(
            struct_names(&structs, "log-line"),
            ["LogLine", "Os", "UserAgentOs", "LogLineDate", "Answer", "Status"]
        );
    }
}
