//! The impls of a struct that only a transform reads. It is never indexed itself, so its fields may
//! be of types without a mapping.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::document::{Bound, default_types, document_info, expand_document, no_objects};
use super::mapping::object;
use crate::errors::with_help;
use crate::facade::Facade;
use crate::idents::{PRIVATE, in_const_block};
use crate::model::{Document, DocumentKind, ObjectModel};

/// The impls of a source without errors. The mapping is there for whoever nests the struct in
/// another one, if all fields have one.
pub(crate) fn expand_source(facade: &Facade, document: &Document<'_>, has_mapping: bool) -> TokenStream {
    let ident = document.ident;
    let DocumentKind::Object(model) = &document.kind else { return expand_document(facade, document) };
    let (impl_generics, type_generics, where_clause) = document.generics.split_for_impl();
    let info = document_info(model.document.as_ref());
    let nested = has_mapping.then(|| nested_impls(document, model));
    let checks = has_mapping.then(|| no_objects(facade, model));
    let message = with_help(
        format!(
            "`{ident}` has no mapping: its transform makes another type, and a field of `{ident}` has none"
        ),
        "write `#[es(…)]` at each field without a default mapping, or index the type that the transform makes",
    );
    let refusal = quote_spanned!(ident.span()=> ::core::panic!(#message));
    let impls = in_const_block(
        facade,
        &quote! {
                    #[automatically_derived]
                    impl #impl_generics #PRIVATE::CouchDocument for #ident #type_generics #where_clause {
                        const MAPPING: &'static #PRIVATE::Object = {
                            use #PRIVATE::NoMapping as _;
                            match #PRIVATE::Probe::<Self>::OBJECT {
                                #PRIVATE::Option::Some(object) => object,
                                #PRIVATE::Option::None => #refusal,
                            }
                        };
                        const DOCUMENT: #PRIVATE::DocumentInfo = #info;
                    }
        #[automatically_derived]
                    impl #impl_generics #PRIVATE::WritesObjects for #ident #type_generics #where_clause {}
                    #nested
                },
    );
    quote!(#impls #checks)
}

/// The impls for other structs that hold this one. Their bounds are only asked for where they are
/// used.
fn nested_impls(document: &Document<'_>, model: &ObjectModel<'_>) -> TokenStream {
    let ident = document.ident;
    let (impl_generics, type_generics, where_clause) = document.generics.split_for_impl();
    let known = where_clause.map(|clause| &clause.predicates).into_iter().flatten();
    let mapping = object(ident, model);
    // A bound with a binder may be false without an error at the impl.
    let bounds: Vec<TokenStream> = default_types(model)
        .into_iter()
        .map(|(rust_type, bound)| {
            let span = syn::spanned::Spanned::span(rust_type);
            match bound {
                Bound::Field => quote_spanned!(span=> for<'__never> #rust_type: #PRIVATE::IndexField),
                Bound::Object => quote_spanned!(span=> for<'__never> #rust_type: #PRIVATE::IndexObject),
                Bound::Flattened => quote_spanned!(span=> for<'__never> #rust_type: #PRIVATE::Flattened),
            }
        })
        .collect();
    let bounds = quote!(where #(#known,)* #(#bounds,)*);
    quote! {
        #[automatically_derived]
        impl #impl_generics #PRIVATE::IndexObject for #ident #type_generics #bounds {
            const OBJECT: &'static #PRIVATE::Object = &#mapping;
        }
        #[automatically_derived]
        impl #impl_generics #PRIVATE::IndexField for #ident #type_generics #bounds {
            const FIELD: #PRIVATE::Field =
                #PRIVATE::Field::object("object", &[], <Self as #PRIVATE::IndexObject>::OBJECT);
        }
    }
}
