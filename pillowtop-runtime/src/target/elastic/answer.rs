//! What an answer of a bulk means, judged by the type of the error and not by its status: a closed index answers 400 and a forbidden
//! one 403 for each item, and neither says anything about a document.
//!
//! | about | error types | outcome |
//! |---|---|---|
//! | the document | mapper and document parsing, strict mapping, some illegal arguments | rejected: a dead letter |
//! | the index | closed, blocked, read-only, forbidden | held |
//! | the load | rejected execution, unavailable shards, 429, 503 | busy |
//! | the version | version conflict | compared with the versions that this owner reserved |
//! | the alias | missing | fenced, or held when the lease is still ours |
//! | anything else | | unknown |

/// What one item of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It was done, or had been.
    Done,
    /// The document cannot be indexed.
    Rejected,
    /// Later.
    Busy,
    /// The index takes no writes.
    Held,
    /// A version that is not lower is there; which one, if the reason says so.
    Conflict(Option<u64>),
    /// The private alias is not there.
    AliasMissing,
    /// On no list.
    Unknown,
}

/// Types that are about the document, whatever their reason.
const DOCUMENT: [&str; 14] = [
    "mapper_parsing_exception",
    "document_parsing_exception",
    "strict_dynamic_mapping_exception",
    "max_bytes_length_exceeded_exception",
    "mapper_exception",
    "x_content_parse_exception",
    "json_parse_exception",
    "json_e_o_f_exception",
    "input_coercion_exception",
    "stream_constraints_exception",
    "parsing_exception",
    "routing_missing_exception",
    "not_x_content_exception",
    "action_request_validation_exception",
];

/// Parts of the reasons of an `illegal_argument_exception` that are about the document. The same type also says that an index has no
/// write index, that a pipeline is missing, and more.
const DOCUMENT_REASONS: [&str; 17] = [
    "immense term",
    "is too large, must be <=",
    "number of nested documents has exceeded",
    "Limit of total fields",
    "Limit of mapping depth",
    "Limit of nested fields",
    "Limit of field name",
    "id is too long",
    "_id is specified it must not be empty",
    "cannot be changed from type",
    "can't merge a non object mapping",
    "can't merge a non-nested mapping",
    "field name cannot be an empty string",
    "field name cannot contain only whitespace",
    "makes object resolution ambiguous",
    "routing is required",
    "the routing",
];

/// Types that are about the index and that somebody must see to.
const TARGET: [&str; 6] = [
    "index_closed_exception",
    "cluster_block_exception",
    "security_exception",
    "authorization_exception",
    "index_create_block_exception",
    "access_control_exception",
];

/// Types that pass by themselves.
const PASSING: [&str; 19] = [
    "es_rejected_execution_exception",
    "rejected_execution_exception",
    "opensearch_rejected_execution_exception",
    "circuit_breaking_exception",
    "unavailable_shards_exception",
    "no_shard_available_action_exception",
    "illegal_index_shard_state_exception",
    "index_shard_closed_exception",
    "shard_not_found_exception",
    "shard_not_in_primary_mode_exception",
    "process_cluster_event_timeout_exception",
    "master_not_discovered_exception",
    "cluster_manager_not_discovered_exception",
    "node_closed_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
    "connect_transport_exception",
    "receive_timeout_transport_exception",
    "timeout_exception",
];

/// Judges an item. `error` is type and reason; a reason includes its causes.
pub(super) fn judge(status: u16, error: Option<(&str, &str)>) -> Judgement {
    let Some((error_type, reason)) = error else {
        // A delete of what is not there answers 404 without an error.
        return match status {
            200..=299 | 404 => Judgement::Done,
            429 | 503 => Judgement::Busy,
            401 | 403 => Judgement::Held,
            _ => Judgement::Unknown,
        };
    };
    match error_type {
        "version_conflict_engine_exception" => Judgement::Conflict(current_version(reason)),
        "invalid_index_name_exception" | "index_not_found_exception" | "aliases_not_found_exception" => {
            Judgement::AliasMissing
        }
        "cluster_block_exception" if status == 503 => Judgement::Busy,
        "illegal_argument_exception" if is_about_write_index(reason) => Judgement::Held,
        "illegal_argument_exception" if DOCUMENT_REASONS.iter().any(|part| reason.contains(part)) => {
            Judgement::Rejected
        }
        _ if DOCUMENT.contains(&error_type) => Judgement::Rejected,
        _ if TARGET.contains(&error_type) => Judgement::Held,
        _ if PASSING.contains(&error_type) => Judgement::Busy,
        _ => match status {
            429 | 503 => Judgement::Busy,
            401 | 403 => Judgement::Held,
            _ => Judgement::Unknown,
        },
    }
}

fn is_about_write_index(reason: &str) -> bool {
    reason.contains("no write index is defined") || reason.contains("has more than one ind")
}

/// The version that a conflict says is there. The reason begins with the document's id, which may itself look like one.
fn current_version(reason: &str) -> Option<u64> {
    const BEFORE: &str = "current version [";
    let start = reason.rfind(BEFORE)? + BEFORE.len();
    reason[start..].split(']').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, error_type: &str, reason: &str, expected: Judgement) {
        assert_eq!(judge(status, Some((error_type, reason))), expected, "{status} {error_type}: {reason}");
    }

    #[test]
    fn what_is_about_the_document_is_rejected() {
        for error_type in DOCUMENT {
            check(400, error_type, "failed to parse field [opened_on]", Judgement::Rejected);
        }
        for reason in [
            "Document contains at least one immense term in field=\"name\" (whose UTF8 encoding is longer than the max length 32766)",
            "The number of nested documents has exceeded the allowed limit of [10000].",
            "Limit of total fields [1000] has been exceeded",
            "id is too long, must be no longer than 512 bytes but was: 600",
            "DocValuesField \"name\" is too large, must be <= 32766",
            "mapper [a.b] cannot be changed from type [long] to [text]",
        ] {
            check(400, "illegal_argument_exception", reason, Judgement::Rejected);
        }
    }

    #[test]
    fn what_is_about_the_index_holds() {
        for (status, error_type) in [
            (400, "index_closed_exception"),
            (403, "cluster_block_exception"),
            (429, "cluster_block_exception"),
            (403, "security_exception"),
            (403, "something_new_exception"),
        ] {
            check(status, error_type, "closed", Judgement::Held);
        }
        check(
            400,
            "illegal_argument_exception",
            "no write index is defined for alias [cases]. The write index may be explicitly disabled",
            Judgement::Held,
        );
    }

    #[test]
    fn what_passes_is_busy() {
        for error_type in PASSING {
            check(500, error_type, "later", Judgement::Busy);
        }
        check(429, "something_new_exception", "later", Judgement::Busy);
        check(503, "cluster_block_exception", "state not recovered / initialized", Judgement::Busy);
        assert_eq!(judge(503, None), Judgement::Busy);
    }

    #[test]
    fn a_conflict_says_which_version_is_there() {
        let conflict = |reason, expected| {
            check(409, "version_conflict_engine_exception", reason, Judgement::Conflict(expected));
        };
        conflict("[a]: version conflict, current version [10] is higher than the one provided [5]", Some(10));
        conflict(
            "[a]: version conflict, current version [5] is higher or equal to the one provided [5]",
            Some(5),
        );
        conflict(
            "[current version [1]]: version conflict, current version [1767225600000000] is higher than the one provided [5]",
            Some(1_767_225_600_000_000),
        );
        conflict("[a]: version conflict, document already exists", None);
    }

    #[test]
    fn a_missing_alias_and_what_is_on_no_list_are_told_apart() {
        check(400, "invalid_index_name_exception", "must be lowercase", Judgement::AliasMissing);
        check(404, "index_not_found_exception", "no such index", Judgement::AliasMissing);
        check(400, "illegal_argument_exception", "pipeline with id [x] does not exist", Judgement::Unknown);
        check(500, "null_pointer_exception", "", Judgement::Unknown);
        assert_eq!(judge(500, None), Judgement::Unknown);
        assert_eq!(judge(200, None), Judgement::Done);
        assert_eq!(judge(404, None), Judgement::Done);
    }
}
