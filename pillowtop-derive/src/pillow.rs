//! `#[derive(Pillow)]`: the way from a struct's tokens to its impl and drift check.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::check::check_pillow;
use crate::committed::Crate;
use crate::errors::Errors;
use crate::expand::{Drift, expand_pillow, fallback_pillow};
use crate::facade::Facade;
use crate::model::PillowModel;
use crate::parse::{PillowReceiver, StructReceiver, refuse_inside};

/// The impl of a struct, or all its errors and a placeholder impl.
pub(crate) fn derive(input: &DeriveInput, facade: &Facade, compiled: Option<&Crate>) -> TokenStream {
    // What is wrong with these attributes, the other derive reports.
    let elsewhere = Errors::new();
    let receiver = StructReceiver::parse(&elsewhere, input);
    elsewhere.leave_to_the_other_derive();

    let errors = Errors::new();
    let attribute = PillowReceiver::parse(&errors, &input.attrs);
    let pillow = PillowModel::of(&errors, &receiver, &attribute, compiled);
    refuse_inside(&errors, &input.data, "pillow");
    check_pillow(&errors, &receiver, &attribute, pillow.as_ref());
    let is_slip = attribute.is_slip() || receiver.couch.is_slip();
    let mut code = match &pillow {
        Some(pillow) if errors.is_empty() && !is_slip => {
            let drift = Drift::of(&pillow.ident.to_string(), &pillow.name, pillow.mapping.as_ref());
            expand_pillow(facade, pillow, &drift)
        }
        _ => fallback_pillow(facade, &receiver, errors.is_empty()),
    };
    code.extend(errors.finish());
    code
}
