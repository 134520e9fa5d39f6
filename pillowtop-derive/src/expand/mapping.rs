//! The mapping tree as constants.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::tree;
use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;

use super::demands;
use crate::idents::{PRIVATE, Private};
use crate::model::{Contents, Mapping, Member, Parameter, Property, SaidMapping};

/// A 128-bit number in hexadecimal digits.
pub(super) fn hexadecimal(number: u128) -> Literal {
    // Digits that a literal is made of are always one.
    format!("{number:#034x}").parse().unwrap_or_else(|_| Literal::u128_unsuffixed(number))
}

/// A struct's `Object::new(…)`, at the struct's name: what it asserts, the compiler reports there.
pub(super) fn object(
    ident: &Ident,
    members: &[Member<'_>],
    parameters: &[Parameter],
    root_parameters: &[Parameter],
) -> TokenStream {
    let members = members.iter().map(member);
    let demands = demands::of_parameters(parameters, root_parameters);
    let (parameters, root_parameters) = (list(parameters), list(root_parameters));
    let private = Private::at(ident.span());
    quote_spanned!(ident.span()=> #private::Object::new(&[#(#members),*], #parameters, #root_parameters) #demands)
}

fn member(member: &Member<'_>) -> TokenStream {
    match member {
        // The user's own tokens, so that the compiler speaks of them when the type has no default.
        Member::Property(Property { name, mapping: Mapping::Default(rust_type) }) => {
            let (name, hash) = (&name.text, hexadecimal(hash_text(&name.text)));
            quote!(#PRIVATE::property::<#rust_type>(#name, #hash))
        }
        Member::Property(Property { name, mapping: Mapping::Said(said) }) => {
            property(&name.text, &said_field(said))
        }
        Member::Flatten(inside) => {
            quote!(#PRIVATE::Member::Flatten(<#inside as #PRIVATE::IndexObject>::OBJECT))
        }
    }
}

fn property(name: &str, field: &TokenStream) -> TokenStream {
    let hash = hexadecimal(hash_text(name));
    quote!(#PRIVATE::Member::property(#name, #hash, #field))
}

/// A field's constant.
pub(super) fn field(mapping: &Mapping<'_>) -> TokenStream {
    match mapping {
        Mapping::Default(rust_type) => quote!(<#rust_type as #PRIVATE::IndexField>::FIELD),
        Mapping::Said(said) => said_field(said),
    }
}

fn said_field(said: &SaidMapping<'_>) -> TokenStream {
    let type_name = &said.type_name.text;
    let demands = demands::of_said(said);
    let parameters = list(&said.parameters);
    match &said.contents {
        Contents::Nothing => quote!(#PRIVATE::Field::leaf(#type_name, #parameters) #demands),
        Contents::OfStruct(inside) => {
            quote!(#PRIVATE::Field::object(#type_name, #parameters, <#inside as #PRIVATE::IndexObject>::OBJECT) #demands)
        }
        Contents::Properties(properties) => {
            let members = properties.iter().map(|(name, inner)| property(&name.text, &said_field(inner)));
            quote! {
                #PRIVATE::Field::object(#type_name, #parameters, &#PRIVATE::Object::new(&[#(#members),*], &[], &[])) #demands
            }
        }
    }
}

fn list(parameters: &[Parameter]) -> TokenStream {
    let parameters = parameters.iter().map(|parameter| {
        let name = &parameter.name.text;
        let json = to_canonical(&parameter.json());
        let hash = hexadecimal(tree::Parameter::hash_of(name, &json));
        quote!(#PRIVATE::Parameter::hashed(#name, #json, #hash))
    });
    quote!(&[#(#parameters),*])
}

/// Whether a mapping's type holds the members of a struct, so that the type can stand in a `nested` field.
pub(super) fn struct_inside<'m>(mapping: &'m Mapping<'_>) -> Option<&'m syn::Type> {
    match mapping {
        Mapping::Said(SaidMapping { contents: Contents::OfStruct(inside), .. }) => Some(inside),
        Mapping::Said(_) | Mapping::Default(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use pillowtop_core::field_types;

    use super::*;

    #[test]
    fn hashes_are_written_in_full() {
        assert_eq!(hexadecimal(1).to_string(), "0x00000000000000000000000000000001");
    }

    #[test]
    fn every_type_of_the_table_can_be_named() {
        for field_type in field_types::field_types() {
            assert!(syn::parse_str::<syn::Ident>(field_type.name).is_ok(), "{}", field_type.name);
        }
    }
}
