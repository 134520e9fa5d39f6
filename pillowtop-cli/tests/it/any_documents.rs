//! Documents as they may come: what is common, and what is hard to type. Part of the tests in `src`
//! too.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Documents of which most have something in common.
pub(crate) fn documents() -> impl Strategy<Value = Vec<Map<String, Value>>> {
    (object(value()), prop::collection::vec(object(value()), 0..5), any::<u8>()).prop_map(
        |(base, others, mix)| {
            let mixed = others.into_iter().enumerate().map(|(number, other)| {
                let mut document = if mix >> number & 1 == 0 { base.clone() } else { Map::new() };
                document.extend(other);
                document
            });
            [base.clone()].into_iter().chain(mixed.collect::<Vec<_>>()).collect()
        },
    )
}

/// What documents have in common use, and what is hard to type.
fn scalar() -> impl Strategy<Value = Value> {
    let words = &[
        "",
        " ",
        "a",
        "case-1",
        "2024-01-02",
        "2024-02-30",
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05.120Z",
        "2024-01-02T03:04:05+05:30",
        "2024-01-02 03:04:05",
        "01/02/2024",
        "13.02.2024",
        "2024/01/02",
        "1.2.3-4",
        "true",
        "12",
        "-0",
        "NaN",
        "größe",
        "one two three four five six seven eight nine",
        "0000-00-00",
        "24:00:00",
        "99999-01-01",
        "2024-01-02T24:00:00Z",
        "2024-01-02T03:04:60Z",
        "+2024-01-02",
        "1969-12-31T23:59:59.999999999Z",
    ][..];
    prop_oneof![
        4 => prop::sample::select(words).prop_map(Value::from),
        1 => Just("word ".repeat(9000)).prop_map(Value::from),
        1 => Just("x".repeat(40_000)).prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        2 => (-3_i64..3).prop_map(Value::from),
        2 => prop::num::f64::NORMAL.prop_map(Value::from),
        1 => prop::sample::select(&[0.5, -90.5, 1e300, 180.0, 4e-320][..]).prop_map(Value::from),
        2 => any::<bool>().prop_map(Value::from),
        2 => Just(Value::Null),
    ]
}

const NAMES: [&str; 14] =
    ["a", "b", "c", "lat", "lon", "type", "", "a.b", "_id", "_x", "pillowtop", "A", "größe", "doc_type"];

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::from),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let named = (prop::sample::select(&NAMES[..]), inner);
    prop::collection::vec(named, 0..5)
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
