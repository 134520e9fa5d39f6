//! The pillow `xform`: forms that phones have sent.

use pillowtop::{ChangeMeta, CouchDocument, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::value::{HqDate, UserType, geo_point, take_text, text_of};

/// The namespace of the logs that phones send as forms.
const DEVICE_REPORT: &str = "http://code.javarosa.org/devicereport";
/// The members of a case block that hold an object, or an empty text where they hold nothing.
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
#[pillow(name = "xform", alias = "xforms", settings = "analysis/hq.json", transform = FormIndex::from_form)]
pub struct Form {
    /// Always [`Form`]'s own type; HQ's searches still name it.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub doc_type: String,
    /// The project that the form was sent to.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub domain: Option<String>,
    /// The namespace, which says which form it is.
    #[es(text, fields(exact(keyword, ignore_above = 8191)))]
    pub xmlns: Option<String>,
    /// When the server got it.
    pub received_on: Option<HqDate>,
    /// When the server changed it last.
    pub server_modified_on: Option<HqDate>,
    /// The application that it was filled in with.
    pub app_id: Option<String>,
    /// The build of that application.
    pub build_id: Option<String>,
    /// The path that it was posted to.
    pub path: Option<String>,
    /// The address that it came from.
    #[es(ip)]
    pub submit_ip: Option<String>,
    /// Whether the server has finished with it.
    pub initial_processing_complete: Option<bool>,
    /// Whether a later post is to complete it.
    pub partial_submission: Option<bool>,
    /// What exports are grouped by.
    #[serde(rename = "#export_tag")]
    #[es(keyword)]
    pub export_tag: Option<Value>,
    /// The version of the form's user interface. HQ maps it here, though it now stands in the body.
    #[serde(rename = "@uiVersion")]
    pub ui_version: Option<String>,
    /// The version of the form. HQ maps it here, though it now stands in the body.
    #[serde(rename = "@version")]
    pub version: Option<String>,
    /// Where the form is kept: `couch` is unsaid.
    pub backend_id: Option<String>,
    /// Its attachments, now that they are no longer `CouchDB`'s.
    #[es(object, dynamic = false)]
    pub external_blobs: Option<Value>,
    /// What the user filled in; see [`FormIndex::body`].
    #[serde(skip_serializing)]
    pub form: Option<Map<String, Value>>,
}

/// A form as it is indexed.
///
/// HQ also writes `inserted_at`, the time of writing, which would differ each time that a form is processed.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct FormIndex {
    /// The form, without its body.
    #[serde(flatten)]
    pub form: Form,
    /// Its body.
    #[serde(rename = "form")]
    #[es(dynamic = false)]
    pub body: FormBody,
    /// The cases that it touched.
    #[serde(rename = "__retrieved_case_ids")]
    pub case_ids: Vec<String>,
    /// What its user's id tells of the user.
    #[es(keyword, null_value = "__NULL__")]
    pub user_type: Option<UserType>,
}

/// What a user filled in. The question tree, whose shape every form makes up, goes along unindexed.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct FormBody {
    /// The form's name, in its user's language.
    #[serde(rename = "@name")]
    pub name: Option<String>,
    /// The name of the form's root.
    #[serde(rename = "#type")]
    pub kind: Option<String>,
    /// What it does to cases. Always a list here, in a document one block or a list.
    #[es(dynamic = false)]
    pub case: Vec<CaseBlock>,
    /// Who filled it in, when, and with what.
    #[es(dynamic = false)]
    pub meta: Option<FormMeta>,
    /// Everything else.
    #[serde(flatten)]
    #[es(skip)]
    pub questions: Map<String, Value>,
}

/// What a form does to one case, in the members of both case protocols.
#[derive(Debug, Clone, Serialize, CouchDocument)]
pub struct CaseBlock {
    /// The case.
    #[serde(rename = "@case_id", skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// When, by the phone's clock. Null for an empty or senseless one.
    #[serde(rename = "@date_modified")]
    pub date_modified: Option<HqDate>,
    /// Who.
    #[serde(rename = "@user_id", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The namespace of the protocol.
    #[serde(rename = "@xmlns", skip_serializing_if = "Option::is_none")]
    pub xmlns: Option<String>,
    /// The case, in protocol 1.
    #[serde(rename = "case_id", skip_serializing_if = "Option::is_none")]
    pub old_case_id: Option<String>,
    /// When, in protocol 1.
    #[serde(rename = "date_modified")]
    pub old_date_modified: Option<HqDate>,
    /// Who, in protocol 1.
    #[serde(rename = "user_id", skip_serializing_if = "Option::is_none")]
    pub old_user_id: Option<String>,
    /// The namespace, in protocol 1.
    #[serde(rename = "xmlns", skip_serializing_if = "Option::is_none")]
    pub old_xmlns: Option<String>,
    /// What it creates, updates, attaches and refers to.
    #[serde(flatten)]
    #[es(skip)]
    pub rest: Map<String, Value>,
}

/// Who filled a form in, when, and with what.
///
/// HQ also takes the two version numbers out of `appVersion`, by a list of the forms that it ever had; they are left out.
#[derive(Debug, Clone, Serialize, CouchDocument)]
#[serde(rename_all = "camelCase")]
pub struct FormMeta {
    /// When the form was opened, by the phone's clock.
    pub time_start: Option<HqDate>,
    /// When it was finished, by the phone's clock.
    pub time_end: Option<HqDate>,
    /// The user.
    #[serde(rename = "userID")]
    #[es(keyword, null_value = "__NULL__")]
    pub user_id: Option<String>,
    /// The user's name.
    pub username: Option<String>,
    /// The phone.
    #[serde(rename = "deviceID")]
    pub device_id: Option<String>,
    /// The form's document.
    #[serde(rename = "instanceID")]
    pub instance_id: Option<String>,
    /// The application and its version, in words.
    pub app_version: Option<String>,
    /// Where the phone was: `latitude,longitude`.
    #[serde(rename = "geo_point")]
    #[es(geo_point)]
    pub geo_point: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    #[es(skip)]
    pub rest: Map<String, Value>,
}

impl FormIndex {
    /// What is indexed for a form: nothing for a phone's log, a form without a project or one without a body.
    pub fn from_form(mut form: Form, _change: &ChangeMeta) -> Option<Self> {
        if form.domain.is_none() || form.xmlns.as_deref() == Some(DEVICE_REPORT) {
            return None;
        }
        let (body, case_ids) = FormBody::clean(form.form.take()?);
        let user_type = UserType::of_id(body.meta.as_ref().and_then(|meta| meta.user_id.as_deref()));
        Some(Self { form, body, case_ids, user_type })
    }
}

impl FormBody {
    /// The body that is indexed, and the ids of the cases that it touched.
    pub fn clean(body: Map<String, Value>) -> (Self, Vec<String>) {
        let (mut body, mut case_ids) = (Value::Object(body), Vec::new());
        clean_case_blocks(&mut body, &mut case_ids);
        (Self::new(body), case_ids)
    }

    fn new(body: Value) -> Self {
        let mut questions = members(body);
        let case = match questions.remove("case") {
            Some(Value::Array(blocks)) => blocks,
            Some(block) => vec![block],
            None => Vec::new(),
        };
        Self {
            name: take_text(&mut questions, "@name"),
            kind: take_text(&mut questions, "#type"),
            case: case.into_iter().filter(Value::is_object).map(CaseBlock::new).collect(),
            meta: questions.remove("meta").filter(Value::is_object).map(FormMeta::new),
            questions,
        }
    }
}

impl CaseBlock {
    fn new(block: Value) -> Self {
        let mut rest = members(block);
        Self {
            case_id: take_text(&mut rest, "@case_id"),
            date_modified: HqDate::of(rest.remove("@date_modified")),
            user_id: take_text(&mut rest, "@user_id"),
            xmlns: take_text(&mut rest, "@xmlns"),
            old_case_id: take_text(&mut rest, "case_id"),
            old_date_modified: HqDate::of(rest.remove("date_modified")),
            old_user_id: take_text(&mut rest, "user_id"),
            old_xmlns: take_text(&mut rest, "xmlns"),
            rest,
        }
    }
}

impl FormMeta {
    fn new(meta: Value) -> Self {
        let mut rest = members(meta);
        Self {
            time_start: HqDate::of(rest.remove("timeStart")),
            time_end: HqDate::of(rest.remove("timeEnd")),
            user_id: take_text(&mut rest, "userID"),
            username: take_text(&mut rest, "username"),
            device_id: take_text(&mut rest, "deviceID"),
            instance_id: take_text(&mut rest, "instanceID"),
            app_version: take_text(&mut rest, "appVersion"),
            geo_point: rest.get("location").cloned().and_then(text_of).as_deref().and_then(geo_point),
            rest,
        }
    }
}

/// The members of an object, none of anything else.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Cleans the case blocks anywhere in a body, repeats and groups included, and collects the ids of their cases.
fn clean_case_blocks(value: &mut Value, case_ids: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| clean_case_blocks(item, case_ids)),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Object(block) if name == "case" => clean_case_block(block, case_ids),
                    Value::Array(blocks) if name == "case" => {
                        for block in blocks.iter_mut().filter_map(Value::as_object_mut) {
                            clean_case_block(block, case_ids);
                        }
                    }
                    _ => {}
                }
                clean_case_blocks(member, case_ids);
            }
        }
        _ => {}
    }
}

fn clean_case_block(block: &mut Map<String, Value>, case_ids: &mut Vec<String>) {
    for name in BLOCK_DATES {
        let Some(value) = block.remove(name) else { continue };
        if value.as_str() == Some("") {
            block.insert(name.to_owned(), Value::Null);
        } else if let Some(date) = HqDate::of(Some(value)) {
            block.insert(name.to_owned(), Value::String(date.as_str().to_owned()));
        }
    }
    for name in BLOCK_PARTS {
        if let Some(part) = block.get_mut(name).filter(|part| !part.is_object()) {
            *part = Value::Null;
        }
    }
    let id = ["@case_id", "case_id"].into_iter().find_map(|name| block.get(name)?.as_str());
    if let Some(id) = id.filter(|id| !id.is_empty() && !case_ids.iter().any(|known| known == id)) {
        case_ids.push(id.to_owned());
    }
}
