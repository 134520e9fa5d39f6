//! The derives of pillowtop: parse → model → check → expand, one folder each. Users link the facade `pillowtop`.

mod errors;
mod idents;
mod rules;

mod parse;

mod model;

mod committed;
mod filter;

mod check;

mod expand;

mod document;
mod pillow;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::committed::Crate;
use crate::rules::Rules;

/// A struct's mapping: `#[couch(...)]` says what a document is, `#[es(...)]` how a field is mapped. See the attribute reference.
#[proc_macro_derive(CouchDocument, attributes(couch, es, serde))]
pub fn derive_couch_document(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    or_report(|| document::derive(&Rules::default(), &input))
}

/// A named consumer of changes with an index: `#[pillow(...)]`. See the attribute reference.
#[proc_macro_derive(Pillow, attributes(pillow, couch, es, serde))]
pub fn derive_pillow(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    or_report(|| pillow::derive(&Rules::default(), &input, Crate::of_environment().as_ref()))
}

/// A panic of a macro is a bug, and hides what the compiler would otherwise say.
fn or_report(derive: impl FnOnce() -> proc_macro2::TokenStream) -> TokenStream {
    let outcome = catch_unwind(AssertUnwindSafe(derive));
    outcome.map_or_else(|cause| report(cause.as_ref()).into(), Into::into)
}

fn report(cause: &(dyn std::any::Any + Send)) -> proc_macro2::TokenStream {
    let said =
        cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    let message = format!(
        "pillowtop's derive panicked, which is a bug: {}\nhelp: please report it with this struct",
        said.unwrap_or("without a message")
    );
    quote::quote!(::core::compile_error!(#message);)
}
