//! The mapping tree as constants.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::tree;
use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;

use super::requirements;
use crate::idents::{PRIVATE, Private};
use crate::model::{Contents, ExplicitMapping, Mapping, Member, ObjectModel, Origin, Parameter, Property};

/// A 128-bit number in hexadecimal digits.
pub(super) fn hexadecimal(number: u128) -> Literal {
    // Digits that a literal is made of are always one.
    format!("{number:#034x}").parse().unwrap_or_else(|_| Literal::u128_unsuffixed(number))
}

/// A struct's `Object::new(…)`, at the struct's name: what it asserts, the compiler reports there.
pub(super) fn object(ident: &Ident, model: &ObjectModel<'_>) -> TokenStream {
    let members = model.members.iter().map(member);
    let root = model.root_parameters.iter().chain(&model.root_rule);
    let requirements = requirements::of_parameters(&model.parameters, root);
    let (parameters, root_parameters) = (list(&model.parameters), list(&model.root_parameters));
    let private = Private::at(ident.span());
    let lines: Vec<String> = model.origins.iter().map(Origin::line).collect();
    let (name, origins) = (ident.to_string(), lines.join("\n"));
    let root_rule = (!model.root_rule.is_empty()).then(|| {
        let root_rule = list(&model.root_rule);
        quote!(.with_root_rule(#root_rule))
    });
    let object = quote_spanned! {ident.span()=>
        #private::Object::new(&[#(#members),*], #parameters, #root_parameters) #requirements
    };
    quote!(#object.explained(#name, #origins)#root_rule)
}

fn member(member: &Member<'_>) -> TokenStream {
    match member {
        // The user's own tokens, so that the compiler reports them when the type has no default.
        Member::Property(Property { name, mapping: Mapping::Default(rust_type), .. }) => {
            let (name, hash) = (&name.text, hexadecimal(hash_text(&name.text)));
            quote!(#PRIVATE::property::<#rust_type>(#name, #hash))
        }
        Member::Property(Property { name, mapping: Mapping::Objects(rust_type, parameters), .. }) => {
            let (name, hash) = (&name.text, hexadecimal(hash_text(&name.text)));
            let (parameters, requirements) =
                (list(parameters), requirements::of_rule_for_objects(parameters));
            quote!(#PRIVATE::property_by_rule::<#rust_type>(#name, #hash, #parameters, #requirements))
        }
        Member::Property(Property { name, mapping: Mapping::Explicit(explicit), .. }) => {
            property(&name.text, &explicit_field(explicit))
        }
        Member::Flatten(inside) => {
            quote!(#PRIVATE::Member::Flatten(<#inside as #PRIVATE::Flattened>::OBJECT))
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
        Mapping::Objects(rust_type, parameters) => {
            let (parameters, requirements) =
                (list(parameters), requirements::of_rule_for_objects(parameters));
            quote!(<#rust_type as #PRIVATE::IndexField>::FIELD.with_rule_for_objects(#parameters, #requirements))
        }
        Mapping::Explicit(explicit) => explicit_field(explicit),
    }
}

fn explicit_field(explicit: &ExplicitMapping<'_>) -> TokenStream {
    let type_name = &explicit.type_name.text;
    let requirements = requirements::of_explicit(explicit);
    let parameters = list(&explicit.parameters);
    match &explicit.contents {
        Contents::Nothing => quote!(#PRIVATE::Field::leaf(#type_name, #parameters) #requirements),
        Contents::OfStruct(inside)
            if explicit.explicit_count.is_some_and(|number| number < explicit.parameters.len()) =>
        {
            let number = explicit.explicit_count.unwrap_or_default();
            quote! {
                #PRIVATE::Field::object_by_rule(
                    #type_name, #parameters, <#inside as #PRIVATE::IndexObject>::OBJECT, #number
                ) #requirements
            }
        }
        Contents::OfStruct(inside) => {
            // What is wrong with the struct in this field, the compiler says at the field's type.
            let private = Private::at(explicit.type_name.span);
            let field = quote_spanned!(explicit.type_name.span=> #private::Field::object(#type_name, #parameters, <#inside as #PRIVATE::IndexObject>::OBJECT));
            quote!(#field #requirements)
        }
        Contents::Properties(properties) => {
            let members = properties.iter().map(|(name, inner)| property(&name.text, &explicit_field(inner)));
            quote! {
                #PRIVATE::Field::object(#type_name, #parameters, &#PRIVATE::Object::new(&[#(#members),*], &[], &[])) #requirements
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

/// Whether a mapping's type holds the members of a struct, so that the type can stand in a `nested`
/// field.
pub(super) fn struct_inside<'m>(mapping: &'m Mapping<'_>) -> Option<&'m syn::Type> {
    match mapping {
        Mapping::Explicit(ExplicitMapping { contents: Contents::OfStruct(inside), .. }) => Some(inside),
        Mapping::Explicit(_) | Mapping::Default(_) | Mapping::Objects(..) => None,
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
