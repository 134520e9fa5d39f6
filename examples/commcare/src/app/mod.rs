//! The pillow `app`: the applications that a project builds for its phones, with their modules,
//! forms and what a form does to cases.
//!
//! It is the deepest of the mappings. What is a schema in CommCare is a struct here; what has the
//! names of questions, properties or files for its members is one opaque object, kept in `_source`
//! and not searched.

mod translation;

mod detail;
mod form_actions;

mod module;

mod application;

pub use application::{Application, BuildRecord, BuildSpec, UserRegistrationForm};
pub use detail::{Detail, DetailColumn, DetailPair, EnumItem, SortElement};
pub use form_actions::{
    Condition, FormAction, FormActions, OpenCaseAction, OpenReferralAction, OpenSubCaseAction, PreloadAction,
    UpdateCaseAction, UpdateReferralAction,
};
pub use module::{AppForm, CaseList, CaseListForm, FixtureSelect, FormLink, Module, ParentSelect};
pub use translation::{Translation, Translations};
