//! Values of single settings that servers refuse.

use serde_json::Value;

use super::Problem;
use super::value_kinds::{BOOLEANS, NUMBERS, SIZES, TIMES, WORDS};
use crate::lenient::{boolean, integer};
use crate::requirement::{NEVER, Versions};
use crate::settings::setting;

/// What servers note of an index themselves: whoever copies the settings of an index finds them
/// there.
const PRIVATE: [&str; 4] = ["uuid", "provided_name", "version.created", "creation_date"];

const LEGACY_CODECS: Versions = Versions { elasticsearch: (0x080f, NEVER), opensearch: (NEVER, NEVER) };
const CODECS_OF_OPENSEARCH: Versions = Versions { elasticsearch: (NEVER, NEVER), opensearch: (0, NEVER) };
const SINCE_SOFT_DELETES_ARE_A_MUST: Versions =
    Versions { elasticsearch: (0, 0x0800), opensearch: (0, 0x0200) };
const CREATION_DATE: Versions = Versions { elasticsearch: (NEVER, NEVER), opensearch: (0x0300, NEVER) };
const MAPPER_DYNAMIC: Versions = Versions { elasticsearch: (NEVER, NEVER), opensearch: (0x0300, NEVER) };

/// What is wrong with single settings.
pub(super) fn of_settings(settings: &Value) -> Vec<Problem> {
    let mut found = of_kinds(settings);
    let value = |name: &str| setting(settings, name).filter(|value| !value.is_null());
    let mut refuse = |name: &str, what: String, help: &str, accepted: Versions| {
        let what = format!("the setting `{name}` {what}");
        found.push(Problem::everywhere(name, what, help).accepted_by(accepted));
    };
    for name in PRIVATE.into_iter().filter(|name| value(name).is_some()) {
        let accepted = if name == "creation_date" { CREATION_DATE } else { Versions::NONE };
        refuse(name, "is the server's own".to_owned(), "leave it out", accepted);
    }
    if let Some(codec) = value("codec").and_then(Value::as_str) {
        let accepted = match codec {
            "default" | "best_compression" | "lucene_default" => Versions::ALL,
            codec if codec.starts_with("legacy_") => LEGACY_CODECS,
            _ => CODECS_OF_OPENSEARCH,
        };
        if accepted != Versions::ALL && WORDS[0].1.contains(&codec) {
            refuse("codec", format!("is `{codec}`"), "write `best_compression` or `default`", accepted);
        }
    }
    if let Some(range) = value("auto_expand_replicas").filter(|range| !is_range(range)) {
        let what = format!("is {range}");
        refuse("auto_expand_replicas", what, "write a range such as `0-1` or `0-all`", Versions::NONE);
    }
    if let Some((mode, accepted)) = value("mode").and_then(Value::as_str).and_then(limited_mode) {
        refuse("mode", format!("is `{mode}`"), "leave it out", accepted);
    }
    if value("mapper.dynamic").is_some() {
        refuse(
            "mapper.dynamic",
            "is from before Elasticsearch 6".to_owned(),
            "write `dynamic` at the struct",
            MAPPER_DYNAMIC,
        );
    }
    if value("soft_deletes.enabled").and_then(boolean) == Some(false) {
        refuse("soft_deletes.enabled", "is false".to_owned(), "leave it out", SINCE_SOFT_DELETES_ARE_A_MUST);
    }
    let mode = value("mode").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    for name in ["routing_path", "time_series.start_time", "time_series.end_time"] {
        if value(name).is_some() && mode != "time_series" {
            refuse(name, "requires `mode = \"time_series\"`".to_owned(), "leave it out", Versions::NONE);
        }
    }
    found.extend(shards(settings, &mode));
    found
}

/// Values that are not of the kind that a setting has.
fn of_kinds(settings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let value = |name: &str| setting(settings, name).filter(|value| !value.is_null());
    let mut refuse = |name: &str, what: String, help: &str| {
        found.push(Problem::everywhere(name, format!("the setting `{name}` {what}"), help));
    };
    for (name, value) in BOOLEANS.iter().filter_map(|name| Some((name, value(name)?))) {
        if boolean(value).is_none() {
            refuse(name, format!("is {value}"), "write true or false");
        }
    }
    for ((name, least, most), value) in NUMBERS.iter().filter_map(|known| Some((known, value(known.0)?))) {
        if !integer(value).is_some_and(|number| (*least..=*most).contains(&number)) {
            let help = if *most == i64::MAX {
                format!("write {least} or more")
            } else {
                format!("write {least} to {most}")
            };
            refuse(name, format!("is {value}"), &help);
        }
    }
    for (name, value) in TIMES.iter().filter_map(|name| Some((name, value(name)?))) {
        if !is_time(value) {
            refuse(
                name,
                format!("is {value}, which is not a time"),
                "write a number with a unit, such as `\"30s\"`",
            );
        }
    }
    if value("translog.sync_interval").and_then(Value::as_str).and_then(millis).is_some_and(|time| time < 100)
    {
        refuse(
            "translog.sync_interval",
            "is less than 100 milliseconds".to_owned(),
            "write `\"100ms\"` or more",
        );
    }
    for (name, value) in SIZES.iter().filter_map(|name| Some((name, value(name)?))) {
        if !value.as_str().is_some_and(is_size) {
            let help = "write a number with a unit, such as `\"512mb\"`";
            refuse(name, format!("is {value}, which is not a size"), help);
        }
    }
    for ((name, words), value) in WORDS.iter().filter_map(|known| Some((known, value(known.0)?))) {
        let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !words.contains(&word.to_ascii_lowercase().as_str()) {
            refuse(name, format!("is {value}"), &format!("write one of `{}`", words.join("`, `")));
        }
    }
    found
}

/// False, or the fewest and the most replicas.
fn is_range(range: &Value) -> bool {
    let Some(text) = range.as_str() else { return boolean(range) == Some(false) };
    let sides = text.split_once('-').and_then(|(least, most)| {
        let most = if most == "all" { u32::MAX } else { most.parse().ok()? };
        Some((least.parse::<u32>().ok()?, most))
    });
    text == "false" || sides.is_some_and(|(least, most)| least <= most)
}

/// A mode that not every Elasticsearch with the setting has.
fn limited_mode(mode: &str) -> Option<(&str, Versions)> {
    let since = |first| Versions { elasticsearch: (first, NEVER), opensearch: (NEVER, NEVER) };
    match mode.to_ascii_lowercase().as_str() {
        "standard" | "time_series" => None,
        "logsdb" => Some((mode, since(0x080f))),
        "lookup" => Some((mode, since(0x0811))),
        _ => Some((mode, Versions::NONE)),
    }
}

/// How many shards there are, and what depends on it.
fn shards(settings: &Value, mode: &str) -> Vec<Problem> {
    let count = |name: &str| setting(settings, name).and_then(integer);
    let shards = count("number_of_shards").unwrap_or(1);
    let mut found = Vec::new();
    if mode == "lookup" && shards > 1 {
        let what = "an index with the setting `mode = \"lookup\"` has one shard";
        found.push(Problem::everywhere("number_of_shards", what, "leave `number_of_shards` out"));
    }
    if let Some(routing) = count("number_of_routing_shards")
        && shards > 0
        && (routing < shards || routing % shards != 0)
    {
        let what = format!(
            "the setting `number_of_routing_shards` is {routing}, not a multiple of the {shards} shards"
        );
        found.push(Problem::everywhere(
            "number_of_routing_shards",
            what,
            "write a multiple, or leave it out",
        ));
    }
    found
}

/// A number with a unit; 0 and -1 have none.
fn is_time(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return matches!(value.as_i64(), Some(0 | -1)) };
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '-').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let is_number = number.parse::<i64>().is_ok_and(|number| number >= -1);
    let units = ["nanos", "micros", "ms", "s", "m", "h", "d"];
    is_number && (units.contains(&unit.trim()) || (unit.is_empty() && matches!(number, "0" | "-1")))
}

/// A time in milliseconds; at least that of a second for units of a second and more, which is all
/// that is asked.
fn millis(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let number: i64 = number.parse().ok()?;
    let thousandths = |divisor: i64| Some(number / divisor);
    match unit.trim() {
        "nanos" => thousandths(1_000_000),
        "micros" => thousandths(1_000),
        "ms" => Some(number),
        _ => number.checked_mul(1_000),
    }
}

/// A number of bytes with a unit.
fn is_size(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let units = ["b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb"];
    text == "0" || (number.parse::<f64>().is_ok() && units.contains(&unit.trim()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::normalize;

    /// Each checked against the servers, which all refuse it.
    #[test]
    fn values_that_no_server_takes_are_refused() {
        for (name, value) in [
            ("number_of_shards", json!(0)),
            ("number_of_shards", json!("x")),
            ("number_of_shards", json!(1025)),
            ("number_of_replicas", json!(-1)),
            ("refresh_interval", json!("5")),
            ("refresh_interval", json!(5)),
            ("refresh_interval", json!("5x")),
            ("codec", json!("bogus")),
            ("mapping.coerce", json!("maybe")),
            ("max_result_window", json!(0)),
            ("max_ngram_diff", json!(-1)),
            ("translog.durability", json!("never")),
            ("store.type", json!("bogus")),
            ("auto_expand_replicas", json!("x")),
            ("auto_expand_replicas", json!("1-0")),
            ("auto_expand_replicas", json!(0)),
            ("mode", json!("bogus")),
            ("soft_deletes.retention.operations", json!(-1)),
            ("merge.policy.max_merged_segment", json!("x")),
            ("merge.policy.max_merged_segment", json!("-1")),
            ("shard.check_on_startup", json!("fix")),
            ("priority", json!(-1)),
            ("gc_deletes", json!("x")),
            ("mapping.depth.limit", json!(0)),
            ("shard.check_on_startup", json!("x")),
            ("version.created", json!(7_000_099)),
            ("uuid", json!("x")),
            ("routing_path", json!(["a"])),
            ("blocks.read", json!("x")),
            ("merge.scheduler.auto_throttle", json!("x")),
            ("max_slices_per_scroll", json!(0)),
            ("routing.allocation.total_shards_per_node", json!(-2)),
            ("routing.rebalance.enable", json!("x")),
            ("routing.allocation.enable", json!("x")),
            ("translog.retention.age", json!("x")),
            ("translog.sync_interval", json!("50ms")),
            ("search.slowlog.threshold.query.warn", json!("x")),
            ("indexing.slowlog.threshold.index.trace", json!(5)),
        ] {
            let settings = normalize(&json!({ name: value })).unwrap();
            let found = of_settings(&settings);
            assert_eq!(found.len(), 1, "{name} {found:?}");
            assert_eq!((found[0].parameter.as_str(), found[0].accepted), (name, Versions::NONE));
        }
    }

    #[test]
    fn values_that_servers_take_are_not_refused() {
        for (name, value) in [
            ("number_of_shards", json!("2")),
            ("refresh_interval", json!("-1")),
            ("refresh_interval", json!("30s")),
            ("refresh_interval", json!(null)),
            ("codec", json!("best_compression")),
            ("mapping.coerce", json!("false")),
            ("store.type", json!("niofs")),
            ("auto_expand_replicas", json!("0-all")),
            ("auto_expand_replicas", json!(false)),
            ("gc_deletes", json!("10m")),
            ("merge.policy.max_merged_segment", json!("5gb")),
            ("translog.flush_threshold_size", json!("512mb")),
            ("shard.check_on_startup", json!(false)),
            ("soft_deletes.enabled", json!(true)),
            ("number_of_routing_shards", json!(3)),
            ("search.slowlog.threshold.fetch.info", json!("-1")),
        ] {
            let settings = normalize(&json!({ name: value })).unwrap();
            assert_eq!(of_settings(&settings), [], "{name} {value}");
        }
    }
}
