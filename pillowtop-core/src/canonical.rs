//! Canonical JSON: one string for each value, so that strings can be hashed and compared; and the
//! readable form of it that is committed.
//!
//! Members are sorted by name, there is no white space, and a number has one spelling: `1`, `1.0`
//! and `1e0` are `1`.

use serde_json::{Number, Value};

/// Integers up to here are exact in a double, so `9e15` and `9000000000000000` are one number.
const EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;
/// The committed form keeps an object or a list on one line up to this many characters.
const LINE: usize = 100;

/// The canonical text of a value.
#[must_use]
pub fn to_canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (position, (name, member)) in sorted(members, false).into_iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name).to_string());
                text.push(':');
                write_canonical(member, text);
            }
            text.push('}');
        }
        Value::Number(number) => text.push_str(&canonical_number(number)),
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

fn canonical_number(number: &Number) -> String {
    match number.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT_INTEGER => {
            (float as i64).to_string()
        }
        _ => number.to_string(),
    }
}

/// Members by name; in the committed form a field's `type` comes first, as people write it.
fn sorted(members: &serde_json::Map<String, Value>, type_first: bool) -> Vec<(&str, &Value)> {
    let mut all: Vec<(&str, &Value)> = members.iter().map(|(name, value)| (name.as_str(), value)).collect();
    all.sort_by_key(|(name, value)| (!(type_first && *name == "type" && value.is_string()), *name));
    all
}

/// The committed form: sorted, two spaces a level, short objects and lists on one line. `depth` is
/// the level that it starts at.
#[must_use]
pub fn to_readable(value: &Value, depth: usize) -> String {
    let mut text = String::new();
    write_readable(value, depth, 0, &mut text);
    text
}

fn write_readable(value: &Value, depth: usize, taken: usize, text: &mut String) {
    let short = one_line(value);
    if depth * 2 + taken + short.len() <= LINE || !(value.is_object() || value.is_array()) {
        text.push_str(&short);
        return;
    }
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "[\n" } else { ",\n" });
                text.push_str(&indent);
                write_readable(item, depth + 1, 0, text);
            }
        }
        Value::Object(members) => {
            for (position, (name, member)) in sorted(members, true).into_iter().enumerate() {
                text.push_str(if position == 0 { "{\n" } else { ",\n" });
                let name = Value::from(name).to_string();
                text.push_str(&indent);
                text.push_str(&name);
                text.push_str(": ");
                write_readable(member, depth + 1, name.len() + 2, text);
            }
        }
        _ => {}
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(if value.is_array() { ']' } else { '}' });
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> = sorted(members, true)
                .into_iter()
                .map(|(name, member)| format!("{}: {}", Value::from(name), one_line(member)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Number(number) => canonical_number(number),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        for text in ["1", "1.0", "1e0", "10e-1"] {
            assert_eq!(to_canonical(&serde_json::from_str(text).unwrap()), "1", "{text}");
        }
        assert_eq!(to_canonical(&json!(0.5)), "0.5");
        assert_eq!(to_canonical(&json!(u64::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn members_are_sorted_at_each_level() {
        assert_eq!(
            to_canonical(&json!({"b": {"z": 1, "a": [true, null]}, "a": "é\n"})),
            r#"{"a":"é\n","b":{"a":[true,null],"z":1}}"#
        );
    }

    #[test]
    fn the_readable_form_breaks_only_long_lines_and_puts_type_first() {
        let value = json!({"properties": {"name": {"fields": {"exact": {"type": "keyword"}}, "type": "text"},
            "a_rather_long_name_of_a_field": {"type": "keyword", "ignore_above": 8191}}});
        assert_eq!(
            to_readable(&value, 0),
            "{\n  \"properties\": {\n    \"a_rather_long_name_of_a_field\": {\"type\": \"keyword\", \"ignore_above\": 8191},\n    \
             \"name\": {\"type\": \"text\", \"fields\": {\"exact\": {\"type\": \"keyword\"}}}\n  }\n}"
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1.0e6..1.0e6).prop_map(Value::from),
            "\\PC{0,60}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,12}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_forms_say_the_same_value(value in any_json()) {
            let canonical = to_canonical(&value);
            let again: Value = serde_json::from_str(&canonical).unwrap();
            prop_assert_eq!(&to_canonical(&again), &canonical);
            let read: Value = serde_json::from_str(&to_readable(&value, 0)).unwrap();
            prop_assert_eq!(to_canonical(&read), canonical);
        }
    }
}
