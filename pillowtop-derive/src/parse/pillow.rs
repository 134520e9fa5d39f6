//! `#[pillow(...)]`: what a pillow does.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, ExprPath, Ident, LitInt, LitStr, Type};

use super::items::{Name, each_item, equals, once, text_value, unknown_item};
use crate::errors::{Errors, with_help};

const ITEMS: [&str; 8] =
    ["name", "alias", "settings", "filter", "transform", "index", "transform_version", "mapping"];

/// Where the committed mapping is said to be.
#[derive(Clone)]
pub(crate) enum MappingReceiver {
    Path(LitStr),
    Unchecked,
}

/// `#[pillow(...)]` as it is written.
#[derive(Default)]
pub(crate) struct PillowReceiver {
    pub(crate) name: Option<LitStr>,
    pub(crate) alias: Option<LitStr>,
    pub(crate) settings: Option<LitStr>,
    pub(crate) filter: Option<Expr>,
    pub(crate) transform: Option<ExprPath>,
    pub(crate) index: Option<Type>,
    pub(crate) transform_version: Option<(u32, Span)>,
    pub(crate) mapping: Option<MappingReceiver>,
    /// The attribute's place, if there is one.
    pub(crate) span: Option<Span>,
}

impl PillowReceiver {
    pub(crate) fn parse(errors: &Errors, attributes: &[Attribute]) -> Self {
        let mut receiver = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("pillow")) {
            receiver.span.get_or_insert_with(|| attribute.path().segments[0].ident.span());
            each_item(errors, attribute, &mut |name, input| receiver.item(errors, &name, input));
        }
        receiver
    }

    fn item(&mut self, errors: &Errors, name: &Name, input: ParseStream<'_>) -> syn::Result<()> {
        match name.text.as_str() {
            "name" => once(errors, &mut self.name, name, text_value(name, input)?),
            "alias" => once(errors, &mut self.alias, name, text_value(name, input)?),
            "settings" => once(errors, &mut self.settings, name, text_value(name, input)?),
            "filter" => {
                equals(name, input, "self.field == \"value\"")?;
                once(errors, &mut self.filter, name, input.parse()?);
            }
            "transform" => {
                equals(name, input, "CaseIndex::from_case")?;
                let path = input.parse::<ExprPath>().map_err(|error| {
                    let help = "write `transform = CaseIndex::from_case`, a `fn(Case, &ChangeMeta) -> Option<CaseIndex>`";
                    syn::Error::new(error.span(), with_help("`transform` takes the path of a function", help))
                })?;
                once(errors, &mut self.transform, name, path);
            }
            "index" => {
                equals(name, input, "CaseIndex")?;
                once(errors, &mut self.index, name, input.parse()?);
            }
            "transform_version" => once(errors, &mut self.transform_version, name, version(name, input)?),
            "mapping" => once(errors, &mut self.mapping, name, mapping(name, input)?),
            _ => return Err(unknown_item("pillow", name, &ITEMS)),
        }
        Ok(())
    }
}

fn version(name: &Name, input: ParseStream<'_>) -> syn::Result<(u32, Span)> {
    equals(name, input, "2")?;
    let span = input.span();
    let number = input.parse::<LitInt>().ok().and_then(|literal| literal.base10_parse::<u32>().ok());
    match number {
        Some(number) => Ok((number, span)),
        None => Err(syn::Error::new(
            span,
            with_help("`transform_version` takes a whole number", "write `transform_version = 2`"),
        )),
    }
}

fn mapping(name: &Name, input: ParseStream<'_>) -> syn::Result<MappingReceiver> {
    equals(name, input, "unchecked")?;
    if input.peek(LitStr) {
        return Ok(MappingReceiver::Path(input.parse()?));
    }
    let span = input.span();
    match input.parse::<Ident>() {
        Ok(ident) if ident == "unchecked" => Ok(MappingReceiver::Unchecked),
        _ => Err(syn::Error::new(
            span,
            with_help(
                "`mapping` takes a path or `unchecked`",
                "write `mapping = \"…/case.json\"`, from the crate's folder, or leave it out",
            ),
        )),
    }
}
