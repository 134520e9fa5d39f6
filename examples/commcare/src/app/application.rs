//! An application: what a project's phones run.

use pillowtop::{CouchDocument, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::module::Module;
use super::translation::Translations;
use crate::value::HqDate;

/// An application as it is in `CouchDB`, and as it is indexed.
///
/// Each build of an application is a copy of its document, of the same type; its
/// [`copy_of`](Self::copy_of) names the application. Copies are indexed as HQ indexes them:
/// searches for builds ask for those that have the member, others for those that have not.
///
/// Members that are not named here are dropped, in structs inside too. That is how the
/// `admin_password` of these documents stays where it is. HQ also writes `@indexed_on`, the time of
/// writing, which is left out as in [`CaseIndex`](crate::case::CaseIndex).
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(
    doc_type = ["Application", "RemoteApp", "LinkedApplication"],
    deleted = ["Application-Deleted", "RemoteApp-Deleted", "LinkedApplication-Deleted"],
    database = "commcarehq",
)]
#[es(rules = crate::rules)]
#[pillow(name = "app", alias = "hqapps", settings = "analysis/hq.json")]
pub struct Application {
    /// `Application`; `RemoteApp` for one that is built elsewhere, `LinkedApplication` for one that
    /// follows another project's.
    pub doc_type: String,
    /// The project.
    pub domain: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    #[es(text)]
    pub description: Option<String>,
    /// What its authors note about it.
    #[es(text)]
    pub comment: Option<String>,
    /// Raised by each change.
    pub version: Option<i64>,
    /// Of a build: the application.
    pub copy_of: Option<String>,
    /// Of a copy between projects: what it was copied from, in turn.
    #[serde(default)]
    pub copy_history: Vec<String>,
    /// The application that it was first copied from.
    pub family_id: Option<String>,
    /// Of a linked application: the one that it follows.
    pub upstream_app_id: Option<String>,
    /// Of a linked application: the version that it took.
    pub upstream_version: Option<i64>,
    /// The template that it was made from.
    pub created_from_template: Option<String>,
    /// When it was made.
    pub date_created: Option<HqDate>,
    /// When it went into the field.
    pub deployment_date: Option<HqDate>,

    /// Of a build: when it was built.
    pub built_on: Option<HqDate>,
    /// Of a build: what its builder says of it.
    #[es(text)]
    pub build_comment: Option<String>,
    /// Of a build: who says so.
    pub comment_from: Option<String>,
    /// Of a build: whether phones may have it.
    pub is_released: Option<bool>,
    /// Of a build: whether it failed.
    pub build_broken: Option<bool>,
    /// Of a build: why.
    #[es(text)]
    pub build_broken_reason: Option<String>,
    /// Whether builds are signed.
    pub build_signed: Option<bool>,
    /// The version of CommCare to build for.
    pub build_spec: Option<BuildSpec>,
    /// Of a build: what it was built with.
    pub built_with: Option<BuildRecord>,

    /// Its languages, the first of which is its own.
    #[serde(default)]
    pub langs: Vec<String>,
    /// The languages of its builds.
    #[serde(default)]
    pub build_langs: Vec<String>,
    /// The strings of its screens, by language and name.
    pub translations: Option<Box<RawValue>>,
    /// Which of CommCare's own strings it uses: `select-known`, …
    pub translation_strategy: Option<String>,
    /// How text is typed on a keypad: `roman`, …
    pub text_input: Option<String>,

    /// The entries of its menu.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub modules: Vec<Module>,
    /// The form that makes accounts on the phone.
    pub user_registration: Option<UserRegistrationForm>,
    /// Whether that form is shown.
    pub show_user_registration: Option<bool>,
    /// The settings of CommCare on the phone. There are hundreds, so the index takes up each that
    /// it meets.
    #[es(dynamic = true)]
    pub profile: Option<Box<RawValue>>,
    /// Of a remote application: where its settings are.
    pub profile_url: Option<String>,
    /// The files of its pictures and sounds, by path.
    pub multimedia_map: Option<Box<RawValue>>,
    /// The author's suite in place of the one that is built.
    pub use_custom_suite: Option<bool>,

    /// `1.0` or `2.0`: how it refers to cases.
    pub application_version: Option<String>,
    /// `nokia/s40`, …: the phones that it is built for.
    pub platform: Option<String>,
    /// The phones that the project has.
    #[es(text)]
    pub phone_model: Option<String>,
    /// Who uses it.
    pub user_type: Option<String>,
    /// How many forms a month make an active worker.
    pub minimum_use_threshold: Option<String>,
    /// Whether it makes workers able to do more: `yes`, `no`, `not_set`.
    pub amplifies_workers: Option<String>,
    /// Whether it makes the project able to do more: `yes`, `no`, `not_set`.
    pub amplifies_project: Option<String>,
    /// Whether groups share cases.
    pub case_sharing: Option<bool>,
    /// Whether it can be used in a browser.
    pub cloudcare_enabled: Option<bool>,
    /// Whether phones send over HTTPS.
    pub secure_submissions: Option<bool>,
    /// Whether phones send over HTTP all the same.
    pub force_http: Option<bool>,
    /// Whether forms ask the phone where it is.
    pub auto_gps_capture: Option<bool>,
    /// Whether the menu is a grid.
    pub use_grid_menus: Option<bool>,
    /// Whether the form builder sets case properties.
    pub vellum_case_management: Option<bool>,
    /// Where forms are sent by mail.
    pub recipients: Option<String>,
    /// What is shown after a form was sent.
    #[serde(default)]
    pub success_message: Translations,
    /// Whom its pictures are owed to.
    #[es(text)]
    pub attribution_notes: Option<String>,
    /// A short address of the build.
    pub short_url: Option<String>,
    /// A short address of the build for Android.
    pub short_odk_url: Option<String>,
    /// The same with its files.
    pub short_odk_media_url: Option<String>,
    /// What is expensive to compute, by method. Nothing searches for it.
    pub cached_properties: Option<Box<RawValue>>,
    /// Whether it was used lately, by a task that writes it here.
    pub cp_is_active: Option<bool>,
}

/// The version of CommCare that an application is built for.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct BuildSpec {
    /// `BuildSpec`.
    pub doc_type: Option<String>,
    /// `2.19.0`, …
    pub version: Option<String>,
    /// The number of CommCare's build.
    pub build_number: Option<i64>,
    /// Whether it is the newest of the version.
    pub latest: Option<bool>,
}

/// What a build was built with.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct BuildRecord {
    /// `BuildRecord`.
    pub doc_type: Option<String>,
    /// `2.19.0`, …
    pub version: Option<String>,
    /// The number of CommCare's build.
    pub build_number: Option<i64>,
    /// Whether it was the newest of the version.
    pub latest: Option<bool>,
    /// Whether the result is signed.
    pub signed: Option<bool>,
    /// When.
    pub datetime: Option<HqDate>,
}

/// The form that makes accounts on the phone.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct UserRegistrationForm {
    /// `UserRegistrationForm`.
    pub doc_type: Option<String>,
    /// Its own id.
    pub unique_id: Option<String>,
    /// Its namespace.
    pub xmlns: Option<String>,
    /// What the menu calls it.
    #[serde(default)]
    pub name: Translations,
    /// The question whose answer is the name of the account.
    pub username_path: Option<String>,
    /// The question whose answer is the password.
    pub password_path: Option<String>,
    /// The question of each further member of the account.
    pub data_paths: Option<Box<RawValue>>,
}
