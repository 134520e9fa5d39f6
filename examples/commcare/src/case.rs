//! The pillow `case`: one person or household, followed over time.

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::value::{HqDate, UserType};

/// A case as it is in `CouchDB`.
///
/// A project keeps its own properties at the root of its cases (`dob`, `edd`, `last_visit`, …). They are not named here and
/// not indexed; `unknown = carry` has them go along in `_source`, as the text that they are.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "CommCareCase", deleted = "CommCareCase-Deleted", database = "commcarehq", unknown = carry)]
#[es(rules = crate::rules)]
#[pillow(
    name = "case",
    alias = "hqcases",
    settings = "analysis/hq.json",
    // The demo project is nobody's data, and a case without a type is the rest of a broken import.
    filter = self.domain != "demo" && self.case_type.is_some(),
    transform = CaseIndex::from_case,
)]
pub struct Case {
    /// Always [`Case`]'s own type; HQ's searches still name it.
    pub doc_type: String,
    /// The project that the case belongs to.
    pub domain: String,
    /// What the project calls such a case: `pregnancy`, `household`, …
    #[serde(rename = "type")]
    #[es(text, analyzer = "comma", fields(exact(keyword, ignore_above = 8191)))]
    pub case_type: Option<String>,
    /// What people call it.
    #[es(
        text,
        fields(
            exact(keyword, ignore_above = 8191),
            sortable(text, analyzer = "sortable_exact", fielddata = true),
        )
    )]
    pub name: Option<String>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// The user, group or place that looks after it; before there were owners, the user.
    pub owner_id: Option<String>,
    /// The user that changed it last.
    pub user_id: Option<String>,
    /// The user that opened it.
    pub opened_by: Option<String>,
    /// The user that closed it.
    pub closed_by: Option<String>,
    /// When it was opened, by the phone's clock.
    pub opened_on: Option<HqDate>,
    /// When it was changed last, by the phone's clock.
    pub modified_on: Option<HqDate>,
    /// When the server heard of that.
    pub server_modified_on: Option<HqDate>,
    /// Whether it is closed.
    #[serde(default)]
    pub closed: bool,
    /// When it was closed, by the phone's clock.
    pub closed_on: Option<HqDate>,
    /// Everything that was ever done to it.
    #[serde(default)]
    pub actions: Vec<CaseAction>,
    /// The cases that it belongs to.
    #[serde(default)]
    pub indices: Vec<CaseIndexReference>,
    /// The forms that touched it.
    #[serde(default)]
    pub xform_ids: Vec<String>,
    /// The place that it belongs to.
    pub location_id: Option<String>,
    /// The number that messages go to.
    pub contact_phone_number: Option<String>,
    /// The version of the case protocol.
    pub version: Option<String>,
    /// Whether the server has finished with the form that created it.
    pub initial_processing_complete: Option<bool>,
    /// When its indicators were computed.
    pub computed_modified_on_: Option<HqDate>,
    /// Its indicators, whose shape every project makes up.
    pub computed_: Option<Box<RawValue>>,
    /// Referrals, of an older protocol.
    pub referrals: Option<Box<RawValue>>,
    /// What exports are grouped by. Nothing searches for it.
    #[serde(rename = "#export_tag")]
    #[es(skip)]
    pub export_tag: Option<Box<RawValue>>,
    /// The database that holds the case, for those of `CouchDB` unsaid; see [`CaseIndex::backend_id`].
    #[serde(skip_serializing)]
    pub backend_id: Option<String>,
}

/// One thing that a form did to a case. Members that are not named here are left out of the index's `_source`.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseAction {
    /// `CommCareCaseAction`.
    pub doc_type: Option<String>,
    /// `create`, `update`, `index`, `close`, …
    pub action_type: Option<String>,
    /// When it was done, by the phone's clock.
    pub date: Option<HqDate>,
    /// When the server heard of it.
    pub server_date: Option<HqDate>,
    /// The synchronisation that the phone had made before.
    pub sync_log_id: Option<String>,
    /// Who did it.
    pub user_id: Option<String>,
    /// The form's document.
    pub xform_id: Option<String>,
    /// The form's name, in its user's language.
    #[es(text)]
    pub xform_name: Option<String>,
    /// The form's namespace.
    pub xform_xmlns: Option<String>,
    /// The references that it set.
    #[serde(default)]
    pub indices: Vec<CaseIndexReference>,
    /// The properties of [`Case`] that it set.
    #[es(skip)]
    pub updated_known_properties: Option<Box<RawValue>>,
    /// The project's properties that it set.
    #[es(skip)]
    pub updated_unknown_properties: Option<Box<RawValue>>,
    /// The files that it brought.
    #[es(skip)]
    pub attachments: Option<Box<RawValue>>,
}

/// That a case belongs to another.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
pub struct CaseIndexReference {
    /// `CommCareCaseIndex`.
    pub doc_type: Option<String>,
    /// What the other is to it: `parent`, …
    pub identifier: Option<String>,
    /// The other's type.
    pub referenced_type: Option<String>,
    /// The other's id; empty takes the reference back.
    pub referenced_id: Option<String>,
}

/// A case as it is indexed.
///
/// HQ also writes `inserted_at`, the time of writing. It is left out: the same document would give another one each time that it
/// is processed, and nothing could be verified.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct CaseIndex {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// What its owner's id tells of the owner.
    #[es(keyword, null_value = "__NULL__")]
    pub owner_type: Option<UserType>,
    /// The database that holds the case: `couch`, unless the case says another.
    pub backend_id: String,
}

impl CaseIndex {
    /// What is indexed for a case.
    pub fn from_case(mut case: Case, _change: &ChangeMeta) -> Option<Self> {
        let has_owner = case.owner_id.as_deref().is_some_and(|owner| !owner.is_empty());
        if !has_owner {
            case.owner_id.clone_from(&case.user_id);
        }
        let owner_type = UserType::of_id(case.owner_id.as_deref());
        let backend_id = case.backend_id.take().unwrap_or_else(|| "couch".to_owned());
        Some(Self { case, owner_type, backend_id })
    }
}
