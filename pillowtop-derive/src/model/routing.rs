//! The routing of a pillow: the field or the function that gives the routing value of a document.

use quote::ToTokens;
use syn::{Expr, ExprPath};

use crate::errors::Errors;
use crate::filter::FieldPath;
use crate::parse::{FieldReceiver, StructReceiver, squeeze, without_group};

/// A routing, and its text, which is committed.
pub(crate) struct RoutingModel {
    pub(crate) text: String,
    pub(crate) source: RoutingSource,
}

/// Where a routing value comes from.
pub(crate) enum RoutingSource {
    Field(FieldPath),
    Function(ExprPath),
}

impl RoutingModel {
    /// The routing of an expression; none if an error was reported.
    pub(crate) fn of(errors: &Errors, receiver: &StructReceiver<'_>, expression: &Expr) -> Option<Self> {
        let expression = without_group(expression);
        if let Some(field) = FieldPath::of(expression) {
            return Some(Self { text: squeeze(expression), source: RoutingSource::Field(field) });
        }
        let Expr::Path(function) = expression else {
            errors.at(
                expression,
                "`routing` expects a field of the document or the path of a function",
                "write `routing = self.household_id`, or `routing = Case::routing`, a `fn(&Case) -> Option<String>`",
            );
            return None;
        };
        let name = function.to_token_stream().to_string();
        if receiver.fields().iter().map(FieldReceiver::name).any(|field| field == name) {
            errors.at(
                expression,
                format!("`{name}` is a field of `{}`", receiver.ident),
                format!("write `routing = self.{name}`"),
            );
            return None;
        }
        Some(Self { text: squeeze(function), source: RoutingSource::Function(function.clone()) })
    }
}
