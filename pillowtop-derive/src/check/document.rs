//! The rules of a document struct.

use pillowtop_core::name::database_name_problem;
use proc_macro2::Span;
use serde_json::Value;
use syn::LitStr;

use super::{parameters, shapes};
use crate::errors::Errors;
use crate::model::{Document, DocumentKind, Mapping, Member, ObjectModel};
use crate::parse::{CouchReceiver, FieldReceiver, Name, RustType, StructReceiver, element, rust_type};

/// Checks a struct against all rules. Returns whether it has a mapping: one that is never indexed
/// needs none.
pub(crate) fn check_document(
    errors: &Errors,
    receiver: &StructReceiver<'_>,
    document: &Document<'_>,
) -> bool {
    check_couch(errors, &receiver.couch);
    check_unknown(errors, receiver);
    let not_needed = Errors::new();
    // What is wrong with an attribute is an error in any case; what has no mapping without one, only
    // where a mapping is needed.
    let unmapped = if receiver.is_source { &not_needed } else { errors };
    let mut has_mapping = true;
    match &document.kind {
        DocumentKind::Unknown => has_mapping = false,
        DocumentKind::Value(mapping) => {
            parameters::check_mapping(errors, mapping);
            if receiver.is_enum_of_objects() {
                shapes::check_enum(errors, document.ident, mapping);
            }
            shapes::check_default(errors, mapping);
            if let Mapping::Default(inside) = mapping {
                shapes::check_inside(errors, document.ident, inside);
            }
        }
        DocumentKind::Object(object) => {
            for (member, origin) in object.members.iter().zip(&object.origins) {
                if let Member::Property(property) = member {
                    errors.noted(origin.note().as_deref(), |errors| {
                        parameters::check_mapping(errors, &property.mapping);
                    });
                    shapes::check_default(unmapped, &property.mapping);
                }
            }
            parameters::check_object(errors, object);
            shapes::check_recursion(unmapped, document.ident, object);
            check_names(unmapped, object);
            check_flatten(errors, unmapped, receiver, object);
            has_mapping = !object.lacks_mapping;
        }
    }
    has_mapping & !not_needed.forget()
}

/// A member that nobody named is carried along or left out, at every depth. Were it an error, one
/// new member would make every document a dead letter.
fn check_unknown(errors: &Errors, receiver: &StructReceiver<'_>) {
    let Some(Name { span, .. }) = &receiver.serde.denies_unknown else { return };
    let message = "`deny_unknown_fields` makes a dead letter of every document with a member that this struct does not name";
    let help = if receiver.couch.doc_types.is_some() {
        "remove it: such members are left out of the index, or carried along with `#[couch(unknown = carry)]`"
    } else {
        "remove it: such members are left out, or carried along where the document has `#[couch(unknown = carry)]`"
    };
    errors.at_span(*span, message, help);
}

/// Names and strings that `CouchDB` would not take, or that say two things.
fn check_couch(errors: &Errors, couch: &CouchReceiver) {
    if let Some(database) = &couch.database
        && let Some(problem) = database_name_problem(&database.value())
    {
        let help = "CouchDB's names begin with a letter and have lower-case letters, digits and `_$()+-/`";
        errors.at(database, format!("the database name `{}` {problem}", database.value()), help);
    }
    let types = couch.doc_types.as_deref().unwrap_or_default();
    let deleted = couch.deleted.as_deref().unwrap_or_default();
    let all: Vec<&LitStr> = types.iter().chain(deleted).collect();
    for (position, text) in all.iter().enumerate() {
        if text.value().is_empty() {
            errors.at(text, "the document type is empty", "write the value that the documents have");
        } else if all[..position].iter().any(|other| other.value() == text.value()) {
            errors.at(text, format!("duplicate document type `{}`", text.value()), "remove one of them");
        }
    }
    if let Some(field) = &couch.type_field
        && field.value().is_empty()
    {
        errors.at(
            field,
            "`type_field` expects the name of a member",
            "write `type_field = \"doc_type\"`, or leave it out",
        );
    }
}

/// Names that an index cannot have, or that two fields have.
fn check_names(errors: &Errors, object: &ObjectModel<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for member in &object.members {
        let Member::Property(property) = member else { continue };
        let (text, span) = (property.name.text.as_str(), property.name.span);
        if text.trim().is_empty() {
            errors.at_span(span, "the JSON name is empty", "name it, or leave it out with `#[es(skip)]`");
        } else if text.contains('.') && !keeps_dots(object) {
            errors.at_span(
                span,
                format!("the JSON name `{text}` contains a dot, which servers read as a path"),
                "write `#[es(subobjects = false)]` at the struct to keep such names as they are, or rename the field, here or in a transform",
            );
        } else if seen.contains(&text) {
            errors.at_span(
                span,
                format!("two fields have the JSON name `{text}`"),
                "rename one with `#[serde(rename = \"…\")]`, or leave one out with `#[es(skip)]`",
            );
        }
        seen.push(text);
    }
}

/// Whether the index leaves names with dots as they are.
fn keeps_dots(object: &ObjectModel<'_>) -> bool {
    object.parameters.iter().chain(&object.root_parameters).any(|parameter| {
        matches!(
            (parameter.name.text.as_str(), parameter.json()),
            ("subobjects", Value::Bool(false)) | ("disable_objects", Value::Bool(true))
        )
    })
}

/// A flattened map has no mapping, and flattening takes the members that `carry` would keep. One
/// error tells all of it.
fn check_flatten(
    errors: &Errors,
    unmapped: &Errors,
    receiver: &StructReceiver<'_>,
    object: &ObjectModel<'_>,
) {
    let is_map =
        |field: &FieldReceiver<'_>| matches!(rust_type(field.rust_type), RustType::Map | RustType::AnyJson);
    let flattened = || receiver.fields().iter().filter(|field| field.serde.flatten.is_some());
    let carries = object.document.as_ref().is_some_and(|document| document.carry_unknown);
    if let (true, Some(first)) = (carries, flattened().next()) {
        let help = if flattened().all(is_map) {
            "remove the flattened field: `unknown = carry` carries its members along"
        } else {
            "write `unknown = drop`; and `#[es(skip)]` at a flattened enum or map, which then stays in `_source` alone"
        };
        let message = "`unknown = carry` has no effect: `flatten` already takes every unknown member";
        errors.at_span(first.serde.flatten.unwrap_or_else(Span::call_site), message, help);
        return;
    }
    for field in flattened().filter(|field| is_map(field)) {
        let is_mapped = object
            .members
            .iter()
            .any(|member| matches!(member, Member::Flatten(whole) if std::ptr::eq(*whole, field.rust_type)));
        if is_mapped {
            let help = if receiver.couch.doc_types.is_some() {
                "replace it by `#[couch(unknown = carry)]`, which carries unknown members along, or write `#[es(skip)]` here"
            } else {
                "write `#[es(skip)]` here: its members stay in `_source` and are not indexed"
            };
            unmapped.at(
                element(field.rust_type),
                "a flattened map has no mapping, and makes serde buffer every member",
                help,
            );
        }
    }
}
