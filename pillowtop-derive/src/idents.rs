//! The names that generated code uses, as constants: nothing else in this crate spells them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::Lifetime;

use crate::facade::Facade;

/// A local variable of generated code. Being of the macro's own hygiene, it can neither hide nor be
/// hidden by a user's name.
pub(crate) struct Local(&'static str);

/// The value of a field, in closures of a filter's predicate.
pub(crate) const VALUE: Local = Local("__value");
/// The other value, where a filter compares two fields.
pub(crate) const OTHER: Local = Local("__other");
/// What was looked up for a transform.
pub(crate) const FOUND: Local = Local("__found");
/// The change that a transform is told of.
pub(crate) const CHANGE: Local = Local("__change");

impl Local {
    /// The variable with a user's place, for what the compiler may say of it.
    pub(crate) fn at(&self, at: Span) -> Ident {
        Ident::new(self.0, Span::mixed_site().located_at(at))
    }
}

impl ToTokens for Local {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append(Ident::new(self.0, Span::mixed_site()));
    }
}

/// The lifetime of the text that a document is read from.
pub(crate) fn text_lifetime() -> Lifetime {
    Lifetime::new("'__text", Span::mixed_site())
}

/// The type that a transform makes under one name: that there is no such type, the compiler then
/// says once.
pub(crate) fn index_alias(at: Span) -> Ident {
    Ident::new("__Index", Span::mixed_site().located_at(at))
}

/// The `self` of generated methods with a user's place: in a `macro_rules!`, the user's own `self`
/// is another name.
pub(crate) fn own_self(at: Span) -> Ident {
    Ident::new("self", Span::call_site().located_at(at))
}

/// The facade's private module under a short name, within the block that an expansion is.
pub(crate) struct Private;

const PRIVATE_NAME: &str = "__p";

/// What expansions write before each private name.
pub(crate) const PRIVATE: Private = Private;

impl Private {
    /// The same with a user's place, for what the compiler may say of it.
    pub(crate) fn at(at: Span) -> Ident {
        Ident::new(PRIVATE_NAME, Span::call_site().located_at(at))
    }
}

impl ToTokens for Private {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append(Ident::new(PRIVATE_NAME, Span::call_site()));
    }
}

/// What a struct's tokens begin with, after an `@`, on their way through a crate's rules: hardly
/// another macro takes that.
pub(crate) const RULES_MARKER: &str = "__a_struct_for_rules";

/// A block of impls in which [`PRIVATE`] is known, and nothing of it outside.
pub(crate) fn in_const_block(facade: &Facade, items: &TokenStream) -> TokenStream {
    let path = facade.private();
    quote! {
        const _: () = {
            use #path as #PRIVATE;
            #items
        };
    }
}
