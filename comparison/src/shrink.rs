//! Makes the body and the documents of a disagreement as small as they can be with the same
//! disagreement.

use serde_json::Value;

use crate::documents::Document;
use crate::roots::Body;

/// How often the server is tried for one disagreement.
const TRIES: usize = 150;

/// What is made smaller.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Subject {
    pub(crate) body: Body,
    pub(crate) documents: Vec<Document>,
}

/// The smallest subject for which `disagrees` holds still, as far as removing one thing after the
/// other finds it.
pub(crate) fn smallest<E>(
    subject: Subject,
    mut disagrees: impl FnMut(&Subject) -> Result<bool, E>,
) -> Result<Subject, E> {
    let mut smallest = subject;
    let (mut position, mut tries, mut is_smaller) = (0, 0, false);
    while tries < TRIES {
        let Some(smaller) = without(&smallest, position) else {
            // What was needed beside something that is gone may go now, and positions have moved.
            if !is_smaller {
                break;
            }
            (position, is_smaller) = (0, false);
            continue;
        };
        tries += 1;
        if disagrees(&smaller)? {
            smallest = smaller;
            is_smaller = true;
        } else {
            position += 1;
        }
    }
    Ok(smallest)
}

/// The subject without its removable part at a position: documents, their members, then members and
/// items of JSON, outer ones first.
fn without(subject: &Subject, position: usize) -> Option<Subject> {
    let mut smaller = subject.clone();
    let mut left = position;
    if left < smaller.documents.len() {
        smaller.documents.remove(left);
        return Some(smaller);
    }
    left -= smaller.documents.len();
    for document in &mut smaller.documents {
        if left < document.0.len() && document.0.len() > 1 {
            document.0.remove(left);
            return Some(smaller);
        }
        left = left.saturating_sub(if document.0.len() > 1 { document.0.len() } else { 0 });
    }
    let is_removed =
        remove(&mut smaller.body.mappings, &mut left) || remove(&mut smaller.body.settings, &mut left);
    is_removed.then_some(smaller)
}

/// Removes the `left`-th removable part of a value, in preorder; counts down where there are fewer.
fn remove(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Object(members) => {
            // A field without its type is another field.
            let names: Vec<String> = members.keys().filter(|name| *name != "type").cloned().collect();
            for name in names {
                if *left == 0 {
                    members.remove(&name);
                    return true;
                }
                *left -= 1;
                if members.get_mut(&name).is_some_and(|inner| remove(inner, left)) {
                    return true;
                }
            }
            false
        }
        Value::Array(items) if items.len() > 1 => {
            if *left < items.len() {
                items.remove(*left);
                return true;
            }
            *left -= items.len();
            items.iter_mut().any(|item| remove(item, left))
        }
        Value::Array(items) => items.iter_mut().any(|item| remove(item, left)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_disagreement_does_not_need_is_removed() {
        let body = Body {
            mappings: json!({"dynamic": false, "properties": {"a": {"type": "long", "store": true}, "b": {"type": "ip"}}}),
            settings: json!({"codec": "x", "sort.field": ["a", "b"]}),
        };
        let member = |name: &str| (name.to_owned(), "1".to_owned());
        let documents =
            vec![Document(vec![member("x")]), Document(vec![member("a"), member("b"), member("c")])];
        let disagrees = |subject: &Subject| -> Result<bool, ()> {
            let is_kept = subject.body.mappings.pointer("/properties/a/store").is_some();
            Ok(is_kept && subject.documents.iter().any(|document| document.0.contains(&member("b"))))
        };
        let found = smallest(Subject { body, documents }, disagrees).unwrap();
        assert_eq!(found.body.mappings, json!({"properties": {"a": {"type": "long", "store": true}}}));
        assert_eq!(found.body.settings, json!({}));
        assert_eq!(found.documents, [Document(vec![member("b")])]);
    }
}
