//! What a filter can say.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Ident, Lit, Member, Pat};

use crate::parse::without_group;

/// A filter.
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    /// In parentheses, which are part of its text.
    Group(Box<Filter>),
    /// A `bool` field alone.
    Truth(FieldPath),
    Compare {
        field: FieldPath,
        operator: Operator,
        with: Operand,
        is_turned: bool,
    },
    Test {
        field: FieldPath,
        test: Test,
        name: Ident,
    },
    Matches {
        field: FieldPath,
        pattern: Pat,
    },
}

/// `self.a.b`.
pub(crate) struct FieldPath {
    pub(crate) self_span: Span,
    /// At least one.
    pub(crate) names: Vec<Ident>,
}

impl FieldPath {
    /// The path that an expression is; none if it is something else.
    pub(crate) fn of(expression: &Expr) -> Option<Self> {
        let Expr::Field(field) = without_group(expression) else { return None };
        let Member::Named(name) = &field.member else { return None };
        let mut path = match without_group(&field.base) {
            Expr::Path(base) if base.path.is_ident("self") => {
                Self { self_span: base.span(), names: Vec::new() }
            }
            base => Self::of(base)?,
        };
        path.names.push(name.clone());
        Some(path)
    }
}

/// What a field is compared with.
pub(crate) enum Operand {
    Constant(Constant),
    Field(FieldPath),
}

/// A value that is not of the document.
pub(crate) enum Constant {
    Literal { literal: Lit, is_negative: bool },
    Path(ExprPath),
}

/// A comparison. The field stands left; [`Filter::Compare`] tells if the user wrote it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorKind {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A comparison with its place.
#[derive(Clone, Copy)]
pub(crate) struct Operator {
    pub(crate) kind: OperatorKind,
    pub(crate) span: Span,
}

/// A method of a field.
pub(crate) enum Test {
    IsSome,
    IsNone,
    IsEmpty,
    Contains(Constant),
    StartsWith(Constant),
}

impl OperatorKind {
    /// The comparison with its sides exchanged.
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}
