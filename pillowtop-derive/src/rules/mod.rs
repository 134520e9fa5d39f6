//! The conventions of a crate: how fields are mapped by their Rust types and names, where no
//! attribute says it.

mod matcher;
mod read;

use proc_macro2::Span;

pub(crate) use matcher::{Alternative, Kind, Matcher, Subject};
pub(crate) use read::RulesReceiver;

use crate::parse::EsReceiver;

/// What a crate says once for all its structs.
#[derive(Default)]
pub(crate) struct Rules {
    /// In the order in which they are asked.
    pub(crate) rules: Vec<Rule>,
}

/// Which fields, and what is declared of them.
pub(crate) struct Rule {
    pub(crate) matcher: Matcher,
    /// What stands behind `=>`, as it would in `#[es(...)]`.
    pub(crate) es: EsReceiver,
    /// The matcher's place.
    pub(crate) span: Span,
}

impl Rules {
    /// The first rule for a field.
    pub(crate) fn of_field(&self, subject: &Subject<'_>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.matcher.matches(subject))
    }

    /// The rule for the root of an index.
    pub(crate) fn of_root(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| matches!(rule.matcher.kind, Kind::Root))
    }
}
