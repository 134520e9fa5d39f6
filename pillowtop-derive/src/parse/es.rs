//! `#[es(...)]`: how a field, or a struct as an object, is mapped.

use pillowtop_core::field_types;
use proc_macro2::Span;
use serde_json::{Map, Number, Value};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Attribute, Ident, Lit, Path, Token, bracketed, parenthesized};

use super::items::{Name, each_item, read_items, read_rule_items};
use crate::errors::{Errors, with_help};

/// `#[es(...)]` as it is written; several attributes are read as one.
#[derive(Default)]
pub(crate) struct EsReceiver {
    pub(crate) items: Vec<EsItem>,
    /// The first attribute's place.
    pub(crate) span: Option<Span>,
    /// The rules that a struct names.
    pub(crate) rules: Option<Path>,
}

/// `name`, `name = value` or `name(…)`.
#[derive(Clone)]
pub(crate) struct EsItem {
    pub(crate) name: Name,
    pub(crate) value: EsValue,
}

/// What an item says of its name.
#[derive(Clone)]
pub(crate) enum EsValue {
    Flag,
    Scalar(Value, Span),
    List(Vec<EsValue>, Span),
    Object(Vec<EsItem>, Span),
}

impl EsReceiver {
    pub(crate) fn parse(errors: &Errors, attributes: &[Attribute]) -> Self {
        let mut receiver = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("es")) {
            receiver.span.get_or_insert_with(|| attribute.path().segments[0].ident.span());
            each_item(errors, attribute, &mut |name, input| {
                if name.text == "rules" && !is_parameter(&receiver.items, &name) {
                    let is_first = receiver.rules.replace(path(&name, input)?).is_none();
                    return if is_first { Ok(()) } else { Err(duplicate(&name)) };
                }
                receiver.items.push(EsItem { value: after_name(errors, &name, input)?, name });
                Ok(())
            });
        }
        receiver
    }

    /// The right side of a rule, which is written like the items of an attribute, up to its
    /// semicolon.
    pub(crate) fn of_rule(errors: &Errors, span: Span, input: ParseStream<'_>) -> Self {
        let mut items = Vec::new();
        read_rule_items(errors, input, &mut |name, input| {
            if input.peek(Token![=>]) {
                let message = format!("`{}` begins another rule", name.text);
                return Err(syn::Error::new(
                    name.span,
                    with_help(message, "write a semicolon after the rule before it"),
                ));
            }
            items.push(EsItem { value: after_name(errors, &name, input)?, name });
            Ok(())
        });
        Self { items, span: Some(span), rules: None }
    }
}

impl EsValue {
    /// The place of the value; that of the name for a flag.
    pub(crate) fn span(&self, name: &Name) -> Span {
        match self {
            Self::Flag => name.span,
            Self::Scalar(_, span) | Self::List(_, span) | Self::Object(_, span) => *span,
        }
    }

    /// The value as JSON. `name(json = "…")` is the JSON that the text holds.
    pub(crate) fn to_json(&self, errors: &Errors, name: &Name) -> Value {
        match self {
            Self::Flag => {
                errors.push(needs_value(name));
                Value::Null
            }
            Self::Scalar(value, _) => value.clone(),
            Self::List(items, _) => items.iter().map(|item| item.to_json(errors, name)).collect(),
            Self::Object(items, _) => match items.as_slice() {
                [EsItem { name, value: Self::Scalar(Value::String(text), span) }] if name.text == "json" => {
                    json_text(errors, text, *span)
                }
                _ => members(errors, items),
            },
        }
    }
}

fn members(errors: &Errors, items: &[EsItem]) -> Value {
    let mut members = Map::new();
    for EsItem { name, value } in items {
        if members.insert(name.text.clone(), value.to_json(errors, name)).is_some() {
            errors.at_span(name.span, format!("duplicate `{}`", name.text), "remove one of them");
        }
    }
    Value::Object(members)
}

/// The value of a JSON text.
pub(crate) fn json_text(errors: &Errors, text: &str, span: Span) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| {
        errors.at_span(
            span,
            format!("this is not JSON: {error}"),
            "write it as in a mapping, `json = r#\"{\"type\": \"…\"}\"#`",
        );
        Value::Null
    })
}

/// Whether a name is a parameter of the type said before it: `icu_collation_keyword` has one that
/// is named `rules`.
fn is_parameter(before: &[EsItem], name: &Name) -> bool {
    before.iter().any(|item| {
        field_types::field_type(&item.name.text).is_some_and(|known| known.parameter(&name.text).is_some())
    })
}

fn path(name: &Name, input: ParseStream<'_>) -> syn::Result<Path> {
    let help = "write the path of what `pillowtop::rules!` defines: `rules = crate::rules`";
    let refuse = |span| syn::Error::new(span, with_help("`rules` needs a path", help));
    if !input.peek(Token![=]) {
        return Err(refuse(name.span));
    }
    input.parse::<Token![=]>()?;
    let span = input.span();
    input.call(Path::parse_mod_style).map_err(|_| refuse(span))
}

fn duplicate(name: &Name) -> syn::Error {
    syn::Error::new(name.span, with_help(format!("duplicate `{}`", name.text), "remove one of them"))
}

fn after_name(errors: &Errors, name: &Name, input: ParseStream<'_>) -> syn::Result<EsValue> {
    if input.peek(syn::token::Paren) {
        return object(errors, input);
    }
    if input.peek(Token![==]) || input.peek(Token![:]) {
        return Err(needs_value(name));
    }
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(needs_value(name));
        }
        return value(errors, name, input);
    }
    Ok(EsValue::Flag)
}

fn needs_value(Name { text, span }: &Name) -> syn::Error {
    let message = format!("`{text}` needs a value");
    syn::Error::new(*span, with_help(message, format!("write `{text} = …` or `{text}(…)`")))
}

fn object(errors: &Errors, input: ParseStream<'_>) -> syn::Result<EsValue> {
    let inner;
    let parenthesis = parenthesized!(inner in input);
    let mut items = Vec::new();
    read_items(errors, &inner, &mut |name, input| {
        items.push(EsItem { value: after_name(errors, &name, input)?, name });
        Ok(())
    });
    Ok(EsValue::Object(items, parenthesis.span.join()))
}

fn value(errors: &Errors, name: &Name, input: ParseStream<'_>) -> syn::Result<EsValue> {
    if input.peek(syn::token::Bracket) {
        let inner;
        let bracket = bracketed!(inner in input);
        let mut items = Vec::new();
        while !inner.is_empty() {
            items.push(value(errors, name, &inner)?);
            if !inner.is_empty() {
                inner.parse::<Token![,]>()?;
            }
        }
        return Ok(EsValue::List(items, bracket.span.join()));
    }
    let span = input.span();
    if input.peek(Token![-]) || input.peek(Lit) {
        let negative = input.parse::<Option<Token![-]>>()?.is_some();
        let literal: Lit = input.parse()?;
        return match scalar(&literal, negative) {
            Some(value) => Ok(EsValue::Scalar(value, literal.span())),
            None => Err(unfit_literal(name, &literal, span)),
        };
    }
    if input.peek(syn::token::Paren) {
        return object(errors, input);
    }
    let ident = input.call(Ident::parse_any).map_err(|error| no_value(name, error.span()))?;
    let text = ident.unraw().to_string();
    if input.peek(syn::token::Paren) {
        let inner = object(errors, input)?;
        return Ok(EsValue::Object(vec![EsItem { name: Name { text, span }, value: inner }], span));
    }
    Ok(EsValue::Scalar(Value::from(text), span))
}

/// Rust's numbers have more forms than JSON's.
fn unfit_literal(name: &Name, literal: &Lit, span: Span) -> syn::Error {
    let (digits, suffix) = match literal {
        Lit::Int(number) => (number.base10_digits(), number.suffix()),
        Lit::Float(number) => (number.base10_digits(), number.suffix()),
        _ => return no_value(name, span),
    };
    let (message, help) = if suffix.is_empty() {
        (
            format!("the number `{digits}` is larger than any parameter allows"),
            "write a smaller one".to_owned(),
        )
    } else {
        (
            format!("a number must be written without its Rust type `{suffix}`"),
            format!("write `{} = {digits}`", name.text),
        )
    };
    syn::Error::new(span, with_help(message, help))
}

fn no_value(name: &Name, span: Span) -> syn::Error {
    syn::Error::new(
        span,
        with_help(
            format!("this is not a value for `{}`", name.text),
            "write a string, a number, `true`, `false`, a name, a list `[a, b]` or an object `name(member = value)`",
        ),
    )
}

fn scalar(literal: &Lit, negative: bool) -> Option<Value> {
    match literal {
        Lit::Int(number) if number.suffix().is_empty() => {
            if negative {
                format!("-{}", number.base10_digits()).parse::<i64>().ok().map(Value::from)
            } else {
                number.base10_parse::<u64>().ok().map(Value::from)
            }
        }
        Lit::Float(number) if number.suffix().is_empty() => {
            let value = number.base10_parse::<f64>().ok()?;
            Number::from_f64(if negative { -value } else { value }).map(Value::Number)
        }
        _ if negative => None,
        Lit::Str(text) => Some(Value::from(text.value())),
        Lit::Char(letter) => Some(Value::from(letter.value().to_string())),
        Lit::Bool(truth) => Some(Value::from(truth.value)),
        _ => None,
    }
}
