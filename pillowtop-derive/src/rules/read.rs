//! `pillowtop::rules! { pub(crate) name { MATCHER => ITEMS; … } }` as it is written.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Token, Type, Visibility, braced};

use super::matcher::{Kind, Matcher};
use super::{Rule, Rules};
use crate::errors::{Errors, did_you_mean, with_help};
use crate::parse::{EsReceiver, squeeze};

const KINDS: [&str; 8] = ["type", "strings", "numbers", "booleans", "dates", "objects", "root", "named"];
const FORM: &str =
    "write `type HqDate => date;`, `strings named \"*_id\" => keyword;` or `root => dynamic = false;`";

/// What `rules!` is given.
pub(crate) struct RulesReceiver {
    /// Documentation.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) rules: Rules,
    /// The rules' tokens.
    pub(crate) body: proc_macro2::TokenStream,
}

impl RulesReceiver {
    pub(crate) fn parse(errors: &Errors, input: proc_macro2::TokenStream) -> Option<Self> {
        let parser = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            let help = "write `pillowtop::rules! { pub(crate) rules { … } }`";
            let name = input.parse::<Ident>().map_err(|error| {
                syn::Error::new(error.span(), with_help("expected a name for the rules", help))
            })?;
            if !input.peek(syn::token::Brace) {
                return Err(syn::Error::new(name.span(), with_help("rules must be in braces", help)));
            }
            let inner;
            braced!(inner in input);
            let body = inner.fork().parse()?;
            let rules = Rules::read(errors, &inner);
            if !input.is_empty() {
                errors.at_span(
                    input.span(),
                    "this does not belong to the rules before it",
                    "write a `rules!` for each name",
                );
                input.parse::<proc_macro2::TokenStream>()?;
            }
            Ok(Self { attributes, visibility, name, rules, body })
        };
        errors.handle(parser.parse2(input))
    }
}

impl Rules {
    /// The rules between the braces. An error in one leaves the others to be read.
    pub(crate) fn read(errors: &Errors, input: ParseStream<'_>) -> Self {
        let mut rules = Vec::new();
        while !input.is_empty() {
            match Rule::read(errors, input) {
                Ok(rule) => rules.push(rule),
                Err(error) => {
                    errors.push(error);
                    while !input.is_empty() && !input.peek(Token![;]) {
                        if input.parse::<TokenTree>().is_err() {
                            break;
                        }
                    }
                }
            }
            // Present unless the rules are at their end.
            let _semicolon: Option<Token![;]> = input.parse().unwrap_or_default();
        }
        Self { rules }
    }
}

impl Rule {
    fn read(errors: &Errors, input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let matcher = Matcher::read(input)?;
        if !input.peek(Token![=>]) {
            let help = format!("write `=>` and what would be in `#[es(…)]`; or {}", &FORM["write ".len()..]);
            return Err(syn::Error::new(input.span(), with_help("expected `=>`", help)));
        }
        let arrow: Token![=>] = input.parse()?;
        let found = Errors::new();
        let es = EsReceiver::of_rule(&found, span, input);
        if es.items.is_empty() && found.is_empty() {
            let help = "write what would be in `#[es(…)]`, for instance `=> keyword`";
            found.at(arrow, format!("the rule `{matcher}` has no effect"), help);
        }
        errors.take(&found);
        Ok(Self { matcher, es, span })
    }
}

impl Matcher {
    fn read(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![=>]) {
            let help = "write `named \"*\"` for all fields, or which of them";
            return Err(syn::Error::new(
                input.span(),
                with_help("a rule begins with the fields that it is for", help),
            ));
        }
        let refuse = |span, message: String| syn::Error::new(span, with_help(message, FORM));
        let word = input.call(Ident::parse_any).map_err(|error| {
            refuse(error.span(), "a rule begins with the fields that it is for".to_owned())
        })?;
        let text = word.unraw().to_string();
        let kind = match text.as_str() {
            "type" => Kind::Types(read_types(input)?),
            "strings" => Kind::Strings,
            "numbers" => Kind::Numbers,
            "booleans" => Kind::Booleans,
            "dates" => Kind::Dates,
            "objects" => Kind::Objects,
            "root" => Kind::Root,
            "named" => return Ok(Self { kind: Kind::Any, names: read_patterns(input)? }),
            _ => {
                let meant = did_you_mean(&text, KINDS);
                return Err(refuse(
                    word.span(),
                    format!("`{text}` does not name fields that a rule can be for{meant}"),
                ));
            }
        };
        let is_named = input.fork().call(Ident::parse_any).is_ok_and(|word| word == "named");
        let mut names = Vec::new();
        if is_named {
            let named = input.call(Ident::parse_any)?;
            if matches!(kind, Kind::Root) {
                let help = "write `root => …`; it holds for every struct that names the rules, at the root of its index";
                return Err(syn::Error::new(
                    named.span(),
                    with_help("`root` cannot be combined with `named`", help),
                ));
            }
            names = read_patterns(input)?;
        }
        Ok(Self { kind, names })
    }
}

fn read_types(input: ParseStream<'_>) -> syn::Result<Vec<Type>> {
    let mut types = Vec::new();
    loop {
        let span = input.span();
        let rust_type: Type = input.parse().map_err(|_| {
            syn::Error::new(
                span,
                with_help("`type` needs a Rust type", "write `type HqDate | chrono::NaiveDate`"),
            )
        })?;
        if types.iter().any(|other| squeeze(other) == squeeze(&rust_type)) {
            let message = format!("duplicate `{}`", squeeze(&rust_type));
            return Err(syn::Error::new_spanned(rust_type, with_help(message, "remove one of them")));
        }
        types.push(rust_type);
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok(types);
        }
    }
}

fn read_patterns(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let mut patterns: Vec<LitStr> = Vec::new();
    loop {
        let help = "write `named \"*_id\" | \"id\"`, in which `*` is any run of characters";
        let pattern: LitStr = input.parse().map_err(|error: syn::Error| {
            syn::Error::new(error.span(), with_help("`named` needs a pattern of JSON names", help))
        })?;
        let text = pattern.value();
        let problem = if text.is_empty() {
            Some("the pattern is empty".to_owned())
        } else if text.contains('.') {
            Some(format!("no JSON name fits `{text}`: a name has no dot, and a rule sees one struct's names"))
        } else if patterns.iter().any(|other| other.value() == text) {
            Some(format!("duplicate `{text}`"))
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(syn::Error::new(pattern.span(), with_help(problem, help)));
        }
        patterns.push(pattern);
        if input.parse::<Option<Token![|]>>()?.is_none() {
            return Ok(patterns);
        }
    }
}
