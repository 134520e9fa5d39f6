//! `#[derive(CouchDocument)]`: the way from a struct's tokens to its impls.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::check::check_document;
use crate::errors::Errors;
use crate::expand::{expand_document, fallback_document};
use crate::model::Document;
use crate::parse::StructReceiver;
use crate::rules::Rules;

/// The impls of a struct, or all its errors and impls that say nothing.
pub(crate) fn derive(rules: &Rules, input: &DeriveInput) -> TokenStream {
    let errors = Errors::new();
    let receiver = StructReceiver::parse(&errors, input);
    let document = Document::of(&errors, rules, &receiver);
    check_document(&errors, &receiver, &document);
    let mut code = if errors.is_empty() {
        expand_document(&document)
    } else {
        fallback_document(&input.ident, &input.generics)
    };
    code.extend(errors.finish());
    code
}
