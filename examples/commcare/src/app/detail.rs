//! What a phone shows of a case: the columns of the list, and those of the page of one case.

use pillowtop::CouchDocument;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::translation::Translations;

/// The two details of a module.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct DetailPair {
    /// `DetailPair`.
    pub doc_type: Option<String>,
    /// The list of cases.
    pub short: Option<Detail>,
    /// The page of one case.
    pub long: Option<Detail>,
}

/// What is shown of a case.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct Detail {
    /// `Detail`.
    pub doc_type: Option<String>,
    /// `short` or `long`.
    pub display: Option<String>,
    /// `case_short`, `case_long`, … of the time when details were one list.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Which cases are listed, as an `XPath` expression.
    #[es(text)]
    pub filter: Option<String>,
    /// A layout of the project's own, in XML.
    #[es(skip)]
    pub custom_xml: Option<String>,
    /// The columns.
    #[serde(default)]
    pub columns: Vec<DetailColumn>,
    /// What the list is sorted by.
    #[serde(default)]
    pub sort_elements: Vec<SortElement>,
    /// Whether another application on the phone is asked for the case.
    pub lookup_enabled: Option<bool>,
    /// The name of that application's intent.
    pub lookup_action: Option<String>,
}

/// One column.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct DetailColumn {
    /// `DetailColumn`.
    pub doc_type: Option<String>,
    /// What stands above it.
    #[serde(default)]
    pub header: Translations,
    /// `case`, `referral`, …: what it is a property of.
    pub model: Option<String>,
    /// The property.
    pub field: Option<String>,
    /// `plain`, `date`, `time-ago`, `enum`, …
    pub format: Option<String>,
    /// The labels of an `enum`'s values.
    #[serde(rename = "enum", default)]
    pub values: Vec<EnumItem>,
    /// After how many days a date is late.
    pub late_flag: Option<i64>,
    /// What is shown in place of the property, as an `XPath` expression.
    #[es(text)]
    pub calc_xpath: Option<String>,
    /// Which cases are listed, as an `XPath` expression.
    #[es(text)]
    pub filter_xpath: Option<String>,
    /// The days of the unit in which the time that passed is given.
    #[es(double)]
    pub time_ago_interval: Option<f64>,
    /// What was typed into a field of no name.
    #[es(text)]
    pub advanced: Option<String>,
    /// How its numbers are drawn.
    pub graph_configuration: Option<Box<RawValue>>,
}

/// The label of one value of a property.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct EnumItem {
    /// `MappingItem`.
    pub doc_type: Option<String>,
    /// The value.
    pub key: Option<String>,
    /// Its label.
    #[serde(default)]
    pub value: Translations,
}

/// A property that a list of cases is sorted by.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct SortElement {
    /// `SortElement`.
    pub doc_type: Option<String>,
    /// The property.
    pub field: Option<String>,
    /// How it is compared: `plain`, `date`, `int`, …
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// `ascending` or `descending`.
    pub direction: Option<String>,
}
