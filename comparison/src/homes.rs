//! In which module or plugin of a server a field type lives, where that is not the server itself.
//!
//! Distributions leave modules out: the Apache-licensed Elasticsearch 7 has none of the commercial
//! part, and the servers that tests can install from package registries have not all modules. A
//! type whose module is absent must be refused.

use pillowtop_core::field_types::{FieldType, Product, Version};

use crate::server::Server;

struct Home {
    types: &'static [&'static str],
    product: Product,
    module: &'static str,
    /// The first version that has the types in the server itself.
    moved: Option<Version>,
}

const fn home(product: Product, module: &'static str, types: &'static [&'static str]) -> Home {
    Home { types, product, module, moved: None }
}

const fn moved(module: &'static str, (major, minor): (u16, u16), types: &'static [&'static str]) -> Home {
    Home { types, product: Product::Elasticsearch, module, moved: Some(Version::new(major, minor)) }
}

const EXTRAS: &[&str] =
    &["scaled_float", "token_count", "rank_feature", "rank_features", "search_as_you_type"];

const HOMES: &[Home] = &[
    home(Product::Elasticsearch, "mapper-extras", EXTRAS),
    home(Product::Elasticsearch, "mapper-extras", &["match_only_text"]),
    home(Product::OpenSearch, "mapper-extras", EXTRAS),
    home(Product::Elasticsearch, "parent-join", &["join"]),
    home(Product::OpenSearch, "parent-join", &["join"]),
    home(Product::Elasticsearch, "percolator", &["percolator"]),
    home(Product::OpenSearch, "percolator", &["percolator"]),
    moved("geo", (8, 0), &["geo_shape"]),
    home(Product::Elasticsearch, "spatial", &["geo_shape"]),
    home(Product::OpenSearch, "geo", &["geo_shape"]),
    moved("flattened", (8, 0), &["flattened"]),
    moved("vectors", (8, 0), &["dense_vector"]),
    home(Product::Elasticsearch, "wildcard", &["wildcard"]),
    home(Product::Elasticsearch, "constant-keyword", &["constant_keyword"]),
    home(Product::Elasticsearch, "mapper-version", &["version"]),
    home(Product::Elasticsearch, "unsigned-long", &["unsigned_long"]),
    home(Product::Elasticsearch, "x-pack-aggregate-metric", &["aggregate_metric_double"]),
    home(Product::Elasticsearch, "x-pack-analytics", &["histogram", "tdigest"]),
    home(Product::Elasticsearch, "exponential-histogram", &["exponential_histogram"]),
    home(Product::Elasticsearch, "spatial", &["point", "shape"]),
    home(Product::Elasticsearch, "counted-keyword", &["counted_keyword"]),
    home(Product::Elasticsearch, "rank-vectors", &["rank_vectors"]),
    home(Product::Elasticsearch, "logsdb", &["pattern_text"]),
    home(Product::Elasticsearch, "x-pack-inference", &["semantic_text", "semantic"]),
    home(Product::OpenSearch, "opensearch-knn", &["knn_vector"]),
    home(Product::OpenSearch, "opensearch-geospatial", &["xy_point", "xy_shape"]),
    home(Product::OpenSearch, "opensearch-neural-search", &["semantic", "sparse_vector"]),
];

/// The module or plugin that the type needs and this server has not.
pub fn absent_module(server: &Server, field_type: &FieldType) -> Option<&'static str> {
    let target = server.target();
    let home = HOMES.iter().find(|home| {
        home.product == target.product
            && home.types.contains(&field_type.name)
            && home.moved.is_none_or(|moved| target.version < moved)
    });
    field_type.plugin.or(home.map(|home| home.module)).filter(|module| !server.has_module(module))
}
