//! The impls of `#[derive(CouchDocument)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, Type, WherePredicate, parse_quote};

use super::mapping::{field, object, struct_inside};
use crate::check::rejects_objects;
use crate::facade::Facade;
use crate::idents::{PRIVATE, Private, in_const_block};
use crate::model::{Contents, Document, DocumentKind, DocumentModel, Mapping, Member, ObjectModel, Property};
use crate::parse::{mentions, squeeze};

/// The impls of a struct without errors.
pub(crate) fn expand_document(facade: &Facade, document: &Document<'_>) -> TokenStream {
    match &document.kind {
        DocumentKind::Object(model) => {
            let generics = with_bounds(document.generics, &default_types(model));
            let mapping = object(document.ident, model);
            let info = document_info(model.document.as_ref());
            let mut code = object_impls(facade, document.ident, &generics, &mapping, &info);
            code.extend(no_objects(facade, model));
            code
        }
        DocumentKind::Value(mapping) => {
            let bounded = match mapping {
                Mapping::Default(inside) | Mapping::Objects(inside, _) => vec![(*inside, Bound::Field)],
                Mapping::Explicit(_) => Vec::new(),
            };
            value_impls(facade, document, &with_bounds(document.generics, &bounded), mapping)
        }
        DocumentKind::Unknown => fallback_document(facade, document.ident, document.generics),
    }
}

/// A struct in a field of a type that rejects objects: only the compiler sees what is a struct.
pub(super) fn no_objects(facade: &Facade, model: &ObjectModel<'_>) -> TokenStream {
    let checks: Vec<TokenStream> = model.members.iter().filter_map(no_object).collect();
    if checks.is_empty() {
        return TokenStream::new();
    }
    in_const_block(
        facade,
        &quote! {
            use #PRIVATE::NoObject as _;
            #(const _: () = #checks;)*
        },
    )
}

fn no_object(member: &Member<'_>) -> Option<TokenStream> {
    let Member::Property(Property { name, mapping: Mapping::Explicit(explicit), perhaps_object }) = member
    else {
        return None;
    };
    let inside = perhaps_object.filter(|_| rejects_objects(explicit))?;
    let (private, span) = (Private::at(explicit.type_name.span), explicit.type_name.span);
    let (name, type_name, rust_type) = (&name.text, &explicit.type_name.text, squeeze(inside));
    Some(quote_spanned! {span=>
        #private::assert_no_object(#private::Probe::<#inside>::IS_OBJECT, #name, #type_name, #rust_type)
    })
}

/// The same with a mapping that is made elsewhere; none if the impls themselves depend on what it
/// is.
pub(crate) fn expand_document_with(
    facade: &Facade,
    document: &Document<'_>,
    mapping: &TokenStream,
) -> Option<TokenStream> {
    match &document.kind {
        DocumentKind::Object(model) if document.generics.params.is_empty() => {
            let info = document_info(model.document.as_ref());
            Some(object_impls(facade, document.ident, document.generics, mapping, &info))
        }
        _ => None,
    }
}

/// The mapping of a struct without errors, for those impls: the tail of a block.
pub(crate) fn expand_mapping(facade: &Facade, document: &Document<'_>) -> Option<TokenStream> {
    match &document.kind {
        DocumentKind::Object(model) => {
            let mut code = no_objects(facade, model);
            code.extend(object(document.ident, model));
            Some(code)
        }
        DocumentKind::Value(_) | DocumentKind::Unknown => None,
    }
}

/// An empty mapping.
pub(crate) fn fallback_mapping() -> TokenStream {
    quote!(#PRIVATE::Object::EMPTY)
}

/// Placeholder impls, for a struct with errors: those errors are enough.
pub(crate) fn fallback_document(facade: &Facade, ident: &Ident, generics: &Generics) -> TokenStream {
    let (mapping, info) = (fallback_mapping(), document_info(None));
    object_impls(facade, ident, generics, &mapping, &info)
}

fn object_impls(
    facade: &Facade,
    ident: &Ident,
    generics: &Generics,
    mapping: &TokenStream,
    info: &TokenStream,
) -> TokenStream {
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let private = Private::at(ident.span());
    let nested = quote_spanned!(ident.span()=> #private::Field::object("object", &[], <Self as #private::CouchDocument>::MAPPING));
    in_const_block(
        facade,
        &quote! {
            #[automatically_derived]
            impl #impl_generics #PRIVATE::CouchDocument for #ident #type_generics #where_clause {
                const MAPPING: &'static #PRIVATE::Object = &#mapping;
                const DOCUMENT: #PRIVATE::DocumentInfo = #info;
            }
            #[automatically_derived]
        impl #impl_generics #PRIVATE::WritesObjects for #ident #type_generics #where_clause {}
        #[automatically_derived]
        impl #impl_generics #PRIVATE::IndexObject for #ident #type_generics #where_clause {
            const OBJECT: &'static #PRIVATE::Object = <Self as #PRIVATE::CouchDocument>::MAPPING;
        }
            #[automatically_derived]
            impl #impl_generics #PRIVATE::IndexField for #ident #type_generics #where_clause {
                const FIELD: #PRIVATE::Field = #nested;
            }
        },
    )
}

fn value_impls(
    facade: &Facade,
    document: &Document<'_>,
    generics: &Generics,
    mapping: &Mapping<'_>,
) -> TokenStream {
    let ident = document.ident;
    let writes_objects = document.is_enum_of_objects.then(|| {
        let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
        quote! {
            #[automatically_derived]
            impl #impl_generics #PRIVATE::WritesObjects for #ident #type_generics #where_clause {}
        }
    });
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let field = field(mapping);
    let object_impl = struct_inside(mapping).map(|inside| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #PRIVATE::IndexObject for #ident #type_generics #where_clause {
                const OBJECT: &'static #PRIVATE::Object = <#inside as #PRIVATE::IndexObject>::OBJECT;
            }
        }
    });
    in_const_block(
        facade,
        &quote! {
                #[automatically_derived]
                impl #impl_generics #PRIVATE::IndexField for #ident #type_generics #where_clause {
                    const FIELD: #PRIVATE::Field = #field;
                }
                #object_impl
            #writes_objects
        },
    )
}

pub(super) fn document_info(document: Option<&DocumentModel>) -> TokenStream {
    let Some(document) = document else { return quote!(#PRIVATE::DocumentInfo::PART) };
    let types = &document.types;
    let mut others = Vec::new();
    if let Some(name) = &document.type_field {
        others.push(quote!(type_field: #name));
    }
    if !document.deleted.is_empty() {
        let deleted = &document.deleted;
        others.push(quote!(deleted_types: &[#(#deleted),*]));
    }
    if let Some(name) = &document.database {
        others.push(quote!(database: #PRIVATE::Option::Some(#name)));
    }
    if document.carry_unknown {
        others.push(quote!(carry_unknown: true));
    }
    if document.type_is_immutable {
        others.push(quote!(type_is_immutable: true));
    }
    quote!(#PRIVATE::DocumentInfo { types: &[#(#types),*], #(#others,)* ..#PRIVATE::DocumentInfo::PART })
}

/// `Some("…")` or `None`, whatever those names mean to the user.
pub(super) fn option(text: Option<&str>) -> TokenStream {
    text.map_or_else(|| quote!(#PRIVATE::Option::None), |text| quote!(#PRIVATE::Option::Some(#text)))
}

/// Which trait a field's type is used by.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Field,
    Object,
    Flattened,
}

/// The types whose mapping comes from their impls.
pub(super) fn default_types<'m>(model: &'m ObjectModel<'_>) -> Vec<(&'m Type, Bound)> {
    let of_member = |member: &'m Member<'_>| match member {
        Member::Flatten(inside) => Some((*inside, Bound::Flattened)),
        Member::Property(property) => match &property.mapping {
            Mapping::Default(rust_type) | Mapping::Objects(rust_type, _) => Some((*rust_type, Bound::Field)),
            Mapping::Explicit(explicit) => match explicit.contents {
                Contents::OfStruct(inside) => Some((inside, Bound::Object)),
                Contents::Nothing | Contents::Properties(_) => None,
            },
        },
    };
    model.members.iter().filter_map(of_member).collect()
}

/// A generic struct has a mapping if those of its fields' types that depend on a parameter have
/// one.
fn with_bounds(generics: &Generics, types: &[(&Type, Bound)]) -> Generics {
    let mut bounded = generics.clone();
    let dependent = types.iter().filter(|(rust_type, _)| {
        generics.type_params().any(|parameter| mentions(rust_type, &parameter.ident))
    });
    let mut predicates: Vec<WherePredicate> = Vec::new();
    for (rust_type, bound) in dependent {
        let bound = match bound {
            Bound::Field => quote!(IndexField),
            Bound::Object => quote!(IndexObject),
            Bound::Flattened => quote!(Flattened),
        };
        let span = syn::spanned::Spanned::span(rust_type);
        let path = quote_spanned!(span=> #PRIVATE::#bound);
        predicates.push(parse_quote!(#rust_type: #path));
    }
    if !predicates.is_empty() {
        bounded.make_where_clause().predicates.extend(predicates);
    }
    bounded
}
