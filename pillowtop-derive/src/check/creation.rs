//! What no server takes of a field, a struct or settings, told before the mapping is made.

use pillowtop_core::creation::{self, Problem};
use proc_macro2::Span;
use serde_json::{Map, Value};

use crate::errors::Errors;
use crate::model::{Contents, ExplicitMapping, Parameter, ParameterValue, PillowModel};

/// Checks a mapping whose types and parameters are known.
pub(super) fn check_explicit_creation(errors: &Errors, mapping: &ExplicitMapping<'_>) {
    for problem in creation::of_field(&mapping.json()).into_iter().filter(|problem| problem.concerns_any(&[]))
    {
        let span = location(mapping, &problem).unwrap_or(mapping.type_name.span);
        errors.at_span(span, &problem.what, &problem.help);
    }
}

/// Checks parameters of a root.
pub(super) fn check_root_creation(errors: &Errors, parameters: &[&Parameter]) {
    let root: Map<String, Value> =
        parameters.iter().map(|parameter| (parameter.name.text.clone(), parameter.json())).collect();
    for problem in
        creation::of_root(&Value::Object(root)).into_iter().filter(|problem| problem.concerns_any(&[]))
    {
        let parameter = parameters.iter().find(|parameter| parameter.name.text == problem.parameter);
        let span = parameter.map_or_else(Span::call_site, |parameter| parameter.span);
        errors.at_span(span, &problem, &problem.help);
    }
}

/// Checks the settings of a pillow against its targets, or against all servers if it names none.
pub(super) fn check_settings_creation(errors: &Errors, pillow: &PillowModel<'_>) {
    let Some(settings) = &pillow.settings else { return };
    let targets: Vec<_> = pillow.targets.iter().map(|(target, _)| *target).collect();
    let of_products = creation::of_products(&settings.normal);
    for problem in creation::of_settings(&settings.normal).into_iter().chain(of_products) {
        if problem.concerns_any(&targets) {
            let message = format!("in the pillow's `{}`, {problem}", settings.shown());
            errors.at_span(settings.span, message, &problem.help);
        }
    }
}

/// The place of the parameter at fault, inside of multi-fields and properties too.
fn location(mapping: &ExplicitMapping<'_>, problem: &Problem) -> Option<Span> {
    let mut inside = mapping;
    for name in problem.path.split('.').filter(|name| !name.is_empty()) {
        inside = inner(inside, name)?;
    }
    let parameter = inside.parameters.iter().find(|parameter| parameter.name.text == problem.parameter);
    Some(parameter.map_or(inside.type_name.span, |parameter| parameter.span))
}

fn inner<'m, 'a>(mapping: &'m ExplicitMapping<'a>, name: &str) -> Option<&'m ExplicitMapping<'a>> {
    let of_contents = match &mapping.contents {
        Contents::Properties(properties) => properties.iter().find(|(known, _)| known.text == name),
        Contents::Nothing | Contents::OfStruct(_) => None,
    };
    let fields = mapping.parameters.iter().filter_map(|parameter| match &parameter.value {
        ParameterValue::Mappings(fields) => Some(fields),
        ParameterValue::Json(_) | ParameterValue::Unread => None,
    });
    let of_fields = || fields.flatten().find(|(known, _)| known.text == name);
    of_contents.or_else(of_fields).map(|(_, mapping)| mapping)
}
