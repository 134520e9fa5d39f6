//! What darling's receivers of `#[couch(...)]` and `#[pillow(...)]` share.

use std::fmt::Display;

use darling::ast::NestedMeta;
use darling::{Error, FromMeta, Result};
use pillowtop_core::edit_distance::nearest;
use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Meta, MetaNameValue, Path, Token, Type};

use super::items::{Name, each_item, unknown_item};
use super::vocabulary::{COUCH_ITEMS, PILLOW_ITEMS};
use crate::errors::{Errors, with_help};

/// The items whose values are types.
const TYPE_ITEMS: [&str; 2] = ["index", "lookup"];

/// The one item whose value is a condition.
const FILTER_ITEM: &str = "filter";

/// A string after `=`.
pub(crate) struct Text(pub(crate) LitStr);

impl FromMeta for Text {
    fn from_meta(item: &Meta) -> Result<Self> {
        let (name, value) = (name_of(item), expression(item, "\"…\"")?);
        literal_text(value).cloned().map(Self).ok_or_else(|| {
            refuse(value.span(), format!("`{name}` expects a string"), format!("write `{name} = \"…\"`"))
        })
    }
}

/// The path of the facade crate, bare or as serde has it, in quotes.
pub(crate) struct CratePath(pub(crate) Path);

impl FromMeta for CratePath {
    fn from_meta(item: &Meta) -> Result<Self> {
        let value = expression(item, "path")?;
        let path = match value {
            Expr::Path(ExprPath { qself: None, path, .. }) => Some(path.clone()),
            quoted => literal_text(quoted).and_then(|text| text.parse().ok()),
        };
        path.map(Self).ok_or_else(|| {
            refuse(
                value.span(),
                "`crate` expects the path of the crate `pillowtop`",
                "write `crate = other::pillowtop`, or leave it out if the manifest has the dependency",
            )
        })
    }
}

/// A name alone.
pub(crate) struct Flag(pub(crate) Span);

impl FromMeta for Flag {
    fn from_meta(item: &Meta) -> Result<Self> {
        let name = name_of(item);
        match item {
            Meta::Path(path) => Ok(Self(path.span())),
            Meta::List(_) | Meta::NameValue(_) => {
                let value = expression(item, "true")?;
                let help = format!("write `{name}`, or leave it out");
                Err(refuse(value.span(), format!("`{name}` takes no value"), help))
            }
        }
    }
}

/// Calls `one` with each known item of the attributes of a name, and with its value if it can be
/// read. Returns the items that unknown ones are likely meant to be, also of another attribute:
/// that those are missing is not an error beside theirs.
pub(crate) fn each_received<Item: FromMeta>(
    errors: &Errors,
    attributes: &[Attribute],
    attribute_name: &str,
    known: &[&'static str],
    one: &mut dyn FnMut(&Name, Option<Item>),
) -> Vec<&'static str> {
    let mut meant = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(attribute_name)) {
        if !matches!(attribute.meta, Meta::List(_)) {
            meant.extend(known);
        }
        each_item(errors, attribute, &mut |name, input| {
            if !known.contains(&name.text.as_str()) {
                let others = COUCH_ITEMS.into_iter().chain(PILLOW_ITEMS);
                meant.extend(others.filter(|other| *other == name.text));
                meant.extend(nearest(&name.text, known.iter().copied()));
                return Err(unknown_item(attribute_name, &name, known));
            }
            let item = meta(&name, input).and_then(|meta| Ok(Item::from_list(&[NestedMeta::Meta(meta)])?));
            let (item, error) = item.map_or_else(|error| (None, Some(error)), |item| (Some(item), None));
            one(&name, item);
            error.map_or(Ok(()), Err)
        });
    }
    meant
}

/// The item behind a name, as darling takes it.
fn meta(name: &Name, input: ParseStream<'_>) -> syn::Result<Meta> {
    let path = Ident::new(&name.text, name.span).into();
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        return Ok(Meta::Path(path));
    }
    let eq_token = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Meta::Path(path));
    }
    // As an expression, `Page<Item>` would be a comparison; what is not a type is refused by its
    // receiver.
    let is_type = TYPE_ITEMS.contains(&name.text.as_str()) && input.fork().parse::<Type>().is_ok();
    let value = if is_type {
        Expr::Verbatim(input.parse::<Type>()?.into_token_stream())
    } else {
        input.parse().map_err(|error| no_expression(name, &error))?
    };
    after_filter(name, input)?;
    Ok(Meta::NameValue(MetaNameValue { path, eq_token, value }))
}

fn no_expression(name: &Name, error: &syn::Error) -> syn::Error {
    let help = match name.text.as_str() {
        FILTER_ITEM => {
            "write a Rust expression about fields: `filter = self.kind == \"a\" && self.count > 3`".to_owned()
        }
        name => format!("write `{name} = …`"),
    };
    syn::Error::new(
        error.span(),
        with_help(format!("this is not a value for `{}`: {error}", name.text), help),
    )
}

/// Words that other languages join conditions by.
fn after_filter(name: &Name, input: ParseStream<'_>) -> syn::Result<()> {
    let word = input.fork().call(Ident::parse_any).map(|word| word.to_string()).unwrap_or_default();
    let meant = match word.to_lowercase().as_str() {
        "and" => "&&",
        "or" => "||",
        _ => return Ok(()),
    };
    if name.text != FILTER_ITEM {
        return Ok(());
    }
    let message = format!("a filter has no operator `{word}`");
    Err(syn::Error::new(input.span(), with_help(message, format!("write `{meant}`"))))
}

/// An item's name, as it is shown in messages.
pub(crate) fn name_of(item: &Meta) -> String {
    item.path()
        .get_ident()
        .map_or_else(|| item.path().to_token_stream().to_string(), |name| name.unraw().to_string())
}

/// An item's value, without the invisible delimiters of a macro's fragment.
pub(crate) fn expression<'m>(item: &'m Meta, example: &str) -> Result<&'m Expr> {
    if let Meta::NameValue(pair) = item {
        return Ok(without_group(&pair.value));
    }
    let name = name_of(item);
    Err(refuse(item.path().span(), format!("`{name}` needs a value"), format!("write `{name} = {example}`")))
}

/// The text that an expression is.
pub(crate) fn literal_text(value: &Expr) -> Option<&LitStr> {
    match without_group(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}

/// The expression inside the invisible delimiters that a fragment such as `$value:expr` of a
/// `macro_rules!` stands in.
pub(crate) fn without_group(value: &Expr) -> &Expr {
    match value {
        Expr::Group(inner) => without_group(&inner.expr),
        plain => plain,
    }
}

/// An error at a place, with what to write instead.
pub(crate) fn refuse(span: Span, message: impl Display, help: impl Display) -> Error {
    Error::custom(with_help(message, help)).with_span(&span)
}

/// Puts the value of an item in its place, unless it already has one.
pub(crate) fn once<T>(errors: &Errors, slot: &mut Option<T>, name: &Name, value: T) {
    if slot.is_some() {
        errors.at_span(name.span, format!("duplicate `{}`", name.text), "remove one of them");
    } else {
        *slot = Some(value);
    }
}
