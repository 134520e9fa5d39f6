//! The rules of a pillow.

use pillowtop_core::analysis::missing_names;
use pillowtop_core::name::{index_name_problem, pillow_name_problem};
use pillowtop_core::pillow::RESERVED;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{GenericParam, LitStr};

use crate::errors::{Errors, did_you_mean};
use crate::model::PillowModel;
use crate::parse::{PillowReceiver, StructReceiver, StructShape, is_borrowed_text, layers};

/// Checks a pillow against all rules; `pillow` is none when its name or alias is missing.
pub(crate) fn check_pillow(
    errors: &Errors,
    receiver: &StructReceiver<'_>,
    attribute: &PillowReceiver,
    pillow: Option<&PillowModel<'_>>,
) {
    let ident = receiver.ident;
    if attribute.span.is_none() {
        errors.at(
            ident,
            format!("`{ident}` derives `Pillow` without `#[pillow(…)]`"),
            "write `#[pillow(name = \"…\", alias = \"…\")]`, or remove the derive",
        );
        return;
    }
    check_generics(errors, receiver);
    check_is_document(errors, receiver);
    check_names(errors, receiver, attribute);
    check_reserved(errors, receiver, attribute);
    check_filter_fields(errors, receiver, pillow);
    check_settings(errors, pillow);
}

/// A pillow's document is read by itself, so that only what it borrows may be open.
fn check_generics(errors: &Errors, receiver: &StructReceiver<'_>) {
    let open =
        receiver.generics.params.iter().find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    if let Some(open) = open {
        errors.at(
            open,
            format!("`{}` is generic, so it cannot be a pillow", receiver.ident),
            "derive `CouchDocument` alone, and a pillow on a struct of known types",
        );
    }
    for field in receiver.fields() {
        if layers(field.rust_type).any(is_borrowed_text) {
            errors.at(
                field.rust_type,
                "a document whose text here has escapes could not be read into a `&str`",
                "write `CowStr<'a>`, which points into the document where it can",
            );
        }
    }
}

/// Analyzers of the settings file name tokenizers and filters, which somebody has to have.
fn check_settings(errors: &Errors, pillow: Option<&PillowModel<'_>>) {
    let Some(settings) = pillow.and_then(|pillow| pillow.settings.as_ref()) else { return };
    for missing in missing_names(&settings.normal) {
        let meant = did_you_mean(&missing.name, missing.candidates.iter().map(String::as_str));
        errors.at_span(
            settings.span,
            format!("the settings `{}`: {missing}{meant}", settings.shown()),
            format!("define it under `analysis.{}`, or correct the name", missing.kind),
        );
    }
}

/// Only a document of its own has changes to follow.
fn check_is_document(errors: &Errors, receiver: &StructReceiver<'_>) {
    let ident = receiver.ident;
    if !matches!(receiver.shape, StructShape::Named(_)) {
        errors.at(
            ident,
            format!("`{ident}` is no struct with named fields, so it cannot be a pillow"),
            "use a struct with named fields",
        );
    } else if receiver.couch.doc_types.is_none() && !receiver.couch.meant.contains(&"doc_type") {
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
            // It is there, misspelt, which is reported.
            None if attribute.meant.contains(&item) => {}
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
                format!("the name `{RESERVED}` is the runtime's own: it holds a document's id, revision and database"),
                "rename the field, or its JSON name with `#[serde(rename = \"…\")]`",
            );
        }
    }
}

/// A filter's fields are the struct's; what stands behind them is the compiler's to check.
fn check_filter_fields(errors: &Errors, receiver: &StructReceiver<'_>, pillow: Option<&PillowModel<'_>>) {
    let Some(filter) = pillow.and_then(|pillow| pillow.filter.as_ref()) else { return };
    let names: Vec<String> = receiver.fields().iter().map(crate::parse::FieldReceiver::name).collect();
    filter.filter.each_field(&mut |path| {
        let root = path.root().unraw().to_string();
        if !names.contains(&root) {
            let meant = did_you_mean(&root, names.iter().map(String::as_str));
            let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            errors.at(
                path.root(),
                format!("`{}` has no field `{root}`{meant}", receiver.ident),
                format!("its fields are {}", known.join(", ")),
            );
        }
    });
}
