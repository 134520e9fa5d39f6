//! The languages of stemmers. Those of stop words need no check: servers take a list that they do
//! not know for a word, and the dictionaries of `hunspell` are files of the server.

use serde_json::Value;

use super::super::Problem;
use super::Entry;
use super::names::SINCE_LUCENE_9;
use crate::requirement::{NEVER, Versions};

const BEFORE_OPENSEARCH_3: Versions = Versions { elasticsearch: (0, NEVER), opensearch: (0, 0x0300) };
const BEFORE_LUCENE_10: Versions = Versions { elasticsearch: (0, 0x0900), opensearch: (0, 0x0300) };
const OPENSEARCH: Versions = Versions { elasticsearch: (NEVER, NEVER), opensearch: (0, NEVER) };
const ELASTICSEARCH_SINCE_8: Versions =
    Versions { elasticsearch: (0x0800, NEVER), opensearch: (NEVER, NEVER) };

/// The languages of Snowball that every version has, in lower case.
const SNOWBALL: [&str; 24] = [
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "estonian",
    "finnish",
    "french",
    "german",
    "german2",
    "hungarian",
    "irish",
    "italian",
    "lithuanian",
    "norwegian",
    "porter",
    "portuguese",
    "romanian",
    "russian",
    "spanish",
    "swedish",
    "turkish",
];

/// Those that not every version has, in a `stemmer` and in a `snowball`.
const LIMITED: [(&str, Option<Versions>, Option<Versions>); 13] = [
    ("greek", None, Some(SINCE_LUCENE_9)),
    ("hindi", None, Some(SINCE_LUCENE_9)),
    ("indonesian", None, Some(SINCE_LUCENE_9)),
    ("nepali", Some(SINCE_LUCENE_9), Some(SINCE_LUCENE_9)),
    ("serbian", Some(SINCE_LUCENE_9), Some(SINCE_LUCENE_9)),
    ("tamil", Some(SINCE_LUCENE_9), Some(SINCE_LUCENE_9)),
    ("yiddish", Some(SINCE_LUCENE_9), Some(SINCE_LUCENE_9)),
    ("persian", Some(SINCE_LUCENE_9), None),
    ("kp", Some(BEFORE_OPENSEARCH_3), Some(BEFORE_LUCENE_10)),
    ("lovins", Some(BEFORE_OPENSEARCH_3), Some(BEFORE_LUCENE_10)),
    ("dutch_kp", Some(BEFORE_OPENSEARCH_3), None),
    ("plural_english", Some(OPENSEARCH), None),
    ("spanish_plural", Some(ELASTICSEARCH_SINCE_8), None),
];

/// What `stemmer` has beside the languages of Snowball.
const STEMMERS: [&str; 55] = [
    "bengali",
    "brazilian",
    "bulgarian",
    "czech",
    "galician",
    "greek",
    "hindi",
    "indonesian",
    "latvian",
    "light_english",
    "lightEnglish",
    "light_finish",
    "light_finnish",
    "lightFinnish",
    "light_french",
    "lightFrench",
    "light_german",
    "lightGerman",
    "light_hungarian",
    "lightHungarian",
    "light_italian",
    "lightItalian",
    "light_norwegian",
    "lightNorwegian",
    "light_nynorsk",
    "lightNynorsk",
    "light_portuguese",
    "lightPortuguese",
    "light_russian",
    "lightRussian",
    "light_spanish",
    "lightSpanish",
    "light_swedish",
    "lightSwedish",
    "minimal_english",
    "minimalEnglish",
    "minimal_french",
    "minimalFrench",
    "minimal_galician",
    "minimal_german",
    "minimalGerman",
    "minimal_norwegian",
    "minimal_nynorsk",
    "minimalNynorsk",
    "minimal_portuguese",
    "minimalPortuguese",
    "porter2",
    "portuguese_rslp",
    "possessive_english",
    "possessiveEnglish",
    "sorani",
    "dutchKp",
    "dutch_kp",
    "kp",
    "lovins",
];

/// What is wrong with the language of a stemmer. `stemmer` is made at once, `snowball` for an
/// analyzer that has it.
pub(super) fn of_entry(entry: Entry<'_>, is_used: bool) -> Option<Problem> {
    let member = |name: &str| entry.members.get(name).and_then(Value::as_str);
    let (section, type_name) = (entry.section, entry.type_name()?);
    let language = member("language").or_else(|| member("name").filter(|_| section == "filter"))?;
    let lower = language.to_ascii_lowercase();
    let limited = |snake: &str| LIMITED.iter().find(|(name, ..)| *name == snake);
    let accepted = match (section, type_name) {
        ("filter", "stemmer") => {
            let snake = if lower == "dutchkp" { "dutch_kp" } else { lower.as_str() };
            match limited(snake).and_then(|(_, stemmer, _)| *stemmer) {
                Some(versions) => versions,
                None if is_stemmer(&lower) => return None,
                None => Versions::NONE,
            }
        }
        ("filter" | "analyzer", "snowball") if is_used => {
            // The filter writes the first letter large, the analyzer leaves it.
            let is_written = section == "filter" || language.starts_with(|first: char| first.is_uppercase());
            match limited(&lower).and_then(|(_, _, snowball)| *snowball) {
                Some(versions) if is_written => versions,
                None if is_written && SNOWBALL.contains(&lower.as_str()) => return None,
                _ => Versions::NONE,
            }
        }
        _ => return None,
    };
    let what = format!("has the language `{language}`");
    let what = if accepted == Versions::NONE { format!("{what}, which no server has") } else { what };
    Some(
        entry
            .refuse(&what, "write a language that every server has, such as `english`")
            .accepted_by(accepted),
    )
}

fn is_stemmer(lower: &str) -> bool {
    SNOWBALL.contains(&lower) || STEMMERS.iter().any(|known| known.eq_ignore_ascii_case(lower))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{check_refusals, of_settings};
    use super::*;

    /// Which of the servers refuse it, when it is used.
    #[track_caller]
    fn check(definition: &Value, refusing: &str) {
        let analyzer = json!({"u": {"tokenizer": "standard", "filter": ["x"]}});
        check_refusals(&json!({"filter": {"x": definition}, "analyzer": analyzer}), refusing);
    }

    /// As the servers did it.
    #[test]
    fn languages_that_a_server_does_not_have_are_refused_by_product_and_version() {
        for (language, refusing) in [
            ("english", "......"),
            ("German", "......"),
            ("light_finish", "......"),
            ("minimalEnglish", "......"),
            ("serbian", "XX...."),
            ("plural_english", "XXXX.."),
            ("spanish_plural", "XX..XX"),
            ("dutch_kp", ".....X"),
            ("kp", ".....X"),
            ("polish", "XXXXXX"),
            ("bogus", "XXXXXX"),
        ] {
            check(&json!({"type": "stemmer", "language": language}), refusing);
        }
        check(&json!({"type": "stemmer", "name": "bogus"}), "XXXXXX");
        for (language, refusing) in [
            ("English", "......"),
            ("english", "......"),
            ("Serbian", "XX...."),
            ("Kp", "...X.X"),
            ("Polish", "XXXXXX"),
        ] {
            check(&json!({"type": "snowball", "language": language}), refusing);
        }
        check(&json!({"type": "stop", "stopwords": "_bogus_"}), "......");
    }

    #[test]
    fn the_language_of_an_unused_snowball_is_not_checked() {
        let found =
            |definition: Value| of_settings(&json!({"analysis": {"filter": {"x": definition}}})).len();
        assert_eq!(found(json!({"type": "snowball", "language": "Bogus"})), 0);
        assert_eq!(found(json!({"type": "stemmer", "language": "bogus"})), 1);
        let analyzer = json!({"analysis": {"analyzer": {"x": {"type": "snowball", "language": "german"}}}});
        assert_eq!(of_settings(&analyzer).len(), 1);
    }
}
