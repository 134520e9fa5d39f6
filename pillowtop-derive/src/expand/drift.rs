//! The drift check: how a committed file is compared with what a struct derives.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::mapping::hexadecimal;
use crate::committed::{Location, State, state};
use crate::facade::Facade;

/// What the compiler is to say of the committed file.
pub(crate) enum Drift {
    /// Compare the fingerprint; the message is for when it differs.
    Compare { fingerprint: u128, message: String },
    /// It cannot be compared, for this reason. `exists` tells whether there is a file at all.
    Refuse { message: String, exists: bool },
    /// Do not look.
    Unchecked,
}

impl Drift {
    /// How the file at a location compares with the struct; [`Drift::Unchecked`] without a location.
    pub(crate) fn of(rust_name: &str, pillow: &str, location: Option<&Location>) -> Self {
        let Some(location) = location else { return Self::Unchecked };
        match state(rust_name, pillow, location) {
            State::Present { fingerprint, stale } => Self::Compare { fingerprint, message: stale },
            State::Unfit(message) => Self::Refuse { message, exists: true },
            State::Missing(message) => Self::Refuse { message, exists: false },
        }
    }

    /// The value of `COMMITTED`. `private` is where the type `Committed` is.
    pub(crate) fn committed(
        &self,
        facade: &Facade,
        private: &impl ToTokens,
        location: Option<&Location>,
    ) -> TokenStream {
        let Some(location) = location else { return quote!(#private::Committed::Unchecked) };
        let path = &location.from_crate;
        match self {
            Self::Unchecked => quote!(#private::Committed::Unchecked),
            Self::Compare { .. } | Self::Refuse { exists: true, .. } => {
                quote!(#facade::__committed!(present #path))
            }
            Self::Refuse { exists: false, .. } => quote!(#facade::__committed!(missing #path)),
        }
    }

    /// The comparison with `derived`, a fingerprint. `span` is the struct's name: that is where the
    /// compiler reports what is asserted. `private` is the private module of the facade.
    pub(crate) fn check(
        &self,
        facade: &Facade,
        span: Span,
        private: &impl ToTokens,
        derived: &TokenStream,
    ) -> TokenStream {
        match self {
            Self::Unchecked => TokenStream::new(),
            Self::Refuse { message, .. } => {
                let error = quote_spanned!(span=> ::core::compile_error! { #message });
                quote!(#facade::__unless_bless! { #error })
            }
            Self::Compare { fingerprint, message } => {
                let fingerprint = hexadecimal(*fingerprint);
                let compare = quote_spanned!(span=> #private::assert_fresh(#derived, #fingerprint, #message));
                quote!(#facade::__unless_bless! { const _: () = #compare; })
            }
        }
    }
}
