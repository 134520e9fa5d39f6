//! The same work as one writes it on `serde_json::Value`.

use std::io::Write as _;

use commcare::value::{HqDate, UserType, geo_point, text_of};
use serde_json::{Map, Value, json};

use crate::corpus::{Corpus, Shape};

const BULK: usize = 5_000_000;

/// Members of a case that are indexed, of an action and of a reference.
const CASE: [&str; 21] = [
    "doc_type",
    "domain",
    "type",
    "name",
    "external_id",
    "owner_id",
    "user_id",
    "opened_by",
    "closed_by",
    "opened_on",
    "modified_on",
    "server_modified_on",
    "closed",
    "closed_on",
    "actions",
    "indices",
    "xform_ids",
    "location_id",
    "contact_phone_number",
    "version",
    "initial_processing_complete",
];
const CASE_RAW: [&str; 4] = ["computed_modified_on_", "computed_", "referrals", "#export_tag"];
const ACTION: [&str; 13] = [
    "doc_type",
    "action_type",
    "date",
    "server_date",
    "sync_log_id",
    "user_id",
    "xform_id",
    "xform_name",
    "xform_xmlns",
    "indices",
    "updated_known_properties",
    "updated_unknown_properties",
    "attachments",
];
const REFERENCE: [&str; 4] = ["doc_type", "identifier", "referenced_type", "referenced_id"];
const CASE_DATES: [&str; 5] =
    ["opened_on", "modified_on", "server_modified_on", "closed_on", "computed_modified_on_"];
/// Members of a form that are indexed as they are.
const FORM: [&str; 16] = [
    "doc_type",
    "domain",
    "xmlns",
    "received_on",
    "server_modified_on",
    "app_id",
    "build_id",
    "path",
    "submit_ip",
    "initial_processing_complete",
    "partial_submission",
    "#export_tag",
    "@uiVersion",
    "@version",
    "backend_id",
    "external_blobs",
];

/// The whole feed; returns the bytes of all bodies.
pub(crate) fn run(corpus: &Corpus) -> usize {
    let (mut body, mut written) = (Vec::new(), 0);
    for line in corpus.feed() {
        append(corpus.shape, line, &mut body);
        if body.len() >= BULK {
            written += body.len();
            body = Vec::new();
        }
    }
    written + body.len()
}

/// The body of one line.
pub(crate) fn one(shape: Shape, line: &str) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    append(shape, line, &mut body)?;
    Some(body)
}

fn append(shape: Shape, line: &str, body: &mut Vec<u8>) -> Option<()> {
    let mut row: Value = serde_json::from_str(line.strip_suffix(',').unwrap_or(line)).ok()?;
    let Value::Object(document) = row["doc"].take() else { return None };
    if document.get("doc_type")? != shape.doc_type() {
        return None;
    }
    let (id, revision) = (row["id"].take(), row["changes"][0]["rev"].take());
    let mut source = if shape.is_case() { case(document, shape)? } else { form(document, shape)? };
    source.retain(|name, _| {
        !matches!(name.as_str(), "_id" | "_rev" | "_attachments" | "_deleted" | "_conflicts")
    });
    source.insert("pillowtop".to_owned(), json!({"id": id, "rev": revision, "db": "commcarehq"}));
    let action =
        json!({"index": {"_id": id, "version": 1_764_000_000_000_000_u64, "version_type": "external_gte"}});
    serde_json::to_writer(&mut *body, &action).ok()?;
    body.write_all(b"\n").ok()?;
    serde_json::to_writer(&mut *body, &source).ok()?;
    body.write_all(b"\n").ok()
}

fn case(mut case: Map<String, Value>, shape: Shape) -> Option<Map<String, Value>> {
    if case.get("domain")? == "demo" || case.get("type")?.is_null() {
        return None;
    }
    if !shape.carries() {
        case.retain(|name, _| {
            CASE.contains(&name.as_str()) || CASE_RAW.contains(&name.as_str()) || name == "backend_id"
        });
    }
    dates(&mut case, &CASE_DATES);
    references(&mut case);
    for action in case.get_mut("actions").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(action) = action.as_object_mut() else { continue };
        action.retain(|name, _| ACTION.contains(&name.as_str()));
        dates(action, &["date", "server_date"]);
        references(action);
    }
    let has_owner = case.get("owner_id").and_then(Value::as_str).is_some_and(|owner| !owner.is_empty());
    if !has_owner {
        let user = case.get("user_id").cloned().unwrap_or(Value::Null);
        case.insert("owner_id".to_owned(), user);
    }
    let owner = UserType::of_id(case.get("owner_id").and_then(Value::as_str));
    case.insert("owner_type".to_owned(), serde_json::to_value(owner).ok()?);
    let backend = case.remove("backend_id").filter(|backend| !backend.is_null());
    case.insert("backend_id".to_owned(), backend.unwrap_or_else(|| json!("couch")));
    Some(case)
}

fn references(members: &mut Map<String, Value>) {
    for reference in members.get_mut("indices").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(reference) = reference.as_object_mut() {
            reference.retain(|name, _| REFERENCE.contains(&name.as_str()));
        }
    }
}

fn dates(members: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if let Some(Value::String(text)) = members.get_mut(*name) {
            *text = HqDate::new(std::mem::take(text)).into_text();
        }
    }
}

fn form(mut form: Map<String, Value>, shape: Shape) -> Option<Map<String, Value>> {
    if form.get("domain")?.is_null()
        || form.get("xmlns").is_some_and(|xmlns| xmlns == "http://code.javarosa.org/devicereport")
    {
        return None;
    }
    let mut body = form.remove("form").filter(Value::is_object)?;
    if !shape.carries() {
        form.retain(|name, _| FORM.contains(&name.as_str()));
    }
    dates(&mut form, &["received_on", "server_modified_on"]);
    let mut case_ids = Vec::new();
    clean_case_blocks(&mut body, &mut case_ids);
    let user = body_members(&mut body);
    form.insert("form".to_owned(), body);
    form.insert("__retrieved_case_ids".to_owned(), json!(case_ids));
    form.insert("user_type".to_owned(), serde_json::to_value(UserType::of_id(user.as_deref())).ok()?);
    Some(form)
}

/// Brings the members of a form's body into their types; returns the id of its user.
fn body_members(body: &mut Value) -> Option<String> {
    texts(body, &["@name", "#type"]);
    body["case"] = match body["case"].take() {
        Value::Array(blocks) => blocks.into_iter().filter(Value::is_object).collect(),
        block @ Value::Object(_) => json!([block]),
        _ => json!([]),
    };
    for block in body["case"].as_array_mut().into_iter().flatten() {
        texts(block, &["@case_id", "@user_id", "@xmlns", "case_id", "user_id", "xmlns"]);
        valid_dates(block, &["@date_modified", "date_modified"]);
    }
    if !body["meta"].is_object() {
        body["meta"] = Value::Null;
        return None;
    }
    let meta = &mut body["meta"];
    texts(meta, &["userID", "username", "deviceID", "instanceID", "appVersion"]);
    valid_dates(meta, &["timeStart", "timeEnd"]);
    let location = meta.get("location").cloned().and_then(text_of);
    meta["geo_point"] = json!(location.as_deref().and_then(geo_point));
    meta["userID"].as_str().map(str::to_owned)
}

fn texts(members: &mut Value, names: &[&str]) {
    for name in names {
        if let Some(value) = members.get_mut(name) {
            *value = text_of(value.take()).map_or(Value::Null, Value::from);
        }
    }
}

fn valid_dates(members: &mut Value, names: &[&str]) {
    for name in names {
        if let Some(value) = members.get_mut(name) {
            *value = valid_date(value.take()).map_or(Value::Null, Value::from);
        }
    }
}

fn valid_date(value: Value) -> Option<String> {
    let Value::String(text) = value else { return None };
    Some(HqDate::new(text)).filter(HqDate::is_valid).map(HqDate::into_text)
}

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
    for name in ["date_modified", "@date_modified"] {
        let Some(value) = block.remove(name) else { continue };
        if value == "" {
            block.insert(name.to_owned(), Value::Null);
        } else if let Some(date) = valid_date(value) {
            block.insert(name.to_owned(), Value::from(date));
        }
    }
    for name in ["index", "attachment", "create", "update"] {
        if let Some(part) = block.get_mut(name).filter(|part| !part.is_object()) {
            *part = Value::Null;
        }
    }
    let id = ["@case_id", "case_id"].into_iter().find_map(|name| block.get(name)?.as_str());
    if let Some(id) = id.filter(|id| !id.is_empty() && !case_ids.iter().any(|known| known == id)) {
        case_ids.push(id.to_owned());
    }
}
