//! The pillow `xform`: forms that phones have sent.

use pillowtop::{ChangeMeta, CouchDocument, CowStr, Pillow, RawJson, RawObject};
use serde::{Deserialize, Serialize};

use crate::value::{BorrowedDate, UserType, geo_point, raw_text_of};

/// The namespace of the logs that phones send as forms.
const DEVICE_REPORT: &str = "http://code.javarosa.org/devicereport";
/// The members of a case block that hold an object, or an empty string where they hold nothing.
const BLOCK_PARTS: [&str; 4] = ["index", "attachment", "create", "update"];
/// The dates of a case block, in the two spellings of the two case protocols.
const BLOCK_DATES: [&str; 2] = ["date_modified", "@date_modified"];

/// A form as it is in `CouchDB`. Members that are not named here are dropped, which is the default.
#[derive(Debug, Clone, Serialize, Deserialize, CouchDocument, Pillow)]
#[couch(
    doc_type = "XFormInstance",
    // An archived form is kept, and no longer counts.
    deleted = ["XFormInstance-Deleted", "XFormArchived"],
    database = "commcarehq",
)]
#[pillow(name = "xform", alias = "xforms", settings = "analysis/hq.json", transform = FormIndex::<'a>::from_form)]
pub struct Form<'a> {
    /// Always [`Form`]'s own type; HQ's searches still name it.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    #[serde(borrow)]
    pub doc_type: CowStr<'a>,
    /// The project that the form was sent to.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub domain: Option<CowStr<'a>>,
    /// The namespace, which says which form it is.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub xmlns: Option<CowStr<'a>>,
    /// When the server got it.
    pub received_on: Option<BorrowedDate<'a>>,
    /// When the server changed it last.
    pub server_modified_on: Option<BorrowedDate<'a>>,
    /// The application that it was filled in with.
    pub app_id: Option<CowStr<'a>>,
    /// The build of that application.
    pub build_id: Option<CowStr<'a>>,
    /// The path that it was posted to.
    pub path: Option<CowStr<'a>>,
    /// The address that it came from.
    #[es(ip)]
    pub submit_ip: Option<CowStr<'a>>,
    /// Whether the server has finished with it.
    pub initial_processing_complete: Option<bool>,
    /// Whether a later post is to complete it.
    pub partial_submission: Option<bool>,
    /// What exports are grouped by.
    #[serde(rename = "#export_tag")]
    #[es(keyword)]
    pub export_tag: Option<RawJson<'a>>,
    /// The version of the form's user interface. HQ maps it here, though it now stands in the body.
    #[serde(rename = "@uiVersion")]
    pub ui_version: Option<CowStr<'a>>,
    /// The version of the form. HQ maps it here, though it now stands in the body.
    #[serde(rename = "@version")]
    pub version: Option<CowStr<'a>>,
    /// Where the form is kept: `couch` is unsaid.
    pub backend_id: Option<CowStr<'a>>,
    /// Its attachments, now that they are no longer `CouchDB`'s.
    #[es(object, dynamic = false)]
    pub external_blobs: Option<RawJson<'a>>,
    /// What the user filled in; see [`FormIndex::body`].
    #[serde(skip_serializing)]
    pub form: Option<RawObject<'a>>,
}

/// A form as it is indexed.
///
/// HQ also writes `inserted_at`, the time of writing, which would differ each time that a form is
/// processed.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct FormIndex<'a> {
    /// The form, without its body.
    #[serde(flatten)]
    pub form: Form<'a>,
    /// Its body.
    #[serde(rename = "form")]
    #[es(dynamic = false)]
    pub body: FormBody<'a>,
    /// The cases that it touched.
    #[serde(rename = "__retrieved_case_ids")]
    pub case_ids: Vec<CowStr<'a>>,
    /// What its user's id tells of the user.
    #[es(keyword, null_value = "__NULL__")]
    pub user_type: Option<UserType>,
}

/// What a user filled in. The question tree, whose shape every form makes up, goes along unindexed.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct FormBody<'a> {
    /// The form's name, in its user's language.
    #[serde(rename = "@name")]
    pub name: Option<CowStr<'a>>,
    /// The name of the form's root.
    #[serde(rename = "#type")]
    pub kind: Option<CowStr<'a>>,
    /// What it does to cases. Always a list here, in a document one block or a list.
    #[es(dynamic = false)]
    pub case: Vec<CaseBlock<'a>>,
    /// Who filled it in, when, and with what.
    #[es(dynamic = false)]
    pub meta: Option<FormMeta<'a>>,
    /// Everything else.
    #[serde(flatten)]
    #[es(skip)]
    pub questions: RawObject<'a>,
}

/// What a form does to one case, in the members of both case protocols.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct CaseBlock<'a> {
    /// The case.
    #[serde(rename = "@case_id", skip_serializing_if = "Option::is_none")]
    pub case_id: Option<CowStr<'a>>,
    /// When, by the phone's clock. Null for an empty or senseless one.
    #[serde(rename = "@date_modified")]
    pub date_modified: Option<BorrowedDate<'a>>,
    /// Who.
    #[serde(rename = "@user_id", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<CowStr<'a>>,
    /// The namespace of the protocol.
    #[serde(rename = "@xmlns", skip_serializing_if = "Option::is_none")]
    pub xmlns: Option<CowStr<'a>>,
    /// The case, in protocol 1.
    #[serde(rename = "case_id", skip_serializing_if = "Option::is_none")]
    pub old_case_id: Option<CowStr<'a>>,
    /// When, in protocol 1.
    #[serde(rename = "date_modified")]
    pub old_date_modified: Option<BorrowedDate<'a>>,
    /// Who, in protocol 1.
    #[serde(rename = "user_id", skip_serializing_if = "Option::is_none")]
    pub old_user_id: Option<CowStr<'a>>,
    /// The namespace, in protocol 1.
    #[serde(rename = "xmlns", skip_serializing_if = "Option::is_none")]
    pub old_xmlns: Option<CowStr<'a>>,
    /// What it creates, updates, attaches and refers to.
    #[serde(flatten)]
    #[es(skip)]
    pub rest: RawObject<'a>,
}

/// Who filled a form in, when, and with what.
///
/// HQ also takes the two version numbers out of `appVersion`, by a list of the forms that it ever
/// had; they are left out.
#[derive(Debug, Clone, Serialize, CouchDocument)]
#[serde(rename_all = "camelCase")]
pub struct FormMeta<'a> {
    /// When the form was opened, by the phone's clock.
    pub time_start: Option<BorrowedDate<'a>>,
    /// When it was finished, by the phone's clock.
    pub time_end: Option<BorrowedDate<'a>>,
    /// The user.
    #[serde(rename = "userID")]
    #[es(keyword, null_value = "__NULL__")]
    pub user_id: Option<CowStr<'a>>,
    /// The user's name.
    pub username: Option<CowStr<'a>>,
    /// The phone.
    #[serde(rename = "deviceID")]
    pub device_id: Option<CowStr<'a>>,
    /// The form's document.
    #[serde(rename = "instanceID")]
    pub instance_id: Option<CowStr<'a>>,
    /// The application and its version, in words.
    pub app_version: Option<CowStr<'a>>,
    /// Where the phone was: `latitude,longitude`.
    #[serde(rename = "geo_point")]
    #[es(geo_point)]
    pub geo_point: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    #[es(skip)]
    pub rest: RawObject<'a>,
}

impl<'a> FormIndex<'a> {
    /// What is indexed for a form: nothing for a phone's log, a form without a project or one
    /// without a body.
    pub fn from_form(mut form: Form<'a>, _change: &ChangeMeta) -> Option<Self> {
        if form.domain.is_none() || form.xmlns.as_deref() == Some(DEVICE_REPORT) {
            return None;
        }
        let (body, case_ids) = FormBody::clean(form.form.take()?);
        let user_type = UserType::of_id(body.meta.as_ref().and_then(|meta| meta.user_id.as_deref()));
        Some(Self { form, body, case_ids, user_type })
    }
}

impl<'a> FormBody<'a> {
    /// The body that is indexed, and the ids of the cases that it touched.
    fn clean(mut questions: RawObject<'a>) -> (Self, Vec<CowStr<'a>>) {
        let mut case_ids = Vec::new();
        questions.iter_mut().for_each(|(name, value)| clean_case_blocks(name, value, &mut case_ids));
        let mut case = questions.remove("case");
        let case = match case.as_mut().and_then(RawJson::as_array) {
            Some(blocks) => std::mem::take(blocks),
            None => case.into_iter().collect(),
        };
        let body = Self {
            name: take_text(&mut questions, "@name"),
            kind: take_text(&mut questions, "#type"),
            case: case.into_iter().filter_map(RawJson::into_object).map(CaseBlock::new).collect(),
            meta: questions.remove("meta").and_then(RawJson::into_object).map(FormMeta::new),
            questions,
        };
        (body, case_ids)
    }
}

impl<'a> CaseBlock<'a> {
    fn new(mut rest: RawObject<'a>) -> Self {
        Self {
            case_id: take_text(&mut rest, "@case_id"),
            date_modified: take_date(&mut rest, "@date_modified"),
            user_id: take_text(&mut rest, "@user_id"),
            xmlns: take_text(&mut rest, "@xmlns"),
            old_case_id: take_text(&mut rest, "case_id"),
            old_date_modified: take_date(&mut rest, "date_modified"),
            old_user_id: take_text(&mut rest, "user_id"),
            old_xmlns: take_text(&mut rest, "xmlns"),
            rest,
        }
    }
}

impl<'a> FormMeta<'a> {
    fn new(mut rest: RawObject<'a>) -> Self {
        let location = rest.get("location").and_then(|location| raw_text_of(location));
        Self {
            time_start: take_date(&mut rest, "timeStart"),
            time_end: take_date(&mut rest, "timeEnd"),
            user_id: take_text(&mut rest, "userID"),
            username: take_text(&mut rest, "username"),
            device_id: take_text(&mut rest, "deviceID"),
            instance_id: take_text(&mut rest, "instanceID"),
            app_version: take_text(&mut rest, "appVersion"),
            geo_point: location.as_deref().and_then(geo_point),
            rest,
        }
    }
}

fn take_text<'a>(members: &mut RawObject<'a>, name: &str) -> Option<CowStr<'a>> {
    members.remove(name).as_ref().and_then(raw_text_of)
}

fn take_date<'a>(members: &mut RawObject<'a>, name: &str) -> Option<BorrowedDate<'a>> {
    members.remove(name).as_ref().and_then(BorrowedDate::of)
}

/// Cleans the case blocks anywhere in a member of a body, repeats and groups included, and collects
/// the ids of their cases. What has none stays the text that it is.
fn clean_case_blocks<'a>(name: &str, value: &mut RawJson<'a>, case_ids: &mut Vec<CowStr<'a>>) {
    if name == "case" {
        match value.as_array() {
            Some(blocks) => blocks.iter_mut().for_each(|block| clean_case_block(block, case_ids)),
            None => clean_case_block(value, case_ids),
        }
    }
    if value.text().is_some_and(|text| !text.contains("\"case\"")) {
        return;
    }
    if let Some(items) = value.as_array() {
        items.iter_mut().for_each(|item| clean_case_blocks("", item, case_ids));
    } else if let Some(members) = value.as_object() {
        members.iter_mut().for_each(|(name, member)| clean_case_blocks(name, member, case_ids));
    }
}

fn clean_case_block<'a>(block: &mut RawJson<'a>, case_ids: &mut Vec<CowStr<'a>>) {
    let Some(block) = block.as_object() else { return };
    for name in BLOCK_DATES {
        let Some(value) = block.remove(name) else { continue };
        if value.as_text().is_some_and(|text| text.is_empty()) {
            block.push(name, RawJson::NULL);
        } else if let Some(date) = BorrowedDate::of(&value) {
            block.push(name, date.into_text());
        }
    }
    for name in BLOCK_PARTS {
        if let Some(part) = block.get(name).filter(|part| !part.is_object()) {
            *part = RawJson::NULL;
        }
    }
    let mut ids = ["@case_id", "case_id"].into_iter();
    let id = ids.find_map(|name| block.get(name)?.as_text());
    if let Some(id) = id.filter(|id| !id.is_empty() && !case_ids.contains(id)) {
        case_ids.push(id);
    }
}
