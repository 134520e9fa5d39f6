//! Finding a field type or parameter by name, and the nearest name to one that does not exist.

use super::field_type::FieldType;
use super::legacy::{LEGACY_PARAMETERS, LEGACY_ROOT_PARAMETERS, LEGACY_TYPES, Legacy};
use super::parameter::Parameter;
use super::root::ROOT_PARAMETERS;
use super::table::TABLE;
use crate::edit_distance::{allowed, distance};

/// What other languages and databases call the types.
const SPOKEN: &[(&str, &str)] = &[
    ("bool", "boolean"),
    ("int", "integer"),
    ("i8", "byte"),
    ("i16", "short"),
    ("i32", "integer"),
    ("i64", "long"),
    ("bigint", "long"),
    ("u64", "unsigned_long"),
    ("f32", "float"),
    ("f64", "double"),
    ("decimal", "scaled_float"),
    ("datetime", "date"),
    ("timestamp", "date"),
    ("bytes", "binary"),
    ("blob", "binary"),
    ("string", "keyword"),
    ("str", "keyword"),
    ("enum", "keyword"),
    ("uuid", "keyword"),
    ("fulltext", "text"),
    ("struct", "object"),
    ("map", "flattened"),
    ("json", "flattened"),
    ("embedding", "dense_vector"),
    ("vector", "dense_vector"),
];

/// All field types, family by family.
pub fn field_types() -> impl Iterator<Item = &'static FieldType> {
    TABLE.iter().flat_map(|family| family.iter())
}

/// The field type of a name.
pub fn field_type(name: &str) -> Option<&'static FieldType> {
    field_types().find(|field_type| field_type.name == name)
}

/// The parameter of the root of a mapping of a name, without `properties`.
pub fn root_parameter(name: &str) -> Option<&'static Parameter> {
    ROOT_PARAMETERS.iter().find(|parameter| parameter.name == name)
}

/// What became of a field type from before Elasticsearch 7, such as `string`.
pub fn legacy_type(name: &str) -> Option<&'static Legacy> {
    LEGACY_TYPES.iter().find(|legacy| legacy.name == name)
}

/// What became of a field parameter from before Elasticsearch 7, such as `include_in_all`.
pub fn legacy_parameter(name: &str) -> Option<&'static Legacy> {
    LEGACY_PARAMETERS.iter().find(|legacy| legacy.name == name)
}

/// What became of a root parameter from before Elasticsearch 7, such as `_all`.
pub fn legacy_root_parameter(name: &str) -> Option<&'static Legacy> {
    LEGACY_ROOT_PARAMETERS.iter().find(|legacy| legacy.name == name)
}

/// The field type that is meant by a mistyped name, or by another system's name such as `bool`;
/// `None` when that is anybody's guess.
pub fn suggest_type(name: &str) -> Option<&'static str> {
    nearest(name, field_types().map(|field_type| field_type.name))
        .or_else(|| SPOKEN.iter().find(|(spoken, _)| *spoken == bare(name)).map(|(_, meant)| *meant))
}

/// The parameter of a field type whose name is nearest to a mistyped one, when one is near enough
/// to be meant.
pub fn suggest_parameter(field_type: &FieldType, name: &str) -> Option<&'static str> {
    nearest(name, field_type.parameters().map(|parameter| parameter.name))
}

/// The root parameter whose name is nearest to a mistyped one, when one is near enough to be meant.
pub fn suggest_root_parameter(name: &str) -> Option<&'static str> {
    nearest(name, ROOT_PARAMETERS.iter().map(|parameter| parameter.name))
}

/// The nearest of several names. Spelling without underscores or in capitals costs nothing, as
/// `geoPoint` for `geo_point`; otherwise one edit in three characters is as much as a slip
/// explains.
pub(super) fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let wanted = bare(name);
    candidates
        .map(|candidate| (distance(&wanted, &bare(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed(&wanted))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn bare(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
