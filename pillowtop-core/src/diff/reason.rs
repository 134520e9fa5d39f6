//! Each class with its reason, in a reviewer's words.

use super::ChangeClass::{self, Additive, Breaking, NeedsReindex};

pub(super) type Reason = (ChangeClass, &'static str);

pub(super) const ALIAS: Reason = (Breaking, "searches use the old name until they are changed");
pub(super) const OTHER_DOCUMENTS: Reason = (NeedsReindex, "other documents belong in the index");
pub(super) const TYPES_REMOVED: Reason = (Breaking, "documents of a type that was there are found no more");
pub(super) const DATABASE: Reason =
    (NeedsReindex, "documents come from another database; the content hash leaves its name out");
pub(super) const UNKNOWN: Reason = (NeedsReindex, "other members are in the documents that are indexed");
pub(super) const TRANSFORM: Reason = (NeedsReindex, "documents are transformed otherwise");
pub(super) const ROUTING: Reason = (NeedsReindex, "documents belong in other shards");
pub(super) const SELECTOR: Reason = (Additive, "for information: the filter decides");

pub(super) const STATIC_SETTING: Reason =
    (NeedsReindex, "a static setting is fixed when an index is created");
pub(super) const SHARDS: Reason = (
    NeedsReindex,
    "it is fixed when an index is created; the content hash leaves it out, so the next index has it",
);
pub(super) const DYNAMIC_SETTING: Reason =
    (Additive, "a live index accepts it; new indices are made with it");
pub(super) const NOT_A_SETTING: Reason = (Additive, "no server is known to have it, so it is not hashed");

pub(super) const FIELD_ADDED: Reason =
    (Additive, "a field is added; documents have it as they are indexed again");
pub(super) const FIELD_REMOVED: Reason = (Breaking, "nothing can be found by it any more");
pub(super) const RUNTIME: Reason = (Additive, "it is computed when it is searched");
pub(super) const COMPUTED_OTHERWISE: Reason =
    (Breaking, "it is computed when it is searched, and other searches fit the new type");
pub(super) const SAME_TYPE: Reason = (Additive, "the other product's name of the same type");
pub(super) const TYPE_OF_FAMILY: Reason =
    (NeedsReindex, "a field's type is fixed when it is created; searches continue to work with the new one");
pub(super) const TYPE_OTHER: Reason =
    (Breaking, "a field's type is fixed when it is created, and other searches fit the new one");
pub(super) const NESTED: Reason =
    (Breaking, "nested objects are found only by nested queries, and others by all but those");
pub(super) const NOT_SEARCHED: Reason =
    (Breaking, "searches, sorts or aggregations that need it fail or find nothing");

pub(super) const UNNAMED_LOST: Reason =
    (Breaking, "members that the mapping does not name are no longer indexed, and found no more");
pub(super) const STRICT: Reason =
    (Additive, "a live index accepts it, and rejects documents with members that the mapping does not name");
pub(super) const SHORTENED: Reason = (Breaking, "longer strings are no longer indexed, and no longer found");
pub(super) const NULL_VALUE_LOST: Reason = (Breaking, "searches for the old value find nothing");
pub(super) const COPY_LOST: Reason =
    (Breaking, "what searched the other field for this one's values finds nothing");
pub(super) const POINTS_ELSEWHERE: Reason =
    (Additive, "a live field accepts it, and is the other field at once");

pub(super) const TAKEN: Reason = (Additive, "a live field accepts it");
pub(super) const TAKEN_AT_ROOT: Reason =
    (Additive, "a live index accepts it, for fields that it has yet to meet");
pub(super) const NOTES: Reason =
    (Additive, "notes that servers do not read; the content hash leaves them out");
pub(super) const FIXED: Reason = (NeedsReindex, "it is fixed when the field is created");
pub(super) const FIXED_AT_ROOT: Reason = (NeedsReindex, "it is fixed when an index is created");
pub(super) const SOURCE: Reason =
    (NeedsReindex, "it is fixed when an index is created; searches return other members");
pub(super) const KEPT: Reason = (NeedsReindex, "a live index keeps what the new mapping no longer has");
pub(super) const NOT_KNOWN: Reason =
    (NeedsReindex, "the table of parameters does not have it, so it is treated as fixed");
