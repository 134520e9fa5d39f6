//! `#[fluff(...)]` at a struct and at its fields.

use std::fmt::Display;

use syn::meta::ParseNestedMeta;
use syn::{Data, DeriveInput, Expr, Field, Fields, Ident, LitInt, LitStr, Path, Token, Type};

use crate::errors::{Errors, with_help};

const ITEMS: &str = "the items are `name`, `document`, `filter`, `version`, `keep_flat` and `mapping`";
const FIELD_ITEMS: &str =
    "write `group_by`, `group_by = function`, `flat`, `flat = function`, or `calculator`";

/// What a field is.
pub(crate) enum Role {
    /// Rows are grouped by it.
    Group(Option<Path>),
    /// It goes along.
    Flat(Option<Path>),
    /// Its type is a calculator.
    Calculator,
}

/// A field of the struct.
pub(crate) struct FluffField<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) rust_type: &'a Type,
    pub(crate) role: Role,
}

/// A struct that derives a table.
pub(crate) struct FluffModel<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: LitStr,
    pub(crate) document: Type,
    pub(crate) filter: Option<Expr>,
    pub(crate) version: u32,
    pub(crate) keeps_flat: bool,
    pub(crate) is_unchecked: bool,
    pub(crate) fields: Vec<FluffField<'a>>,
}

/// The items of the struct as they are written.
#[derive(Default)]
struct Items {
    name: Option<LitStr>,
    document: Option<Type>,
    filter: Option<Expr>,
    version: Option<u32>,
    keeps_flat: bool,
    is_unchecked: bool,
}

impl<'a> FluffModel<'a> {
    /// The model of a struct; `None` where something is missing, which is an error.
    pub(crate) fn of(errors: &Errors, input: &'a DeriveInput) -> Option<Self> {
        let ident = &input.ident;
        let items = items(errors, input);
        if !input.generics.params.is_empty() {
            errors.at(
                &input.generics,
                "a generic struct cannot be a table",
                "derive `Fluff` on a struct of known types",
            );
        }
        let fields = fields(errors, input);
        if items.name.is_none() || items.document.is_none() {
            errors.at(
                ident,
                format!("`{ident}` derives `Fluff` without a name or a document"),
                "write `#[fluff(name = \"…\", document = …)]`: the name of the table, and the struct of its documents",
            );
        }
        let mut calculators = fields.iter().filter(|field| matches!(field.role, Role::Calculator));
        if calculators.next().is_none() && errors.is_empty() {
            errors.at(
                ident,
                format!("`{ident}` has no calculator, so its rows would have no values"),
                "mark a field whose type is a `Calculator` with `#[fluff(calculator)]`",
            );
        }
        Some(Self {
            ident,
            name: items.name?,
            document: items.document?,
            filter: items.filter,
            version: items.version.unwrap_or(1),
            keeps_flat: items.keeps_flat,
            is_unchecked: items.is_unchecked,
            fields,
        })
    }
}

fn items(errors: &Errors, input: &DeriveInput) -> Items {
    let mut items = Items::default();
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("fluff")) {
        errors.handle(attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            match name.as_str() {
                "name" => *once(&meta, &mut items.name)? = Some(meta.value()?.parse()?),
                "document" => *once(&meta, &mut items.document)? = Some(meta.value()?.parse()?),
                "filter" => *once(&meta, &mut items.filter)? = Some(meta.value()?.parse()?),
                "version" => {
                    let version: LitInt = meta.value()?.parse()?;
                    *once(&meta, &mut items.version)? = Some(version.base10_parse()?);
                }
                "keep_flat" => items.keeps_flat = true,
                "mapping" => {
                    let value: Ident = meta.value()?.parse()?;
                    if value != "unchecked" {
                        let message = with_help(
                            "`mapping` expects `unchecked`",
                            "remove it, or write `mapping = unchecked`",
                        );
                        return Err(syn::Error::new(value.span(), message));
                    }
                    items.is_unchecked = true;
                }
                _ => return Err(unknown(&meta, &name, ITEMS)),
            }
            Ok(())
        }));
    }
    items
}

fn once<'a, T>(meta: &ParseNestedMeta<'_>, item: &'a mut Option<T>) -> syn::Result<&'a mut Option<T>> {
    if item.is_some() {
        return Err(meta.error(with_help("duplicate item of `#[fluff(…)]`", "remove one of them")));
    }
    Ok(item)
}

fn unknown(meta: &ParseNestedMeta<'_>, name: &str, help: impl Display) -> syn::Error {
    meta.error(with_help(format!("unknown item `{name}` of `#[fluff(…)]`"), help))
}

fn fields<'a>(errors: &Errors, input: &'a DeriveInput) -> Vec<FluffField<'a>> {
    let Data::Struct(data) = &input.data else {
        errors.at(&input.ident, "only a struct can be a table", "use a struct with named fields");
        return Vec::new();
    };
    let Fields::Named(named) = &data.fields else {
        errors.at(&input.ident, "the columns of a table need names", "use a struct with named fields");
        return Vec::new();
    };
    named.named.iter().filter_map(|field| read(errors, field)).collect()
}

fn read<'a>(errors: &Errors, field: &'a Field) -> Option<FluffField<'a>> {
    let ident = field.ident.as_ref()?;
    let mut role = None;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("fluff")) {
        errors.handle(attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let function =
                if meta.input.peek(Token![=]) { Some(meta.value()?.parse::<Path>()?) } else { None };
            let found = match (name.as_str(), function) {
                ("group_by", function) => Role::Group(function),
                ("flat", function) => Role::Flat(function),
                ("calculator", None) => Role::Calculator,
                _ => return Err(unknown(&meta, &name, FIELD_ITEMS)),
            };
            *once(&meta, &mut role)? = Some(found);
            Ok(())
        }));
    }
    match role {
        Some(role) => Some(FluffField { ident, rust_type: &field.ty, role }),
        None => {
            errors.at(
                ident,
                format!("field `{ident}` is neither a group, a flat field nor a calculator"),
                FIELD_ITEMS,
            );
            None
        }
    }
}
