//! The derives of pillowtop: parse → model → check → expand, one directory each. Users link the
//! facade `pillowtop`.

mod errors;

mod parse;

mod facade;

mod committed;
mod idents;
mod rules;

mod filter;

mod model;

mod check;

mod expand;

mod document;
mod fluff;
mod pillow;

mod callback;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::committed::Crate;
use crate::facade::Facade;
use crate::rules::Rules;

/// A struct's mapping: `#[couch(...)]` says what a document is, `#[es(...)]` how a field is mapped.
/// See the attribute reference.
#[proc_macro_derive(CouchDocument, attributes(couch, es, serde))]
pub fn derive_couch_document(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    or_report(|| match Facade::of(&input.attrs) {
        Ok(facade) => callback::hand_to_rules(&facade, &input)
            .unwrap_or_else(|| document::derive(&Rules::default(), &facade, &input)),
        Err(error) => error,
    })
}

/// A named consumer of changes with an index: `#[pillow(...)]`. See the attribute reference.
#[proc_macro_derive(Pillow, attributes(pillow, couch, es, serde))]
pub fn derive_pillow(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    or_report(|| match Facade::of(&input.attrs) {
        Ok(facade) => pillow::derive(&input, &facade, Crate::of_environment().as_ref()),
        // The other derive reports it.
        Err(_) => proc_macro2::TokenStream::new(),
    })
}

/// A table of rows that are computed from documents: `#[fluff(...)]`. The code that it writes names
/// the crate `pillowtop_fluff`, which exports it.
#[proc_macro_derive(Fluff, attributes(fluff))]
pub fn derive_fluff(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    or_report(|| match Facade::of(&input.attrs) {
        Ok(facade) => fluff::derive(&input, &facade, Crate::of_environment().as_ref()),
        Err(error) => error,
    })
}

/// The conventions of a crate, which its structs name: `#[es(rules = crate::rules)]`.
#[proc_macro]
pub fn rules(input: TokenStream) -> TokenStream {
    or_report(|| callback::define(input.into()))
}

/// What the macro that [`rules!`] defines calls with its rules and a struct. Not for users.
#[doc(hidden)]
#[proc_macro]
pub fn __derive_with_rules(input: TokenStream) -> TokenStream {
    or_report(|| callback::derive_with(input.into()))
}

/// A panic of a macro is a bug, and hides what the compiler would otherwise say.
fn or_report(derive: impl FnOnce() -> proc_macro2::TokenStream) -> TokenStream {
    let outcome = catch_unwind(AssertUnwindSafe(derive));
    outcome.map_or_else(|cause| report(cause.as_ref()).into(), Into::into)
}

fn report(cause: &(dyn std::any::Any + Send)) -> proc_macro2::TokenStream {
    let message =
        cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    let message = format!(
        "pillowtop's derive panicked, which is a bug: {}\nhelp: please report it with this struct",
        message.unwrap_or("without a message")
    );
    quote::quote!(::core::compile_error!(#message);)
}
