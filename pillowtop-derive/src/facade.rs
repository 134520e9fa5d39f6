//! The path by which the crate that is compiled names `pillowtop`: what its struct declares with
//! `crate = …`, or else the name of the dependency in its manifest, which may be renamed.

use proc_macro_crate::{Error, FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Path};

use crate::errors::{Errors, with_help};
use crate::parse::{CouchReceiver, PillowReceiver};

/// The package that users depend on.
const PACKAGE: &str = "pillowtop";

/// The path of the facade crate in generated code.
#[derive(Clone)]
pub(crate) struct Facade(TokenStream);

impl Facade {
    /// The path for a struct with these attributes, or the error that there is none.
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self, TokenStream> {
        if let Some(path) = declared(attributes) {
            return Ok(Self(path.into_token_stream()));
        }
        of_manifest(crate_name(PACKAGE), is_cargo_manifest())
            .map_err(|message| syn::Error::new(Span::call_site(), message).to_compile_error())
    }

    /// The private module of the facade.
    pub(crate) fn private(&self) -> TokenStream {
        // The version in the name keeps a derive and a facade of two releases from being linked silently.
        quote!(#self::__private_0_1_0)
    }

    fn named(name: &str) -> Self {
        let name = Ident::new(name, Span::call_site());
        Self(quote!(::#name))
    }
}

/// The facade by its own name.
impl Default for Facade {
    fn default() -> Self {
        Self::named(PACKAGE)
    }
}

impl ToTokens for Facade {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// `#[pillow(crate = …)]` or `#[couch(crate = …)]`. What is wrong with the attributes, their
/// readers report.
fn declared(attributes: &[Attribute]) -> Option<Path> {
    let elsewhere = Errors::silent();
    let pillow = PillowReceiver::parse(&elsewhere, attributes).facade;
    pillow.or_else(|| CouchReceiver::parse(&elsewhere, attributes).facade)
}

/// Without a manifest that can be read, as other build tools have it, the crate has its own name.
fn of_manifest(found: Result<FoundCrate, Error>, is_cargo_manifest: bool) -> Result<Facade, String> {
    match found {
        Ok(FoundCrate::Name(name)) => Ok(Facade::named(&name)),
        Err(Error::CrateNotFound { .. }) if is_cargo_manifest => Err(with_help(
            "the manifest of this crate has no dependency `pillowtop`",
            "add it: `cargo add pillowtop`; or write the path by which another crate re-exports it: `#[pillow(crate = other::pillowtop)]`, without a pillow `#[couch(crate = …)]`",
        )),
        Ok(FoundCrate::Itself) | Err(_) => Ok(Facade::default()),
    }
}

/// Whether the manifest is a `Cargo.toml`, not that of a script of a single file.
fn is_cargo_manifest() -> bool {
    std::env::var_os("CARGO_MANIFEST_PATH")
        .is_none_or(|path| std::path::Path::new(&path).file_name().is_some_and(|name| name == "Cargo.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> Result<FoundCrate, Error> {
        Err(Error::CrateNotFound { crate_name: PACKAGE.to_owned(), path: "Cargo.toml".into() })
    }

    #[track_caller]
    fn check(found: Result<FoundCrate, Error>, is_cargo_manifest: bool, expected: &str) {
        let facade = of_manifest(found, is_cargo_manifest).unwrap();
        assert_eq!(facade.into_token_stream().to_string(), expected);
    }

    #[test]
    fn a_renamed_dependency_is_found() {
        check(Ok(FoundCrate::Name("pt".to_owned())), true, ":: pt");
        check(Ok(FoundCrate::Itself), true, ":: pillowtop");
        check(Err(Error::CargoManifestDirNotSet), true, ":: pillowtop");
        check(missing(), false, ":: pillowtop");
    }

    #[test]
    fn a_missing_dependency_is_named_with_the_item_that_helps() {
        let message = of_manifest(missing(), true).err().unwrap();
        assert_eq!(
            message,
            "the manifest of this crate has no dependency `pillowtop`\nhelp: add it: `cargo add pillowtop`; or write the path by which another crate re-exports it: `#[pillow(crate = other::pillowtop)]`, without a pillow `#[couch(crate = …)]`"
        );
    }

    #[test]
    fn a_declared_path_is_taken_from_either_attribute() {
        let struct_of = |attributes: &str| {
            let text = format!("{attributes} struct A {{ a: u8 }}");
            let input: syn::DeriveInput = syn::parse_str(&text).unwrap();
            Facade::of(&input.attrs).ok().unwrap().into_token_stream().to_string()
        };
        assert_eq!(struct_of("#[couch(crate = pt)]"), "pt");
        assert_eq!(struct_of("#[pillow(crate = \"umbrella::pt\")]"), "umbrella :: pt");
        assert_eq!(struct_of("#[couch(crate = pt)] #[pillow(crate = crate::re)]"), "crate :: re");
    }
}
