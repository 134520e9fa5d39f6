//! The impl of `#[derive(Fluff)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::attributes::{FluffField, FluffModel, Role};
use crate::committed::Location;
use crate::expand::Drift;
use crate::facade::Facade;

/// The impl of a table without errors.
pub(crate) fn expand(
    facade: &Facade,
    model: &FluffModel<'_>,
    drift: &Drift,
    location: Option<&Location>,
) -> TokenStream {
    let FluffModel { ident, name, document, version, keeps_flat, .. } = model;
    let span = ident.span();
    let filter = match &model.filter {
        None => quote!(::core::option::Option::None),
        Some(filter) => quote!(::core::option::Option::Some(&#filter)),
    };
    let groups = sources(model, |role| match role {
        Role::Group(function) => Some(function.as_ref()),
        _ => None,
    });
    let flat = sources(model, |role| match role {
        Role::Flat(function) => Some(function.as_ref()),
        _ => None,
    });
    let calculators =
        model.fields.iter().filter(|field| matches!(field.role, Role::Calculator)).map(|field| {
            let (column, rust_type) = (field.ident.unraw().to_string(), field.rust_type);
            quote_spanned!(rust_type.span()=> ::pillowtop_fluff::Calculated::of::<#rust_type>(#column))
        });
    let committed = drift.committed(facade, &quote!(::pillowtop_fluff::__private), location);
    let derived = quote_spanned!(span=> <#ident as ::pillowtop_fluff::Fluff>::FINGERPRINT);
    let compare = drift.check(facade, span, &facade.private(), &derived);
    let names = model.fields.iter().map(|field| field.ident);
    let assert = quote_spanned! {span=>
        const _: () = ::pillowtop_fluff::__private::assert_table(&<#ident as ::pillowtop_fluff::Fluff>::TABLE);
    };
    quote! {
        #[automatically_derived]
        impl ::pillowtop_fluff::Fluff for #ident {
            type Document = #document;
            const TABLE: ::pillowtop_fluff::Table<#document> = ::pillowtop_fluff::Table {
                name: #name,
                document: <#document as ::pillowtop_fluff::__private::CouchDocument>::DOCUMENT,
                version: #version,
                filter: #filter,
                keeps_flat: #keeps_flat,
                groups: &[#(#groups),*],
                flat: &[#(#flat),*],
                calculators: &[#(#calculators),*],
            };
            const COMMITTED: ::pillowtop_fluff::__private::Committed = #committed;
        }
        #assert
        #compare
        // Its fields are read by this derive alone.
        const _: fn(&#ident) = |table| { #(let _ = &table.#names;)* };
    }
}

fn sources<'a>(
    model: &'a FluffModel<'a>,
    of: impl Fn(&'a Role) -> Option<Option<&'a Path>> + 'a,
) -> impl Iterator<Item = TokenStream> + 'a {
    model.fields.iter().filter_map(move |field| Some(source(model, field, of(&field.role)?)))
}

/// A column. What is read or called has the user's place, so that a wrong type is reported there.
fn source(model: &FluffModel<'_>, field: &FluffField<'_>, function: Option<&Path>) -> TokenStream {
    let (ident, rust_type, document) = (field.ident, field.rust_type, &model.document);
    let column = ident.unraw().to_string();
    let span = rust_type.span();
    let kind = if matches!(field.role, Role::Group(_)) { quote!(group_kind) } else { quote!(column_kind) };
    let kind = quote_spanned!(span=> ::pillowtop_fluff::__private::#kind::<#rust_type>());
    let (from, value) = match function {
        None => (column.clone(), quote_spanned!(ident.span()=> &document.#ident)),
        Some(path) => (
            path.to_token_stream().to_string().replace(' ', ""),
            quote_spanned!(path.span()=> &#path(document)),
        ),
    };
    quote! {
        ::pillowtop_fluff::Source {
            name: #column,
            kind: #kind,
            from: #from,
            value: |document: &#document| <#rust_type as ::pillowtop_fluff::SqlColumn>::to_sql(#value),
        }
    }
}
