//! Comparing what is indexed with what filter and transform produce.

use serde_json::Value;

/// The path of the first member in which two `_source`s differ, in the order of names; `None` if
/// they are equal. Members at the ignored paths are not compared.
pub(super) fn difference(expected: &Value, found: &Value, ignored: &[String]) -> Option<String> {
    differing(expected, found, "", ignored)
}

fn differing(expected: &Value, found: &Value, path: &str, ignored: &[String]) -> Option<String> {
    if ignored.iter().any(|ignored| ignored == path) {
        return None;
    }
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let mut names: Vec<&String> = expected.keys().chain(found.keys()).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().find_map(|name| match (expected.get(name), found.get(name)) {
                (Some(expected), Some(found)) => differing(expected, found, &inner(name), ignored),
                // A member that is missing.
                _ => Some(inner(name)).filter(|path| !ignored.contains(path)),
            })
        }
        // Paths have no positions in lists: what is ignored is ignored in each of them.
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            expected.iter().zip(found).find_map(|(expected, found)| differing(expected, found, path, ignored))
        }
        (expected, found) => (expected != found).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let one = json!({"a": 1, "b": {"c": [1, {"d": 2, "e": 3}]}, "f": null});
        let other = |path: &str, value: Value| {
            let mut other = one.clone();
            *other.pointer_mut(path).unwrap() = value;
            difference(&one, &other, &["b.c.e".to_owned(), "f".to_owned()])
        };
        assert_eq!(difference(&one, &one, &[]), None);
        assert_eq!(other("/a", json!("1")).as_deref(), Some("a"));
        assert_eq!(other("/b/c/1/d", json!(1)).as_deref(), Some("b.c.d"));
        assert_eq!(other("/b/c", json!([1])).as_deref(), Some("b.c"));
        assert_eq!(other("/b/c/1/e", json!(9)), None);
        assert_eq!(other("/f", json!(9)), None);
        assert_eq!(difference(&json!({"a": 1}), &json!({}), &[]).as_deref(), Some("a"));
        assert_eq!(difference(&json!({"a": 1}), &json!({}), &["a".to_owned()]), None);
    }
}
