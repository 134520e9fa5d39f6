//! All errors of one struct, reported together.

use std::cell::RefCell;
use std::fmt::Display;

use pillowtop_core::edit_distance::nearest;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Collects errors. Dropping it unfinished is a bug of this crate and panics, so no error can be
/// forgotten.
pub(crate) struct Errors(RefCell<Option<Vec<syn::Error>>>);

impl Errors {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(Some(Vec::new())))
    }

    /// An error at tokens, with what to write instead.
    pub(crate) fn at(&self, tokens: impl ToTokens, message: impl Display, help: impl Display) {
        self.push(syn::Error::new_spanned(tokens, with_help(message, help)));
    }

    /// An error at a place, with what to write instead.
    pub(crate) fn at_span(&self, span: Span, message: impl Display, help: impl Display) {
        self.push(syn::Error::new(span, with_help(message, help)));
    }

    pub(crate) fn push(&self, error: syn::Error) {
        if let Some(errors) = self.0.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// Takes the outcome, and an error as one of these.
    pub(crate) fn handle<T>(&self, outcome: syn::Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(error);
                None
            }
        }
    }

    /// Errors that nobody hears of, because they are reported elsewhere.
    pub(crate) fn silent() -> Self {
        Self(RefCell::new(None))
    }

    /// Takes what `check` finds as errors of these, each with a note for people if there is one.
    pub(crate) fn noted(&self, note: Option<&str>, check: impl FnOnce(&Self)) {
        let found = Self::new();
        check(&found);
        if let (Some(note), Some(errors)) = (note, found.0.borrow_mut().as_mut()) {
            for error in errors {
                *error = syn::Error::new(error.span(), format!("{error}\nnote: {note}"));
            }
        }
        self.take(&found);
    }

    /// Takes another's errors.
    pub(crate) fn take(&self, other: &Self) {
        let errors = other.0.borrow_mut().take().unwrap_or_default();
        errors.into_iter().for_each(|error| self.push(error));
    }

    /// The errors as `compile_error!`s, none without errors.
    pub(crate) fn finish(self) -> TokenStream {
        let errors = self.0.borrow_mut().take().unwrap_or_default();
        errors.iter().map(syn::Error::to_compile_error).collect()
    }

    /// Drops the errors, because the other derive of the same struct reports them.
    pub(crate) fn leave_to_the_other_derive(self) {
        self.forget();
    }

    /// Drops the errors, because what is missing is not needed. Returns whether there were any.
    pub(crate) fn forget(self) -> bool {
        self.0.borrow_mut().take().is_some_and(|errors| !errors.is_empty())
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        let is_finished = self.0.borrow().is_none();
        assert!(is_finished || std::thread::panicking(), "the errors of a struct were not finished");
    }
}

/// A message and, on a line of its own, what to write.
pub(crate) fn with_help(message: impl Display, help: impl Display) -> String {
    format!("{message}\nhelp: {help}")
}

/// The nearest of several names, as a clause to append; empty when none is near enough to be meant.
pub(crate) fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    suggestion(nearest(written, candidates))
}

/// A clause that suggests a name.
pub(crate) fn suggestion(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_distinguished_from_another_word() {
        assert_eq!(did_you_mean("alais", ["name", "alias"]), ", did you mean `alias`?");
        assert_eq!(did_you_mean("colour", ["name", "alias"]), "");
    }

    #[test]
    fn all_errors_are_reported() {
        let errors = Errors::new();
        errors.at_span(Span::call_site(), "one", "write it");
        errors.at_span(Span::call_site(), "two", "write it");
        assert_eq!(errors.finish().to_string().matches("compile_error").count(), 2);
    }

    #[test]
    fn forgetting_to_finish_is_a_bug() {
        let outcome = std::panic::catch_unwind(|| drop(Errors::new()));
        assert!(outcome.is_err());
    }
}
