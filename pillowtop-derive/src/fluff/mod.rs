//! `#[derive(Fluff)]`: the way from a struct's tokens to its table and drift check.

mod attributes;

mod expand;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::committed::Crate;
use crate::errors::Errors;
use crate::expand::Drift;
use crate::facade::Facade;

use attributes::FluffModel;
use expand::expand;

/// The impl of a struct, or all its errors.
pub(crate) fn derive(input: &DeriveInput, facade: &Facade, compiled: Option<&Crate>) -> TokenStream {
    let errors = Errors::new();
    let model = FluffModel::of(&errors, input);
    let code = match &model {
        Some(model) if errors.is_empty() => {
            let location =
                compiled.filter(|_| !model.is_unchecked).map(|found| found.mapping(&model.name.value()));
            let drift = Drift::of(&model.ident.to_string(), &model.name.value(), location.as_ref());
            expand(facade, model, &drift, location.as_ref())
        }
        _ => TokenStream::new(),
    };
    let mut all = errors.finish();
    all.extend(code);
    all
}
