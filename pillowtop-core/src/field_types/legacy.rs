//! What mappings from before Elasticsearch 7 say that no covered version takes, and what to say
//! now.

/// A name that no covered version takes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Legacy {
    /// The old name.
    pub name: &'static str,
    /// What to write instead, as a phrase after "use" or "write"; it may say that nothing is
    /// needed.
    pub replacement: &'static str,
}

const fn legacy(name: &'static str, replacement: &'static str) -> Legacy {
    Legacy { name, replacement }
}

/// Field types of old.
pub const LEGACY_TYPES: &[Legacy] = &[
    legacy("string", "`text` for full text, `keyword` for exact values"),
    legacy("multi_field", "the field's own type with `fields`"),
    legacy("attachment", "the attachment ingest processor"),
    legacy("_geo_point", "`geo_point`"),
    legacy("feature", "`rank_feature`"),
    legacy("feature_vector", "`rank_features`"),
    legacy("geo_polygon", "`geo_shape`"),
];

/// Parameters of fields of old.
pub const LEGACY_PARAMETERS: &[Legacy] = &[
    legacy("include_in_all", "`copy_to` with a field of your own"),
    legacy("index_analyzer", "`analyzer`"),
    legacy("index_name", "`copy_to`"),
    legacy("omit_norms", "`norms`, with the opposite value"),
    legacy("omit_term_freq_and_positions", "`index_options`"),
    legacy("precision_step", "nothing, numbers no longer have it"),
    legacy("numeric_resolution", "a `format` such as `epoch_second`"),
    legacy("postings_format", "nothing, the index setting `codec` decides"),
    legacy("doc_values_format", "nothing, the index setting `codec` decides"),
    legacy("lat_lon", "nothing, geo points always have it"),
    legacy("geohash", "nothing, aggregations compute it"),
    legacy("geohash_prefix", "nothing, aggregations compute it"),
    legacy("geohash_precision", "nothing, aggregations compute it"),
    legacy("validate", "`ignore_malformed`, with the opposite value"),
    legacy("validate_lat", "`ignore_malformed`, with the opposite value"),
    legacy("validate_lon", "`ignore_malformed`, with the opposite value"),
    legacy("normalize", "`coerce`"),
    legacy("payloads", "nothing, suggestions return the document"),
    legacy("context", "`contexts`"),
    legacy("position_offset_gap", "`position_increment_gap`"),
    legacy("compress", "nothing, stored fields are always compressed"),
    legacy("path", "`copy_to` (except in an `alias`)"),
];

/// Parameters that Elasticsearch 7 and `OpenSearch` take for every type of values, and ignore with
/// a warning where they mean nothing; Elasticsearch 8 rejects them there. See
/// [`FieldType::ignores`](super::FieldType::ignores).
pub const IGNORED_PARAMETERS: &[&str] =
    &["store", "meta", "boost", "index", "doc_values", "index_options", "similarity"];

/// Parameters of the root of old.
pub const LEGACY_ROOT_PARAMETERS: &[Legacy] = &[
    legacy("_all", "`copy_to` with a field of your own"),
    legacy("_type", "nothing, an index has no types"),
    legacy("_parent", "a `join` field"),
    legacy("_timestamp", "a `date` field of your own"),
    legacy("_ttl", "an index per period, or lifecycle management"),
    legacy("_id", "nothing, the id is always indexed"),
    legacy("_uid", "nothing, it is the `_id`"),
    legacy("_index", "nothing, the index name can always be searched"),
    legacy("_analyzer", "`analyzer` on the fields"),
    legacy("_boost", "`function_score` in the query"),
    legacy("_default_", "an index template"),
    legacy("analyzer", "the analyzer named `default` in the settings"),
    legacy("index_analyzer", "the analyzer named `default` in the settings"),
    legacy("search_analyzer", "the analyzer named `default_search` in the settings"),
    legacy("date_formats", "`dynamic_date_formats`"),
    legacy("transform", "an ingest pipeline"),
    legacy("include_in_all", "`copy_to` with a field of your own"),
];
