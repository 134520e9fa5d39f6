//! The pillow `case`: one person or household, followed over time.

use pillowtop::{ChangeMeta, CouchDocument, CowStr, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::value::{BorrowedDate, UserType};

/// A case as it is in `CouchDB`.
///
/// A project keeps its own properties at the root of its cases (`dob`, `edd`, `last_visit`, …).
/// They are not named here and not indexed; `unknown = carry` has them go along in `_source`, as
/// the text that they are.
///
/// There are more cases than anything else, so their strings are read without a copy of each: they
/// point into the document.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "CommCareCase", deleted = "CommCareCase-Deleted", database = "commcarehq", unknown = carry)]
#[es(rules = crate::rules)]
#[pillow(
    name = "case",
    alias = "hqcases",
    settings = "analysis/hq.json",
    // The demo project is nobody's data, and a case without a type is the rest of a broken import.
    filter = self.domain != "demo" && self.case_type.is_some(),
    transform = CaseIndex::<'a>::from_case,
)]
pub struct Case<'a> {
    /// Always [`Case`]'s own type; HQ's searches still name it.
    #[serde(borrow)]
    pub doc_type: CowStr<'a>,
    /// The project that the case belongs to.
    pub domain: CowStr<'a>,
    /// What the project calls such a case: `pregnancy`, `household`, …
    #[serde(rename = "type")]
    #[es(text, analyzer = "comma", fields(exact(keyword, ignore_above = 8191)))]
    pub case_type: Option<CowStr<'a>>,
    /// What people call it.
    #[es(
        text,
        fields(
            exact(keyword, ignore_above = 8191),
            sortable(text, analyzer = "sortable_exact", fielddata = true),
        )
    )]
    pub name: Option<CowStr<'a>>,
    /// Its id in another system.
    pub external_id: Option<CowStr<'a>>,
    /// The user, group or place that looks after it; before there were owners, the user.
    pub owner_id: Option<CowStr<'a>>,
    /// The user that changed it last.
    pub user_id: Option<CowStr<'a>>,
    /// The user that opened it.
    pub opened_by: Option<CowStr<'a>>,
    /// The user that closed it.
    pub closed_by: Option<CowStr<'a>>,
    /// When it was opened, by the phone's clock.
    pub opened_on: Option<BorrowedDate<'a>>,
    /// When it was changed last, by the phone's clock.
    pub modified_on: Option<BorrowedDate<'a>>,
    /// When the server heard of that.
    pub server_modified_on: Option<BorrowedDate<'a>>,
    /// Whether it is closed.
    #[serde(default)]
    pub closed: bool,
    /// When it was closed, by the phone's clock.
    pub closed_on: Option<BorrowedDate<'a>>,
    /// Everything that was ever done to it.
    #[serde(default)]
    pub actions: Vec<CaseAction<'a>>,
    /// The cases that it belongs to.
    #[serde(default)]
    pub indices: Vec<CaseIndexReference<CowStr<'a>>>,
    /// The forms that touched it.
    #[serde(default)]
    pub xform_ids: Vec<CowStr<'a>>,
    /// The place that it belongs to.
    pub location_id: Option<CowStr<'a>>,
    /// The number that messages go to.
    pub contact_phone_number: Option<CowStr<'a>>,
    /// The version of the case protocol.
    pub version: Option<CowStr<'a>>,
    /// Whether the server has finished with the form that created it.
    pub initial_processing_complete: Option<bool>,
    /// When its indicators were computed.
    pub computed_modified_on_: Option<BorrowedDate<'a>>,
    /// Its indicators, whose shape every project makes up.
    pub computed_: Option<&'a RawValue>,
    /// Referrals, of an older protocol.
    pub referrals: Option<&'a RawValue>,
    /// What exports are grouped by. Nothing searches for it.
    #[serde(rename = "#export_tag")]
    #[es(skip)]
    pub export_tag: Option<&'a RawValue>,
    /// The database that holds the case, for those of `CouchDB` unsaid; see
    /// [`CaseIndex::backend_id`].
    #[serde(skip_serializing)]
    pub backend_id: Option<CowStr<'a>>,
}

/// One thing that a form did to a case. Members that are not named here are left out of the index's
/// `_source`.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseAction<'a> {
    /// `CommCareCaseAction`.
    #[serde(borrow)]
    pub doc_type: Option<CowStr<'a>>,
    /// `create`, `update`, `index`, `close`, …
    pub action_type: Option<CowStr<'a>>,
    /// When it was done, by the phone's clock.
    pub date: Option<BorrowedDate<'a>>,
    /// When the server heard of it.
    pub server_date: Option<BorrowedDate<'a>>,
    /// The synchronisation that the phone had made before.
    pub sync_log_id: Option<CowStr<'a>>,
    /// Who did it.
    pub user_id: Option<CowStr<'a>>,
    /// The form's document.
    pub xform_id: Option<CowStr<'a>>,
    /// The form's name, in its user's language.
    #[es(text)]
    pub xform_name: Option<CowStr<'a>>,
    /// The form's namespace.
    pub xform_xmlns: Option<CowStr<'a>>,
    /// The references that it set.
    #[serde(default)]
    pub indices: Vec<CaseIndexReference<CowStr<'a>>>,
    /// The properties of [`Case`] that it set.
    #[es(skip)]
    pub updated_known_properties: Option<&'a RawValue>,
    /// The project's properties that it set.
    #[es(skip)]
    pub updated_unknown_properties: Option<&'a RawValue>,
    /// The files that it brought.
    #[es(skip)]
    pub attachments: Option<&'a RawValue>,
}

/// That a case belongs to another.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
pub struct CaseIndexReference<Text = String> {
    /// `CommCareCaseIndex`.
    pub doc_type: Option<Text>,
    /// What the other is to it: `parent`, …
    pub identifier: Option<Text>,
    /// The other's type.
    pub referenced_type: Option<Text>,
    /// The other's id; empty takes the reference back.
    pub referenced_id: Option<Text>,
}

/// A case as it is indexed.
///
/// HQ also writes `inserted_at`, the time of writing. It is left out: the same document would give
/// another one each time that it is processed, and nothing could be verified.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct CaseIndex<'a> {
    /// The case.
    #[serde(flatten)]
    pub case: Case<'a>,
    /// What its owner's id tells of the owner.
    #[es(keyword, null_value = "__NULL__")]
    pub owner_type: Option<UserType>,
    /// The database that holds the case: `couch`, unless the case says another.
    pub backend_id: CowStr<'a>,
}

impl<'a> CaseIndex<'a> {
    /// What is indexed for a case.
    pub fn from_case(mut case: Case<'a>, _change: &ChangeMeta) -> Option<Self> {
        let has_owner = case.owner_id.as_deref().is_some_and(|owner| !owner.is_empty());
        if !has_owner {
            case.owner_id.clone_from(&case.user_id);
        }
        let owner_type = UserType::of_id(case.owner_id.as_deref());
        let backend_id = case.backend_id.take().unwrap_or_else(|| "couch".into());
        Some(Self { case, owner_type, backend_id })
    }
}
