//! Two tables of rows that are computed from documents: over cases, and over forms. They are what
//! CommCare HQ had as fluff pillows.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use pillowtop::CouchDocument;
use pillowtop_fluff::{Calculator, Emitter, Filter, Fluff, Reduce, SqlValue, dated, undated};
use serde::Deserialize;

/// What the tables read of a case.
#[derive(Debug, Deserialize, CouchDocument)]
#[couch(doc_type = "CommCareCase", deleted = "CommCareCase-Deleted", database = "commcarehq")]
pub struct CountedCase {
    domain: String,
    #[serde(rename = "type")]
    case_type: Option<String>,
    owner_id: Option<String>,
    user_id: Option<String>,
    opened_on: Option<String>,
    closed_on: Option<String>,
    #[serde(default)]
    actions: Vec<CountedAction>,
}

/// What the tables read of something that was done to a case.
#[derive(Debug, Deserialize, CouchDocument)]
pub struct CountedAction {
    date: Option<String>,
    xform_id: Option<String>,
}

/// What the tables read of a form.
#[derive(Debug, Deserialize, CouchDocument)]
#[couch(
    doc_type = "XFormInstance",
    deleted = ["XFormInstance-Deleted", "XFormArchived"],
    database = "commcarehq",
)]
pub struct CountedForm {
    domain: Option<String>,
    xmlns: Option<String>,
    received_on: Option<String>,
}

/// The day of a time that a phone wrote. What is not one counts nowhere.
fn day(time: Option<&String>) -> Option<NaiveDate> {
    time?.get(..10)?.parse().ok()
}

/// How often a case was visited: once a day, however many forms that took.
pub struct Visits;

impl Calculator for Visits {
    type Document = CountedCase;
    const WINDOW: Option<u32> = Some(30);
    const EMITTERS: &'static [&'static [Emitter<CountedCase>]] = &[&[
        dated("total", Reduce::Sum).integers(|case: &CountedCase, out| {
            let days: BTreeSet<NaiveDate> =
                case.actions.iter().filter_map(|action| day(action.date.as_ref())).collect();
            days.into_iter().for_each(|day| out.on(day));
        }),
        dated("actions", Reduce::Count).integers(|case: &CountedCase, out| {
            case.actions.iter().filter_map(|action| day(action.date.as_ref())).for_each(|day| out.on(day));
        }),
        undated("most_actions", Reduce::Max).integers(|case: &CountedCase, out| {
            out.value(i64::try_from(case.actions.len()).unwrap_or(i64::MAX));
        }),
        undated("fewest_actions", Reduce::Min).integers(|case: &CountedCase, out| {
            out.value(i64::try_from(case.actions.len()).unwrap_or(i64::MAX));
        }),
        undated("mean_forms", Reduce::Avg).integers(|case: &CountedCase, out| {
            let forms: BTreeSet<&String> =
                case.actions.iter().filter_map(|action| action.xform_id.as_ref()).collect();
            out.value(i64::try_from(forms.len()).unwrap_or(i64::MAX));
        }),
    ]];
}

/// How many cases there are, and when they were opened and closed.
pub struct Cases;

impl Calculator for Cases {
    type Document = CountedCase;
    const WINDOW: Option<u32> = Some(30);
    const EMITTERS: &'static [&'static [Emitter<CountedCase>]] = &[&[
        undated("all", Reduce::Count).integers(|_: &CountedCase, out| out.one()),
        dated("opened", Reduce::Sum).integers(|case: &CountedCase, out| {
            if let Some(day) = day(case.opened_on.as_ref()) {
                out.on(day);
            }
        }),
        // Under the user that opened it, whoever owns it now.
        dated("opened_by_user", Reduce::Sum).integers(|case: &CountedCase, out| {
            if let (Some(day), Some(user)) = (day(case.opened_on.as_ref()), &case.user_id) {
                let groups = [&case.domain, user].map(|text| SqlValue::Text(text.clone()));
                out.grouped(groups.to_vec(), day, 1);
            }
        }),
        dated("closed", Reduce::Sum).integers(|case: &CountedCase, out| {
            if let Some(day) = day(case.closed_on.as_ref()) {
                out.on(day);
            }
        }),
    ]];
}

/// Who looks after a case; before there were owners, its user.
fn owner(case: &CountedCase) -> Option<String> {
    let owner = case.owner_id.clone().filter(|owner| !owner.is_empty());
    owner.or_else(|| case.user_id.clone())
}

/// Visits to cases, by project and owner.
#[derive(Fluff)]
#[fluff(
    name = "visits",
    document = CountedCase,
    filter = Filter::All(&[
        Filter::Not(&Filter::Is("demo project", |case: &CountedCase| case.domain == "demo")),
        Filter::Is("has a type", |case: &CountedCase| case.case_type.is_some()),
    ]),
)]
pub struct CaseVisits {
    #[fluff(group_by)]
    domain: String,
    #[fluff(group_by = owner)]
    owner: Option<String>,
    #[fluff(flat)]
    case_type: Option<String>,
    #[fluff(calculator)]
    visits: Visits,
    #[fluff(calculator)]
    cases: Cases,
}

/// How many forms were received.
pub struct Received;

impl Calculator for Received {
    type Document = CountedForm;
    const WINDOW: Option<u32> = Some(7);
    const EMITTERS: &'static [&'static [Emitter<CountedForm>]] =
        &[&[dated("forms", Reduce::Sum).integers(|form: &CountedForm, out| {
            if let Some(day) = day(form.received_on.as_ref()) {
                out.on(day);
            }
        })]];
}

/// Forms, by project and kind.
#[derive(Fluff)]
#[fluff(name = "submissions", document = CountedForm)]
pub struct Submissions {
    #[fluff(group_by)]
    domain: Option<String>,
    #[fluff(group_by)]
    xmlns: Option<String>,
    #[fluff(calculator)]
    received: Received,
}
