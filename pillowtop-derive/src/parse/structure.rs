//! A whole struct or enum with the attributes of its fields.

use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Generics, Ident, Type, TypeReference, Variant};

use super::couch::CouchReceiver;
use super::es::EsReceiver;
use super::locations::{refuse_at_variants, refuse_inside};
use super::pillow::PillowReceiver;
use super::rust_type::layers;
use super::serde::{SerdeContainer, SerdeField};
use crate::errors::Errors;

/// A struct or enum as it is written.
pub(crate) struct StructReceiver<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) couch: CouchReceiver,
    pub(crate) es: EsReceiver,
    pub(crate) serde: SerdeContainer,
    pub(crate) shape: StructShape<'a>,
    /// Whether its pillow's transform makes another type: it is read and never indexed itself, so
    /// it needs no mapping.
    pub(crate) is_source: bool,
}

/// What kind of item it is.
pub(crate) enum StructShape<'a> {
    Named(Vec<FieldReceiver<'a>>),
    Tuple(Vec<FieldReceiver<'a>>),
    Unit,
    Enum(Vec<&'a Variant>),
    Union,
}

/// A field as it is written.
pub(crate) struct FieldReceiver<'a> {
    /// None in a tuple struct.
    pub(crate) ident: Option<&'a Ident>,
    pub(crate) rust_type: &'a Type,
    pub(crate) es: EsReceiver,
    pub(crate) serde: SerdeField,
}

impl<'a> StructReceiver<'a> {
    pub(crate) fn parse(errors: &Errors, input: &'a DeriveInput) -> Self {
        refuse_inside(errors, &input.data, "couch");
        refuse_at_variants(errors, &input.data);
        let shape = match &input.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) => StructShape::Named(parse_fields(errors, &fields.named)),
                Fields::Unnamed(fields) => StructShape::Tuple(parse_fields(errors, &fields.unnamed)),
                Fields::Unit => StructShape::Unit,
            },
            Data::Enum(data) => StructShape::Enum(data.variants.iter().collect()),
            Data::Union(_) => StructShape::Union,
        };
        Self {
            ident: &input.ident,
            generics: &input.generics,
            couch: CouchReceiver::parse(errors, &input.attrs),
            es: EsReceiver::parse(errors, &input.attrs),
            serde: SerdeContainer::parse(&input.attrs),
            shape,
            is_source: PillowReceiver::parse(&Errors::silent(), &input.attrs).makes_another(&input.ident),
        }
    }

    /// Whether it is an enum whose values are written as objects, some of them at least.
    pub(crate) fn is_enum_of_objects(&self) -> bool {
        let StructShape::Enum(variants) = &self.shape else { return false };
        if self.serde.opaque.is_some() {
            return false;
        }
        let is_tagged = self.serde.tag.is_some();
        let is_untagged = !is_tagged && self.serde.tagging.is_some();
        let writes_object = |variant: &&Variant| {
            let serde = SerdeField::parse(&variant.attrs);
            // A variant may be left out, or be written by a function or without a tag.
            let is_other = serde.skip.is_some() || serde.with.is_some();
            let is_bare = is_untagged || SerdeContainer::parse(&variant.attrs).tagging.is_some();
            match &variant.fields {
                _ if is_other => false,
                Fields::Named(_) => true,
                Fields::Unnamed(_) => !is_bare,
                Fields::Unit => is_tagged && !is_bare,
            }
        };
        variants.iter().any(writes_object)
    }

    /// The fields, of a struct.
    pub(crate) fn fields(&self) -> &[FieldReceiver<'a>] {
        match &self.shape {
            StructShape::Named(fields) | StructShape::Tuple(fields) => fields,
            StructShape::Unit | StructShape::Enum(_) | StructShape::Union => &[],
        }
    }

    /// The fields whose types borrow what they hold, each with the reference; what a function
    /// reads, or nothing, is none of them.
    pub(crate) fn borrowed(&self) -> impl Iterator<Item = &'a TypeReference> {
        let read = self.fields().iter().filter(|field| !field.serde.reads_otherwise);
        read.filter_map(|field| {
            layers(field.rust_type).find_map(|layer| match layer {
                Type::Reference(borrowed) => Some(borrowed),
                _ => None,
            })
        })
    }

    /// The JSON name that a field is written with.
    pub(crate) fn written_name(&self, field: &FieldReceiver<'_>) -> String {
        let rule = self.serde.rename_all;
        match &field.serde.rename {
            Some(name) => name.value(),
            None => rule.map_or_else(|| field.name(), |rule| rule.apply(&field.name())),
        }
    }

    /// The JSON name that a field is read from.
    pub(crate) fn read_name(&self, field: &FieldReceiver<'_>) -> String {
        let rule = self.serde.rename_all_read;
        match &field.serde.rename_read {
            Some(name) => name.value(),
            None => rule.map_or_else(|| field.name(), |rule| rule.apply(&field.name())),
        }
    }
}

impl FieldReceiver<'_> {
    /// The field's name in Rust, without `r#`.
    pub(crate) fn name(&self) -> String {
        self.ident.map(|ident| ident.unraw().to_string()).unwrap_or_default()
    }
}

fn parse_fields<'a>(errors: &Errors, fields: impl IntoIterator<Item = &'a Field>) -> Vec<FieldReceiver<'a>> {
    let parse =
        |attributes: &[Attribute]| (EsReceiver::parse(errors, attributes), SerdeField::parse(attributes));
    fields
        .into_iter()
        .map(|field| {
            let (es, serde) = parse(&field.attrs);
            if let Some(rules) = &es.rules {
                errors.at(
                    rules,
                    "`rules` is only allowed on a struct",
                    "write `#[es(rules = …)]` at the struct",
                );
            }
            FieldReceiver { ident: field.ident.as_ref(), rust_type: &field.ty, es, serde }
        })
        .collect()
}
