//! `#[derive(CouchDocument)]`: the way from a struct's tokens to its impls.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::check::check_document;
use crate::errors::Errors;
use crate::expand::{expand_document, expand_mapping, expand_source, fallback_document, fallback_mapping};
use crate::facade::Facade;
use crate::model::Document;
use crate::parse::StructReceiver;
use crate::rules::Rules;

/// The impls of a struct, or all its errors and placeholder impls.
pub(crate) fn derive(rules: &Rules, facade: &Facade, input: &DeriveInput) -> TokenStream {
    let errors = Errors::new();
    let receiver = StructReceiver::parse(&errors, input);
    let (document, has_mapping) = document(&errors, rules, &receiver);
    let mut code = if errors.is_empty() && receiver.is_source {
        expand_source(facade, &document, has_mapping)
    } else if errors.is_empty() {
        expand_document(facade, &document)
    } else {
        fallback_document(facade, &input.ident, &input.generics)
    };
    code.extend(errors.finish());
    code
}

/// The mapping of a struct alone as an expression, or all its errors and an empty mapping.
pub(crate) fn mapping(rules: &Rules, facade: &Facade, input: &DeriveInput) -> TokenStream {
    let errors = Errors::new();
    let receiver = StructReceiver::parse(&errors, input);
    let (document, _) = document(&errors, rules, &receiver);
    let mapping = expand_mapping(facade, &document).filter(|_| errors.is_empty());
    let (mapping, errors) = (mapping.unwrap_or_else(fallback_mapping), errors.finish());
    quote!({ #errors #mapping })
}

/// What a struct means, and whether it has a mapping.
fn document<'a>(errors: &Errors, rules: &Rules, receiver: &StructReceiver<'a>) -> (Document<'a>, bool) {
    let document = Document::of(errors, rules, receiver);
    let has_mapping = check_document(errors, receiver, &document);
    (document, has_mapping)
}
