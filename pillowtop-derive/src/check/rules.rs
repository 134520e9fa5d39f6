//! A crate's rules where they stand, whether a struct uses them or not.

use pillowtop_core::field_types::{self, FieldType};
use syn::{Type, parse_quote};

use super::parameters::{check_explicit, check_root_parameters};
use crate::errors::{Errors, did_you_mean};
use crate::model::{ExplicitMapping, Mapping, Parameter, SortedItems, root_rule, rule_of_parameters};
use crate::rules::{Alternative, Kind, Rule, Rules};

/// Checks what each rule says, and that it can be asked at all.
pub(crate) fn check_rules(errors: &Errors, rules: &Rules) {
    for (position, rule) in rules.rules.iter().enumerate() {
        check_reach(errors, &rules.rules[..position], rule);
        let sorted = SortedItems::of(errors, &rule.es);
        match &rule.matcher.kind {
            Kind::Root => {
                if only_parameters(errors, rule, &sorted, "`root` can only have") {
                    check_root_parameters(errors, root_rule(errors, rule).iter());
                }
            }
            Kind::Objects => {
                if only_parameters(errors, rule, &sorted, "a rule for `objects` can only have") {
                    let parameters =
                        sorted.parameters.iter().map(|item| Parameter::of(errors, item)).collect();
                    check_explicit(errors, &ExplicitMapping::leaf("object", rule.span, parameters), false);
                }
            }
            _ => check_fields(errors, rule, &sorted),
        }
    }
}

/// An unreachable rule: earlier ones match all its fields.
fn check_reach(errors: &Errors, earlier: &[Rule], rule: &Rule) {
    let matcher = &rule.matcher;
    if let Some(other) = before(earlier, rule, Alternative::covers) {
        errors.at_span(
            rule.span,
            format!(
                "unreachable rule `{matcher}`: `{}` above it already matches all its fields",
                other.matcher
            ),
            "write it above that one, or remove it; the first rule that matches applies",
        );
    } else if let Some(other) = before(earlier, rule, Alternative::may_take) {
        errors.at_span(
            rule.span,
            format!(
                "unreachable rule `{matcher}` for a struct: `{}` above it already matches",
                other.matcher
            ),
            "write rules for `objects` last: a derive does not see which types are structs",
        );
    }
}

/// An earlier rule for each thing that a rule means; none unless all of it is before.
fn before<'r>(
    earlier: &'r [Rule],
    rule: &'r Rule,
    is_before: fn(Alternative<'r>, Alternative<'r>) -> bool,
) -> Option<&'r Rule> {
    let mut last = None;
    for alternative in rule.matcher.alternatives() {
        let takes = |other: &&'r Rule| {
            let other: &'r Rule = other;
            other.matcher.alternatives().into_iter().any(|other| is_before(other, alternative))
        };
        last = Some(earlier.iter().find(takes)?);
    }
    last
}

/// Whether there is nothing but parameters.
fn only_parameters(errors: &Errors, rule: &Rule, sorted: &SortedItems<'_>, who: &str) -> bool {
    let type_span = sorted.type_name.as_ref().map(|name| name.span);
    let properties = sorted.parameters.iter().find(|item| item.name.text == "properties");
    let culprit = type_span
        .or(sorted.skip)
        .or(sorted.json.as_ref().map(|(_, span)| *span))
        .or(properties.map(|item| item.name.span));
    if let Some(span) = culprit {
        let help = format!("write parameters such as `{} => dynamic = false`", rule.matcher);
        errors.at_span(span, format!("{who} parameters"), help);
    }
    culprit.is_none()
}

fn check_fields(errors: &Errors, rule: &Rule, sorted: &SortedItems<'_>) {
    if sorted.skip.is_some() || sorted.is_empty() {
        return;
    }
    if sorted.type_name.is_some() || sorted.json.is_some() {
        if let Some(mapping) = sorted.mapping(errors, None) {
            check_explicit(errors, &mapping, false);
        }
        return;
    }
    let types: Vec<Type> = match &rule.matcher.kind {
        Kind::Types(types) => types.clone(),
        Kind::Strings => vec![parse_quote!(String)],
        Kind::Numbers => vec![parse_quote!(i64)],
        Kind::Booleans => vec![parse_quote!(bool)],
        Kind::Dates => vec![parse_quote!(DateTime<Utc>)],
        Kind::Any | Kind::Objects | Kind::Root => return check_names(errors, sorted),
    };
    for rust_type in &types {
        let found = Errors::new();
        if let Some(mapping) = rule_of_parameters(&found, rust_type, rule) {
            super::parameters::check_mapping(&found, &Mapping::Explicit(mapping));
        }
        // What is wrong for one of the types is mostly wrong for the others.
        let is_wrong = !found.is_empty();
        errors.take(&found);
        if is_wrong {
            return;
        }
    }
}

/// Parameters of no type in particular, which some type must have.
fn check_names(errors: &Errors, sorted: &SortedItems<'_>) {
    for item in &sorted.parameters {
        let text = &item.name.text;
        if field_types::field_types().all(|field_type| field_type.parameter(text).is_none()) {
            let all = field_types::field_types().flat_map(FieldType::parameters);
            let meant = did_you_mean(text, all.map(|parameter| parameter.name));
            errors.at_span(
                item.name.span,
                format!("no field type has a parameter `{text}`{meant}"),
                "write a parameter of Elasticsearch or OpenSearch, such as `ignore_malformed = true`",
            );
        }
    }
}
