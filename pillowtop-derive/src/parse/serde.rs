//! serde's attributes, as far as they decide what a struct's JSON looks like. What is wrong with
//! them is serde's to report.

use pillowtop_core::rename::RenameRule;
use proc_macro2::{Span, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Meta, Token, parenthesized};

use super::items::{Name, read_items};
use crate::errors::Errors;

/// `#[serde(...)]` of a struct or an enum.
#[derive(Default)]
pub(crate) struct SerdeContainer {
    /// The rule for names that are written.
    pub(crate) rename_all: Option<RenameRule>,
    /// The rule for names that are read.
    pub(crate) rename_all_read: Option<RenameRule>,
    pub(crate) transparent: bool,
    /// `into` or `remote`: what is written is of another type.
    pub(crate) opaque: Option<Name>,
    /// `tag` of a struct: a member with the struct's name.
    pub(crate) tag: Option<LitStr>,
    /// `tag`, `content` or `untagged`.
    pub(crate) tagging: Option<Name>,
    /// `deny_unknown_fields`: a member that the struct does not name is an error.
    pub(crate) denies_unknown: Option<Name>,
    /// What is read is not what the fields say: `default`, `from`, `try_from`.
    pub(crate) reads_otherwise: bool,
}

/// `#[serde(...)]` of a field.
#[derive(Default)]
pub(crate) struct SerdeField {
    pub(crate) rename: Option<LitStr>,
    pub(crate) rename_read: Option<LitStr>,
    /// `skip` or `skip_serializing`: never written.
    pub(crate) skip: Option<Name>,
    pub(crate) flatten: Option<Span>,
    /// `with` or `serialize_with`, and the path it says.
    pub(crate) with: Option<(Name, LitStr)>,
    /// `default`, perhaps of a function.
    pub(crate) default: Option<MissingValue>,
    /// What is read is not what the type says: `alias`, `deserialize_with`, `skip_deserializing`.
    pub(crate) reads_otherwise: bool,
}

/// What a missing member is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingValue {
    OfType,
    OfFunction,
}

/// What stands behind a name.
enum SerdeValue {
    Flag,
    Text(LitStr),
    /// `rename(serialize = "…", deserialize = "…")`.
    Both {
        written: Option<LitStr>,
        read: Option<LitStr>,
    },
    Other,
}

impl SerdeValue {
    fn written(&self) -> Option<&LitStr> {
        match self {
            Self::Text(text) => Some(text),
            Self::Both { written, .. } => written.as_ref(),
            Self::Flag | Self::Other => None,
        }
    }

    fn read(&self) -> Option<&LitStr> {
        match self {
            Self::Text(text) => Some(text),
            Self::Both { read, .. } => read.as_ref(),
            Self::Flag | Self::Other => None,
        }
    }
}

impl SerdeContainer {
    pub(crate) fn parse(attributes: &[Attribute]) -> Self {
        let mut container = Self::default();
        each_serde_item(attributes, &mut |name, value| {
            let rule = |text: Option<&LitStr>| text.and_then(|text| RenameRule::named(&text.value()));
            match name.text.as_str() {
                "rename_all" => {
                    container.rename_all = rule(value.written());
                    container.rename_all_read = rule(value.read());
                }
                "transparent" => container.transparent = true,
                "into" | "remote" => container.opaque = Some(name),
                "tag" => {
                    container.tag = value.written().cloned();
                    container.tagging = Some(name);
                }
                "deny_unknown_fields" => container.denies_unknown = Some(name),
                "content" | "untagged" => container.tagging = Some(name),
                "default" | "from" | "try_from" => container.reads_otherwise = true,
                _ => {}
            }
        });
        container
    }
}

impl SerdeField {
    pub(crate) fn parse(attributes: &[Attribute]) -> Self {
        let mut field = Self::default();
        each_serde_item(attributes, &mut |name, value| match name.text.as_str() {
            "rename" => {
                field.rename = value.written().cloned();
                field.rename_read = value.read().cloned();
            }
            "skip" => {
                field.reads_otherwise = true;
                field.skip = Some(name);
            }
            "skip_serializing" => field.skip = Some(name),
            "flatten" => field.flatten = Some(name.span),
            "with" | "serialize_with" => {
                field.reads_otherwise |= name.text == "with";
                if let SerdeValue::Text(path) = value {
                    field.with = Some((name, path));
                }
            }
            "default" => {
                let of_type = matches!(value, SerdeValue::Flag);
                field.default = Some(if of_type { MissingValue::OfType } else { MissingValue::OfFunction });
            }
            "alias" | "deserialize_with" | "skip_deserializing" => field.reads_otherwise = true,
            _ => {}
        });
        field
    }
}

fn each_serde_item(attributes: &[Attribute], one: &mut dyn FnMut(Name, SerdeValue)) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let Meta::List(list) = &attribute.meta else { continue };
        let errors = Errors::new();
        let parser = |input: ParseStream<'_>| {
            read_items(&errors, input, &mut |name, input| {
                let value = serde_value(input)?;
                one(name, value);
                Ok(())
            });
            Ok(())
        };
        // serde says what is wrong with its own attributes.
        let _malformed = parser.parse2(list.tokens.clone());
        errors.leave_to_the_other_derive();
    }
}

fn serde_value(input: ParseStream<'_>) -> syn::Result<SerdeValue> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.peek(LitStr) {
            return Ok(SerdeValue::Text(input.parse()?));
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<TokenTree>()?;
        }
        return Ok(SerdeValue::Other);
    }
    if !input.peek(syn::token::Paren) {
        return Ok(SerdeValue::Flag);
    }
    let inner;
    parenthesized!(inner in input);
    let (mut written, mut read) = (None, None);
    while !inner.is_empty() {
        let name = Name::parse(&inner)?;
        if let SerdeValue::Text(text) = serde_value(&inner)? {
            match name.text.as_str() {
                "serialize" => written = Some(text),
                "deserialize" => read = Some(text),
                _ => {}
            }
        }
        let _comma: Option<Token![,]> = inner.parse()?;
    }
    Ok(SerdeValue::Both { written, read })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn names_that_are_written_and_read_are_told_apart() {
        let field =
            SerdeField::parse(&[parse_quote!(#[serde(rename(serialize = "a", deserialize = "b"), default)])]);
        assert_eq!(field.rename.unwrap().value(), "a");
        assert_eq!(field.rename_read.unwrap().value(), "b");
        assert_eq!(field.default, Some(MissingValue::OfType));
    }

    #[test]
    fn items_of_no_interest_are_passed_over() {
        let attribute = parse_quote!(#[serde(bound(serialize = "T: X<A, B>"), crate = "x", skip_serializing_if = "Option::is_none", flatten)]);
        let field = SerdeField::parse(&[attribute]);
        assert!(field.flatten.is_some());
        assert!(field.skip.is_none());
    }

    #[test]
    fn a_malformed_attribute_is_left_to_serde() {
        let container = SerdeContainer::parse(&[parse_quote!(#[serde(= 3, transparent)])]);
        assert!(container.transparent);
    }
}
