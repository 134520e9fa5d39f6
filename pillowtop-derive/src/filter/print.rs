//! The filter's text in normal form: one string however the user's lines, white space, comments and
//! literals are written. It is committed, reviewed and hashed.

use syn::{ExprPath, Lit, Pat, RangeLimits};

use super::expression::{Constant, FieldPath, Filter, Operand, Test};
use crate::parse::squeeze;

/// The normal text.
pub(crate) fn print(filter: &Filter) -> String {
    match filter {
        Filter::And(left, right) => format!("{} && {}", print(left), print(right)),
        Filter::Or(left, right) => format!("{} || {}", print(left), print(right)),
        Filter::Not(inner) => format!("!{}", print(inner)),
        Filter::Group(inner) => format!("({})", print(inner)),
        Filter::Truth(field) => path(field),
        Filter::Compare { field, operator, with, is_turned } => {
            let with = match with {
                Operand::Constant(value) => constant(value),
                Operand::Field(other) => path(other),
            };
            if *is_turned {
                format!("{with} {} {}", operator.kind.turned().text(), path(field))
            } else {
                format!("{} {} {with}", path(field), operator.kind.text())
            }
        }
        Filter::Test { field, test, .. } => format!("{}.{}", path(field), print_test(test)),
        Filter::Matches { field, pattern } => {
            format!("matches!({}, {})", path(field), print_pattern(pattern))
        }
    }
}

fn path(field: &FieldPath) -> String {
    field.names.iter().fold("self".to_owned(), |path, name| format!("{path}.{name}"))
}

fn print_test(test: &Test) -> String {
    match test {
        Test::IsSome => "is_some()".to_owned(),
        Test::IsNone => "is_none()".to_owned(),
        Test::IsEmpty => "is_empty()".to_owned(),
        Test::Contains(value) => format!("contains({})", constant(value)),
        Test::StartsWith(value) => format!("starts_with({})", constant(value)),
    }
}

fn constant(constant: &Constant) -> String {
    match constant {
        Constant::Literal { literal: value, is_negative } => {
            format!("{}{}", if *is_negative { "-" } else { "" }, literal(value))
        }
        Constant::Path(path) => expression_path(path),
    }
}

fn expression_path(path: &ExprPath) -> String {
    squeeze(path)
}

fn literal(literal: &Lit) -> String {
    match literal {
        Lit::Str(text) => format!("{:?}", text.value()),
        Lit::Char(letter) => format!("{:?}", letter.value()),
        Lit::Int(number) => format!("{}{}", number.base10_digits(), number.suffix()),
        Lit::Float(number) => format!("{}{}", number.base10_digits(), number.suffix()),
        Lit::Bool(truth) => truth.value.to_string(),
        other => squeeze(other),
    }
}

fn print_pattern(pattern: &Pat) -> String {
    match pattern {
        Pat::Or(or) => or.cases.iter().map(print_pattern).collect::<Vec<_>>().join(" | "),
        Pat::Lit(value) => literal(&value.lit),
        Pat::Range(range) => {
            let bound = |bound: &Option<Box<syn::Expr>>| bound.as_ref().map_or_else(String::new, squeeze);
            let limits = match range.limits {
                RangeLimits::HalfOpen(_) => "..",
                RangeLimits::Closed(_) => "..=",
            };
            format!("{}{limits}{}", bound(&range.start), bound(&range.end))
        }
        Pat::Paren(inner) => format!("({})", print_pattern(&inner.pat)),
        Pat::Struct(inner) => format!("{} {{ .. }}", squeeze(&inner.path)),
        other => squeeze(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::Errors;
    use crate::filter::parse;

    fn printed(text: &str) -> String {
        let errors = Errors::new();
        let filter = parse(&errors, &syn::parse_str(text).unwrap());
        let problems = errors.finish().to_string();
        assert_eq!(problems, "", "{text}");
        print(&filter.unwrap())
    }

    #[test]
    fn white_space_comments_and_spelling_do_not_matter() {
        for (text, expected) in [
            (
                "self . domain\n!=  \"demo\"&& // why\n self.case_type.is_some( )",
                r#"self.domain != "demo" && self.case_type.is_some()"#,
            ),
            (r##"self.a == r#"x"y"# || !self.closed"##, r#"self.a == "x\"y" || !self.closed"#),
            ("0x10 < self.n && self.n <= 1_000i64", "16 < self.n && self.n <= 1000i64"),
            (
                "matches ! (self.kind , | Kind::A|Kind :: B ( .. ) ,)",
                "matches!(self.kind, Kind::A | Kind::B(..))",
            ),
            ("(self.a==-1)&&self.b.c.contains(& \"x\")", "(self.a == -1) && self.b.c.contains(\"x\")"),
            ("matches!(self.n, 1..=5 | 9)", "matches!(self.n, 1..=5 | 9)"),
            ("self.domain == limits :: DEMO", "self.domain == limits::DEMO"),
        ] {
            assert_eq!(printed(text), expected, "{text}");
        }
    }

    #[test]
    fn the_normal_text_is_its_own_normal_text() {
        let text =
            r#"!(self.a.is_empty() || self.b.starts_with("x")) && matches!(self.k, K::A | K::C { .. })"#;
        assert_eq!(printed(text), text);
    }
}
