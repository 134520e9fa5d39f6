//! Rust types that have no default, and types that contain themselves.

use syn::spanned::Spanned;
use syn::{Ident, Type};

use crate::errors::Errors;
use crate::model::{Contents, ExplicitMapping, Mapping, Member, ObjectModel};
use crate::parse::{Name, RustType, element, mentions, rust_type};

/// A field without a said type must have a Rust type that a mapping follows from.
pub(super) fn check_default(errors: &Errors, mapping: &Mapping<'_>) {
    let Mapping::Default(whole) = mapping else { return };
    let (message, help) = match rust_type(whole) {
        RustType::Map => (
            "a map has no default mapping: every key would become a field of its own",
            "write `#[es(flattened)]` to search it as one field, `#[es(object, dynamic = false)]` to keep it unindexed, or `#[es(object, dynamic = true)]`",
        ),
        RustType::AnyJson => (
            "`serde_json::Value` has no default mapping",
            "write `#[es(flattened)]` to search it as one field, `#[es(object, enabled = false)]` to keep it unindexed, or the type that it has",
        ),
        RustType::Decimal => (
            "a decimal has no default mapping: its crate may write it as a string or as a number",
            "write `#[es(scaled_float, scaling_factor = 100)]`, `#[es(double)]` or `#[es(keyword)]`",
        ),
        RustType::Tuple => (
            "a tuple has no default mapping: it is written as a list of unlike values",
            "use a struct, or write the type, for instance `#[es(geo_point)]` for a pair of longitude and latitude",
        ),
        RustType::Unwritable => {
            ("a pointer or a function is not written by serde", "write `#[serde(skip)]`, or use another type")
        }
        _ => return,
    };
    errors.at(element(whole), message, help);
}

/// A struct that contains itself has a mapping without end, unless an attribute cuts it.
pub(super) fn check_recursion(errors: &Errors, ident: &Ident, object: &ObjectModel<'_>) {
    for member in &object.members {
        let inside: &Type = match member {
            Member::Flatten(inside) => inside,
            Member::Property(property) => match &property.mapping {
                Mapping::Default(inside) | Mapping::Objects(inside, _) => inside,
                Mapping::Explicit(explicit) => match explicit.contents {
                    Contents::OfStruct(inside) => inside,
                    Contents::Nothing | Contents::Properties(_) => continue,
                },
            },
        };
        check_inside(errors, ident, inside);
    }
}

/// The same for a newtype.
pub(super) fn check_inside(errors: &Errors, ident: &Ident, inside: &Type) {
    if mentions(inside, ident) || mentions(inside, &Ident::new("Self", inside.span())) {
        errors.at(
            inside,
            format!("recursive struct `{ident}` would have an infinite mapping"),
            "cut it with `#[es(object, dynamic = false)]`, which keeps the inner one unindexed, or with `#[es(skip)]`",
        );
    }
}

/// Types that take one value and no object, whatever is in it.
const PLAIN: [&str; 20] = [
    "keyword",
    "constant_keyword",
    "wildcard",
    "text",
    "match_only_text",
    "boolean",
    "byte",
    "short",
    "integer",
    "long",
    "unsigned_long",
    "float",
    "half_float",
    "scaled_float",
    "double",
    "date",
    "date_nanos",
    "ip",
    "version",
    "binary",
];

/// Whether a mapping is of such a type.
pub(crate) fn rejects_objects(explicit: &ExplicitMapping<'_>) -> bool {
    explicit.is_checked && PLAIN.contains(&explicit.type_name.text.as_str())
}

/// An enum that is written as objects cannot be mapped as one value.
pub(super) fn check_enum(errors: &Errors, ident: &Ident, mapping: &Mapping<'_>) {
    let Mapping::Explicit(explicit) = mapping else { return };
    if rejects_objects(explicit) {
        let Name { text, span } = &explicit.type_name;
        errors.at_span(
            *span,
            format!("`{ident}` is written as objects, which `{text}` rejects"),
            "write `#[es(flattened)]`, or `#[es(object, enabled = false)]` to keep it unindexed",
        );
    }
}

#[cfg(test)]
mod tests {
    use pillowtop_conformance::{Conformance, Effect};
    use pillowtop_core::field_types::Target;
    use serde_json::json;

    use super::PLAIN;

    #[test]
    fn plain_types_reject_every_object() {
        for name in PLAIN {
            let mappings = json!({"properties": {"a": {"type": name, "scaling_factor": 1}}});
            let conformance = Conformance::new(&mappings, &json!({}));
            let targets = [Target::elasticsearch(8, 15), Target::opensearch(3, 0)];
            let target = targets.into_iter().find(|target| conformance.is_for(*target)).unwrap();
            for object in
                [json!({}), json!({"b": 1}), json!({"lat": 1, "lon": 1}), json!({"type": "a", "value": "b"})]
            {
                let report = conformance.check("1", &json!({"a": object}).to_string(), target);
                assert!(
                    report.findings.iter().any(|found| found.effect == Effect::Rejected),
                    "{name} {object} {report:?}"
                );
            }
        }
    }
}
