//! What one field of a struct becomes.

use pillowtop_core::field_types;
use pillowtop_core::index_field::IndexField;
use pillowtop_core::source::is_couch_member;
use pillowtop_core::tree::Field;
use proc_macro2::Span;
use serde_json::Value;
use syn::Type;
use syn::spanned::Spanned;

use super::document::{Member, Property};
use super::mapping::{Contents, Mapping, Parameter, SaidMapping, SortedItems};
use crate::errors::Errors;
use crate::parse::{FieldReceiver, Name, RustType, StructReceiver, rust_type};

/// The member that a field adds to its struct's mapping; none if it is left out.
pub(crate) fn member<'a>(
    errors: &Errors,
    container: &StructReceiver<'a>,
    field: &FieldReceiver<'a>,
) -> Option<Member<'a>> {
    let sorted = SortedItems::of(errors, &field.es);
    let place = field.ident.map_or_else(|| field.rust_type.span(), syn::Ident::span);
    let span = field.es.span.unwrap_or(place);
    if sorted.skip.is_some() {
        return None;
    }
    if let Some(skip) = &field.serde.skip {
        if !sorted.is_empty() {
            let message =
                format!("this field is never written (`#[serde({})]`), so it cannot be mapped", skip.text);
            errors.at_span(span, message, "remove `#[es(…)]`, or let serde write the field");
        }
        return None;
    }
    if field.serde.flatten.is_some() {
        if !sorted.is_empty() {
            errors.at_span(
                span,
                "a flattened field has no mapping of its own",
                "remove `#[es(…)]`, or write it at the fields of the flattened struct",
            );
        }
        return Some(Member::Flatten(field.rust_type));
    }
    let name = Name {
        text: container.written_name(field),
        span: field.serde.rename.as_ref().map_or(place, syn::LitStr::span),
    };
    if container.couch.doc_types.is_some() && is_couch_member(&name.text) {
        if !sorted.is_empty() {
            errors.at_span(
                span,
                format!("`{}` is CouchDB's own and never indexed", name.text),
                "remove `#[es(…)]`; the id and the revision are in `pillowtop.id` and `pillowtop.rev`",
            );
        }
        return None;
    }
    let mapping = mapping(errors, field, &sorted, span)?;
    Some(Member::Property(Property { name, mapping }))
}

/// How a field is mapped; none if nothing of it is indexed, or an error was reported.
pub(crate) fn mapping<'a>(
    errors: &Errors,
    field: &FieldReceiver<'a>,
    sorted: &SortedItems<'_>,
    span: Span,
) -> Option<Mapping<'a>> {
    if sorted.type_name.is_some() || sorted.json.is_some() {
        return sorted.mapping(errors, Some(field.rust_type)).map(Mapping::Said);
    }
    if let Some((name, path)) = &field.serde.with {
        return written_by_module(errors, sorted, name, &path.value()).map(Mapping::Said);
    }
    if sorted.parameters.is_empty() {
        return (rust_type(field.rust_type) != RustType::Nothing)
            .then_some(Mapping::Default(field.rust_type));
    }
    parameters_alone(errors, field.rust_type, sorted, span).map(Mapping::Said)
}

/// A function of the user's decides what is written, so its name is all there is to go by.
fn written_by_module<'a>(
    errors: &Errors,
    sorted: &SortedItems<'_>,
    name: &Name,
    path: &str,
) -> Option<SaidMapping<'a>> {
    let is_binary = path.split("::").any(|segment| segment == "serde_bytes" || segment.contains("base64"));
    if is_binary {
        let parameters = sorted.parameters.iter().map(|item| Parameter::of(errors, item)).collect();
        return Some(SaidMapping::leaf("binary", name.span, parameters));
    }
    errors.at_span(
        name.span,
        format!("what `{path}` writes is not known from the field's type"),
        "write the type of what it writes, for instance `#[es(keyword)]` or `#[es(date)]`",
    );
    None
}

/// `#[es(ignore_above = 100)]`: the default of the Rust type with some parameters changed.
fn parameters_alone<'a>(
    errors: &Errors,
    whole: &'a Type,
    sorted: &SortedItems<'_>,
    span: Span,
) -> Option<SaidMapping<'a>> {
    let mut said: Vec<Parameter> = sorted.parameters.iter().map(|item| Parameter::of(errors, item)).collect();
    if let Some((type_name, defaults)) = default_of(whole) {
        let defaults = defaults
            .into_iter()
            .filter(|(name, _)| !said.iter().any(|parameter| parameter.name.text == *name));
        let defaults: Vec<Parameter> =
            defaults.map(|(name, value)| Parameter::implied(name, value, span)).collect();
        said.extend(defaults);
        return Some(SaidMapping::leaf(type_name, span, said));
    }
    let object = field_types::field_type("object")?;
    if rust_type(whole) == RustType::Other
        && said.iter().all(|parameter| object.parameter(&parameter.name.text).is_some())
    {
        let type_name = Name { text: "object".to_owned(), span };
        return Some(SaidMapping {
            type_name,
            parameters: said,
            contents: Contents::OfStruct(whole),
            is_checked: true,
        });
    }
    errors.at_span(
        sorted.parameters.first().map_or(span, |item| item.name.span),
        "parameters stand here without a type, and none follows from the Rust type alone",
        "write the type before them, for instance `#[es(keyword, ignore_above = 100)]`",
    );
    None
}

/// The default of a Rust type that is known by its tokens; core's impls are the table where this crate can see them.
fn default_of(whole: &Type) -> Option<(&'static str, Vec<(&'static str, Value)>)> {
    let name = match crate::parse::element(whole) {
        Type::Path(path) => path.path.segments.last()?.ident.to_string(),
        _ => return None,
    };
    let field: Field = match (rust_type(whole), name.as_str()) {
        (RustType::Text | RustType::Uuid, _) => String::FIELD,
        (RustType::Boolean, _) => bool::FIELD,
        (RustType::Integer, "i8") => i8::FIELD,
        (RustType::Integer, "i16") => i16::FIELD,
        (RustType::Integer, "i32") => i32::FIELD,
        (RustType::Integer, "u8") => u8::FIELD,
        (RustType::Integer, "u16") => u16::FIELD,
        (RustType::Integer, "u32") => u32::FIELD,
        (RustType::Integer, "u64") => u64::FIELD,
        (RustType::Integer, _) => i64::FIELD,
        (RustType::Float, "f32") => f32::FIELD,
        (RustType::Float, _) => f64::FIELD,
        (RustType::IpAddress, _) => std::net::IpAddr::FIELD,
        (RustType::Instant, _) => {
            return Some(("date", vec![("format", Value::from("strict_date_optional_time_nanos"))]));
        }
        (RustType::Date, _) => return Some(("date", vec![("format", Value::from("strict_date"))])),
        _ => return None,
    };
    let parameters = field
        .parameters
        .iter()
        .map(|parameter| (parameter.name, serde_json::from_str(parameter.json).unwrap_or(Value::Null)));
    Some((field.type_name, parameters.collect()))
}
