//! `#[couch(...)]`: what a document is.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, LitStr, Token, bracketed};

use super::items::{Name, each_item, equals, once, text_value, unknown_item};
use crate::errors::{Errors, with_help};

const ITEMS: [&str; 6] =
    ["doc_type", "deleted", "database", "unknown", "type_field", "doc_type_is_immutable"];

/// What becomes of members that a struct does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Carry,
    Drop,
}

/// `#[couch(...)]` as it is written.
#[derive(Default)]
pub(crate) struct CouchReceiver {
    pub(crate) doc_types: Option<Vec<LitStr>>,
    pub(crate) deleted: Option<Vec<LitStr>>,
    pub(crate) database: Option<LitStr>,
    pub(crate) unknown: Option<(Unknown, Span)>,
    pub(crate) type_field: Option<LitStr>,
    pub(crate) doc_type_is_immutable: Option<Span>,
    /// The names of all items, whether their values can be read or not: some mean nothing without `doc_type`.
    pub(crate) names: Vec<Name>,
}

impl CouchReceiver {
    pub(crate) fn parse(errors: &Errors, attributes: &[Attribute]) -> Self {
        let mut receiver = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("couch")) {
            each_item(errors, attribute, &mut |name, input| receiver.item(errors, &name, input));
        }
        receiver
    }

    fn item(&mut self, errors: &Errors, name: &Name, input: ParseStream<'_>) -> syn::Result<()> {
        if ITEMS.contains(&name.text.as_str()) {
            self.names.push(name.clone());
        }
        match name.text.as_str() {
            "doc_type" => once(errors, &mut self.doc_types, name, texts(name, input)?),
            "deleted" => once(errors, &mut self.deleted, name, texts(name, input)?),
            "database" => once(errors, &mut self.database, name, text_value(name, input)?),
            "type_field" => once(errors, &mut self.type_field, name, text_value(name, input)?),
            "unknown" => once(errors, &mut self.unknown, name, unknown(name, input)?),
            "doc_type_is_immutable" => once(errors, &mut self.doc_type_is_immutable, name, name.span),
            _ => return Err(unknown_item("couch", name, &ITEMS)),
        }
        Ok(())
    }
}

fn texts(name: &Name, input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let refuse = |span: Span| {
        let Name { text, .. } = name;
        let help = format!("write `{text} = \"…\"` or `{text} = [\"…\", \"…\"]`");
        syn::Error::new(span, with_help(format!("`{text}` takes a text or a list of texts"), help))
    };
    equals(name, input, "\"…\"")?;
    if !input.peek(syn::token::Bracket) {
        return Ok(vec![input.parse().map_err(|error: syn::Error| refuse(error.span()))?]);
    }
    let inner;
    let bracket = bracketed!(inner in input);
    let texts: Vec<LitStr> = inner
        .parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])
        .map_err(|error| refuse(error.span()))?
        .into_iter()
        .collect();
    if texts.is_empty() { Err(refuse(bracket.span.join())) } else { Ok(texts) }
}

fn unknown(name: &Name, input: ParseStream<'_>) -> syn::Result<(Unknown, Span)> {
    equals(name, input, "carry")?;
    let span = input.span();
    let said = input.parse::<Ident>().map(|ident| ident.to_string()).unwrap_or_default();
    match said.as_str() {
        "carry" => Ok((Unknown::Carry, span)),
        "drop" => Ok((Unknown::Drop, span)),
        _ => Err(syn::Error::new(
            span,
            with_help(
                "`unknown` is `carry` or `drop`",
                "write `unknown = carry` to keep members that the struct does not name",
            ),
        )),
    }
}
