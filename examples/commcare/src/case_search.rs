//! The pillow `case_search`: the cases of some projects, to be searched by whatever properties
//! those projects made up.

use pillowtop::{ChangeMeta, CouchDocument, Field, IndexField, Parameter, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::case::CaseIndexReference;
use crate::value::{HqDate, geo_point, hq_date_formats, stringify};

/// The property whose value is a place, unless a project says another; no project here does.
const GEO_PROPERTY: &str = "gps_point";
/// The members of a case that CommCare itself writes, and that are named nowhere else in
/// [`SearchableCase`]. All others are the project's.
const OWN_MEMBERS: [&str; 14] = [
    "#export_tag",
    "actions",
    "backend_id",
    "case_attachments",
    "computed_",
    "computed_modified_on_",
    "export_tag",
    "external_blobs",
    "initial_processing_complete",
    "location_",
    "referrals",
    "user_type",
    "version",
    "xform_ids",
];

/// A case as it is in `CouchDB`, read for its properties.
///
/// It names members that [`Case`](crate::Case) names too. They are not one struct that both
/// flatten: serde holds a document with a flattened struct in memory member by member before it
/// decodes any, which `case`, the largest pillow, would pay for each case. And three of them are
/// mapped otherwise here.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(doc_type = "CommCareCase", deleted = "CommCareCase-Deleted", database = "commcarehq")]
#[es(rules = crate::rules)]
#[pillow(
    name = "case_search",
    alias = "case_search",
    settings = "analysis/hq.json",
    // The projects that asked for it. HQ keeps the list in SQL; here it is part of what the hash covers, so that a project that is
    // added gets an index in which its older cases are too.
    filter = matches!(self.domain, "riverside-clinics" | "care-bihar"),
    transform = CaseSearchIndex::from_case,
)]
pub struct SearchableCase {
    /// Always `CommCareCase`.
    pub doc_type: String,
    /// The project that the case belongs to.
    pub domain: String,
    /// What the project calls such a case.
    #[serde(rename = "type")]
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub case_type: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// Its id in another system.
    #[es(keyword, ignore_above = 8191)]
    pub external_id: Option<String>,
    /// The user, group or place that looks after it.
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
    /// The cases that it belongs to.
    #[serde(default)]
    #[es(nested, dynamic = false)]
    pub indices: Vec<SearchableReference>,
    /// The place that it belongs to.
    pub location_id: Option<String>,
    /// Everything else that the document holds; see [`CaseSearchIndex::case_properties`].
    #[serde(flatten, skip_serializing)]
    #[es(skip)]
    pub rest: Map<String, Value>,
}

/// That a case belongs to another, and how.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct SearchableReference {
    /// The other case.
    #[serde(flatten)]
    pub reference: CaseIndexReference,
    /// `child`, or `extension` for one that lives no longer than the other.
    pub relationship: Option<String>,
}

/// A case as it is indexed for searches.
#[derive(Debug, Clone, Serialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseSearchIndex {
    /// The case.
    #[serde(flatten)]
    pub case: SearchableCase,
    /// When the server heard of what is indexed. HQ writes the time of indexing, which would differ
    /// each time that a case is processed, and nothing could be verified.
    #[serde(rename = "@indexed_on")]
    pub indexed_on: Option<HqDate>,
    /// The properties that every case has, then those that the project made up.
    #[es(nested, dynamic = false)]
    pub case_properties: Vec<CaseProperty>,
}

/// One property of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct CaseProperty {
    /// Its name.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub key: String,
    /// Its value.
    pub value: PropertyValue,
    /// Where that is, if it is a place: `latitude,longitude`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[es(geo_point)]
    pub geopoint_value: Option<String>,
}

/// The value of a property: a string that is also a number or a date, when it reads like one.
///
/// HQ also indexes how a value sounds, by a plugin that a cluster must have; that field is left
/// out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PropertyValue(pub Option<String>);

impl IndexField for PropertyValue {
    const FIELD: Field = Field::leaf(
        "text",
        &[Parameter::new(
            "fields",
            concat!(
                r#"{"date":{"format":""#,
                hq_date_formats!(),
                r#"","ignore_malformed":true,"type":"date"},"#,
                r#""exact":{"ignore_above":8191,"null_value":"","type":"keyword"},"#,
                r#""numeric":{"ignore_malformed":true,"type":"double"}}"#,
            ),
        )],
    );
}

impl CaseProperty {
    fn new(key: &str, value: Option<String>) -> Self {
        Self { key: key.to_owned(), value: PropertyValue(value), geopoint_value: None }
    }

    /// A property that a project made up. A value that is not a string becomes one.
    fn made_up(key: &str, value: &Value) -> Self {
        let value = stringify(value);
        let geopoint_value = if key == GEO_PROPERTY { geo_point(&value) } else { None };
        Self { key: key.to_owned(), value: PropertyValue(Some(value)), geopoint_value }
    }
}

impl CaseSearchIndex {
    /// What is indexed for a case.
    pub fn from_case(mut case: SearchableCase, change: &ChangeMeta) -> Option<Self> {
        let rest = std::mem::take(&mut case.rest);
        let mut case_properties = special_properties(&case, change);
        let is_made_up = |name: &str| !name.starts_with('_') && !OWN_MEMBERS.contains(&name);
        case_properties.extend(
            rest.iter()
                .filter(|(name, _)| is_made_up(name))
                .map(|(name, value)| CaseProperty::made_up(name, value)),
        );
        let indexed_on = case.server_modified_on.clone();
        Some(Self { case, indexed_on, case_properties })
    }
}

/// The properties that every case has, by the names that applications know them by.
fn special_properties(case: &SearchableCase, change: &ChangeMeta) -> Vec<CaseProperty> {
    let date = |date: &Option<HqDate>| date.as_ref().map(|date| date.as_str().to_owned());
    let status = if case.closed { "closed" } else { "open" };
    [
        ("@case_id", Some(change.id.to_string())),
        ("@case_type", case.case_type.clone()),
        ("@owner_id", case.owner_id.clone()),
        ("@status", Some(status.to_owned())),
        ("name", case.name.clone()),
        ("case_name", case.name.clone()),
        ("external_id", case.external_id.clone()),
        ("date_opened", date(&case.opened_on)),
        ("closed_on", date(&case.closed_on)),
        ("last_modified", date(&case.modified_on)),
    ]
    .map(|(key, value)| CaseProperty::new(key, value))
    .to_vec()
}
