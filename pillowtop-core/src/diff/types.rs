//! Which types answer the same searches.

use crate::field_types::{Counterpart, field_type};

/// Types that answer the same searches: a field that changes within one of these needs a reindex,
/// and searches continue to work.
const FAMILIES: [&[&str]; 5] = [
    &["keyword", "constant_keyword", "wildcard", "counted_keyword"],
    &["text", "match_only_text", "search_as_you_type", "annotated_text", "pattern_text"],
    &["byte", "short", "integer", "long", "unsigned_long", "half_float", "float", "double", "scaled_float"],
    &["integer_range", "long_range", "float_range", "double_range"],
    &["date", "date_nanos"],
];

/// Whether searches of the one type work on the other.
pub(super) fn same_family(one: &str, other: &str) -> bool {
    FAMILIES.iter().any(|family| family.contains(&one) && family.contains(&other))
}

/// Whether these are two products' names of the same.
pub(super) fn renamed(one: &str, other: &str) -> bool {
    field_type(one).is_some_and(|known| known.counterpart == Some(Counterpart::Renamed(known_name(other))))
}

/// The name as the table has it.
fn known_name(name: &str) -> &'static str {
    field_type(name).map_or("", |known| known.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_of_the_tables_types_and_share_none() {
        let mut seen = std::collections::BTreeSet::new();
        for name in FAMILIES.iter().flat_map(|family| family.iter()) {
            assert!(field_type(name).is_some(), "`{name}` is not a type");
            assert!(seen.insert(name), "`{name}` is in two families");
        }
    }
}
