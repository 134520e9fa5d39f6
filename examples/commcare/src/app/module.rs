//! A module of an application: one type of cases, and the forms for it.

use pillowtop::CouchDocument;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::detail::{Detail, DetailPair};
use super::form_actions::FormActions;
use super::translation::Translations;

/// A module: an entry of an application's menu.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct Module {
    /// `Module`, `AdvancedModule`, `ReportModule`, …
    pub doc_type: Option<String>,
    /// Its own id.
    pub unique_id: Option<String>,
    /// What the menu calls it.
    #[serde(default)]
    pub name: Translations,
    /// What its author notes about it.
    #[es(text)]
    pub comment: Option<String>,
    /// `basic`, `advanced`, …
    pub module_type: Option<String>,
    /// The type of its cases.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub case_type: Option<String>,
    /// What its cases are called.
    #[serde(default)]
    pub case_label: Translations,
    /// What its referrals are called.
    #[serde(default)]
    pub referral_label: Translations,
    /// Whether its forms stand in the menu above it.
    pub put_in_root: Option<bool>,
    /// The module that it stands in.
    pub root_module_id: Option<String>,
    /// When it is shown, as an `XPath` expression.
    #[es(text)]
    pub module_filter: Option<String>,
    /// Whether the only case there is is chosen by itself.
    pub auto_select_case: Option<bool>,
    /// Its forms.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub forms: Vec<AppForm>,
    /// What is shown of its cases.
    pub case_details: Option<DetailPair>,
    /// What is shown of its referrals.
    pub ref_details: Option<DetailPair>,
    /// What is shown, of the time when the details were one list.
    #[serde(default)]
    pub details: Vec<Detail>,
    /// The list of cases in the menu.
    pub case_list: Option<CaseList>,
    /// The list of referrals in the menu.
    pub referral_list: Option<CaseList>,
    /// The list of tasks in the menu.
    pub task_list: Option<CaseList>,
    /// The form that can be opened from the list of cases.
    pub case_list_form: Option<CaseListForm>,
    /// The case that has to be chosen first.
    pub parent_select: Option<ParentSelect>,
    /// The row of a lookup table that has to be chosen first.
    pub fixture_select: Option<FixtureSelect>,
    /// The pictures in the menu, by language.
    pub media_image: Option<Box<RawValue>>,
    /// The sounds in the menu, by language.
    pub media_audio: Option<Box<RawValue>>,
}

/// A form of an application, without its questions: those are an attachment.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct AppForm {
    /// `Form`, `AdvancedForm`, …
    pub doc_type: Option<String>,
    /// Its own id.
    pub unique_id: Option<String>,
    /// Its namespace, which what phones send has too.
    pub xmlns: Option<String>,
    /// What the menu calls it.
    #[serde(default)]
    pub name: Translations,
    /// What its author notes about it.
    #[es(text)]
    pub comment: Option<String>,
    /// The application's version in which it was changed last.
    pub version: Option<i64>,
    /// `module_form`, `advanced_form`, …
    pub form_type: Option<String>,
    /// What it needs first: `none`, `case`, `referral`.
    pub requires: Option<String>,
    /// When it is shown, as an `XPath` expression.
    #[es(text)]
    pub form_filter: Option<String>,
    /// Where the phone goes after it: `default`, `module`, `previous_screen`, …
    pub post_form_workflow: Option<String>,
    /// The forms that it continues with.
    #[serde(default)]
    pub form_links: Vec<FormLink>,
    /// Whether the menu says how often it is due.
    pub show_count: Option<bool>,
    /// Whether it was made elsewhere than in the form builder.
    pub no_vellum: Option<bool>,
    /// Whether it asks the phone where it is.
    pub auto_gps_capture: Option<bool>,
    /// What it does to cases.
    pub actions: Option<FormActions>,
    /// The pictures in the menu, by language.
    pub media_image: Option<Box<RawValue>>,
    /// The sounds in the menu, by language.
    pub media_audio: Option<Box<RawValue>>,
}

/// A form that another continues with.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct FormLink {
    /// `FormLink`.
    pub doc_type: Option<String>,
    /// When, as an `XPath` expression.
    #[es(text)]
    pub xpath: Option<String>,
    /// The form.
    pub form_id: Option<String>,
}

/// A list in a module's menu.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseList {
    /// `CaseList`.
    pub doc_type: Option<String>,
    /// Whether it is there.
    pub show: Option<bool>,
    /// What the menu calls it.
    #[serde(default)]
    pub label: Translations,
}

/// The form that can be opened from a list of cases.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseListForm {
    /// `CaseListForm`.
    pub doc_type: Option<String>,
    /// The form.
    pub form_id: Option<String>,
    /// What the list calls it.
    #[serde(default)]
    pub label: Translations,
}

/// The case that has to be chosen before a module's own.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct ParentSelect {
    /// `ParentSelect`.
    pub doc_type: Option<String>,
    /// Whether it has to.
    pub active: Option<bool>,
    /// `parent`.
    pub relationship: Option<String>,
    /// The module whose list it is chosen from.
    pub module_id: Option<String>,
}

/// The row of a lookup table that has to be chosen before a case.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct FixtureSelect {
    /// `FixtureSelect`.
    pub doc_type: Option<String>,
    /// Whether it has to.
    pub active: Option<bool>,
    /// The table.
    pub fixture_type: Option<String>,
    /// The column that is shown.
    pub display_column: Option<String>,
    /// Whether that column holds the name of a translated text.
    pub localize: Option<bool>,
    /// The column that the cases are chosen by.
    pub variable_column: Option<String>,
    /// How they are chosen, as an `XPath` expression.
    #[es(text)]
    pub xpath: Option<String>,
}
