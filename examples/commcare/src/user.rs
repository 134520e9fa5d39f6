//! The pillow `user`: the people who collect data on phones and those who look at it in a browser.

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::value::{HqDate, stringify};

/// A user as it is in `CouchDB`.
///
/// What is not named here is not indexed, and does not reach `_source` either. That is how the
/// `password` that these documents carry stays where it is.
///
/// HQ's index also has `__group_ids` and `__group_names`. They depend on other documents (the
/// groups), which another pillow wrote into the same index; they are left out.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(
    doc_type = ["CommCareUser", "WebUser"],
    deleted = ["CommCareUser-Deleted", "WebUser-Deleted"],
    database = "commcarehq",
)]
#[es(rules = crate::rules)]
#[pillow(name = "user", alias = "hqusers", settings = "analysis/hq.json", transform = UserIndex::from_user)]
pub struct User {
    /// Which of the two kinds it is.
    pub doc_type: UserKind,
    /// `name@project.commcarehq.org` on a phone, an address in a browser.
    #[es(text, analyzer = "standard", fields(exact(keyword, ignore_above = 8191)))]
    pub username: String,
    /// The project of a phone's user.
    pub domain: Option<String>,
    /// The given name.
    #[es(text)]
    pub first_name: Option<String>,
    /// The family name.
    #[es(text)]
    pub last_name: Option<String>,
    /// The language of the screens.
    pub language: Option<String>,
    /// The numbers that messages go to.
    #[serde(default)]
    pub phone_numbers: Vec<String>,
    /// Whether the user may log in.
    pub is_active: Option<bool>,
    /// Whether the user is HQ's staff.
    pub is_staff: Option<bool>,
    /// Whether the user may do everything.
    pub is_superuser: Option<bool>,
    /// Whether the user only tries things out.
    pub is_demo_user: Option<bool>,
    /// When the account was made.
    pub created_on: Option<HqDate>,
    /// When the user was last seen.
    pub last_login: Option<HqDate>,
    /// A phone user's place in the project.
    #[es(nested, dynamic = false)]
    pub domain_membership: Option<DomainMembership>,
    /// A browser user's places in projects.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub domain_memberships: Vec<DomainMembership>,
    /// The licences that the user was shown.
    #[serde(default)]
    pub eulas: Vec<Eula>,
    /// The phones that the user was seen on.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub devices: Vec<Device>,
    /// The place that the user works at.
    pub location_id: Option<String>,
    /// All the user's places.
    #[serde(default)]
    pub assigned_location_ids: Vec<String>,
    /// What the project notes about the user. Every project makes its own names up, so these are
    /// indexed as [`UserIndex::user_data_es`].
    #[serde(default, skip_serializing)]
    pub user_data: Map<String, Value>,
}

/// The two kinds of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, CouchDocument)]
pub enum UserKind {
    /// On a phone.
    CommCareUser,
    /// In a browser.
    WebUser,
}

/// A user's place in a project.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct DomainMembership {
    /// `DomainMembership`.
    pub doc_type: Option<String>,
    /// The project.
    pub domain: Option<String>,
    /// What the user may do in it.
    pub role_id: Option<String>,
    /// Whether the user may do everything in it.
    pub is_admin: Option<bool>,
    /// The zone that reports are shown in.
    pub timezone: Option<String>,
    /// Whether that zone is the user's own.
    pub override_global_tz: Option<bool>,
    /// The place that the user works at.
    pub location_id: Option<String>,
    /// All the user's places.
    #[serde(default)]
    pub assigned_location_ids: Vec<String>,
}

/// That a user was shown a licence.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
pub struct Eula {
    /// `LicenseAgreement`.
    pub doc_type: Option<String>,
    /// When.
    pub date: Option<HqDate>,
    /// Whether the user agreed.
    pub signed: Option<bool>,
    /// Which licence.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The user.
    pub user_id: Option<String>,
    /// The address that the user came from.
    pub user_ip: Option<String>,
    /// The licence's version.
    pub version: Option<String>,
}

/// A phone.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
pub struct Device {
    /// Its own id.
    pub device_id: Option<String>,
    /// When it was last seen.
    pub last_used: Option<HqDate>,
    /// The version of `CommCare` on it.
    pub commcare_version: Option<String>,
    /// The applications on it.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub app_meta: Vec<DeviceApp>,
}

/// An application on a phone.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
pub struct DeviceApp {
    /// The application.
    pub app_id: Option<String>,
    /// The build of it.
    pub build_id: Option<String>,
    /// The number of that build.
    pub build_version: Option<i32>,
    /// When a form last came from it.
    pub last_submission: Option<HqDate>,
    /// When it last synchronised.
    pub last_sync: Option<HqDate>,
    /// How many forms it still holds.
    pub num_unsent_forms: Option<i32>,
}

/// A user as it is indexed.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct UserIndex {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// A phone user's name without the project, a browser user's whole name.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub base_username: String,
    /// [`User::user_data`] as a list that can be searched by name and value.
    #[es(nested, dynamic = false)]
    pub user_data_es: Vec<UserDatum>,
}

/// One member of [`User::user_data`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, CouchDocument)]
pub struct UserDatum {
    /// Its name.
    pub key: String,
    /// Its value as a string.
    #[es(text)]
    pub value: String,
}

impl UserIndex {
    /// What is indexed for a user.
    pub fn from_user(mut user: User, _change: &ChangeMeta) -> Option<Self> {
        let base_username = match (user.doc_type, user.username.split_once('@')) {
            (UserKind::CommCareUser, Some((base, _))) => base.to_owned(),
            _ => user.username.clone(),
        };
        let user_data_es = std::mem::take(&mut user.user_data)
            .into_iter()
            .map(|(key, value)| UserDatum { key, value: stringify(&value) })
            .collect();
        Some(Self { user, base_username, user_data_es })
    }
}
