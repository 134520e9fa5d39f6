//! The filter as Rust code: one expression over `self`, in which optional and plain fields are read
//! alike.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Lit, Pat};

use super::expression::{Constant, FieldPath, Filter, Operand, Operator, OperatorKind, Test};
use crate::idents::{Local, OTHER, PRIVATE, Private, VALUE, own_self};

/// The code of a filter. The user's tokens keep their places, so that the compiler reports them.
pub(crate) fn predicate(filter: &Filter) -> TokenStream {
    match filter {
        Filter::And(left, right) => {
            let (left, right) = (predicate(left), predicate(right));
            quote!(#left && #right)
        }
        Filter::Or(left, right) => {
            let (left, right) = (predicate(left), predicate(right));
            quote!(#left || #right)
        }
        Filter::Not(inner) => {
            let inner = predicate(inner);
            quote!(!#inner)
        }
        Filter::Group(inner) => {
            let inner = predicate(inner);
            quote!((#inner))
        }
        Filter::Truth(field) => {
            let span = field.last().span();
            let local = VALUE.at(span);
            any(field, &VALUE, &quote_spanned!(span=> *#local))
        }
        Filter::Compare { field, operator, with: Operand::Constant(value), .. } => {
            compare(field, *operator, value)
        }
        Filter::Compare { field, operator, with: Operand::Field(other), .. } => {
            let compared = operation(*operator, &quote!(*#VALUE), &quote!(*#OTHER));
            let quantified = if operator.kind == OperatorKind::NotEqual { all } else { any };
            let inner = quantified(other, &OTHER, &compared);
            quantified(field, &VALUE, &inner)
        }
        Filter::Test { field, test, name } => predicate_test(field, test, name),
        Filter::Matches { field, pattern } => matches(field, pattern),
    }
}

/// The field's value as an `Option` of a reference. `Plain` must be in scope.
pub(crate) fn field_value(field: &FieldPath) -> TokenStream {
    let (own_self, root) = (own_self(field.self_span), field.root());
    let mut chain = quote!(#PRIVATE::Step(&#own_self.#root).get());
    for name in &field.names[1..] {
        chain = quote!(#chain.and_then(|#VALUE| #PRIVATE::Step(&#VALUE.#name).get()));
    }
    chain
}

/// Whether there is a value for which the condition holds.
fn any(field: &FieldPath, local: &Local, condition: &TokenStream) -> TokenStream {
    let value = field_value(field);
    quote!(#value.is_some_and(|#local| #condition))
}

/// Whether there is no value, or one for which the condition holds.
fn all(field: &FieldPath, local: &Local, condition: &TokenStream) -> TokenStream {
    let value = field_value(field);
    quote!(#value.is_none_or(|#local| #condition))
}

fn operation(operator: Operator, left: &TokenStream, right: &TokenStream) -> TokenStream {
    let span = operator.span;
    let symbol = match operator.kind {
        OperatorKind::Equal => quote_spanned!(span=> ==),
        OperatorKind::NotEqual => quote_spanned!(span=> !=),
        OperatorKind::Less => quote_spanned!(span=> <),
        OperatorKind::LessOrEqual => quote_spanned!(span=> <=),
        OperatorKind::Greater => quote_spanned!(span=> >),
        OperatorKind::GreaterOrEqual => quote_spanned!(span=> >=),
    };
    quote!(#left #symbol #right)
}

fn compare(field: &FieldPath, operator: Operator, constant: &Constant) -> TokenStream {
    let is_equality = matches!(operator.kind, OperatorKind::Equal | OperatorKind::NotEqual);
    let is_text = matches!(constant, Constant::Literal { literal: Lit::Str(_), .. });
    let tokens = constant_tokens(constant);
    let condition = match (is_text, is_equality) {
        (true, true) => operation(operator, &quote!(*#VALUE), &quote_spanned!(tokens.span()=> *#tokens)),
        // A `String` is equal to a `str`, but not ordered with one.
        (true, false) => operation(operator, &as_text(&VALUE, operator.span), &tokens),
        (false, _) => operation(operator, &quote!(*#VALUE), &tokens),
    };
    if operator.kind == OperatorKind::NotEqual {
        all(field, &VALUE, &condition)
    } else {
        any(field, &VALUE, &condition)
    }
}

/// `at` is what the user wrote that asks for a string.
fn as_text(local: &Local, at: Span) -> TokenStream {
    let (private, local) = (Private::at(at), local.at(at));
    quote_spanned!(at=> #private::Text::text(#local))
}

fn constant_tokens(constant: &Constant) -> TokenStream {
    match constant {
        Constant::Literal { literal, is_negative: true } => quote!(-#literal),
        Constant::Literal { literal, is_negative: false } => literal.to_token_stream(),
        Constant::Path(path) => path.to_token_stream(),
    }
}

fn predicate_test(field: &FieldPath, test: &Test, name: &Ident) -> TokenStream {
    let span = name.span();
    match test {
        Test::IsSome | Test::IsNone => is_there(field, test, name),
        Test::IsEmpty => all(field, &VALUE, &quote!(#VALUE.#name())),
        Test::Contains(constant) => {
            let needle = constant_tokens(constant);
            let (private, local) = (Private::at(span), VALUE.at(span));
            let is_text = matches!(constant, Constant::Literal { literal: Lit::Str(_), .. });
            let needle = if is_text { needle } else { quote!(&#needle) };
            any(field, &VALUE, &quote_spanned!(span=> #private::Contains::has(#local, #needle)))
        }
        Test::StartsWith(constant) => {
            let (whole, prefix) = (as_text(&VALUE, span), constant_tokens(constant));
            any(field, &VALUE, &quote!(#whole.#name(#prefix)))
        }
    }
}

/// `is_some` and `is_none` are for optional fields, so that asking a field that is always there is
/// an error.
fn is_there(field: &FieldPath, test: &Test, name: &Ident) -> TokenStream {
    let Some((last, parents)) = field.names.split_last() else { return TokenStream::new() };
    let (private, at, step) = (Private::at(name.span()), last.span(), Private::at(last.span()));
    // The field's place is that of the whole argument: there the compiler says that it is not optional.
    let ask = |whole: &TokenStream| {
        let field = quote_spanned!(at=> #step::Step(&#whole.#last).0);
        quote_spanned!(name.span()=> #private::Optional::#name(#field))
    };
    if parents.is_empty() {
        return ask(&own_self(field.self_span).into_token_stream());
    }
    let parent = FieldPath { self_span: field.self_span, names: parents.to_vec() };
    let condition = ask(&VALUE.to_token_stream());
    if matches!(test, Test::IsNone) {
        all(&parent, &VALUE, &condition)
    } else {
        any(&parent, &VALUE, &condition)
    }
}

fn matches(field: &FieldPath, pattern: &Pat) -> TokenStream {
    let at = field.last().span();
    let matched = if is_text(pattern) { as_text(&VALUE, at) } else { VALUE.at(at).into_token_stream() };
    any(field, &VALUE, &quote!(::core::matches!(#matched, #pattern)))
}

fn is_text(pattern: &Pat) -> bool {
    match pattern {
        Pat::Lit(value) => matches!(value.lit, Lit::Str(_)),
        Pat::Or(or) => or.cases.iter().all(is_text),
        Pat::Paren(inner) => is_text(&inner.pat),
        _ => false,
    }
}

impl FieldPath {
    pub(crate) fn last(&self) -> &Ident {
        self.names.last().unwrap_or_else(|| self.root())
    }
}
