//! Each class with its reason, in a reviewer's words.

use super::ChangeClass::{self, Additive, Breaking, NeedsReindex};

type Reason = (ChangeClass, &'static str);

pub(super) const ALIAS: Reason = (Breaking, "searches use the old name until they are changed");
pub(super) const OTHER_DOCUMENTS: Reason = (NeedsReindex, "other documents belong in the index");
pub(super) const TYPES_REMOVED: Reason = (Breaking, "documents of a type that was there are found no more");
pub(super) const DATABASE: Reason =
    (NeedsReindex, "documents come from another database; the content hash leaves its name out");
pub(super) const UNKNOWN: Reason = (NeedsReindex, "other members are in the documents that are indexed");
pub(super) const TRANSFORM: Reason = (NeedsReindex, "documents are transformed otherwise");
pub(super) const SELECTOR: Reason = (Additive, "for information: the filter decides");

pub(super) const STATIC_SETTING: Reason =
    (NeedsReindex, "a static setting is fixed when an index is created");
pub(super) const SHARDS: Reason = (
    NeedsReindex,
    "it is fixed when an index is created; the content hash leaves it out, so the next index has it",
);
pub(super) const DYNAMIC_SETTING: Reason = (Additive, "a live index takes the setting at once");

pub(super) const FIELD_ADDED: Reason =
    (Additive, "a field is added; documents have it as they are indexed again");
pub(super) const FIELD_REMOVED: Reason = (Breaking, "nothing can be found by it any more");
pub(super) const RUNTIME: Reason = (Additive, "it is computed when it is searched");
pub(super) const SAME_TYPE: Reason = (Additive, "the other product's name of the same type");
pub(super) const TYPE_OF_FAMILY: Reason =
    (NeedsReindex, "a field's type is fixed when it is created; searches go on working with the new one");
pub(super) const TYPE_OTHER: Reason =
    (Breaking, "a field's type is fixed when it is created, and other searches fit the new one");
pub(super) const NESTED: Reason =
    (Breaking, "nested objects are found by nested queries alone, and others by all but those");
pub(super) const NOT_SEARCHED: Reason =
    (Breaking, "searches, sorts or aggregations that need it fail or find nothing");

pub(super) const TAKEN: Reason = (Additive, "a live field takes it");
pub(super) const FIXED: Reason = (NeedsReindex, "it is fixed when the field is created");
pub(super) const FIXED_AT_ROOT: Reason = (NeedsReindex, "it is fixed when an index is created");
pub(super) const KEPT: Reason = (NeedsReindex, "a live index keeps what the new mapping no longer says");
pub(super) const NOT_KNOWN: Reason =
    (NeedsReindex, "the table of parameters does not have it, so it is taken for fixed");
