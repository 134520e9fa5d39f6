//! The rules of a pillow.

use pillowtop_core::analysis::missing_names;
use pillowtop_core::name::{index_name_problem, pillow_name_problem};
use pillowtop_core::pillow::RESERVED;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, LitStr, Type};

use super::creation::check_settings_creation;
use crate::errors::{Errors, did_you_mean};
use crate::model::PillowModel;
use crate::parse::{PillowReceiver, StructReceiver, StructShape, squeeze};

/// Checks a pillow against all rules; `pillow` is none when its name or alias is missing.
pub(crate) fn check_pillow(
    errors: &Errors,
    receiver: &StructReceiver<'_>,
    attribute: &PillowReceiver,
    pillow: Option<&PillowModel<'_>>,
) {
    let ident = receiver.ident;
    if attribute.span.is_none() {
        if attribute.is_slip() {
            return;
        }
        errors.at(
            ident,
            format!("`{ident}` derives `Pillow` without `#[pillow(…)]`"),
            "write `#[pillow(name = \"…\", alias = \"…\")]`, or remove the derive",
        );
        return;
    }
    check_is_readable(errors, receiver);
    check_is_document(errors, receiver, attribute);
    check_names(errors, receiver, attribute);
    check_reserved(errors, receiver, attribute);
    check_own_fields(errors, receiver, attribute);
    check_companions(errors, receiver, attribute);
    check_settings(errors, pillow);
}

/// A document is read by itself, and what is read may point into its text: only lifetimes may be
/// open. A `&str` cannot be read from a string with escapes, and other references cannot be read
/// from JSON at all.
fn check_is_readable(errors: &Errors, receiver: &StructReceiver<'_>) {
    let mut parameters = receiver.generics.params.iter();
    if let Some(open) = parameters.find(|parameter| !matches!(parameter, GenericParam::Lifetime(_))) {
        errors.at(
            open,
            "a generic struct cannot be a pillow",
            "derive `CouchDocument` alone, and a pillow on a struct of known types",
        );
    }
    for borrowed in receiver.borrowed().filter(|borrowed| !is_raw_json(&borrowed.elem)) {
        errors.at(
            borrowed,
            format!("not every document can be read into a `{}`", squeeze(borrowed)),
            "write `String` or `CowStr<'a>` instead of `&str`, `Vec<T>` instead of `&[T]`",
        );
    }
}

/// Free JSON can be pointed to as it is.
fn is_raw_json(rust_type: &Type) -> bool {
    matches!(rust_type, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "RawValue"))
}

/// Analyzers of the settings file name tokenizers and filters, which somebody has to have.
fn check_settings(errors: &Errors, pillow: Option<&PillowModel<'_>>) {
    let Some(settings) = pillow.and_then(|pillow| pillow.settings.as_ref()) else { return };
    for missing in missing_names(&settings.normal) {
        let meant = did_you_mean(&missing.name, missing.candidates.iter().map(String::as_str));
        errors.at_span(
            settings.span,
            format!("in the pillow's `{}`, {missing}{meant}", settings.shown()),
            format!("define it under `analysis.{}`, or correct the name", missing.kind),
        );
    }
    if let Some(pillow) = pillow {
        check_settings_creation(errors, pillow);
    }
}

/// Whether an item is there, though misspelt, in another attribute or with a value that cannot be
/// read: that is reported.
fn tries_to_say(receiver: &StructReceiver<'_>, attribute: &PillowReceiver, item: &str) -> bool {
    receiver.couch.tries_to_say(item)
        || attribute.meant.contains(&item)
        || receiver.es.items.iter().any(|found| found.name.text == item)
}

/// Only a document of its own has changes to follow.
fn check_is_document(errors: &Errors, receiver: &StructReceiver<'_>, attribute: &PillowReceiver) {
    let ident = receiver.ident;
    let says_couch = !receiver.couch.names.is_empty();
    if !matches!(receiver.shape, StructShape::Named(_)) {
        // That it cannot be a document, the other derive says, if it is meant to be one.
        if !says_couch {
            errors.at(
                ident,
                format!("`{ident}` is not a struct with named fields, so it cannot be a pillow"),
                "use a struct with named fields",
            );
        }
    } else if receiver.couch.doc_types.is_none() && !tries_to_say(receiver, attribute, "doc_type") {
        errors.at(
            ident,
            format!("`{ident}` is a pillow, but not a document: it has no `doc_type`"),
            "write `#[couch(doc_type = \"…\")]`, with the value that its documents have",
        );
    }
}

fn check_names(errors: &Errors, receiver: &StructReceiver<'_>, attribute: &PillowReceiver) {
    let known = [
        (
            "name",
            &attribute.name,
            pillow_name_problem as fn(&str) -> Option<String>,
            "a pillow's name has lower-case letters, digits, `-` and `_`",
        ),
        (
            "alias",
            &attribute.alias,
            index_name_problem,
            "an alias is named like an index: in lower case, without any of `\\/*?\"<>| ,#:%@`",
        ),
    ];
    for (item, literal, problem, help) in known {
        let literal: Option<&LitStr> = literal.as_ref();
        match literal {
            // It is there, in a way that cannot be read, which is reported.
            None if tries_to_say(receiver, attribute, item) => {}
            None => errors.at_span(
                attribute.span.unwrap_or_else(|| receiver.ident.span()),
                format!("`#[pillow(…)]` of `{}` has no `{item}`", receiver.ident),
                format!("write `{item} = \"…\"`"),
            ),
            Some(literal) => {
                if let Some(problem) = problem(&literal.value()) {
                    errors.at(literal, format!("the {item} `{}` {problem}", literal.value()), help);
                }
            }
        }
    }
}

/// The runtime adds an object of this name to each document.
fn check_reserved(errors: &Errors, receiver: &StructReceiver<'_>, attribute: &PillowReceiver) {
    if attribute.transform.is_some() {
        return;
    }
    for field in receiver.fields() {
        if field.serde.skip.is_none()
            && field.serde.flatten.is_none()
            && receiver.written_name(field) == RESERVED
        {
            let span = field.ident.map_or_else(|| field.rust_type.span(), syn::Ident::span);
            errors.at_span(
                span,
                format!("the name `{RESERVED}` is reserved for the runtime: it holds a document's id, revision and database"),
                "rename the field, or its JSON name with `#[serde(rename = \"…\")]`",
            );
        }
    }
}

/// The fields of a filter and of a routing are the struct's; what stands behind them is the
/// compiler's to check. They are recognised by their tokens, so that what else is wrong with the
/// filter hides none of them.
fn check_own_fields(errors: &Errors, receiver: &StructReceiver<'_>, attribute: &PillowReceiver) {
    let names: Vec<String> = receiver.fields().iter().map(crate::parse::FieldReceiver::name).collect();
    let expressions = attribute.filter.iter().chain(&attribute.routing);
    let tokens = expressions.map(ToTokens::to_token_stream).collect();
    each_field_of_self(tokens, &mut |field| {
        let name = field.unraw().to_string();
        if !names.contains(&name) {
            let meant = did_you_mean(&name, names.iter().map(String::as_str));
            let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            errors.at(
                field,
                format!("`{}` has no field `{name}`{meant}", receiver.ident),
                format!("its fields are {}", known.join(", ")),
            );
        }
    });
}

/// Items that say something about another one.
fn check_companions(errors: &Errors, receiver: &StructReceiver<'_>, attribute: &PillowReceiver) {
    let lookup = attribute.lookup.as_ref().map(Spanned::span);
    let lookup_keys = attribute.lookup_keys.as_ref().map(Spanned::span);
    let filter = attribute.filter.as_ref().map(Spanned::span);
    let transform = attribute.transform.as_ref().map(Spanned::span);
    for (item, span, other, other_span) in [
        ("filter_is_immutable", attribute.filter_is_immutable, "filter", filter),
        ("lookup", lookup, "lookup_keys", lookup_keys),
        ("lookup_keys", lookup_keys, "lookup", lookup),
        ("lookup", lookup, "transform", transform),
    ] {
        let Some(span) = span else { continue };
        if other_span.is_none() && !tries_to_say(receiver, attribute, other) {
            errors.at_span(
                span,
                format!("`{item}` has no effect without `{other}`"),
                format!("write `{other} = …` too, or remove it"),
            );
        }
    }
}

/// Calls `one` with each `field` of `self.field`; methods are not fields.
fn each_field_of_self(tokens: TokenStream, one: &mut dyn FnMut(&Ident)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (position, token) in tokens.iter().enumerate() {
        match (token, &tokens[position + 1..]) {
            (TokenTree::Group(group), _) => each_field_of_self(group.stream(), one),
            (TokenTree::Ident(own_self), [TokenTree::Punct(dot), TokenTree::Ident(field), rest @ ..])
                if own_self == "self" && dot.as_char() == '.' =>
            {
                let is_call = matches!(rest.first(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                if !is_call {
                    one(field);
                }
            }
            _ => {}
        }
    }
}
