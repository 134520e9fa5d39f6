//! What a form does to cases, as its author set it up in the form builder.

use pillowtop::CouchDocument;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Everything that a form does to cases. Forms of the advanced kind have lists of other actions,
/// which are left out, as HQ's mapping leaves them out.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct FormActions {
    /// `FormActions`.
    pub doc_type: Option<String>,
    /// Opens a case.
    pub open_case: Option<OpenCaseAction>,
    /// Sets properties of the case.
    pub update_case: Option<UpdateCaseAction>,
    /// Closes the case.
    pub close_case: Option<FormAction>,
    /// Fills questions in with properties of the case.
    pub case_preload: Option<PreloadAction>,
    /// Fills questions in with answers of another form.
    pub load_from_form: Option<PreloadAction>,
    /// Opens cases that belong to the case.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub subcases: Vec<OpenSubCaseAction>,
    /// Sets properties of the user's own case.
    pub usercase_update: Option<UpdateCaseAction>,
    /// Fills questions in with properties of the user's own case.
    pub usercase_preload: Option<PreloadAction>,
    /// Opens a referral, of an older protocol.
    pub open_referral: Option<OpenReferralAction>,
    /// Changes a referral.
    pub update_referral: Option<UpdateReferralAction>,
    /// Closes a referral.
    pub close_referral: Option<FormAction>,
    /// Fills questions in with members of a referral.
    pub referral_preload: Option<PreloadAction>,
}

/// When an action is done.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct Condition {
    /// `FormActionCondition`.
    pub doc_type: Option<String>,
    /// `always`, `never`, or `if` the question has the answer.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The question's path.
    pub question: Option<String>,
    /// The answer.
    pub answer: Option<String>,
    /// How the two are compared: `=`, `selected`, …
    pub operator: Option<String>,
}

/// An action that needs to know nothing.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct FormAction {
    /// `FormAction`.
    pub doc_type: Option<String>,
    /// When it is done.
    pub condition: Option<Condition>,
}

/// Fills questions in.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct PreloadAction {
    /// `PreloadAction`.
    pub doc_type: Option<String>,
    /// When it is done.
    pub condition: Option<Condition>,
    /// The property of each question.
    pub preload: Option<Box<RawValue>>,
}

/// Sets properties of a case.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct UpdateCaseAction {
    /// `UpdateCaseAction`.
    pub doc_type: Option<String>,
    /// When it is done.
    pub condition: Option<Condition>,
    /// The question of each property.
    pub update: Option<Box<RawValue>>,
}

/// Opens a case.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct OpenCaseAction {
    /// `OpenCaseAction`.
    pub doc_type: Option<String>,
    /// When it is done.
    pub condition: Option<Condition>,
    /// The question whose answer is the name.
    pub name_path: Option<String>,
    /// The question whose answer is the id in another system.
    #[es(keyword, ignore_above = 8191)]
    pub external_id: Option<String>,
}

/// Opens cases that belong to the form's case.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct OpenSubCaseAction {
    /// `OpenSubCaseAction`.
    pub doc_type: Option<String>,
    /// The type of the new cases.
    pub case_type: Option<String>,
    /// The question whose answer is the name.
    pub case_name: Option<String>,
    /// What the new cases call the form's case: `parent`, …
    pub reference_id: Option<String>,
    /// `child`, or `extension` for one that lives no longer than its parent.
    pub relationship: Option<String>,
    /// The repeated group that opens one case each time.
    pub repeat_context: Option<String>,
    /// The question of each property.
    pub case_properties: Option<Box<RawValue>>,
    /// When it is done.
    pub condition: Option<Condition>,
    /// When the new case is closed at once.
    pub close_condition: Option<Condition>,
}

/// Opens a referral.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct OpenReferralAction {
    /// `OpenReferralAction`.
    pub doc_type: Option<String>,
    /// When it is done.
    pub condition: Option<Condition>,
    /// The question whose answer is the name.
    pub name_path: Option<String>,
    /// The question whose answer is the day of the next visit.
    pub followup_date: Option<String>,
}

/// Changes a referral.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct UpdateReferralAction {
    /// `UpdateReferralAction`.
    pub doc_type: Option<String>,
    /// When it is done.
    pub condition: Option<Condition>,
    /// The question whose answer is the day of the next visit.
    pub followup_date: Option<String>,
}
