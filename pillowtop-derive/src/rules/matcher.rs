//! Which fields a rule is for.

use std::fmt;

use syn::{LitStr, Path, Type};

use crate::parse::{RustType, layers, rust_type, squeeze};

/// The left side of a rule.
pub(crate) struct Matcher {
    pub(crate) kind: Kind,
    /// Patterns of JSON names; empty for any name.
    pub(crate) names: Vec<LitStr>,
}

/// What a field's Rust type must be.
pub(crate) enum Kind {
    Any,
    /// One of these, or something that holds one of them.
    Types(Vec<Type>),
    Strings,
    Numbers,
    Booleans,
    Dates,
    /// Perhaps a struct; only the compiler knows.
    Objects,
    /// No field, but the struct.
    Root,
}

/// A field as a rule sees it.
pub(crate) struct Subject<'f> {
    /// None for a string without a field, as serde's `tag` writes it.
    pub(crate) rust_type: Option<&'f Type>,
    /// None inside a newtype.
    pub(crate) json_name: Option<&'f str>,
    /// A function of the user's writes something else than the type.
    pub(crate) is_written_by_function: bool,
}

/// One of the things that a matcher means: a type or a kind, with one pattern.
#[derive(Clone, Copy)]
pub(crate) struct Alternative<'m> {
    kind: &'m Kind,
    rust_type: Option<&'m Type>,
    name: Option<&'m LitStr>,
}

impl Matcher {
    pub(crate) fn matches(&self, subject: &Subject<'_>) -> bool {
        let fits_name = self.names.is_empty()
            || subject
                .json_name
                .is_some_and(|name| self.names.iter().any(|pattern| fits(&pattern.value(), name)));
        fits_name && self.kind.matches(subject)
    }

    /// All that it means.
    pub(crate) fn alternatives(&self) -> Vec<Alternative<'_>> {
        let types: Vec<Option<&Type>> = match &self.kind {
            Kind::Types(types) => types.iter().map(Some).collect(),
            _ => vec![None],
        };
        let names: Vec<Option<&LitStr>> =
            if self.names.is_empty() { vec![None] } else { self.names.iter().map(Some).collect() };
        types
            .iter()
            .flat_map(|rust_type| {
                names.iter().map(|name| Alternative { kind: &self.kind, rust_type: *rust_type, name: *name })
            })
            .collect()
    }
}

impl Kind {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        let guess = subject.rust_type.map_or(RustType::Text, rust_type);
        match self {
            Self::Root => false,
            _ if guess == RustType::Nothing => false,
            Self::Any => true,
            _ if subject.is_written_by_function => false,
            Self::Types(wanted) => subject.rust_type.is_some_and(|whole| {
                layers(whole).any(|layer| wanted.iter().any(|wanted| is_named(layer, wanted)))
            }),
            category => category.is_category_of(guess),
        }
    }

    fn is_category_of(&self, guess: RustType) -> bool {
        match self {
            Self::Strings => guess == RustType::Text,
            Self::Numbers => matches!(guess, RustType::Integer | RustType::Float),
            Self::Booleans => guess == RustType::Boolean,
            Self::Dates => matches!(guess, RustType::Instant | RustType::Date),
            Self::Objects => guess == RustType::Other,
            Self::Any | Self::Types(_) | Self::Root => false,
        }
    }
}

impl Alternative<'_> {
    /// Whether whatever fits another fits this.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.covers_kind(other) && self.covers_name(other)
    }

    /// Whether it may take fields of the other because it is asked before the compiler knows what
    /// is a struct.
    pub(crate) fn may_take(self, other: Self) -> bool {
        let is_unknown = match (other.kind, other.rust_type) {
            (Kind::Any, _) => true,
            (Kind::Types(_), Some(wanted)) => rust_type(wanted) == RustType::Other,
            _ => false,
        };
        matches!(self.kind, Kind::Objects) && is_unknown
    }

    fn covers_kind(self, other: Self) -> bool {
        match (self.kind, self.rust_type, other.kind, other.rust_type) {
            (Kind::Root, _, kind, _) | (kind, _, Kind::Root, _) => {
                matches!(kind, Kind::Root) && matches!(self.kind, Kind::Root)
            }
            (Kind::Any, ..) => true,
            (Kind::Types(_), Some(first), Kind::Types(_), Some(second)) => is_named(second, first),
            // Whether the type is a struct, only the compiler knows: see `may_take`.
            (Kind::Objects, _, Kind::Types(_), _) => false,
            (category, _, Kind::Types(_), Some(wanted)) => category.is_category_of(rust_type(wanted)),
            (first, _, second, _) => std::mem::discriminant(first) == std::mem::discriminant(second),
        }
    }

    fn covers_name(self, other: Self) -> bool {
        match (self.name, other.name) {
            (None, _) => true,
            (Some(_), None) => false,
            // The other's `*` can only be taken by a `*` of this one, which takes whatever it stands for.
            (Some(pattern), Some(name)) => fits(&pattern.value(), &name.value()),
        }
    }
}

/// Whether a type is the one that a rule names: by the last segments of its path, its generics only
/// where the rule says them.
fn is_named(rust_type: &Type, wanted: &Type) -> bool {
    match (rust_type, wanted) {
        // A fragment `$type:ty` of a macro; the field's own is looked through layer by layer.
        (_, Type::Group(wanted)) => is_named(rust_type, &wanted.elem),
        (Type::Path(rust_type), Type::Path(wanted)) if rust_type.qself.is_none() => {
            ends_with(&rust_type.path, &wanted.path)
        }
        _ => squeeze(rust_type) == squeeze(wanted),
    }
}

fn ends_with(path: &Path, wanted: &Path) -> bool {
    path.segments.len() >= wanted.segments.len()
        && path.segments.iter().rev().zip(wanted.segments.iter().rev()).all(|(segment, wanted)| {
            segment.ident == wanted.ident
                && (wanted.arguments.is_none() || squeeze(&segment.arguments) == squeeze(&wanted.arguments))
        })
}

/// Whether a name fits a pattern, in which `*` is any run of characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    name.char_indices()
        .map(|(position, _)| position)
        .chain([name.len()])
        .any(|position| fits(rest, &name[position..]))
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Any => String::new(),
            Kind::Types(types) => {
                format!("type {}", types.iter().map(squeeze).collect::<Vec<_>>().join(" | "))
            }
            Kind::Strings => "strings".to_owned(),
            Kind::Numbers => "numbers".to_owned(),
            Kind::Booleans => "booleans".to_owned(),
            Kind::Dates => "dates".to_owned(),
            Kind::Objects => "objects".to_owned(),
            Kind::Root => "root".to_owned(),
        };
        formatter.write_str(&kind)?;
        if self.names.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("{:?}", name.value())).collect();
        let space = if kind.is_empty() { "" } else { " " };
        write!(formatter, "{space}named {}", names.join(" | "))
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters() {
        for (pattern, name, expected) in [
            ("id", "id", true),
            ("id", "idx", false),
            ("*_id", "case_id", true),
            ("*_id", "_id", true),
            ("*_id", "case_ids", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("*", "", true),
            ("ä*", "äö", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_type_is_named_by_its_last_segments() {
        for (rust_type, wanted, expected) in [
            (parse_quote!(rust_decimal::Decimal), parse_quote!(Decimal), true),
            (parse_quote!(Decimal), parse_quote!(rust_decimal::Decimal), false),
            (parse_quote!(DateTime<Utc>), parse_quote!(DateTime), true),
            (parse_quote!(chrono::DateTime<Utc>), parse_quote!(DateTime<Utc>), true),
            (parse_quote!(DateTime<Local>), parse_quote!(DateTime<Utc>), false),
            (parse_quote!((f64, f64)), parse_quote!((f64, f64)), true),
        ] {
            assert_eq!(
                is_named(&rust_type, &wanted),
                expected,
                "{} {}",
                squeeze(&rust_type),
                squeeze(&wanted)
            );
        }
    }
}
