//! `#[pillow(...)]`: what a pillow does.

use darling::{FromMeta, Result};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Meta, Path, Type};

use super::items::Name;
use super::receive::{CratePath, Flag, Text, each_received, expression, literal_text, name_of, once, refuse};
use super::rust_type::layers;
use super::vocabulary::{PILLOW_ITEMS, has_slip_for};
use crate::errors::Errors;

/// One item; each is read by itself, so that an error in one leaves the others to be read.
#[derive(FromMeta)]
enum PillowItem {
    Name(Text),
    Alias(Text),
    Settings(Text),
    Targets(TargetList),
    Filter(Condition),
    FilterIsImmutable(Flag),
    Routing(RoutingValue),
    Lookup(TypeName),
    LookupKeys(Function),
    Transform(Function),
    Index(TypeName),
    TransformVersion(Version),
    Mapping(MappingReceiver),
    Samples(Text),
    Crate(CratePath),
}

/// The filter's expression, read as one later.
struct Condition(Expr);

/// The field or the function that gives the routing value, told apart later.
struct RoutingValue(Expr);

/// The servers that the mapping is for.
struct TargetList(Vec<LitStr>);

/// The path of a function.
struct Function(ExprPath);

/// A type.
struct TypeName(Type);

/// A whole number and its place.
struct Version(u32, Span);

/// Where the committed mapping is declared to be.
#[derive(Clone)]
pub(crate) enum MappingReceiver {
    Path(LitStr),
    Unchecked,
}

/// `#[pillow(...)]` as it is written.
#[derive(Default)]
pub(crate) struct PillowReceiver {
    /// The items that are there in a way that cannot be read, and those that unknown ones are
    /// likely meant to be.
    pub(crate) meant: Vec<&'static str>,
    /// Whether there is an attribute that is likely meant to be this one.
    pub(crate) is_misspelt: bool,
    pub(crate) name: Option<LitStr>,
    pub(crate) alias: Option<LitStr>,
    pub(crate) settings: Option<LitStr>,
    pub(crate) targets: Option<Vec<LitStr>>,
    pub(crate) filter: Option<Expr>,
    pub(crate) filter_is_immutable: Option<Span>,
    pub(crate) routing: Option<Expr>,
    pub(crate) lookup: Option<Type>,
    pub(crate) lookup_keys: Option<ExprPath>,
    pub(crate) transform: Option<ExprPath>,
    pub(crate) index: Option<Type>,
    pub(crate) transform_version: Option<(u32, Span)>,
    pub(crate) mapping: Option<MappingReceiver>,
    /// The file of sample documents.
    pub(crate) samples: Option<LitStr>,
    /// The path of the facade crate.
    pub(crate) facade: Option<Path>,
    /// The attribute's place, if there is one.
    pub(crate) span: Option<Span>,
}

impl PillowReceiver {
    pub(crate) fn parse(errors: &Errors, attributes: &[Attribute]) -> Self {
        let mut receiver = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("pillow")) {
            receiver.span.get_or_insert_with(|| attribute.path().segments[0].ident.span());
        }
        let mut unread = Vec::new();
        let meant =
            each_received(errors, attributes, "pillow", &PILLOW_ITEMS, &mut |name, item| match item {
                Some(item) => receiver.put(errors, name, item),
                None => unread.extend(PILLOW_ITEMS.into_iter().filter(|known| *known == name.text)),
            });
        receiver.meant = [meant, unread].concat();
        receiver.is_misspelt = has_slip_for("pillow", attributes);
        receiver
    }

    /// Whether the attribute is missing but for a slip, which the compiler reports.
    pub(crate) fn is_slip(&self) -> bool {
        self.is_misspelt && self.span.is_none()
    }

    /// The type that the transform makes; none without a transform, or if the attribute does not
    /// tell.
    pub(crate) fn made(&self) -> Option<Type> {
        let function = self.transform.as_ref()?;
        self.index.clone().or_else(|| type_of(&function.path))
    }

    /// Whether the transform makes another type than the struct, so that the struct itself is never
    /// indexed.
    pub(crate) fn makes_another(&self, ident: &Ident) -> bool {
        let is_itself = |made: Type| match layers(&made).last() {
            Some(Type::Path(path)) => {
                path.path.segments.last().is_some_and(|last| last.ident == *ident || last.ident == "Self")
            }
            _ => false,
        };
        self.transform.is_some() && !self.made().is_some_and(is_itself)
    }

    fn put(&mut self, errors: &Errors, name: &Name, item: PillowItem) {
        match item {
            PillowItem::Name(Text(text)) => once(errors, &mut self.name, name, text),
            PillowItem::Alias(Text(text)) => once(errors, &mut self.alias, name, text),
            PillowItem::Settings(Text(text)) => once(errors, &mut self.settings, name, text),
            PillowItem::Targets(TargetList(targets)) => once(errors, &mut self.targets, name, targets),
            PillowItem::Filter(Condition(filter)) => once(errors, &mut self.filter, name, filter),
            PillowItem::FilterIsImmutable(Flag(span)) => {
                once(errors, &mut self.filter_is_immutable, name, span);
            }
            PillowItem::Routing(RoutingValue(routing)) => once(errors, &mut self.routing, name, routing),
            PillowItem::Transform(Function(path)) => once(errors, &mut self.transform, name, path),
            PillowItem::Lookup(TypeName(lookup)) => once(errors, &mut self.lookup, name, lookup),
            PillowItem::LookupKeys(Function(path)) => once(errors, &mut self.lookup_keys, name, path),
            PillowItem::Index(TypeName(index)) => once(errors, &mut self.index, name, index),
            PillowItem::TransformVersion(Version(number, span)) => {
                once(errors, &mut self.transform_version, name, (number, span));
            }
            PillowItem::Mapping(mapping) => once(errors, &mut self.mapping, name, mapping),
            PillowItem::Samples(Text(text)) => once(errors, &mut self.samples, name, text),
            PillowItem::Crate(CratePath(path)) => once(errors, &mut self.facade, name, path),
        }
    }
}

/// The path before a function's name, when that is a type's: types begin with a capital letter.
fn type_of(function: &Path) -> Option<Type> {
    let mut path = function.clone();
    path.segments.pop()?;
    let last = path.segments.pop()?;
    if !last.ident.to_string().starts_with(char::is_uppercase) {
        return None;
    }
    path.segments.push_value(last);
    Some(syn::parse_quote!(#path))
}

impl FromMeta for Condition {
    fn from_meta(item: &Meta) -> Result<Self> {
        expression(item, "self.field == \"value\"").cloned().map(Self)
    }
}

impl FromMeta for RoutingValue {
    fn from_meta(item: &Meta) -> Result<Self> {
        expression(item, "self.household_id").cloned().map(Self)
    }
}

impl FromMeta for TargetList {
    fn from_meta(item: &Meta) -> Result<Self> {
        let value = expression(item, "[\"elasticsearch 8.15\", \"opensearch 2.19\"]")?;
        let texts = match value {
            Expr::Array(list) => list.elems.iter().map(|element| literal_text(element).cloned()).collect(),
            single => literal_text(single).map(|text| vec![text.clone()]),
        };
        texts.map(Self).ok_or_else(|| {
            let help = "write `targets = [\"elasticsearch 8.15\", \"opensearch 2.19\"]`";
            refuse(value.span(), "`targets` expects a list of products with versions", help)
        })
    }
}

impl FromMeta for Function {
    fn from_meta(item: &Meta) -> Result<Self> {
        let name = name_of(item);
        let (example, signature) = match name.as_str() {
            "lookup_keys" => ("Case::owner_ids", "fn(&Case) -> Vec<String>"),
            _ => ("CaseIndex::from_case", "fn(Case, &ChangeMeta) -> Option<CaseIndex>"),
        };
        let value = expression(item, example)?;
        let Expr::Path(path) = value else {
            let help = format!("write `{name} = {example}`, a `{signature}`");
            return Err(refuse(value.span(), format!("`{name}` expects the path of a function"), help));
        };
        Ok(Self(path.clone()))
    }
}

impl FromMeta for TypeName {
    fn from_meta(item: &Meta) -> Result<Self> {
        let name = name_of(item);
        let example = if name == "lookup" { "OwnerNames" } else { "CaseIndex" };
        let value = expression(item, example)?;
        let named = match value {
            Expr::Verbatim(tokens) => syn::parse2(tokens.clone()).ok(),
            _ => None,
        };
        named.map(Self).ok_or_else(|| {
            refuse(value.span(), format!("`{name}` expects a type"), format!("write `{name} = {example}`"))
        })
    }
}

impl FromMeta for Version {
    fn from_meta(item: &Meta) -> Result<Self> {
        let value = expression(item, "2")?;
        let number = match value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
            _ => None,
        };
        number.map(|number| Self(number, value.span())).ok_or_else(|| {
            refuse(
                value.span(),
                "`transform_version` expects a whole number",
                "write `transform_version = 2`",
            )
        })
    }
}

impl FromMeta for MappingReceiver {
    fn from_meta(item: &Meta) -> Result<Self> {
        let value = expression(item, "unchecked")?;
        if let Some(path) = literal_text(value) {
            return Ok(Self::Path(path.clone()));
        }
        match value {
            Expr::Path(path) if path.path.is_ident("unchecked") => Ok(Self::Unchecked),
            _ => Err(refuse(
                value.span(),
                "`mapping` expects a path or `unchecked`",
                "write `mapping = \"…/case.json\"`, from the crate's directory, or leave it out",
            )),
        }
    }
}
