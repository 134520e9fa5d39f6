//! Indicators of cases and forms. They are what CommCare HQ had as indicator pillows.

use pillowtop::{CouchDocument, Found};
use pillowtop_indicators::{Documents, FanOut, Indicator, Indicators, NoRelated, indicator, related};
use serde::Deserialize;
use serde_json::{Value, json};

/// The namespace of the indicators here.
pub const NAMESPACE: &str = "clinic";

/// What the indicators read of a case.
#[derive(Debug, Deserialize, CouchDocument)]
#[couch(doc_type = "CommCareCase", deleted = "CommCareCase-Deleted", database = "commcarehq")]
pub struct IndicatedCase {
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    xform_ids: Vec<String>,
}

/// What the indicators read of a form.
#[derive(Debug, Deserialize, CouchDocument)]
#[couch(
    doc_type = "XFormInstance",
    deleted = ["XFormInstance-Deleted", "XFormArchived"],
    database = "commcarehq",
)]
pub struct IndicatedForm {
    received_on: Option<String>,
    #[serde(default)]
    #[es(skip)]
    form: Value,
}

impl IndicatedForm {
    /// The case that the form is about: the first one, where there are several.
    fn case_id(&self) -> Option<&str> {
        let case = &self.form["case"];
        case.get(0).unwrap_or(case)["@case_id"].as_str()
    }
}

/// Computed into cases.
pub struct CaseIndicators;

impl Indicators for CaseIndicators {
    type Document = IndicatedCase;
    type Related = NoRelated;
    const NAME: &'static str = "case_indicators";
    const NAMESPACE: &'static str = NAMESPACE;
    const INDICATORS: &'static [Indicator<IndicatedCase>] = &[
        indicator("forms", 1, |case: &IndicatedCase| case.xform_ids.len().into()),
        indicator("is_followed_up", 1, |case: &IndicatedCase| {
            (!case.closed && case.xform_ids.len() > 1).into()
        }),
    ];
}

/// Computed into forms, partly from the case that a form is about.
pub struct FormIndicators;

impl Indicators for FormIndicators {
    type Document = IndicatedForm;
    type Related = Documents;
    const NAME: &'static str = "form_indicators";
    const NAMESPACE: &'static str = NAMESPACE;
    const INDICATORS: &'static [Indicator<IndicatedForm, Documents>] = &[
        indicator("month", 1, |form: &IndicatedForm| {
            form.received_on.as_deref().and_then(|time| time.get(..7)).into()
        }),
        related("case_type", 1, |form: &IndicatedForm, found: &Found<Documents>| {
            let case = form.case_id().and_then(|id| found.get(id));
            case.map_or(Value::Null, |case| case["type"].clone())
        })
        .of_type("CaseDataInFormIndicatorDefinition"),
    ];

    fn related_keys(form: &IndicatedForm) -> Vec<String> {
        form.case_id().map(str::to_owned).into_iter().collect()
    }
}

/// A change of a case computes its forms again.
pub struct FormsOfCases;

impl FanOut for FormsOfCases {
    type Document = IndicatedCase;
    const NAME: &'static str = "forms_of_cases";

    fn affected(case: &IndicatedCase) -> Vec<String> {
        case.xform_ids.clone()
    }
}

/// Definitions as documents, for the database `indicator-definitions`.
pub fn definitions() -> Vec<Value> {
    vec![json!({
        "_id": "form-name", "doc_type": "FormDataAliasIndicatorDefinition", "namespace": "clinic-defined",
        "slug": "name", "version": 1, "xmlns": "http://openrosa.org/formdesigner/riverside-registration",
        "question_id": "name",
    })]
}
