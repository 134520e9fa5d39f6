//! The names that generated code uses, as constants: nothing else in this crate spells them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, TokenStreamExt, quote};

/// A local variable of generated code. Being of the macro's own hygiene, it can neither hide nor be hidden by a user's name.
pub(crate) struct Local(&'static str);

/// The value of a field, in closures of a filter's predicate.
pub(crate) const VALUE: Local = Local("__value");
/// The other value, where a filter compares two fields.
pub(crate) const OTHER: Local = Local("__other");
/// The change that a transform is told of.
pub(crate) const CHANGE: Local = Local("__change");

impl ToTokens for Local {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append(Ident::new(self.0, Span::mixed_site()));
    }
}

/// The facade's private module under a short name, within the block that an expansion is.
pub(crate) struct Private;

/// What expansions write before each private name.
pub(crate) const PRIVATE: Private = Private;

impl ToTokens for Private {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append(Ident::new("__p", Span::call_site()));
    }
}

/// The facade as every crate sees it that depends on it.
pub(crate) fn facade() -> TokenStream {
    quote!(::pillowtop)
}

/// A block of impls in which [`PRIVATE`] is known, and nothing of it outside.
pub(crate) fn in_const_block(items: &TokenStream) -> TokenStream {
    let facade = facade();
    // The version in the name keeps a derive and a facade of two releases from being linked silently.
    quote! {
        const _: () = {
            use #facade::__private_0_1_0 as #PRIVATE;
            #items
        };
    }
}
