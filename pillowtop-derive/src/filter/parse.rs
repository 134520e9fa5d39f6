//! From a Rust expression to a filter; whatever a filter cannot say is an error on its own tokens.

use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    BinOp, Expr, ExprBinary, ExprLit, ExprMacro, ExprMethodCall, ExprUnary, Ident, Lit, Member, Pat, Token,
    UnOp,
};

use super::expression::{Constant, FieldPath, Filter, Operand, Operator, OperatorKind, Test};
use crate::errors::{Errors, did_you_mean};
use crate::parse::without_group;

const ALLOWED: &str = "a filter has `self.field`, comparisons, `&&`, `||`, `!`, parentheses, literals, paths of constants, \
    `is_some()`, `is_none()`, `is_empty()`, `contains(…)`, `starts_with(…)` and `matches!(self.field, …)`; \
    anything else belongs in a transform that returns `None`";
const TESTS: [&str; 5] = ["is_some", "is_none", "is_empty", "contains", "starts_with"];

/// The filter of an expression; none if an error was reported.
pub(crate) fn parse(errors: &Errors, expression: &Expr) -> Option<Filter> {
    match expression {
        Expr::Paren(inner) => Some(Filter::Group(Box::new(parse(errors, &inner.expr)?))),
        // A fragment of a macro binds like parentheses, which the text of the filter then needs.
        Expr::Group(_) => match (parse(errors, without_group(expression))?, without_group(expression)) {
            (inner, Expr::Binary(binary)) if matches!(binary.op, BinOp::And(_) | BinOp::Or(_)) => {
                Some(Filter::Group(Box::new(inner)))
            }
            (inner, _) => Some(inner),
        },
        Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) => {
            let inner = parse(errors, expr)?;
            let is_comparison = matches!(inner, Filter::Compare { .. });
            let inner = Box::new(inner);
            // Only a fragment of a macro brings a comparison here without parentheses.
            Some(Filter::Not(if is_comparison { Box::new(Filter::Group(inner)) } else { inner }))
        }
        Expr::Binary(binary) => parse_binary(errors, binary),
        Expr::MethodCall(call) => parse_test(errors, call),
        Expr::Macro(call) => parse_matches(errors, call),
        Expr::Field(_) => {
            let field = field_path(errors, expression)?;
            Some(Filter::Truth(field))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            let help = "write the expression without quotes: `filter = self.field == \"value\"`";
            errors.at(expression, "a filter is an expression, not a string", help);
            None
        }
        Expr::Assign(assignment) => {
            errors.at(assignment.eq_token, "a filter has no operator `=`", "write `==`");
            None
        }
        _ => {
            errors.at(expression, "unsupported expression in a filter", ALLOWED);
            None
        }
    }
}

fn parse_binary(errors: &Errors, binary: &ExprBinary) -> Option<Filter> {
    let kind = match binary.op {
        BinOp::And(_) | BinOp::Or(_) => {
            // Both sides are read before either is given up, so that all errors are reported.
            let sides = (parse(errors, &binary.left), parse(errors, &binary.right));
            let (left, right) = (Box::new(sides.0?), Box::new(sides.1?));
            let is_and = matches!(binary.op, BinOp::And(_));
            return Some(if is_and { Filter::And(left, right) } else { Filter::Or(left, right) });
        }
        BinOp::Eq(_) => OperatorKind::Equal,
        BinOp::Ne(_) => OperatorKind::NotEqual,
        BinOp::Lt(_) => OperatorKind::Less,
        BinOp::Le(_) => OperatorKind::LessOrEqual,
        BinOp::Gt(_) => OperatorKind::Greater,
        BinOp::Ge(_) => OperatorKind::GreaterOrEqual,
        _ => {
            errors.at(
                binary.op,
                format!("a filter has no operator `{}`", binary.op.to_token_stream()),
                ALLOWED,
            );
            return None;
        }
    };
    let operator = |kind| Operator { kind, span: binary.op.span() };
    let (left, right) = (operand(errors, &binary.left), operand(errors, &binary.right));
    match (left?, right?) {
        (Operand::Field(field), with) => {
            Some(Filter::Compare { field, operator: operator(kind), with, is_turned: false })
        }
        (with @ Operand::Constant(_), Operand::Field(field)) => {
            Some(Filter::Compare { field, operator: operator(kind.turned()), with, is_turned: true })
        }
        (Operand::Constant(_), Operand::Constant(_)) => {
            let help = match lone_name(&binary.left).or_else(|| lone_name(&binary.right)) {
                Some(name) => format!("if `{name}` is a field, write `self.{name}`"),
                None => "compare a field, `self.field`, with a constant".to_owned(),
            };
            errors.at(binary, "this compares two constants", help);
            None
        }
    }
}

/// A name alone that is written like a field's.
fn lone_name(expression: &Expr) -> Option<&Ident> {
    let Expr::Path(path) = without_group(expression) else { return None };
    path.path.get_ident().filter(|name| name.to_string().starts_with(char::is_lowercase))
}

fn operand(errors: &Errors, expression: &Expr) -> Option<Operand> {
    match expression {
        Expr::Field(_) => field_path(errors, expression).map(Operand::Field),
        Expr::Group(inner) => operand(errors, &inner.expr),
        _ => constant(errors, expression).map(Operand::Constant),
    }
}

fn constant(errors: &Errors, expression: &Expr) -> Option<Constant> {
    match expression {
        Expr::Lit(literal) => Some(Constant::Literal { literal: literal.lit.clone(), is_negative: false }),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match without_group(expr) {
            Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_) | Lit::Float(_)) => {
                Some(Constant::Literal { literal: literal.lit.clone(), is_negative: true })
            }
            _ => {
                errors.at(expression, "a filter does not support arithmetic", ALLOWED);
                None
            }
        },
        Expr::Path(path) if path.path.is_ident("None") => {
            errors.at(expression, "a field is not compared with `None`", "write `is_none()` or `is_some()`");
            None
        }
        Expr::Call(call) if matches!(without_group(&call.func), Expr::Path(path) if path.path.is_ident("Some")) =>
        {
            let help = "write the value without `Some`: `self.field == \"value\"`";
            errors.at(expression, "`Some(…)` is not needed in a filter", help);
            None
        }
        Expr::Path(path) if !path.path.is_ident("self") => Some(Constant::Path(path.clone())),
        // `contains(&5)`, as the standard library has it.
        Expr::Reference(reference) if reference.mutability.is_none() => constant(errors, &reference.expr),
        Expr::Group(inner) => constant(errors, &inner.expr),
        Expr::MethodCall(call) => {
            let name = call.method.to_string();
            errors.at(
                &call.method,
                format!("a filter cannot compare the result of `{name}`"),
                help_for_method(&name),
            );
            None
        }
        _ => {
            errors.at(
                expression,
                "a filter compares fields with literals and constants, not with this",
                ALLOWED,
            );
            None
        }
    }
}

fn field_path(errors: &Errors, expression: &Expr) -> Option<FieldPath> {
    match expression {
        Expr::Field(field) => {
            let Member::Named(name) = &field.member else {
                errors.at(&field.member, "a filter names fields, not positions", "name the struct's fields");
                return None;
            };
            let mut path = match without_group(&field.base) {
                Expr::Path(base) if base.path.is_ident("self") => {
                    FieldPath { self_span: base.span(), names: Vec::new() }
                }
                base => field_path(errors, base)?,
            };
            path.names.push(name.clone());
            Some(path)
        }
        Expr::Group(inner) => field_path(errors, &inner.expr),
        _ => {
            errors.at(expression, "a filter is about fields, `self.field`", ALLOWED);
            None
        }
    }
}

fn parse_test(errors: &Errors, call: &ExprMethodCall) -> Option<Filter> {
    let name = call.method.to_string();
    if !TESTS.contains(&name.as_str()) {
        let meant = did_you_mean(&name, TESTS);
        errors.at(&call.method, format!("a filter has no method `{name}`{meant}"), help_for_method(&name));
        return None;
    }
    let field = field_path(errors, &call.receiver);
    let arguments: Vec<&Expr> = call.args.iter().collect();
    let test = match (name.as_str(), arguments.as_slice()) {
        ("is_some", []) => Test::IsSome,
        ("is_none", []) => Test::IsNone,
        ("is_empty", []) => Test::IsEmpty,
        ("contains", [argument]) => Test::Contains(constant(errors, argument)?),
        ("starts_with", [argument]) => match constant(errors, argument)? {
            Constant::Literal { literal, .. } if !matches!(literal, Lit::Str(_)) => {
                errors.at(argument, "`starts_with` expects a string", "write `starts_with(\"…\")`");
                return None;
            }
            prefix => Test::StartsWith(prefix),
        },
        ("contains" | "starts_with", _) => {
            errors.at(&call.method, format!("`{name}` expects one value"), format!("write `{name}(\"…\")`"));
            return None;
        }
        _ => {
            errors.at(&call.method, format!("`{name}` expects no value"), format!("write `{name}()`"));
            return None;
        }
    };
    Some(Filter::Test { field: field?, test, name: call.method.clone() })
}

/// What to write instead of a method that a filter does not need or does not have.
fn help_for_method(name: &str) -> &'static str {
    match name {
        "unwrap" | "as_deref" | "as_ref" | "as_str" | "clone" => {
            "leave it out: optional fields are read like others, `self.field == \"value\"`"
        }
        _ => ALLOWED,
    }
}

fn parse_matches(errors: &Errors, call: &ExprMacro) -> Option<Filter> {
    if !call.mac.path.is_ident("matches") {
        errors.at(&call.mac.path, "a filter has no macro but `matches!`", ALLOWED);
        return None;
    }
    let parser = |input: syn::parse::ParseStream<'_>| {
        let value: Expr = input.parse()?;
        input.parse::<Token![,]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let _comma: Option<Token![,]> = input.parse()?;
        if input.peek(Token![if]) {
            return Err(input.error("a filter's pattern has no `if`\nhelp: write the condition after `&&`"));
        }
        Ok((value, pattern))
    };
    let (value, pattern) = errors.handle(parser.parse2(call.mac.tokens.clone()))?;
    let (field, pattern) = (field_path(errors, &value), checked_pattern(errors, pattern));
    Some(Filter::Matches { field: field?, pattern: pattern? })
}

/// Patterns that only compare.
fn checked_pattern(errors: &Errors, pattern: Pat) -> Option<Pat> {
    let is_allowed = match &pattern {
        Pat::Lit(_) | Pat::Path(_) | Pat::Range(_) | Pat::Wild(_) => true,
        // A constant or a variant that was imported: bindings begin with a small letter.
        Pat::Ident(binding) => {
            binding.subpat.is_none() && binding.ident.to_string().starts_with(char::is_uppercase)
        }
        Pat::TupleStruct(inner) => {
            inner.elems.iter().all(|pattern| matches!(pattern, Pat::Rest(_) | Pat::Wild(_)))
        }
        Pat::Struct(inner) => inner.fields.is_empty(),
        Pat::Paren(inner) => checked_pattern(errors, (*inner.pat).clone()).is_some(),
        Pat::Or(or) => {
            let cases: Punctuated<Pat, Token![|]> = or.cases.clone();
            // Each case reports its own error.
            let all = cases.into_iter().map(|case| checked_pattern(errors, case)).collect::<Vec<_>>();
            return all.iter().all(Option::is_some).then_some(pattern);
        }
        _ => false,
    };
    if is_allowed {
        return Some(pattern);
    }
    errors.at(
        &pattern,
        "a filter's pattern has literals, ranges, constants and variants only",
        "write `matches!(self.field, Kind::A | Kind::B(..))`",
    );
    None
}

/// The root field's name, for look-up.
impl FieldPath {
    pub(crate) fn root(&self) -> &Ident {
        &self.names[0]
    }
}
