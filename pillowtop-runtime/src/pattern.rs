//! Patterns in which `*` stands for any characters, as CouchDB's tools and search servers have
//! them.

/// Whether a name matches a pattern.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|end| rest.is_char_boundary(*end)).any(|end| matches(after, &rest[end..]))
        }),
    }
}
