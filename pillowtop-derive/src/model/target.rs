//! A product and a version, as a pillow names its targets.

use pillowtop_core::field_types::{Product, Target, Version};
use pillowtop_core::requirement::majors;
use syn::LitStr;

use crate::errors::{Errors, did_you_mean};

const PRODUCTS: [(&str, Product); 2] =
    [("elasticsearch", Product::Elasticsearch), ("opensearch", Product::OpenSearch)];

/// The target that a string names; none after an error.
pub(super) fn target(errors: &Errors, literal: &LitStr) -> Option<Target> {
    let text = literal.value();
    let (name, version) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let lower = name.to_lowercase();
    let Some((_, product)) = PRODUCTS.iter().find(|(known, _)| *known == lower) else {
        let meant = did_you_mean(&lower, PRODUCTS.iter().map(|(known, _)| *known));
        let message = format!("`{name}` is not a product that a mapping can target{meant}");
        errors.at(
            literal,
            message,
            "write `elasticsearch` or `opensearch` with a version, such as `\"elasticsearch 8.15\"`",
        );
        return None;
    };
    let (first, last) = majors(*product);
    let Ok(version) = version.trim().parse::<Version>() else {
        let message = match version.trim() {
            "" => format!("the target `{text}` has no version"),
            version => format!("`{version}` is not a version of {product}"),
        };
        let help = format!("write the version with two numbers, such as `\"{lower} {last}.0\"`");
        errors.at(literal, message, help);
        return None;
    };
    if !(first..=last).contains(&version.major) {
        errors.at(
            literal,
            format!("{product} {version} is not known here"),
            format!("{product} {first} to {last} are; the oldest server that the mapping is sent to decides"),
        );
        return None;
    }
    Some(Target { product: *product, version })
}
