//! What our attributes take, each in one list: an item in the wrong one is shown where it belongs.

use pillowtop_core::field_types;

/// The items of `#[couch(...)]`.
pub(crate) const COUCH_ITEMS: [&str; 7] =
    ["doc_type", "deleted", "database", "unknown", "type_field", "doc_type_is_immutable", "crate"];

/// The items of `#[pillow(...)]`.
pub(crate) const PILLOW_ITEMS: [&str; 15] = [
    "name",
    "alias",
    "settings",
    "targets",
    "filter",
    "filter_is_immutable",
    "routing",
    "lookup",
    "lookup_keys",
    "transform",
    "index",
    "transform_version",
    "mapping",
    "samples",
    "crate",
];

/// What `#[es(...)]` takes beside types and parameters.
pub(crate) const ES_WORDS: [&str; 3] = ["rules", "skip", "json"];

/// The attribute that has an item, if it is another than the one it stands in.
pub(crate) fn home_of(item: &str, found_in: &str) -> Option<&'static str> {
    let is_of_es = || {
        ES_WORDS.contains(&item)
            || field_types::field_type(item).is_some()
            || field_types::root_parameter(item).is_some()
    };
    let home = match item {
        _ if COUCH_ITEMS.contains(&item) => "couch",
        _ if PILLOW_ITEMS.contains(&item) => "pillow",
        "rename" | "rename_all" | "flatten" | "transparent" => "serde",
        _ if is_of_es() => "es",
        _ => return None,
    };
    (home != found_in).then_some(home)
}

/// Whether one of the attributes of an item is likely a slip for this one. The compiler says that
/// it does not know it.
pub(crate) fn has_slip_for(attribute: &str, attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter_map(|found| found.path().get_ident()).any(|found| {
        let found = found.to_string();
        !["couch", "pillow", "es", "serde"].contains(&found.as_str())
            && pillowtop_core::edit_distance::nearest(&found, [attribute]).is_some()
    })
}
