//! `#[couch(...)]`: what a document is.

use darling::{FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, LitStr, Meta, Path};

use super::items::Name;
use super::receive::{CratePath, Flag, Text, each_received, expression, literal_text, name_of, once, refuse};
use super::vocabulary::{COUCH_ITEMS, has_slip_for};
use crate::errors::Errors;

/// One item; each is read by itself, so that an error in one leaves the others to be read.
#[derive(FromMeta)]
enum CouchItem {
    DocType(Texts),
    Deleted(Texts),
    Database(Text),
    Unknown(Policy),
    TypeField(Text),
    DocTypeIsImmutable(Flag),
    Crate(CratePath),
}

/// A string or a list of strings.
struct Texts(Vec<LitStr>);

/// `carry` or `drop`, and its place.
struct Policy(Unknown, Span);

/// What becomes of members that a struct does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Carry,
    Drop,
}

/// `#[couch(...)]` as it is written.
#[derive(Default)]
pub(crate) struct CouchReceiver {
    /// The items that unknown ones are likely meant to be, of whichever attribute.
    pub(crate) meant: Vec<&'static str>,
    /// Whether there is an attribute that is likely meant to be this one.
    pub(crate) is_misspelt: bool,
    pub(crate) doc_types: Option<Vec<LitStr>>,
    pub(crate) deleted: Option<Vec<LitStr>>,
    pub(crate) database: Option<LitStr>,
    pub(crate) unknown: Option<(Unknown, Span)>,
    pub(crate) type_field: Option<LitStr>,
    pub(crate) doc_type_is_immutable: Option<Span>,
    /// The path of the facade crate.
    pub(crate) facade: Option<Path>,
    /// The names of all items, whether their values can be read or not: some mean nothing without
    /// `doc_type`.
    pub(crate) names: Vec<Name>,
}

impl CouchReceiver {
    pub(crate) fn parse(errors: &Errors, attributes: &[Attribute]) -> Self {
        let mut receiver = Self::default();
        let meant = each_received(errors, attributes, "couch", &COUCH_ITEMS, &mut |name, item| {
            // The path of the facade does not make it a document.
            if name.text != "crate" {
                receiver.names.push(name.clone());
            }
            if let Some(item) = item {
                receiver.put(errors, name, item);
            }
        });
        receiver.meant = meant;
        receiver.is_misspelt = has_slip_for("couch", attributes);
        receiver
    }

    fn put(&mut self, errors: &Errors, name: &Name, item: CouchItem) {
        match item {
            CouchItem::DocType(Texts(texts)) => once(errors, &mut self.doc_types, name, texts),
            CouchItem::Deleted(Texts(texts)) => once(errors, &mut self.deleted, name, texts),
            CouchItem::Database(Text(text)) => once(errors, &mut self.database, name, text),
            CouchItem::TypeField(Text(text)) => once(errors, &mut self.type_field, name, text),
            CouchItem::Unknown(Policy(unknown, span)) => {
                once(errors, &mut self.unknown, name, (unknown, span));
            }
            CouchItem::Crate(CratePath(path)) => once(errors, &mut self.facade, name, path),
            CouchItem::DocTypeIsImmutable(Flag(span)) => {
                once(errors, &mut self.doc_type_is_immutable, name, span);
            }
        }
    }
}

impl CouchReceiver {
    /// Whether the attribute is missing but for a slip, which the compiler reports.
    pub(crate) fn is_slip(&self) -> bool {
        self.is_misspelt && self.names.is_empty()
    }

    /// Whether an item is there, though perhaps in a way that cannot be read, which is reported.
    pub(crate) fn tries_to_say(&self, item: &str) -> bool {
        self.is_slip() || self.meant.contains(&item) || self.names.iter().any(|name| name.text == item)
    }
}

impl FromMeta for Texts {
    fn from_meta(item: &Meta) -> Result<Self> {
        let name = name_of(item);
        let wrong = |span: Span| {
            let help = format!("write `{name} = \"…\"` or `{name} = [\"…\", \"…\"]`");
            refuse(span, format!("`{name}` expects a string or a list of strings"), help)
        };
        let texts = match expression(item, "\"…\"")? {
            Expr::Array(list) if list.elems.is_empty() => return Err(wrong(list.bracket_token.span.join())),
            Expr::Array(list) => list.elems.iter().collect(),
            single => vec![single],
        };
        let read = |text: &Expr| literal_text(text).cloned().ok_or_else(|| wrong(text.span()));
        texts.into_iter().map(read).collect::<Result<_>>().map(Self)
    }
}

impl FromMeta for Policy {
    fn from_meta(item: &Meta) -> Result<Self> {
        let value = expression(item, "carry")?;
        match value {
            Expr::Path(path) if path.path.is_ident("carry") => Ok(Self(Unknown::Carry, value.span())),
            Expr::Path(path) if path.path.is_ident("drop") => Ok(Self(Unknown::Drop, value.span())),
            _ => Err(refuse(
                value.span(),
                "`unknown` expects `carry` or `drop`",
                "write `unknown = carry` to keep members that the struct does not name",
            )),
        }
    }
}
