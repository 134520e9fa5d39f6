//! The way of a struct through the rules of its crate, which a derive cannot read from another
//! item.
//!
//! `rules!` defines a macro. The derive of a struct that names it hands it the struct's tokens; the
//! macro adds the rules' tokens and calls the derive's core with both. All tokens keep their
//! places, so an error in a rule stands at the rule.
//!
//! Where it can be, the macro is called for the mapping alone, inside impls that stand whether
//! there are such rules or not: that there are none is then the only error.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{DeriveInput, Token, Visibility, braced};

use crate::check::check_rules;
use crate::document;
use crate::errors::{Errors, with_help};
use crate::expand::{expand_document_with, fallback_document, fallback_mapping};
use crate::facade::Facade;
use crate::idents::RULES_MARKER;
use crate::model::Document;
use crate::parse::StructReceiver;
use crate::rules::{Rules, RulesReceiver};

/// What stands for rules that have errors: those errors are enough.
const UNFIT: &str = "unfit";

/// What is asked for with the struct: an expression, its mapping.
const MAPPING: &str = "mapping";
/// What is asked for with the struct: items, its impls.
const IMPLS: &str = "impls";

/// The impls of a struct by the macro that it names; none if it names none, or not in a way that
/// can be read.
pub(crate) fn hand_to_rules(facade: &Facade, input: &DeriveInput) -> Option<TokenStream> {
    // What is wrong with these attributes, the core of the derive reports.
    let elsewhere = Errors::new();
    let receiver = StructReceiver::parse(&elsewhere, input);
    let Some(path) = receiver.es.rules.as_ref() else {
        elsewhere.leave_to_the_other_derive();
        return None;
    };
    // Rules decide neither what kind of a document it is nor what it is told by.
    let document = Document::of(&elsewhere, &Rules::default(), &receiver);
    elsewhere.leave_to_the_other_derive();
    let marker = Ident::new(RULES_MARKER, path.span());
    let private = facade.private();
    let call = |asked: &str| {
        let asked = Ident::new(asked, path.span());
        quote_spanned!(path.span()=> #path! { @ #marker [#private] #asked #input })
    };
    if receiver.is_source {
        return Some(call(IMPLS));
    }
    Some(expand_document_with(facade, &document, &call(MAPPING)).unwrap_or_else(|| call(IMPLS)))
}

/// `rules!`: the macro, and what is wrong with the rules.
pub(crate) fn define(input: TokenStream) -> TokenStream {
    if let Some(refused) = refuse_struct(&input) {
        return refused;
    }
    let errors = Errors::new();
    let Some(receiver) = RulesReceiver::parse(&errors, input) else { return errors.finish() };
    check_rules(&errors, &receiver.rules);
    let unfit = Ident::new(UNFIT, Span::call_site());
    let rules = if errors.is_empty() {
        let body = &receiver.body;
        quote!({ #body })
    } else {
        quote!(#unfit)
    };
    let mut code = macro_of(&receiver, &rules);
    code.extend(errors.finish());
    code
}

fn macro_of(receiver: &RulesReceiver, rules: &TokenStream) -> TokenStream {
    let RulesReceiver { attributes, visibility, name, .. } = receiver;
    let marker = format_ident!("{RULES_MARKER}");
    // A macro that other crates see is one of its crate's root, whatever module it stands in.
    let macro_name = format_ident!("__pillowtop_{name}", span = name.span());
    let export = matches!(visibility, Visibility::Public(_)).then(|| quote!(#[doc(hidden)] #[macro_export]));
    let message = with_help(
        format!("`{name}` holds mapping rules"),
        format!("name it at a struct: `#[derive(CouchDocument)] #[es(rules = crate::{name})]`"),
    );
    quote! {
        #(#attributes)*
        #export
        #[allow(unused_macros, reason = "rules may be written before structs that name them")]
        macro_rules! #macro_name {
            (@ #marker [$($private:tt)*] $($item:tt)*) => { $($private)*::derive_with_rules! { #rules { $($item)* } } };
            ($($other:tt)*) => { ::core::compile_error! { #message } };
        }
        #[allow(unused_imports, reason = "rules may be written before structs that name them")]
        #visibility use #macro_name as #name;
    }
}

/// `#[es(rules = rules)]` where that is `pillowtop::rules` itself.
fn refuse_struct(input: &TokenStream) -> Option<TokenStream> {
    let parser = |input: ParseStream<'_>| {
        input.parse::<Token![@]>()?;
        let first: Ident = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(first)
    };
    let first = parser.parse2(input.clone()).ok().filter(|first| first == RULES_MARKER)?;
    let errors = Errors::new();
    errors.at(
        first,
        "this is `pillowtop::rules!` itself, which defines rules",
        "write `pillowtop::rules! { pub(crate) rules { … } }` at the crate's root, and name it: `rules = crate::rules`",
    );
    Some(errors.finish())
}

/// Rules and a struct, as the macro puts them.
struct Handed {
    /// None for rules that have errors.
    rules: Option<Rules>,
    /// Whether the mapping alone is asked for.
    is_mapping: bool,
    input: DeriveInput,
}

impl Parse for Handed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let rules = if input.peek(syn::token::Brace) {
            let inner;
            braced!(inner in input);
            // What is wrong with the rules alone, `rules!` reports.
            Some(Rules::read(&Errors::silent(), &inner))
        } else {
            input.parse::<Ident>()?;
            None
        };
        let inner;
        braced!(inner in input);
        let is_mapping = inner.parse::<Ident>()? == MAPPING;
        Ok(Self { rules, is_mapping, input: inner.parse()? })
    }
}

/// The core of the derive of a struct that names rules.
pub(crate) fn derive_with(input: TokenStream) -> TokenStream {
    let Handed { rules, is_mapping, input } = match syn::parse2::<Handed>(input) {
        Ok(handed) => handed,
        Err(error) => return error.to_compile_error(),
    };
    match (rules, Facade::of(&input.attrs)) {
        (_, Err(error)) => error,
        (Some(rules), Ok(facade)) if is_mapping => document::mapping(&rules, &facade, &input),
        (Some(rules), Ok(facade)) => document::derive(&rules, &facade, &input),
        (None, Ok(_)) if is_mapping => fallback_mapping(),
        (None, Ok(facade)) => fallback_document(&facade, &input.ident, &input.generics),
    }
}
