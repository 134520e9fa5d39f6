//! The common form of all our attributes: items between commas, each of which begins with a name.

use proc_macro2::{Span, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Meta, Token};

use super::vocabulary::home_of;
use crate::errors::{Errors, did_you_mean, with_help};

/// The name of an item: an identifier, keywords included, or a string for what is not an
/// identifier.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Name {
    pub(crate) fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let literal: LitStr = input.parse()?;
            return Ok(Self { text: literal.value(), span: literal.span() });
        }
        match input.call(Ident::parse_any) {
            Ok(ident) => Ok(Self { text: ident.unraw().to_string(), span: ident.span() }),
            Err(error) => Err(syn::Error::new(
                error.span(),
                with_help(
                    "expected an item that starts with a name",
                    "write `name`, `name = value` or `name(…)`",
                ),
            )),
        }
    }
}

/// Calls `one` with each item of an attribute, standing behind its name. An error in one item
/// leaves the others to be read.
pub(crate) fn each_item(
    errors: &Errors,
    attribute: &Attribute,
    one: &mut dyn FnMut(Name, ParseStream<'_>) -> syn::Result<()>,
) {
    let Meta::List(list) = &attribute.meta else {
        let name = attribute.path().to_token_stream();
        errors.at(attribute, format!("`#[{name}]` has no items"), format!("write `#[{name}(…)]`"));
        return;
    };
    let parser = |input: ParseStream<'_>| {
        read_items(errors, input, one);
        Ok(())
    };
    errors.handle(parser.parse2(list.tokens.clone()));
}

/// Calls `one` with each item up to the end.
pub(crate) fn read_items(
    errors: &Errors,
    input: ParseStream<'_>,
    one: &mut dyn FnMut(Name, ParseStream<'_>) -> syn::Result<()>,
) {
    read_items_until(errors, input, is_at_end, "write a comma between items", one);
}

/// Calls `one` with each item up to a semicolon or the end; the semicolon remains.
pub(crate) fn read_rule_items(
    errors: &Errors,
    input: ParseStream<'_>,
    one: &mut dyn FnMut(Name, ParseStream<'_>) -> syn::Result<()>,
) {
    let is_end = |input: ParseStream<'_>| input.is_empty() || input.peek(Token![;]);
    read_items_until(errors, input, is_end, "write a comma between items, and a semicolon after a rule", one);
}

fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty()
}

fn read_items_until(
    errors: &Errors,
    input: ParseStream<'_>,
    is_end: fn(ParseStream<'_>) -> bool,
    help: &str,
    one: &mut dyn FnMut(Name, ParseStream<'_>) -> syn::Result<()>,
) {
    while !is_end(input) {
        let outcome = Name::parse(input).and_then(|name| one(name, input));
        if errors.handle(outcome).is_none() {
            skip_item(input, is_end);
        } else if !is_end(input) && !input.peek(Token![,]) {
            errors.at_span(input.span(), "expected `,`", help);
            skip_item(input, is_end);
        }
        // Present unless the items are at their end.
        let _comma: Option<Token![,]> = input.parse().unwrap_or_default();
    }
}

fn skip_item(input: ParseStream<'_>, is_end: fn(ParseStream<'_>) -> bool) {
    while !is_end(input) && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// An error for an item that an attribute does not have.
pub(crate) fn unknown_item(attribute: &str, name: &Name, known: &[&str]) -> syn::Error {
    if let Some(home) = home_of(&name.text, attribute) {
        let message =
            format!("`#[{attribute}(…)]` has no item `{}`, which is one of `#[{home}(…)]`", name.text);
        return syn::Error::new(name.span, with_help(message, format!("write `#[{home}({} …)]`", name.text)));
    }
    let meant = did_you_mean(&name.text, known.iter().copied());
    let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = format!("`#[{attribute}(…)]` has no item `{}`{meant}", name.text);
    syn::Error::new(name.span, with_help(message, format!("its items are {known}")))
}
