//! The names of settings, of both products and their usual plugins. A setting that is not here may
//! still be one.

use serde_json::Value;

use crate::edit_distance::nearest;

/// The settings that Elasticsearch 7.10, 7.17, 8.14 and 9.4 and `OpenSearch` 2.19 and 3.6 list, and
/// those of plugins by their documentation.
const KNOWN: &[&str] = &[
    "aggregation.streaming.min_segment_size",
    "allocation.existing_shards_allocator",
    "allocation.max_retries",
    "analyze.max_token_count",
    "append_only.enabled",
    "auto_expand_replicas",
    "auto_expand_search_replicas",
    "auto_force_merge.enabled",
    "blocks.metadata",
    "blocks.read",
    "blocks.read_only",
    "blocks.read_only_allow_delete",
    "blocks.search_only",
    "blocks.write",
    "bloom_filter_for_id_field.enabled",
    "bulk.adaptive_shard_selection.enabled",
    "check_pending_flush.enabled",
    "codec",
    "codec.compression_level",
    "composite_store.type",
    "compound_format",
    "creation_date",
    "data_path",
    "default_pipeline",
    "dense_vector.experimental_features",
    "dense_vector.hnsw_early_termination",
    "dense_vector.hnsw_enable_early_termination",
    "dense_vector.hnsw_filter_heuristic",
    "derived_source.enabled",
    "derived_source.translog.enabled",
    "dimensions",
    "dimensions_tsid_strategy_enabled",
    "disable_sequence_numbers",
    "downsample.interval",
    "downsample.origin.name",
    "downsample.origin.uuid",
    "downsample.sampling_method",
    "downsample.source.name",
    "downsample.source.uuid",
    "downsample.status",
    "esql.stored_fields_sequential_proportion",
    "failure_store.version",
    "fast_refresh",
    "fielddata.cache",
    "final_pipeline",
    "flush_after_merge",
    "force_memory_term_dictionary",
    "format",
    "gc_deletes",
    "hidden",
    "highlight.max_analyzed_offset",
    "highlight.weight_matches_mode.enabled",
    "history.uuid",
    "indexing.slowlog.include.user",
    "indexing.slowlog.level",
    "indexing.slowlog.reformat",
    "indexing.slowlog.source",
    "indexing.slowlog.threshold.index.debug",
    "indexing.slowlog.threshold.index.info",
    "indexing.slowlog.threshold.index.trace",
    "indexing.slowlog.threshold.index.warn",
    "load_fixed_bitset_filters_eagerly",
    "logsdb.add_host_name_field",
    "logsdb.route_on_sort_fields",
    "logsdb.sort_on_host_name",
    "logsdb.sort_on_message_template",
    "look_ahead_time",
    "look_back_time",
    "mapper.dynamic",
    "mapping.coerce",
    "mapping.depth.limit",
    "mapping.dimension_fields.limit",
    "mapping.exclude_source_vectors",
    "mapping.field_name_length.ignore_dynamic_beyond_limit",
    "mapping.field_name_length.limit",
    "mapping.flattened.store_root_doc_values",
    "mapping.ignore_above",
    "mapping.ignore_malformed",
    "mapping.nested_fields.limit",
    "mapping.nested_objects.limit",
    "mapping.nested_parents.limit",
    "mapping.patterned_text.disable_templating",
    "mapping.semantic_text.use_legacy_format",
    "mapping.source.mode",
    "mapping.synthetic_id",
    "mapping.synthetic_source.skip_ignored_source_read",
    "mapping.synthetic_source.skip_ignored_source_write",
    "mapping.synthetic_source_keep",
    "mapping.total_fields.ignore_dynamic_beyond_limit",
    "mapping.total_fields.limit",
    "mapping.use_doc_values_skipper",
    "max_adjacency_matrix_filters",
    "max_docvalue_fields_search",
    "max_inner_result_window",
    "max_ngram_diff",
    "max_refresh_listeners",
    "max_regex_length",
    "max_rescore_window",
    "max_result_window",
    "max_script_fields",
    "max_shingle_diff",
    "max_slices_per_pit",
    "max_slices_per_scroll",
    "max_terms_count",
    "merge.intra_merge_parallelism_enabled",
    "merge.log_byte_size_policy.max_merge_segment",
    "merge.log_byte_size_policy.max_merge_segment_forced_merge",
    "merge.log_byte_size_policy.max_merged_docs",
    "merge.log_byte_size_policy.merge_factor",
    "merge.log_byte_size_policy.min_merge",
    "merge.log_byte_size_policy.no_cfs_ratio",
    "merge.policy",
    "merge.policy.deletes_pct_allowed",
    "merge.policy.expunge_deletes_allowed",
    "merge.policy.floor_segment",
    "merge.policy.max_merge_at_once",
    "merge.policy.max_merge_at_once_explicit",
    "merge.policy.max_merged_segment",
    "merge.policy.merge_factor",
    "merge.policy.reclaim_deletes_weight",
    "merge.policy.segments_per_tier",
    "merge.policy.type",
    "merge.scheduler.auto_throttle",
    "merge.scheduler.max_force_merge_mb_per_sec",
    "merge.scheduler.max_merge_count",
    "merge.scheduler.max_thread_count",
    "merge_on_flush.enabled",
    "merge_on_flush.max_full_flush_merge_wait_time",
    "merge_on_flush.policy",
    "mode",
    "number_of_replicas",
    "number_of_routing_shards",
    "number_of_search_replicas",
    "number_of_shards",
    "number_of_virtual_shards",
    "optimize_auto_generated_id",
    "optimize_doc_id_lookup.fuzzy_set.enabled",
    "optimize_doc_id_lookup.fuzzy_set.false_positive_probability",
    "percolator.map_unmapped_fields_as_text",
    "periodic_flush_interval",
    "priority",
    "provided_name",
    "queries.cache.enabled",
    "query.default_field",
    "query.derived_field.enabled",
    "query.max_nested_depth",
    "query.parse.allow_unmapped_fields",
    "query_string.lenient",
    "recovery.file_based_threshold",
    "recovery.initial_shards",
    "recovery.type",
    "recovery.use_synthetic_source",
    "refresh_interval",
    "replication.type",
    "requests.cache.enable",
    "rollup.source.name",
    "rollup.source.uuid",
    "routing.allocation.disk.watermark.ignore",
    "routing.allocation.enable",
    "routing.allocation.total_primary_shards_per_node",
    "routing.allocation.total_remote_capable_primary_shards_per_node",
    "routing.allocation.total_remote_capable_shards_per_node",
    "routing.allocation.total_shards_per_node",
    "routing.rebalance.enable",
    "routing_partition_size",
    "routing_path",
    "search.concurrent.max_slice_count",
    "search.concurrent_segment_search.enabled",
    "search.concurrent_segment_search.mode",
    "search.default_pipeline",
    "search.idle.after",
    "search.slowlog.include.user",
    "search.slowlog.level",
    "search.slowlog.threshold.fetch.debug",
    "search.slowlog.threshold.fetch.info",
    "search.slowlog.threshold.fetch.trace",
    "search.slowlog.threshold.fetch.warn",
    "search.slowlog.threshold.query.debug",
    "search.slowlog.threshold.query.info",
    "search.slowlog.threshold.query.trace",
    "search.slowlog.threshold.query.warn",
    "search.star_tree_index.enabled",
    "search.throttled",
    "segment_replication.publish_referenced_segments_interval",
    "semantic_text.default_inference_id",
    "seq_no.index_options",
    "shard.check_on_startup",
    "shard_limit.group",
    "slowlog.include.user",
    "soft_deletes.enabled",
    "soft_deletes.retention.operations",
    "soft_deletes.retention_lease.period",
    "sort.field",
    "sort.missing",
    "sort.mode",
    "sort.order",
    "source_only",
    "store.factory",
    "store.fs.directio_async_prefetch_limit",
    "store.fs.fs_lock",
    "store.hybrid.mmap.extensions",
    "store.hybrid.nio.extensions",
    "store.preload",
    "store.stats_refresh_interval",
    "store.type",
    "synthetic_id.bloom_filter.high_bits_per_doc",
    "synthetic_id.bloom_filter.large_segment_min_docs",
    "synthetic_id.bloom_filter.low_bits_per_doc",
    "synthetic_id.bloom_filter.max_size",
    "synthetic_id.bloom_filter.num_hash_functions",
    "synthetic_id.bloom_filter.optimized_merge",
    "synthetic_id.bloom_filter.small_segment_max_docs",
    "time_series.end_time",
    "time_series.es87tsdb_codec.enabled",
    "time_series.start_time",
    "translog.durability",
    "translog.flush_threshold_age",
    "translog.flush_threshold_size",
    "translog.generation_threshold_size",
    "translog.read_forward",
    "translog.retention.age",
    "translog.retention.size",
    "translog.sync_interval",
    "unassigned.node_left.delayed_timeout",
    "unreferenced_file_cleanup.enabled",
    "use_compound_file",
    "use_legacy_postings_format",
    "use_time_series_doc_values_format",
    "use_time_series_doc_values_format_large_binary_block_size",
    "use_time_series_doc_values_format_large_block_size",
    "uuid",
    "verified_before_close",
    "verified_read_only",
    "version.compatibility",
    "version.created",
    "warmer.enabled",
    "write.wait_for_active_shards",
];

/// What has names of users, of plugins or of much that is not in the lists of servers below it.
const OPEN: &[&str] = &[
    "analysis",
    "composite_index",
    "context",
    "context_aware",
    "derived_field",
    "index_sorting",
    "ingestion_source",
    "knn",
    "lifecycle",
    "neural_search",
    "number_of_search_only_replicas",
    "opendistro",
    "plugins",
    "remote_store",
    "routing.allocation.exclude",
    "routing.allocation.include",
    "routing.allocation.initial_recovery",
    "routing.allocation.require",
    "searchable_snapshot",
    "similarity",
    "sparse",
    "sparse_vector",
    "star_tree",
    "star_tree",
    "store.snapshot",
    "xpack",
];

/// The dotted names in normal settings that no server is known to have.
#[must_use]
pub fn unknown_names(settings: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    collect(settings, "", &mut unknown);
    unknown
}

fn collect(settings: &Value, above: &str, unknown: &mut Vec<String>) {
    for (name, value) in settings.as_object().into_iter().flatten() {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        if is_open(&path) {
            continue;
        }
        match value {
            Value::Object(inner) if !inner.is_empty() && is_section(&path) => collect(value, &path, unknown),
            _ if KNOWN.contains(&path.as_str()) || is_section(&path) => {}
            _ => unknown.push(path),
        }
    }
}

/// Whether a name is one of [`OPEN`], or lies below one; names are compared part by part.
fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| is_below(path, open) || path == *open)
}

/// Whether there are known settings below a name.
fn is_section(path: &str) -> bool {
    KNOWN.iter().chain(OPEN).any(|known| is_below(known, path))
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

/// The known name nearest to one, when one is near enough to be meant.
#[must_use]
pub fn suggestion(name: &str) -> Option<&'static str> {
    nearest(name, KNOWN.iter().chain(OPEN).copied())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::normalize;

    #[test]
    fn names_are_compared_part_by_part() {
        for settings in [
            json!({"index": {"knn": true, "knn.algo_param.ef_search": 100}}),
            json!({"index.knn.algo_param.m": 16}),
            json!({"look_ahead_time": "1h", "routing_path": ["a"]}),
            json!({"mapping": {"total_fields": {"limit": 2000}}, "search.slowlog.threshold.query.warn": "1s"}),
            json!({"analysis": {"analyzer": {"x": {"type": "standard"}}}, "similarity.s.type": "BM25"}),
            json!({"routing.allocation.include._tier_preference": "data_hot", "lifecycle.name": "x"}),
            json!({"plugins.index_state_management.policy_id": "x", "merge.policy.max_merged_segment": "1gb"}),
            json!({"analysis": {}, "mapping": {}}),
        ] {
            assert_eq!(unknown_names(&normalize(&settings).unwrap()), [] as [&str; 0], "{settings}");
        }
        for (name, meant) in [
            ("number_of_replica", Some("number_of_replicas")),
            ("mapping.total_fields.limt", Some("mapping.total_fields.limit")),
            ("translog.durabilty", Some("translog.durability")),
            ("analysys", Some("analysis")),
            ("bogus", None),
        ] {
            assert_eq!(unknown_names(&normalize(&json!({ name: 1 })).unwrap()), [name]);
            assert_eq!(suggestion(name), meant, "{name}");
        }
    }
}
