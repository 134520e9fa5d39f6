//! Settings that not every product and version has, as the servers list them. A name stands for all
//! settings below it.

use serde_json::Value;

use super::collect_leaves;
use crate::requirement::{NEVER, Versions};

const ELASTICSEARCH: [u16; 4] = [0, NEVER, NEVER, NEVER];
const ELASTICSEARCH_8: [u16; 4] = [0x0800, NEVER, NEVER, NEVER];
const ELASTICSEARCH_9: [u16; 4] = [0x080f, NEVER, NEVER, NEVER];
const OPENSEARCH: [u16; 4] = [NEVER, NEVER, 0, NEVER];
const OPENSEARCH_3: [u16; 4] = [NEVER, NEVER, 0x0214, NEVER];

/// The versions of both products that have a setting: from which, and before which.
const LIMITED: &[(&str, [u16; 4])] = &[
    ("aggregation.streaming.min_segment_size", OPENSEARCH_3),
    ("append_only.enabled", OPENSEARCH),
    ("auto_expand_search_replicas", OPENSEARCH_3),
    ("auto_force_merge.enabled", OPENSEARCH_3),
    ("blocks.search_only", OPENSEARCH_3),
    ("bloom_filter_for_id_field.enabled", ELASTICSEARCH_8),
    ("bulk.adaptive_shard_selection.enabled", OPENSEARCH_3),
    ("check_pending_flush.enabled", OPENSEARCH),
    ("codec.compression_level", OPENSEARCH),
    ("composite_index", OPENSEARCH),
    ("composite_store.type", OPENSEARCH_3),
    ("dense_vector", ELASTICSEARCH_9),
    ("derived_source", OPENSEARCH_3),
    ("disable_sequence_numbers", ELASTICSEARCH_9),
    ("fast_refresh", ELASTICSEARCH_8),
    ("highlight.weight_matches_mode.enabled", ELASTICSEARCH_8),
    ("indexing.slowlog.include.user", ELASTICSEARCH_8),
    ("indexing.slowlog.level", [0, 0x0800, 0, NEVER]),
    ("knn", OPENSEARCH),
    ("lifecycle", ELASTICSEARCH),
    ("logsdb", ELASTICSEARCH_9),
    ("mapping.dimension_fields.limit", [0x0710, NEVER, NEVER, NEVER]),
    ("mapping.exclude_source_vectors", ELASTICSEARCH_9),
    ("mapping.field_name_length.ignore_dynamic_beyond_limit", ELASTICSEARCH_9),
    ("mapping.flattened.store_root_doc_values", ELASTICSEARCH_9),
    ("mapping.ignore_above", ELASTICSEARCH_9),
    ("mapping.nested_parents.limit", ELASTICSEARCH_9),
    ("mapping.semantic_text.use_legacy_format", ELASTICSEARCH_9),
    ("mapping.source.mode", ELASTICSEARCH_9),
    ("mapping.synthetic_id", ELASTICSEARCH_9),
    ("mapping.synthetic_source", ELASTICSEARCH_9),
    ("mapping.synthetic_source_keep", ELASTICSEARCH_9),
    ("mapping.total_fields.ignore_dynamic_beyond_limit", ELASTICSEARCH_8),
    ("mapping.use_doc_values_skipper", ELASTICSEARCH_9),
    ("max_slices_per_pit", OPENSEARCH),
    ("merge.intra_merge_parallelism_enabled", ELASTICSEARCH_9),
    ("merge.log_byte_size_policy", OPENSEARCH),
    ("merge.policy.max_merge_at_once_explicit", ELASTICSEARCH),
    ("merge.policy.merge_factor", ELASTICSEARCH_8),
    ("merge.policy.reclaim_deletes_weight", [0, 0x0800, 0, NEVER]),
    ("merge.policy.type", ELASTICSEARCH_8),
    ("merge.scheduler.max_force_merge_mb_per_sec", OPENSEARCH_3),
    ("merge_on_flush", OPENSEARCH),
    ("mode", ELASTICSEARCH_8),
    ("number_of_search_replicas", OPENSEARCH_3),
    ("number_of_virtual_shards", OPENSEARCH_3),
    ("opendistro", OPENSEARCH),
    ("optimize_doc_id_lookup", OPENSEARCH),
    ("periodic_flush_interval", OPENSEARCH_3),
    ("plugins", OPENSEARCH),
    ("query.derived_field.enabled", OPENSEARCH),
    ("query.max_nested_depth", OPENSEARCH),
    ("recovery.use_synthetic_source", ELASTICSEARCH_9),
    ("replication.type", OPENSEARCH),
    ("routing.allocation.disk.watermark.ignore", ELASTICSEARCH),
    ("routing.allocation.total_primary_shards_per_node", OPENSEARCH_3),
    ("routing.allocation.total_remote_capable_primary_shards_per_node", OPENSEARCH_3),
    ("routing.allocation.total_remote_capable_shards_per_node", OPENSEARCH_3),
    ("routing_path", ELASTICSEARCH_8),
    ("search.concurrent.max_slice_count", OPENSEARCH),
    ("search.concurrent_segment_search", OPENSEARCH),
    ("search.default_pipeline", OPENSEARCH),
    ("search.slowlog.include.user", ELASTICSEARCH_8),
    ("search.star_tree_index.enabled", OPENSEARCH_3),
    ("segment_replication.publish_referenced_segments_interval", OPENSEARCH_3),
    ("seq_no.index_options", ELASTICSEARCH_9),
    ("shard_limit.group", ELASTICSEARCH),
    ("source_only", ELASTICSEARCH_8),
    ("store.hybrid.mmap.extensions", [NEVER, NEVER, 0, 0x0300]),
    ("store.hybrid.nio.extensions", OPENSEARCH),
    ("time_series", ELASTICSEARCH_8),
    ("translog.flush_threshold_age", ELASTICSEARCH_8),
    ("translog.read_forward", OPENSEARCH_3),
    ("unreferenced_file_cleanup.enabled", OPENSEARCH),
    ("use_compound_file", OPENSEARCH),
    ("use_legacy_postings_format", ELASTICSEARCH_9),
    ("use_time_series_doc_values_format", ELASTICSEARCH_9),
    ("use_time_series_doc_values_format_large_binary_block_size", ELASTICSEARCH_9),
    ("use_time_series_doc_values_format_large_block_size", ELASTICSEARCH_9),
    ("verified_read_only", ELASTICSEARCH_9),
    ("xpack", ELASTICSEARCH),
];

/// The settings that not every server has, each with the versions that do.
#[must_use]
pub fn limited_settings(settings: &Value) -> Vec<(String, Versions)> {
    let mut leaves = Vec::new();
    collect_leaves(settings, "", &mut leaves);
    let limited = leaves.into_iter().filter_map(|name| {
        let is_meant = |known: &str| {
            name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let (_, [first, removed, open_first, open_removed]) =
            LIMITED.iter().find(|(known, _)| is_meant(known))?;
        let versions =
            Versions { elasticsearch: (*first, *removed), opensearch: (*open_first, *open_removed) };
        Some((name, versions))
    });
    limited.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::field_types::Target;
    use crate::settings::normalize;

    #[test]
    fn settings_of_one_product_are_distinguished_from_those_of_both() {
        let has = |name: &str, target| {
            let limited = limited_settings(&normalize(&json!({ name: 1 })).unwrap());
            limited.iter().all(|(_, versions)| versions.include(target))
        };
        let (elastic, open) = (Target::elasticsearch(9, 4), Target::opensearch(3, 6));
        for (name, in_elastic, in_open) in [
            ("number_of_shards", true, true),
            ("mapping.total_fields.limit", true, true),
            ("analysis.analyzer.x.type", true, true),
            ("mode", true, false),
            ("routing_path", true, false),
            ("append_only.enabled", false, true),
            ("knn.algo_param.m", false, true),
            ("composite_index", false, true),
            ("merge.policy.max_merged_segment", true, true),
            ("lifecycle.name", true, false),
        ] {
            assert_eq!((has(name, elastic), has(name, open)), (in_elastic, in_open), "{name}");
        }
        assert!(!has("mode", Target::elasticsearch(7, 17)));
    }
}
