//! The lengths of n-grams and shingles, and the settings that limit how far they may lie apart.

use serde_json::Value;

use super::super::Problem;
use super::Entry;
use crate::lenient::{boolean, integer};
use crate::settings::setting;

/// What is too far apart is refused at once; the rest when a part is made, for an analyzer that has
/// it.
pub(super) fn of_entry(settings: &Value, entry: Entry<'_>, is_used: bool) -> Option<Problem> {
    match (entry.section, entry.type_name()?) {
        ("tokenizer" | "filter", "ngram" | "nGram") => {
            let limit = setting(settings, "max_ngram_diff").and_then(integer).unwrap_or(1);
            grams(entry, Some(limit), is_used)
        }
        ("tokenizer" | "filter", "edge_ngram" | "edgeNGram") => grams(entry, None, is_used),
        ("filter", "shingle") => {
            let limit = setting(settings, "max_shingle_diff").and_then(integer).unwrap_or(3);
            shingles(entry, limit, is_used)
        }
        _ => None,
    }
}

fn grams(entry: Entry<'_>, limit: Option<i64>, is_used: bool) -> Option<Problem> {
    let length = |name: &str, default| entry.members.get(name).map_or(Some(default), integer);
    let (least, most) = (length("min_gram", 1)?, length("max_gram", 2)?);
    if let Some(limit) = limit.filter(|limit| most - least > *limit) {
        let what = format!(
            "has `min_gram` {least} and `max_gram` {most}, further apart than `max_ngram_diff`, which is {limit}"
        );
        let help = format!("write the setting `max_ngram_diff` with {} or more", most - least);
        return Some(entry.refuse(&what, help));
    }
    if is_used && least < 1 {
        return Some(entry.refuse(&format!("has `min_gram` {least}"), "write 1 or more"));
    }
    (is_used && least > most).then(|| {
        let what = format!("has `min_gram` {least} above `max_gram` {most}");
        entry.refuse(&what, "write both: without them they are 1 and 2")
    })
}

fn shingles(entry: Entry<'_>, limit: i64, is_used: bool) -> Option<Problem> {
    let size = |name: &str| entry.members.get(name).map_or(Some(2), integer);
    let (least, most) = (size("min_shingle_size")?, size("max_shingle_size")?);
    let has_unigrams = entry.members.get("output_unigrams").and_then(boolean) != Some(false);
    let apart = most - least + i64::from(has_unigrams);
    if apart > limit {
        let with = if has_unigrams { ", with single words," } else { "" };
        let what = format!(
            "has `min_shingle_size` {least} and `max_shingle_size` {most}, which{with} are {apart} apart, more than `max_shingle_diff`, which is {limit}"
        );
        let help = format!("write the setting `max_shingle_diff` with {apart} or more");
        return Some(entry.refuse(&what, help));
    }
    if is_used && least < 2 {
        return Some(entry.refuse(&format!("has `min_shingle_size` {least}"), "write 2 or more"));
    }
    (is_used && least > most).then(|| {
        let what = format!("has `min_shingle_size` {least} above `max_shingle_size` {most}");
        entry.refuse(&what, "write both: without them they are 2")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::of_settings;
    use super::*;

    #[track_caller]
    fn is_refused(section: &str, definition: &Value, raised: bool) -> bool {
        let mut settings = json!({"analysis": {section: {"x": definition}}});
        settings["analysis"]["analyzer"]["u"] = match section {
            "tokenizer" => json!({"tokenizer": "x"}),
            _ => json!({"tokenizer": "standard", "filter": ["x"]}),
        };
        if raised {
            settings["max_ngram_diff"] = json!(5);
            settings["max_shingle_diff"] = json!("9");
        }
        !of_settings(&settings).is_empty()
    }

    /// Each checked against the servers.
    #[test]
    fn grams_that_lie_too_far_apart_are_refused() {
        for section in ["tokenizer", "filter"] {
            let far = json!({"type": "ngram", "min_gram": 1, "max_gram": 4});
            assert!(is_refused(section, &far, false) && !is_refused(section, &far, true));
            assert!(is_refused(section, &json!({"type": "ngram", "min_gram": 4, "max_gram": 3}), true));
            assert!(is_refused(section, &json!({"type": "edge_ngram", "min_gram": 3}), true));
            assert!(is_refused(section, &json!({"type": "ngram", "min_gram": 0, "max_gram": 1}), true));
            assert!(!is_refused(
                section,
                &json!({"type": "edge_ngram", "min_gram": 1, "max_gram": 30}),
                false
            ));
            assert!(!is_refused(section, &json!({"type": "ngram"}), false));
        }
    }

    #[test]
    fn grams_of_an_unused_part_are_checked_by_their_distance_alone() {
        let found =
            |definition: Value| of_settings(&json!({"analysis": {"filter": {"x": definition}}})).len();
        assert_eq!(found(json!({"type": "edge_ngram", "min_gram": 3})), 0);
        assert_eq!(found(json!({"type": "ngram", "min_gram": 4, "max_gram": 3})), 0);
        assert_eq!(found(json!({"type": "shingle", "min_shingle_size": 4, "max_shingle_size": 3})), 0);
        assert_eq!(found(json!({"type": "ngram", "min_gram": 1, "max_gram": 4})), 1);
    }

    #[test]
    fn shingles_that_lie_too_far_apart_are_refused() {
        let shingle = |least: u8, most: u8, unigrams: bool| json!({"type": "shingle", "min_shingle_size": least, "max_shingle_size": most, "output_unigrams": unigrams});
        for (definition, is_wrong, is_wrong_when_raised) in [
            (shingle(2, 6, true), true, false),
            (shingle(2, 5, true), true, false),
            (shingle(2, 6, false), true, false),
            (shingle(2, 5, false), false, false),
            (shingle(2, 4, true), false, false),
            (shingle(4, 3, true), true, true),
            (shingle(1, 2, true), true, true),
        ] {
            assert_eq!(is_refused("filter", &definition, false), is_wrong, "{definition}");
            assert_eq!(is_refused("filter", &definition, true), is_wrong_when_raised, "{definition}");
        }
    }
}
