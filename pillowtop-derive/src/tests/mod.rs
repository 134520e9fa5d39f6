//! The whole way from tokens to code: expansions as they are written, their size, and all errors of
//! a struct.

mod beyond_ui;
mod documented;
mod every_message;
mod expansions;
mod selector_is_weaker;

use syn::DeriveInput;

use crate::facade::Facade;
use crate::rules::Rules;
use crate::{document, pillow};

/// The code of both derives, pretty-printed.
fn expand(text: &str) -> String {
    let input: DeriveInput = syn::parse_str(text).unwrap();
    let mut code = document::derive(&Rules::default(), &Facade::default(), &input);
    if text.contains("#[pillow(") {
        code.extend(pillow::derive(&input, &Facade::default(), Some(&nowhere())));
    }
    prettyplease::unparse(&syn::parse2(code).unwrap())
}

/// The messages of both derives, in order.
fn messages(text: &str) -> Vec<String> {
    messages_in(text, &nowhere())
}

/// The same for a struct of this crate.
fn messages_in(text: &str, compiled: &crate::committed::Crate) -> Vec<String> {
    let input: DeriveInput = syn::parse_str(text).unwrap();
    let mut code = document::derive(&Rules::default(), &Facade::default(), &input);
    if text.contains("#[pillow(") {
        code.extend(pillow::derive(&input, &Facade::default(), Some(compiled)));
    }
    let file: syn::File = syn::parse2(code).unwrap();
    let texts = file.items.iter().filter_map(|item| match item {
        syn::Item::Macro(call) if call.mac.path.segments.last()?.ident == "compile_error" => {
            syn::parse2::<syn::LitStr>(call.mac.tokens.clone()).ok().map(|text| text.value())
        }
        _ => None,
    });
    texts.collect()
}

/// A crate without committed mappings.
fn nowhere() -> crate::committed::Crate {
    crate::committed::Crate::at("/no-such-crate".into())
}
