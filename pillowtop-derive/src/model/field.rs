//! What one field of a struct becomes.

use pillowtop_core::field_types;
use pillowtop_core::index_field::default_field;
use pillowtop_core::source::is_couch_member;
use proc_macro2::Span;
use serde_json::Value;
use syn::Type;
use syn::spanned::Spanned;

use super::mapping::{Contents, ExplicitMapping, Mapping, Parameter, SortedItems};
use super::member::{Member, Property};
use super::origin::{Decided, Origin};
use crate::errors::Errors;
use crate::parse::{FieldReceiver, Name, RustType, StructReceiver, element, mentions, rust_type};
use crate::rules::{Kind, Rule, Rules, Subject};

/// The member that a field adds to its struct's mapping, and where it comes from; none if it is
/// left out.
pub(crate) fn member<'a>(
    errors: &Errors,
    rules: &Rules,
    container: &StructReceiver<'a>,
    field: &FieldReceiver<'a>,
) -> Option<(Member<'a>, Origin)> {
    let sorted = SortedItems::of(errors, &field.es);
    let location = field.ident.map_or_else(|| field.rust_type.span(), syn::Ident::span);
    let span = field.es.span.unwrap_or(location);
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
        return Some((Member::Flatten(field.rust_type), Origin::of(field, Decided::Serde)));
    }
    let name = Name {
        text: container.written_name(field),
        span: field.serde.rename.as_ref().map_or(location, syn::LitStr::span),
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
    let (mapping, decided) = mapping(errors, rules, field, Some(&name.text), &sorted, span)?;
    let perhaps_object = perhaps_object(container, field);
    Some((Member::Property(Property { name, mapping, perhaps_object }), Origin::of(field, decided)))
}

/// The type in a field if only the compiler can tell whether it is a struct.
fn perhaps_object<'a>(container: &StructReceiver<'a>, field: &FieldReceiver<'a>) -> Option<&'a Type> {
    let inside = element(field.rust_type);
    let depends = |name: &syn::Ident| mentions(inside, name);
    let is_known = rust_type(inside) != RustType::Other
        || field.serde.with.is_some()
        || !matches!(inside, Type::Path(_))
        || depends(&syn::Ident::new("Self", inside.span()))
        || container.generics.type_params().any(|parameter| depends(&parameter.ident))
        || container.generics.lifetimes().next().is_some();
    (!is_known).then_some(inside)
}

/// How a field is mapped, and what decided it; none if nothing of it is indexed, or an error was
/// reported.
pub(crate) fn mapping<'a>(
    errors: &Errors,
    rules: &Rules,
    field: &FieldReceiver<'a>,
    json_name: Option<&str>,
    sorted: &SortedItems<'_>,
    span: Span,
) -> Option<(Mapping<'a>, Decided)> {
    let whole = field.rust_type;
    if sorted.type_name.is_some() || sorted.json.is_some() {
        let explicit = sorted.mapping(errors, Some(whole))?;
        return Some((Mapping::Explicit(explicit), Decided::Attribute));
    }
    let is_written_by_function = field.serde.with.is_some();
    let subject = Subject { rust_type: Some(whole), json_name, is_written_by_function };
    if let Some(rule) = rules.of_field(&subject) {
        return by_rule(errors, rule, field, json_name, sorted, span);
    }
    let decided = if sorted.parameters.is_empty() { Decided::Default } else { Decided::AttributeOverDefault };
    if let Some((name, path)) = &field.serde.with {
        let explicit = written_by_module(errors, sorted, name, &path.value())?;
        return Some((Mapping::Explicit(explicit), Decided::Serde));
    }
    if sorted.parameters.is_empty() {
        return (rust_type(whole) != RustType::Nothing).then_some((Mapping::Default(whole), decided));
    }
    Some((Mapping::Explicit(parameters_alone(errors, whole, sorted, span)?), decided))
}

/// What a rule says, with the parameters of an attribute before its own.
fn by_rule<'a>(
    errors: &Errors,
    rule: &Rule,
    field: &FieldReceiver<'a>,
    json_name: Option<&str>,
    attribute: &SortedItems<'_>,
    span: Span,
) -> Option<(Mapping<'a>, Decided)> {
    // What is wrong with a rule alone is reported where the rules stand.
    let ruled = SortedItems::of(errors, &rule.es);
    let matcher = &rule.matcher;
    let merged = attribute.over(&ruled);
    let explicit = attribute.parameters.len();
    let decided = match attribute.parameters.first() {
        None => Decided::Rule(matcher.to_string()),
        Some(first) if ruled.skip.is_some() || ruled.json.is_some() => {
            let message = format!(
                "the rule `{matcher}` has no parameters that `{}` could be added to",
                first.name.text
            );
            errors.at_span(first.name.span, message, "write the type before it, which comes before the rule");
            return None;
        }
        Some(_) => Decided::AttributeOverRule(matcher.to_string()),
    };
    if ruled.skip.is_some() {
        if json_name.is_none() {
            let message = format!("the rule `{matcher}` leaves out all there is to map");
            errors.at_span(span, message, "write `#[es(…)]` at the field, which comes before the rule");
        }
        return None;
    }
    let whole = field.rust_type;
    if matches!(matcher.kind, Kind::Objects) && explicit == 0 {
        let parameters = merged.parameters.iter().map(|item| Parameter::of(errors, item)).collect();
        return Some((Mapping::Objects(whole, parameters), Decided::ObjectsRule(matcher.to_string())));
    }
    let mapping = if merged.type_name.is_some() || merged.json.is_some() {
        merged.mapping(errors, Some(whole))
    } else if let Some((name, path)) = &field.serde.with {
        written_by_module(errors, &merged, name, &path.value())
    } else {
        parameters_alone(errors, whole, &merged, rule.span)
    };
    Some((Mapping::Explicit(ExplicitMapping { explicit_count: Some(explicit), ..mapping? }), decided))
}

/// A function of the user's decides what is written, so its name is all there is to go by.
fn written_by_module<'a>(
    errors: &Errors,
    sorted: &SortedItems<'_>,
    name: &Name,
    path: &str,
) -> Option<ExplicitMapping<'a>> {
    let is_binary = path.split("::").any(|segment| segment == "serde_bytes" || segment.contains("base64"));
    if is_binary {
        let parameters = sorted.parameters.iter().map(|item| Parameter::of(errors, item)).collect();
        return Some(ExplicitMapping::leaf("binary", name.span, parameters));
    }
    errors.at_span(
        name.span,
        format!("what `{path}` writes is not known from the field's type"),
        "write the type of what it writes, for instance `#[es(keyword)]` or `#[es(date)]`",
    );
    None
}

/// What a rule of parameters alone says of a type.
pub(crate) fn rule_of_parameters<'a>(
    errors: &Errors,
    whole: &'a Type,
    rule: &Rule,
) -> Option<ExplicitMapping<'a>> {
    parameters_alone(errors, whole, &SortedItems::of(&Errors::silent(), &rule.es), rule.span)
}

/// `#[es(ignore_above = 100)]`: the default of the Rust type with some parameters changed.
fn parameters_alone<'a>(
    errors: &Errors,
    whole: &'a Type,
    sorted: &SortedItems<'_>,
    span: Span,
) -> Option<ExplicitMapping<'a>> {
    let mut explicit: Vec<Parameter> =
        sorted.parameters.iter().map(|item| Parameter::of(errors, item)).collect();
    if let Some((type_name, defaults)) = default_of(whole) {
        let defaults = defaults
            .into_iter()
            .filter(|(name, _)| !explicit.iter().any(|parameter| parameter.name.text == *name));
        let defaults: Vec<Parameter> =
            defaults.map(|(name, value)| Parameter::implied(name, value, span)).collect();
        explicit.extend(defaults);
        return Some(ExplicitMapping::leaf(type_name, span, explicit));
    }
    let object = field_types::field_type("object")?;
    if rust_type(whole) == RustType::Other
        && explicit.iter().all(|parameter| object.parameter(&parameter.name.text).is_some())
    {
        let type_name = Name { text: "object".to_owned(), span };
        return Some(ExplicitMapping {
            type_name,
            parameters: explicit,
            contents: Contents::OfStruct(whole),
            is_checked: true,
            explicit_count: None,
        });
    }
    errors.at_span(
        sorted.parameters.first().map_or(span, |item| item.name.span),
        "parameters without a field type, and the Rust type has no default one",
        "write the type before them, for instance `#[es(keyword, ignore_above = 100)]`",
    );
    None
}

/// The default of a Rust type that is known by its tokens.
fn default_of(whole: &Type) -> Option<(&'static str, Vec<(&'static str, Value)>)> {
    let Type::Path(path) = element(whole) else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    // A type of that name may be another one if it has parameters.
    let field = default_field(&name).filter(|_| rust_type(whole) != RustType::Other)?;
    let parameters = field
        .parameters
        .iter()
        .map(|parameter| (parameter.name, serde_json::from_str(parameter.json).unwrap_or(Value::Null)));
    Some((field.type_name, parameters.collect()))
}
