//! Attributes where they have no effect: serde's form lets them stand anywhere in a struct, and
//! silence would hide a mistake.

use syn::{Attribute, Data, Fields};

use crate::errors::Errors;

/// Refuses an attribute of whole structs at the fields and variants inside.
pub(crate) fn refuse_inside(errors: &Errors, data: &Data, name: &str) {
    each_inside(data, &mut |attribute, _| {
        if attribute.path().is_ident(name) {
            errors.at(
                attribute.path(),
                format!("`#[{name}(…)]` is for a whole struct"),
                "write it at the struct; how a field is mapped is declared by `#[es(…)]`",
            );
        }
    });
}

/// Refuses `#[es(...)]` at variants and what they hold: an enum is mapped as a whole.
pub(super) fn refuse_at_variants(errors: &Errors, data: &Data) {
    each_inside(data, &mut |attribute, is_of_variant| {
        if is_of_variant && attribute.path().is_ident("es") {
            errors.at(
                attribute.path(),
                "an enum is mapped as a whole, so `#[es(…)]` has no effect at a variant",
                "write it at the enum, for instance `#[es(flattened)] enum …`",
            );
        }
    });
}

fn each_inside(data: &Data, one: &mut dyn FnMut(&Attribute, bool)) {
    let mut of_fields = |fields: &Fields, is_of_variant| {
        fields.iter().flat_map(|field| &field.attrs).for_each(|attribute| one(attribute, is_of_variant));
    };
    match data {
        Data::Struct(data) => of_fields(&data.fields, false),
        Data::Union(data) => {
            data.fields
                .named
                .iter()
                .flat_map(|field| &field.attrs)
                .for_each(|attribute| one(attribute, false));
        }
        Data::Enum(data) => {
            for variant in &data.variants {
                of_fields(&variant.fields, true);
            }
            data.variants
                .iter()
                .flat_map(|variant| &variant.attrs)
                .for_each(|attribute| one(attribute, true));
        }
    }
}
