//! What can be told of a Rust type from its tokens alone.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// A type by its tokens. A derive cannot resolve names, so this is a guess that only decides
/// messages, shorthands and what a selector leaves out; the mapping itself comes from trait impls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RustType {
    Text,
    Boolean,
    Integer,
    Float,
    IpAddress,
    Uuid,
    /// An instant or a date and time.
    Instant,
    Date,
    /// A map, whose members no mapping can know.
    Map,
    /// `serde_json::Value` and the like.
    AnyJson,
    /// Written as text or as a number, as its crate pleases.
    Decimal,
    Tuple,
    /// A pointer or a function, which serde does not write.
    Unwritable,
    /// `PhantomData` and `()`: nothing to index.
    Nothing,
    Other,
}

/// The type inside options, lists, sets, boxes and references.
pub(crate) fn element(rust_type: &Type) -> &Type {
    inside(rust_type).map_or(rust_type, element)
}

/// A type, what it holds, and so on to its [`element`].
pub(crate) fn layers(rust_type: &Type) -> impl Iterator<Item = &Type> {
    std::iter::successors(Some(rust_type), |outer| inside(outer))
}

/// What an option, a list, a set, a box or a reference holds.
fn inside(rust_type: &Type) -> Option<&Type> {
    match rust_type {
        Type::Reference(reference) => Some(&reference.elem),
        Type::Slice(slice) => Some(&slice.elem),
        Type::Array(array) => Some(&array.elem),
        Type::Paren(inner) => Some(&inner.elem),
        Type::Group(inner) => Some(&inner.elem),
        Type::Path(path) => {
            path.path.segments.last().filter(|segment| is_container(segment)).and_then(type_argument)
        }
        _ => None,
    }
}

/// Whether the type is an `Option`.
pub(crate) fn is_optional(rust_type: &Type) -> bool {
    match rust_type {
        Type::Paren(inner) => is_optional(&inner.elem),
        Type::Group(inner) => is_optional(&inner.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Option"),
        _ => false,
    }
}

/// Whether there is a single value at most: no list and no set.
pub(crate) fn is_single(rust_type: &Type) -> bool {
    match rust_type {
        Type::Slice(_) | Type::Array(_) => false,
        Type::Reference(reference) => is_single(&reference.elem),
        Type::Paren(inner) => is_single(&inner.elem),
        Type::Group(inner) => is_single(&inner.elem),
        Type::Path(path) => match path.path.segments.last() {
            Some(segment) if is_wrapper(segment) => type_argument(segment).is_none_or(is_single),
            Some(segment) => !is_container(segment),
            None => true,
        },
        _ => true,
    }
}

fn is_wrapper(segment: &PathSegment) -> bool {
    ["Option", "Box", "Arc", "Rc", "Cow"].iter().any(|name| segment.ident == name)
}

fn is_container(segment: &PathSegment) -> bool {
    let names = ["Vec", "VecDeque", "LinkedList", "HashSet", "BTreeSet"];
    is_wrapper(segment) || names.iter().any(|name| segment.ident == name)
}

fn type_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(rust_type) => Some(rust_type),
        _ => None,
    })
}

/// What a type is by its tokens, containers looked through.
pub(crate) fn rust_type(whole: &Type) -> RustType {
    let path = match element(whole) {
        Type::Tuple(tuple) if tuple.elems.is_empty() => return RustType::Nothing,
        Type::Tuple(_) => return RustType::Tuple,
        Type::Ptr(_) | Type::FnPtr(_) => return RustType::Unwritable,
        Type::Path(path) => &path.path,
        _ => return RustType::Other,
    };
    let Some(segment) = path.segments.last() else { return RustType::Other };
    let has_arguments = !segment.arguments.is_none();
    match (segment.ident.to_string().as_str(), has_arguments) {
        ("String" | "str" | "char", false) | ("CowStr", _) => RustType::Text,
        ("bool", false) => RustType::Boolean,
        ("i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64", false) => RustType::Integer,
        ("f32" | "f64", false) => RustType::Float,
        ("IpAddr" | "Ipv4Addr" | "Ipv6Addr", false) => RustType::IpAddress,
        ("Uuid", false) => RustType::Uuid,
        ("DateTime", _) | ("NaiveDateTime" | "Timestamp", false) => RustType::Instant,
        ("NaiveDate" | "Date", false) => RustType::Date,
        ("HashMap" | "BTreeMap" | "IndexMap" | "FxHashMap" | "AHashMap", true) | ("Map", _) => RustType::Map,
        ("Value" | "RawValue", false) => RustType::AnyJson,
        ("Decimal" | "BigDecimal", false) => RustType::Decimal,
        ("PhantomData", _) => RustType::Nothing,
        _ => RustType::Other,
    }
}

/// Tokens without white space; a space remains where two words meet.
pub(crate) fn squeeze(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut squeezed = String::new();
    for part in text.split_whitespace() {
        if squeezed.ends_with(is_word) && part.starts_with(is_word) {
            squeezed.push(' ');
        }
        squeezed.push_str(part);
    }
    squeezed
}

/// Whether a name stands anywhere in the tokens.
pub(crate) fn mentions(tokens: &impl ToTokens, name: &Ident) -> bool {
    fn within(tokens: TokenStream, name: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == *name,
            TokenTree::Group(group) => within(group.stream(), name),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    within(tokens.to_token_stream(), name)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn containers_are_looked_through() {
        for (whole, expected) in [
            (parse_quote!(Option<Vec<String>>), RustType::Text),
            (parse_quote!(std::borrow::Cow<'static, str>), RustType::Text),
            (parse_quote!(&'static [u8]), RustType::Integer),
            (parse_quote!(chrono::DateTime<Utc>), RustType::Instant),
            (parse_quote!(Option<(f64, f64)>), RustType::Tuple),
            (parse_quote!(Arc<HashMap<String, u8>>), RustType::Map),
            (parse_quote!(Vec<serde_json::Value>), RustType::AnyJson),
            (parse_quote!(PhantomData<T>), RustType::Nothing),
            (parse_quote!(fn(u8) -> u8), RustType::Unwritable),
            (parse_quote!(CaseAction), RustType::Other),
        ] {
            assert_eq!(rust_type(&whole), expected, "{}", whole.to_token_stream());
        }
    }

    #[test]
    fn lists_are_distinguished_from_single_values() {
        assert!(is_single(&parse_quote!(Option<Box<str>>)));
        assert!(!is_single(&parse_quote!(Option<Vec<String>>)));
        assert!(!is_single(&parse_quote!([u8; 4])));
    }
}
