//! What the response to one operation of a bulk means, classified by the type of the error and not
//! by its status: a closed index responds with 400 and a forbidden one with 403 for each item, and
//! neither is about a document.
//!
//! | about | error types | outcome |
//! |---|---|---|
//! | the document | mapper and document parsing, strict mapping, some illegal arguments | rejected |
//! | the index | closed, blocked, read-only, forbidden | blocked |
//! | the load | rejected execution, unavailable shards, 429, 503 | busy |
//! | the version | version conflict | done at or below the claim's ceiling, fenced above it |
//! | the alias | missing | open: whether it is a fence shows in the claim |
//! | anything else | | unknown |

use super::error::is_missing_alias;
use crate::operation::Version;
use crate::target::Outcome;

/// What has to be read before an outcome is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Open {
    /// The version that the document has: the reason of the conflict does not contain it.
    Version {
        /// The reason.
        reason: String,
    },
    /// Whether the claim is still held: the private alias is missing.
    Fence {
        /// The reason.
        reason: String,
    },
}

impl Open {
    /// The outcome if it cannot be read.
    pub(super) fn outcome_if_unreadable(&self) -> Outcome {
        match self {
            Self::Version { reason } => Outcome::Unknown {
                error_type: "version_conflict_engine_exception".to_owned(),
                reason: reason.clone(),
            },
            Self::Fence { reason } => {
                Outcome::Blocked { reason: format!("the private alias is missing: {reason}") }
            }
        }
    }
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

/// Parts of the reasons of an `illegal_argument_exception` that are about the document. The same
/// type also reports an index without a write index, a missing pipeline, and more.
const DOCUMENT_REASONS: [&str; 22] = [
    "immense term",
    "immense field",
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
    "offsets must not go backwards",
    "startOffset must be",
    "position increment must be",
    "position overflow",
];

/// Types that are about the index, and that need someone's help.
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

/// Classifies the response to an operation. `error` is type and reason; a reason includes its
/// causes.
///
/// # Errors
///
/// What has to be read first.
pub(super) fn classify(
    status: u16,
    error: Option<(&str, String)>,
    ceiling: Version,
) -> Result<Outcome, Open> {
    let Some((error_type, reason)) = error else {
        let reason = format!("status {status}");
        return Ok(match status {
            200..=299 => Outcome::Done,
            // A delete of a missing document.
            404 => Outcome::Absent,
            _ => by_status(status, "", reason),
        });
    };
    if error_type == "version_conflict_engine_exception" {
        return match current_version(&reason) {
            Some(there) => Ok(conflict(there, ceiling, reason)),
            None => Err(Open::Version { reason }),
        };
    }
    if is_missing_alias(error_type) {
        return Err(Open::Fence { reason });
    }
    let described = |reason: &str| format!("{error_type}: {reason}");
    Ok(match error_type {
        "cluster_block_exception" if status == 503 => Outcome::Busy { reason: described(&reason) },
        "illegal_argument_exception" if is_about_write_index(&reason) => {
            Outcome::Blocked { reason: described(&reason) }
        }
        _ if is_about_document(error_type, &reason) => {
            Outcome::Rejected { error_type: error_type.to_owned(), reason }
        }
        _ if TARGET.contains(&error_type) => Outcome::Blocked { reason: described(&reason) },
        _ if PASSING.contains(&error_type) => Outcome::Busy { reason: described(&reason) },
        _ => by_status(status, error_type, reason),
    })
}

/// The outcome of a version conflict. It is done only if the version that the document has is one
/// that this owner or an earlier one may have sent. Anything else would never be overwritten, and
/// all later changes of the document would be lost silently.
pub(super) fn conflict(there: Version, ceiling: Version, reason: String) -> Outcome {
    if there <= ceiling { Outcome::Done } else { Outcome::Fenced { reason } }
}

fn by_status(status: u16, error_type: &str, reason: String) -> Outcome {
    match status {
        429 | 503 => Outcome::Busy { reason: format!("{error_type}: {reason}") },
        401 | 403 => Outcome::Blocked { reason: format!("{error_type}: {reason}") },
        _ => Outcome::Unknown { error_type: error_type.to_owned(), reason },
    }
}

fn is_about_document(error_type: &str, reason: &str) -> bool {
    DOCUMENT.contains(&error_type)
        || error_type == "illegal_argument_exception"
            && DOCUMENT_REASONS.iter().any(|part| reason.contains(part))
}

fn is_about_write_index(reason: &str) -> bool {
    reason.contains("no write index is defined") || reason.contains("has more than one ind")
}

/// The version that the document has, from the reason of a conflict. It begins with the document's
/// id, which may itself look like one.
fn current_version(reason: &str) -> Option<Version> {
    const BEFORE: &str = "current version [";
    let start = reason.rfind(BEFORE)? + BEFORE.len();
    reason[start..].split(']').next()?.parse().ok().map(Version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: Version = Version(100);

    #[track_caller]
    fn check(status: u16, error_type: &str, reason: &str, expected: &str) {
        let found = classify(status, Some((error_type, reason.to_owned())), CEILING);
        let found = found.map_or_else(|open| format!("{open:?}"), |outcome| format!("{outcome:?}"));
        assert!(found.starts_with(expected), "{status} {error_type}: {reason}: {found}");
    }

    #[test]
    fn what_is_about_the_document_is_rejected() {
        for error_type in DOCUMENT {
            check(400, error_type, "failed to parse field [opened_on]", "Rejected");
        }
        for reason in [
            "Document contains at least one immense term in field=\"name\" (whose UTF8 encoding is longer than the max length 32766)",
            "The number of nested documents has exceeded the allowed limit of [10000].",
            "Limit of total fields [1000] has been exceeded",
            "id is too long, must be no longer than 512 bytes but was: 600",
            "DocValuesField \"name\" is too large, must be <= 32766",
            "mapper [a.b] cannot be changed from type [long] to [text]",
            "Trying to create too many nested documents; startOffset must be non-negative, and endOffset must be >= startOffset, and offsets must not go backwards",
        ] {
            check(400, "illegal_argument_exception", reason, "Rejected");
        }
    }

    #[test]
    fn what_is_about_the_index_is_blocked() {
        for (status, error_type) in [
            (400, "index_closed_exception"),
            (403, "cluster_block_exception"),
            (429, "cluster_block_exception"),
            (403, "security_exception"),
            (403, "something_new_exception"),
        ] {
            check(status, error_type, "closed", "Blocked");
        }
        check(
            400,
            "illegal_argument_exception",
            "no write index is defined for alias [cases]. The write index may be explicitly disabled",
            "Blocked",
        );
    }

    #[test]
    fn what_passes_is_busy() {
        for error_type in PASSING {
            check(500, error_type, "later", "Busy");
        }
        check(429, "something_new_exception", "later", "Busy");
        check(503, "cluster_block_exception", "state not recovered / initialized", "Busy");
        assert!(matches!(classify(503, None, CEILING), Ok(Outcome::Busy { .. })));
    }

    #[test]
    fn a_conflict_is_done_only_at_or_below_the_ceiling() {
        let conflict = |reason, expected| check(409, "version_conflict_engine_exception", reason, expected);
        conflict("[a]: version conflict, current version [10] is higher than the one provided [5]", "Done");
        conflict("[a]: version conflict, current version [100] is higher than the one provided [5]", "Done");
        conflict(
            "[a]: version conflict, current version [101] is higher than the one provided [5]",
            "Fenced",
        );
        conflict(
            "[current version [1]]: version conflict, current version [1767225600000000] is higher than the one provided [5]",
            "Fenced",
        );
        conflict("[a]: version conflict, document already exists", "Version");
    }

    #[test]
    fn a_missing_alias_and_unknown_errors_are_told_apart() {
        check(400, "invalid_index_name_exception", "must be lowercase", "Fence");
        check(404, "index_not_found_exception", "no such index", "Fence");
        check(400, "illegal_argument_exception", "pipeline with id [x] does not exist", "Unknown");
        check(500, "null_pointer_exception", "", "Unknown");
        assert!(matches!(classify(500, None, CEILING), Ok(Outcome::Unknown { .. })));
        assert_eq!(classify(200, None, CEILING), Ok(Outcome::Done));
        assert_eq!(classify(404, None, CEILING), Ok(Outcome::Absent));
    }
}
