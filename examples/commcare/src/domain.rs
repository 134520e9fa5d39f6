//! The pillow `domain`: projects, of which everything else is a part.

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::user::Eula;
use crate::value::HqDate;

/// A project as it is in `CouchDB`.
///
/// It is indexed as it is, but for the names of its countries. HQ also writes the edition of the
/// project's subscription, which it looks up elsewhere; what the document says of it is kept. The
/// members `cp_…` are computed properties: counts of the project's cases, forms, users and
/// messages, which a task writes into the document every night.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(
    doc_type = "Domain",
    // One name is given to two projects when two servers take it at once; the second becomes a duplicate.
    deleted = ["Domain-Deleted", "Domain-DUPLICATE"],
    database = "commcarehq",
    unknown = carry,
)]
#[es(rules = crate::rules)]
#[pillow(
    name = "domain",
    alias = "hqdomains",
    settings = "analysis/hq.json",
    // A snapshot is a published copy of a project, not a project.
    filter = !self.is_snapshot,
    transform = Domain::with_country_names,
)]
pub struct Domain {
    /// Always [`Domain`]'s own type; HQ's searches still name it.
    pub doc_type: String,
    /// The name in addresses and in all documents of the project.
    pub name: Option<String>,
    /// The name for people.
    #[es(text)]
    pub hr_name: Option<String>,
    /// Whether it can be used.
    pub is_active: Option<bool>,
    /// Whether it is a published copy of a project.
    pub is_snapshot: Option<bool>,
    /// Of a snapshot: whether it is the newest.
    pub snapshot_head: Option<bool>,
    /// Of a snapshot: when it was taken.
    pub snapshot_time: Option<HqDate>,
    /// What it was copied from, in turn.
    #[serde(default)]
    pub copy_history: Vec<String>,
    /// `true`, `false` or `none`: whether it only tries things out. A truth value in old documents.
    #[es(keyword)]
    pub is_test: Option<Box<RawValue>>,
    /// When it was made.
    pub date_created: Option<HqDate>,
    /// When it was changed last.
    pub last_modified: Option<HqDate>,
    /// Who made it.
    pub creating_user: Option<String>,
    /// The zone that reports are shown in.
    pub default_timezone: Option<String>,
    /// What it is about: names with commas between them.
    pub project_type: Option<String>,
    /// The organisation that runs it.
    pub organization: Option<String>,
    /// What the project pays for, where the document says so.
    pub subscription: Option<String>,
    /// Where it works.
    pub deployment: Option<Deployment>,
    /// What only staff see.
    pub internal: Option<InternalProperties>,
    /// The agreement about its data.
    pub cda: Option<Eula>,
    /// How its call centre works.
    pub call_center_config: Option<CallCenterProperties>,
    /// What is shown of its cases and forms.
    pub case_display: Option<CaseDisplaySettings>,
    /// What was migrated.
    pub migrations: Option<DomainMigrations>,
    /// What is expensive to compute, by method. Nothing searches for it.
    pub cached_properties: Option<Box<RawValue>>,

    /// Whether people may ask to join.
    pub allow_domain_requests: Option<bool>,
    /// Whether staff stay out.
    pub restrict_superusers: Option<bool>,
    /// Whether it keeps to a law on health data.
    pub hipaa_compliant: Option<bool>,
    /// Whether groups share cases.
    pub case_sharing: Option<bool>,
    /// Whether phones have to log in to send.
    pub secure_submissions: Option<bool>,
    /// Whether it keeps stock.
    pub commtrack_enabled: Option<bool>,
    /// Whether its cases and forms are kept in SQL.
    pub use_sql_backend: Option<bool>,
    /// Whether it manages surveys.
    pub survey_management_enabled: Option<bool>,
    /// Whether a text message can register a case.
    pub sms_case_registration_enabled: Option<bool>,
    /// The owner of such a case.
    pub sms_case_registration_owner_id: Option<String>,
    /// Its type.
    pub sms_case_registration_type: Option<String>,
    /// Its user.
    pub sms_case_registration_user_id: Option<String>,
    /// Whether a text message can register a user.
    pub sms_mobile_worker_registration_enabled: Option<bool>,
    /// Whether its messages are paid for.
    pub is_sms_billable: Option<bool>,

    /// Of a published project: its title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// It in one line.
    pub short_description: Option<String>,
    /// It in full.
    #[es(text)]
    pub description: Option<String>,
    /// The area that it works in.
    #[es(text)]
    pub area: Option<String>,
    /// The part of that area.
    #[es(text)]
    pub sub_area: Option<String>,
    /// The phones that it was made for.
    #[es(text)]
    pub phone_model: Option<String>,
    /// What it is found by.
    #[es(text)]
    pub tags: Option<String>,
    /// The terms that it is published on.
    pub license: Option<String>,
    /// Whom its pictures are owed to.
    #[es(text)]
    pub attribution_notes: Option<String>,
    /// Who published it.
    pub publisher: Option<String>,
    /// Whether it is published.
    pub published: Option<bool>,
    /// Whether staff have reviewed it.
    pub is_approved: Option<bool>,
    /// Whether others may copy it.
    pub is_shared: Option<bool>,
    /// Whether it is an example to begin with.
    pub is_starter_app: Option<bool>,
    /// Whether its pictures are published too.
    pub multimedia_included: Option<bool>,
    /// How often this snapshot was taken.
    pub downloads: Option<i64>,
    /// How often any of its snapshots was taken.
    pub full_downloads: Option<i64>,
    /// A video about it.
    pub yt_id: Option<String>,

    /// Whether a form came in the last 30 days.
    pub cp_is_active: Option<bool>,
    /// Whether it has an application.
    pub cp_has_app: Option<bool>,
    /// Whether it is the first of who made it.
    pub cp_first_domain_for_user: Option<bool>,
    /// When the first form came.
    pub cp_first_form: Option<HqDate>,
    /// When the last form came.
    pub cp_last_form: Option<HqDate>,
    /// When the 300th form came.
    pub cp_300th_form_submission: Option<HqDate>,
    /// When these were computed.
    pub cp_last_updated: Option<HqDate>,
    /// Users in browsers.
    pub cp_n_web_users: Option<i64>,
    /// Users on phones.
    pub cp_n_cc_users: Option<i64>,
    /// Of them, those who sent a form lately.
    pub cp_n_active_cc_users: Option<i64>,
    /// Users who ever sent a form.
    pub cp_n_users_submitted_form: Option<i64>,
    /// Cases.
    pub cp_n_cases: Option<i64>,
    /// Cases that were changed lately.
    pub cp_n_active_cases: Option<i64>,
    /// Cases that were not.
    pub cp_n_inactive_cases: Option<i64>,
    /// Cases that were changed in 30 days.
    pub cp_n_30_day_cases: Option<i64>,
    /// In 60 days.
    pub cp_n_60_day_cases: Option<i64>,
    /// In 90 days.
    pub cp_n_90_day_cases: Option<i64>,
    /// Forms.
    pub cp_n_forms: Option<i64>,
    /// Forms of 30 days.
    pub cp_n_forms_30_d: Option<i64>,
    /// Of 60 days.
    pub cp_n_forms_60_d: Option<i64>,
    /// Of 90 days.
    pub cp_n_forms_90_d: Option<i64>,
    /// Forms from phones with keypads in 30 days.
    pub cp_n_j2me_30_d: Option<i64>,
    /// In 60 days.
    pub cp_n_j2me_60_d: Option<i64>,
    /// In 90 days.
    pub cp_n_j2me_90_d: Option<i64>,
    /// Whether there were any in 90 days.
    pub cp_j2me_90_d_bool: Option<bool>,
    /// Whether there ever was a message.
    pub cp_sms_ever: Option<bool>,
    /// Whether there was one in 30 days.
    pub cp_sms_30_d: Option<bool>,
    /// Messages.
    pub cp_n_sms_ever: Option<i64>,
    /// Those that came.
    pub cp_n_in_sms: Option<i64>,
    /// Those that went.
    pub cp_n_out_sms: Option<i64>,
    /// Messages of 30 days.
    pub cp_n_sms_30_d: Option<i64>,
    /// Of 60 days.
    pub cp_n_sms_60_d: Option<i64>,
    /// Of 90 days.
    pub cp_n_sms_90_d: Option<i64>,
    /// Messages that came in 30 days.
    pub cp_n_sms_in_30_d: Option<i64>,
    /// In 60 days.
    pub cp_n_sms_in_60_d: Option<i64>,
    /// In 90 days.
    pub cp_n_sms_in_90_d: Option<i64>,
    /// Messages that went in 30 days.
    pub cp_n_sms_out_30_d: Option<i64>,
    /// In 60 days.
    pub cp_n_sms_out_60_d: Option<i64>,
    /// In 90 days.
    pub cp_n_sms_out_90_d: Option<i64>,
}

/// Where a project works.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct Deployment {
    /// `Deployment`.
    pub doc_type: Option<String>,
    /// The city.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub city: Option<String>,
    /// The countries: codes of two letters in a document, names in capitals in the index.
    #[serde(default)]
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub countries: Vec<String>,
    /// The part of the world.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub region: Option<String>,
    /// What is done there.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub description: Option<String>,
    /// Whether this may be shown to all.
    pub public: Option<bool>,
}

/// What only the server's staff see of a project.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct InternalProperties {
    /// `InternalProperties`.
    pub doc_type: Option<String>,
    /// The area that it works in.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub area: Option<String>,
    /// The part of that area.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub sub_area: Option<String>,
    /// The initiatives that it is part of.
    #[serde(default)]
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub initiative: Vec<String>,
    /// Who runs it.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub organization_name: Option<String>,
    /// The phones that it has.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub phone_model: Option<String>,
    /// The region that its workshop was held for.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub workshop_region: Option<String>,
    /// What runs on the phones.
    #[serde(default)]
    pub platform: Vec<String>,
    /// Who looks after it.
    pub project_manager: Option<String>,
    /// `POC`, `transition` or `at-scale`.
    pub project_state: Option<String>,
    /// What staff note about it.
    #[es(text)]
    pub notes: Option<String>,
    /// The edition that it pays for.
    pub commcare_edition: Option<String>,
    /// The contract, in the system for sales.
    pub sf_contract_id: Option<String>,
    /// The account, in the system for sales.
    pub sf_account_id: Option<String>,
    /// Whether it sends messages.
    pub commconnect_domain: Option<bool>,
    /// Whether it keeps stock.
    pub commtrack_domain: Option<bool>,
    /// Whether it has terms of its own.
    pub custom_eula: Option<bool>,
    /// Whether its data may be used for research.
    pub can_use_data: Option<bool>,
    /// Whether nobody helped to start it.
    pub self_started: Option<bool>,
    /// Whether it measures how data are managed.
    pub using_adm: Option<bool>,
    /// Whether it has a call centre.
    pub using_call_center: Option<bool>,
    /// The days within which a case is to be followed up.
    pub goal_time_period: Option<i64>,
    /// The share of cases for which that is to succeed: a decimal, which `CouchDB` keeps as a text.
    #[es(double)]
    pub goal_followup_rate: Option<Box<RawValue>>,
}

/// How a project's call centre works.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CallCenterProperties {
    /// `CallCenterProperties`.
    pub doc_type: Option<String>,
    /// Whether there is one.
    pub enabled: Option<bool>,
    /// Whether its indicators go to phones as lookup tables.
    pub use_fixtures: Option<bool>,
    /// Who owns its cases.
    pub case_owner_id: Option<String>,
    /// The type of its cases.
    pub case_type: Option<String>,
}

/// What is shown of a project's cases and forms.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseDisplaySettings {
    /// `CaseDisplaySettings`.
    pub doc_type: Option<String>,
    /// Properties, by type of case.
    pub case_details: Option<Box<RawValue>>,
    /// Questions, by namespace of form.
    pub form_details: Option<Box<RawValue>>,
}

/// What was migrated of a project.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct DomainMigrations {
    /// `DomainMigrations`.
    pub doc_type: Option<String>,
    /// Whether its permissions are roles now.
    pub has_migrated_permissions: Option<bool>,
}

impl Domain {
    /// What is indexed for a project: itself, with the names of its countries.
    pub fn with_country_names(mut self, _change: &ChangeMeta) -> Option<Self> {
        for country in self.deployment.iter_mut().flat_map(|deployment| &mut deployment.countries) {
            *country = country_name(country);
        }
        Some(self)
    }
}

/// The name that ISO 3166 gives to a country, in capitals; what is not a code of it is its own
/// name.
fn country_name(code: &str) -> String {
    rust_iso3166::from_alpha2(code).map_or(code, |country| country.name).to_uppercase()
}
