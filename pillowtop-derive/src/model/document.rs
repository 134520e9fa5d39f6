//! A whole struct or enum: what its derive writes impls of.

use pillowtop_core::field_types::{self, FieldType};
use pillowtop_core::index_field::IndexField;
use serde_json::Value;
use syn::spanned::Spanned;
use syn::{Fields, Generics, Ident};

use super::field;
use super::mapping::{ExplicitMapping, Mapping, Parameter, SortedItems, mappings};
use super::member::{Member, Property};
use super::origin::{Decided, Origin};
use crate::errors::Errors;
use crate::parse::{
    CouchReceiver, EsValue, FieldReceiver, Name, RustType, StructReceiver, StructShape, Unknown, rust_type,
};
use crate::rules::{Rule, Rules};

/// What `#[derive(CouchDocument)]` is of.
pub(crate) struct Document<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) kind: DocumentKind<'a>,
    /// Whether it is an enum that is written as objects, whatever it is mapped as.
    pub(crate) is_enum_of_objects: bool,
}

/// How values of the type are written.
pub(crate) enum DocumentKind<'a> {
    /// As an object whose members are known.
    Object(ObjectModel<'a>),
    /// As one value, or as something that is mapped like one.
    Value(Mapping<'a>),
    /// Not in a way that a mapping follows from, which is reported.
    Unknown,
}

/// A struct with named fields.
pub(crate) struct ObjectModel<'a> {
    pub(crate) members: Vec<Member<'a>>,
    /// Where each of the members comes from.
    pub(crate) origins: Vec<Origin>,
    /// Parameters that any object may have.
    pub(crate) parameters: Vec<Parameter>,
    /// Parameters that only a root may have.
    pub(crate) root_parameters: Vec<Parameter>,
    /// Parameters that a rule gives to a root.
    pub(crate) root_rule: Vec<Parameter>,
    /// With `doc_type`: what its documents are recognised by.
    pub(crate) document: Option<DocumentModel>,
    /// Of a struct that needs no mapping: whether a field has none.
    pub(crate) lacks_mapping: bool,
}

/// `#[couch(...)]` of a document.
pub(crate) struct DocumentModel {
    pub(crate) type_field: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) deleted: Vec<String>,
    pub(crate) database: Option<String>,
    pub(crate) carry_unknown: bool,
    pub(crate) type_is_immutable: bool,
}

impl<'a> Document<'a> {
    /// What a struct or enum means.
    pub(crate) fn of(errors: &Errors, rules: &Rules, receiver: &StructReceiver<'a>) -> Self {
        let sorted = SortedItems::of(errors, &receiver.es);
        if let Some(span) = sorted.skip {
            errors.at_span(span, "`skip` is only allowed on a field", "remove it, or remove the derive");
        }
        let kind = kind(errors, rules, receiver, &sorted);
        // A kind that is unknown is reported already.
        if let (DocumentKind::Value(_), [first, ..]) = (&kind, receiver.couch.names.as_slice()) {
            let help = "put `#[couch(…)]` on a struct with named fields that is written as an object";
            errors.at_span(first.span, "this type is written as one value, so it cannot be a document", help);
        }
        Self {
            ident: receiver.ident,
            generics: receiver.generics,
            kind,
            is_enum_of_objects: receiver.is_enum_of_objects(),
        }
    }
}

fn kind<'a>(
    errors: &Errors,
    rules: &Rules,
    receiver: &StructReceiver<'a>,
    sorted: &SortedItems<'_>,
) -> DocumentKind<'a> {
    if let (Some(path), [], StructShape::Enum(_)) = (&receiver.es.rules, receiver.fields(), &receiver.shape) {
        errors.at(
            path,
            "rules are for the fields of a struct",
            "remove `rules = …`; a rule `type …` can name the enum",
        );
    }
    if let Some(mapping) = sorted.mapping(errors, None) {
        return explicit_at_the_type(errors, mapping);
    }
    if sorted.json.is_some() {
        return DocumentKind::Unknown;
    }
    if let Some(opaque) = receiver.serde.opaque.as_ref().filter(|_| !receiver.is_source) {
        let message =
            format!("`#[serde({})]` writes another type, which this derive does not see", opaque.text);
        errors.at_span(
            opaque.span,
            message,
            "write the type of what it writes at this item, for instance `#[es(keyword)]`",
        );
        return DocumentKind::Unknown;
    }
    match &receiver.shape {
        StructShape::Named(fields) if !receiver.serde.transparent => {
            DocumentKind::Object(object(errors, rules, receiver, fields, sorted))
        }
        StructShape::Named(fields) => single(errors, rules, receiver, fields, sorted),
        StructShape::Tuple(fields) if fields.len() == 1 || receiver.serde.transparent => {
            single(errors, rules, receiver, fields, sorted)
        }
        StructShape::Tuple(_) => refuse(
            errors,
            receiver,
            "a tuple struct is written as a list of unlike values",
            "name its fields",
        ),
        StructShape::Unit => refuse(
            errors,
            receiver,
            "a struct without fields is written as null",
            "give it fields, or remove the derive",
        ),
        StructShape::Union => {
            refuse(errors, receiver, "a union is not written by serde", "use a struct or an enum")
        }
        StructShape::Enum(_) => enumeration(errors, receiver, sorted),
    }
}

/// `#[es(flattened)] struct …`: wherever the type stands, it is mapped so.
fn explicit_at_the_type<'a>(errors: &Errors, mapping: ExplicitMapping<'a>) -> DocumentKind<'a> {
    let Name { text, span } = &mapping.type_name;
    if field_types::field_type(text).is_some_and(FieldType::takes_properties_of_struct) {
        let message = format!("`{text}` belongs at the field that holds the struct");
        errors.at_span(*span, message, format!("write `#[es({text})]` at the field that holds it"));
        return DocumentKind::Unknown;
    }
    DocumentKind::Value(Mapping::Explicit(mapping))
}

fn refuse<'a>(errors: &Errors, receiver: &StructReceiver<'_>, message: &str, help: &str) -> DocumentKind<'a> {
    errors.at(receiver.ident, format!("`{}` has no mapping: {message}", receiver.ident), help);
    DocumentKind::Unknown
}

fn object<'a>(
    errors: &Errors,
    rules: &Rules,
    receiver: &StructReceiver<'a>,
    fields: &[FieldReceiver<'a>],
    sorted: &SortedItems<'_>,
) -> ObjectModel<'a> {
    let mut lacks_mapping = receiver.is_source && receiver.serde.opaque.is_some();
    let of_field = |field: &FieldReceiver<'a>| {
        let found = Errors::new();
        let member = field::member(&found, rules, receiver, field);
        if receiver.is_source && field.es.span.is_none() {
            lacks_mapping |= found.forget();
        } else {
            errors.take(&found);
        }
        member
    };
    let (mut members, mut origins): (Vec<Member<'a>>, Vec<Origin>) =
        fields.iter().filter_map(of_field).unzip();
    if let Some(tag) = &receiver.serde.tag {
        let name = Name { text: tag.value(), span: tag.span() };
        let mapping = Mapping::Explicit(keyword(tag.span()));
        members.push(Member::Property(Property { name, mapping, perhaps_object: None }));
        origins.push(Origin::of_no_field(Decided::Serde));
    }
    let (mut parameters, mut root_parameters) = (Vec::new(), Vec::new());
    for item in &sorted.parameters {
        match &item.value {
            // Properties that no field has: targets of `copy_to`, aliases.
            EsValue::Object(inner, _) if item.name.text == "properties" => {
                for (name, mapping) in mappings(errors, inner) {
                    let mapping = Mapping::Explicit(mapping);
                    members.push(Member::Property(Property { name, mapping, perhaps_object: None }));
                    origins.push(Origin::of_no_field(Decided::Attribute));
                }
            }
            _ => {
                let parameter = Parameter::of(errors, item);
                if is_object_parameter(&parameter.name.text) {
                    parameters.push(parameter);
                } else {
                    root_parameters.push(parameter);
                }
            }
        }
    }
    let root_rule = rules.of_root().map(|rule| root_rule(errors, rule)).unwrap_or_default();
    let document = document(errors, &receiver.couch);
    ObjectModel { members, origins, parameters, root_parameters, root_rule, document, lacks_mapping }
}

/// The parameters that a rule gives to the root of an index.
pub(crate) fn root_rule(errors: &Errors, rule: &Rule) -> Vec<Parameter> {
    SortedItems::of(errors, &rule.es).parameters.iter().map(|item| Parameter::of(errors, item)).collect()
}

fn is_object_parameter(name: &str) -> bool {
    field_types::field_type("object").is_some_and(|object| object.parameter(name).is_some())
}

fn document(errors: &Errors, couch: &CouchReceiver) -> Option<DocumentModel> {
    let Some(types) = &couch.doc_types else {
        for Name { text, span } in couch.names.iter().filter(|_| !couch.tries_to_say("doc_type")) {
            let message = format!("`{text}` has no effect without `doc_type`");
            errors.at_span(
                *span,
                message,
                format!("write `#[couch(doc_type = \"…\", {text} …)]`, or remove it"),
            );
        }
        return None;
    };
    let values = |texts: &[syn::LitStr]| texts.iter().map(syn::LitStr::value).collect::<Vec<_>>();
    Some(DocumentModel {
        type_field: couch.type_field.as_ref().map(syn::LitStr::value),
        types: values(types),
        deleted: couch.deleted.as_deref().map(values).unwrap_or_default(),
        database: couch.database.as_ref().map(syn::LitStr::value),
        carry_unknown: couch.unknown.is_some_and(|(unknown, _)| unknown == Unknown::Carry),
        type_is_immutable: couch.doc_type_is_immutable.is_some(),
    })
}

/// A newtype or a transparent struct: mapped as the one field it has.
fn single<'a>(
    errors: &Errors,
    rules: &Rules,
    receiver: &StructReceiver<'a>,
    fields: &[FieldReceiver<'a>],
    sorted: &SortedItems<'_>,
) -> DocumentKind<'a> {
    no_parameters(errors, sorted, "write `#[es(…)]` at the field inside");
    let written: Vec<&FieldReceiver<'a>> = fields
        .iter()
        .filter(|field| field.serde.skip.is_none() && rust_type(field.rust_type) != RustType::Nothing)
        .collect();
    let [field] = written.as_slice() else {
        return refuse(
            errors,
            receiver,
            "no single field is written",
            "name its fields, or remove the derive",
        );
    };
    let inner = SortedItems::of(errors, &field.es);
    if let Some(span) = inner.skip {
        errors.at_span(
            span,
            "the only field of a newtype cannot be skipped",
            "skip the field that holds this struct instead",
        );
        return DocumentKind::Unknown;
    }
    let span = field.es.span.unwrap_or_else(|| field.rust_type.span());
    field::mapping(errors, rules, field, None, &inner, span)
        .map_or(DocumentKind::Unknown, |(mapping, _)| DocumentKind::Value(mapping))
}

fn enumeration<'a>(
    errors: &Errors,
    receiver: &StructReceiver<'a>,
    sorted: &SortedItems<'_>,
) -> DocumentKind<'a> {
    const HELP: &str = "write at the enum what it is mapped as, for instance `#[es(flattened)]` or `#[es(object, enabled = false)]`; if it is only flattened into a struct, remove the derive and write `#[es(skip)]` there";
    no_parameters(errors, sorted, HELP);
    let StructShape::Enum(variants) = &receiver.shape else { return DocumentKind::Unknown };
    if let Some(tagging) = &receiver.serde.tagging {
        let message = format!("an enum with `#[serde({})]` is written in more than one shape", tagging.text);
        errors.at_span(tagging.span, message, HELP);
        return DocumentKind::Unknown;
    }
    let with_data = variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit));
    if let Some(variant) = with_data {
        let message = format!(
            "variant `{}` carries data, so the enum is written in more than one shape",
            variant.ident
        );
        errors.at(&variant.ident, message, HELP);
        return DocumentKind::Unknown;
    }
    DocumentKind::Value(Mapping::Explicit(keyword(receiver.ident.span())))
}

fn no_parameters(errors: &Errors, sorted: &SortedItems<'_>, help: &str) {
    if let Some(item) = sorted.parameters.first() {
        errors.at_span(item.name.span, format!("`{}` only applies to objects", item.name.text), help);
    }
}

/// What strings are by default.
fn keyword<'a>(span: proc_macro2::Span) -> ExplicitMapping<'a> {
    let parameters = String::FIELD.parameters.iter().map(|parameter| {
        Parameter::implied(parameter.name, serde_json::from_str(parameter.json).unwrap_or(Value::Null), span)
    });
    ExplicitMapping::leaf("keyword", span, parameters.collect())
}
