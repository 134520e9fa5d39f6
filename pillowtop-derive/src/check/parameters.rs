//! Types and parameters by the one table.

use pillowtop_core::field_types::{self, FieldType};

use super::creation::{check_explicit_creation, check_root_creation};
use crate::errors::{Errors, suggestion};
use crate::model::{Contents, ExplicitMapping, Mapping, ObjectModel, Parameter, ParameterValue};
use crate::parse::{Name, home_of};

/// Checks a mapping and those inside it.
pub(super) fn check_mapping(errors: &Errors, mapping: &Mapping<'_>) {
    if let Mapping::Explicit(explicit) = mapping {
        check_explicit(errors, explicit, false);
    }
}

/// Checks a mapping against the table, and if that has it, against what servers refuse.
pub(super) fn check_explicit(errors: &Errors, mapping: &ExplicitMapping<'_>, is_multi_field: bool) {
    let found = Errors::new();
    check_known(&found, mapping, is_multi_field);
    if found.is_empty() && mapping.is_checked {
        check_explicit_creation(&found, mapping);
    }
    errors.take(&found);
}

fn check_known(errors: &Errors, mapping: &ExplicitMapping<'_>, is_multi_field: bool) {
    if !mapping.is_checked {
        return;
    }
    let Name { text, span } = &mapping.type_name;
    check_twice(errors, &mapping.parameters);
    let Some(field_type) = field_types::field_type(text) else {
        unknown_type(errors, &mapping.type_name);
        return;
    };
    if is_multi_field && !field_type.multi_field_allowed {
        errors.at_span(
            *span,
            format!("`{text}` cannot be one of the `fields` of another field"),
            "map it as a field of its own, with `copy_to` or in the transform",
        );
    }
    for parameter in &mapping.parameters {
        match field_type.parameter(&parameter.name.text) {
            Some(known) => check_value(errors, known, parameter),
            None => unknown_parameter(errors, field_type, &parameter.name),
        }
    }
    for required in field_type.parameters().filter(|parameter| parameter.required) {
        if !mapping.parameters.iter().any(|parameter| parameter.name.text == required.name) {
            errors.at_span(
                *span,
                format!("`{text}` needs the parameter `{}`: {}", required.name, lower_first(required.doc)),
                format!("write `{text}, {} = …`", required.name),
            );
        }
    }
    if let Contents::Properties(properties) = &mapping.contents {
        for (_, inner) in properties {
            check_known(errors, inner, false);
        }
    }
}

fn check_value(errors: &Errors, known: &field_types::Parameter, parameter: &Parameter) {
    if let ParameterValue::Mappings(mappings) = &parameter.value {
        for (_, inner) in mappings {
            check_known(errors, inner, parameter.name.text == "fields");
        }
        // Those left out were reported, and an empty object would be reported again.
        return;
    }
    if matches!(parameter.value, ParameterValue::Unread) {
        return;
    }
    let json = parameter.json();
    if let Err(unfit) = known.check(&json) {
        let text = &parameter.name.text;
        errors.at_span(
            parameter.span,
            format!("`{text}` {unfit}"),
            format!("`{text}`: {}", lower_first(known.doc)),
        );
    }
}

fn check_twice(errors: &Errors, parameters: &[Parameter]) {
    for (position, Parameter { name, .. }) in parameters.iter().enumerate() {
        if parameters[..position].iter().any(|other| other.name.text == name.text) {
            errors.at_span(name.span, format!("duplicate `{}`", name.text), "remove one of them");
        }
    }
}

fn unknown_type(errors: &Errors, Name { text, span }: &Name) {
    if let Some(legacy) = field_types::legacy_type(text) {
        let message = format!("`{text}` is a field type from before Elasticsearch 7");
        errors.at_span(*span, message, format!("use {}", legacy.replacement));
        return;
    }
    let meant = match text.as_str() {
        "ignore" | "skipped" | "none" => suggestion(Some("skip")),
        _ => suggestion(field_types::suggest_type(text)),
    };
    errors.at_span(
        *span,
        format!("unknown field type `{text}`{meant}"),
        "write a type of Elasticsearch or OpenSearch, such as `keyword`; a newer one as `json = r#\"{\"type\": \"…\"}\"#`",
    );
}

fn unknown_parameter(errors: &Errors, field_type: &FieldType, name: &Name) {
    let (Name { text, span }, type_name) = (name, field_type.name);
    if belongs_elsewhere(errors, name) {
        return;
    }
    if let Some(legacy) = field_types::legacy_parameter(text) {
        let message = format!("`{text}` is a parameter from before Elasticsearch 7");
        errors.at_span(*span, message, format!("write {}", legacy.replacement));
        return;
    }
    if field_types::field_type(text).is_some() && field_type.parameter(text).is_none() {
        let message = format!("`{text}` is a field type, and takes neither a value nor parentheses");
        errors.at_span(
            *span,
            message,
            format!("write `{text}`, and its parameters after it: `{text}, name = …`"),
        );
        return;
    }
    let owners = field_types::field_types().filter(|other| other.parameter(text).is_some());
    let owners: Vec<String> = owners.take(4).map(|other| format!("`{}`", other.name)).collect();
    if owners.is_empty() {
        let meant = suggestion(field_types::suggest_parameter(field_type, text));
        let message = format!("unknown parameter `{text}` of `{type_name}`{meant}");
        errors.at_span(*span, message, format!("`{type_name}` takes {}", names(field_type)));
    } else {
        let message =
            format!("`{type_name}` has no parameter `{text}`, which is one of {}", owners.join(", "));
        errors.at_span(*span, message, format!("`{type_name}` takes {}", names(field_type)));
    }
}

/// An item of another attribute.
fn belongs_elsewhere(errors: &Errors, Name { text, span }: &Name) -> bool {
    // Whoever writes a name means that of the JSON.
    let (home, item) = match text.as_str() {
        "name" => ("serde", "rename"),
        text => match home_of(text, "es") {
            Some(home) => (home, text),
            None => return false,
        },
    };
    let message = format!("`#[es(…)]` has no item `{text}`, which is one of `#[{home}(…)]`");
    errors.at_span(*span, message, format!("write `#[{home}({item} …)]`"));
    true
}

fn names(field_type: &FieldType) -> String {
    let names: Vec<String> =
        field_type.parameters().map(|parameter| format!("`{}`", parameter.name)).collect();
    if names.is_empty() { "no parameters".to_owned() } else { names.join(", ") }
}

/// Checks the parameters of a struct: those of any object, and those of a root.
pub(super) fn check_object(errors: &Errors, object: &ObjectModel<'_>) {
    check_twice(errors, &object.parameters);
    check_twice(errors, &object.root_parameters);
    check_root_parameters(errors, object.parameters.iter().chain(&object.root_parameters));
}

/// Checks what may stand at the root of a mapping.
pub(super) fn check_root_parameters<'p>(errors: &Errors, parameters: impl Iterator<Item = &'p Parameter>) {
    let parameters: Vec<&Parameter> = parameters.collect();
    let found = Errors::new();
    parameters.iter().for_each(|parameter| check_root_parameter(&found, parameter));
    if found.is_empty() {
        check_root_creation(&found, &parameters);
    }
    errors.take(&found);
}

fn check_root_parameter(errors: &Errors, parameter: &Parameter) {
    let Name { text, span } = &parameter.name;
    if text == "_meta" && parameter.json().get("pillowtop").is_some() {
        errors.at_span(
            parameter.span,
            "`pillowtop` in `_meta` is reserved for the runtime",
            "choose another name",
        );
    }
    let object_parameter = field_types::field_type("object").and_then(|object| object.parameter(text));
    if let Some(known) = field_types::root_parameter(text).or(object_parameter) {
        check_value(errors, known, parameter);
    } else if let Some(legacy) = field_types::legacy_root_parameter(text) {
        let message = format!("`{text}` is a parameter from before Elasticsearch 7");
        errors.at_span(*span, message, format!("use {}", legacy.replacement));
    } else if !belongs_elsewhere(errors, &parameter.name) {
        let meant = suggestion(field_types::suggest_root_parameter(text));
        let message = format!("unknown parameter `{text}` of a struct{meant}");
        let known: Vec<String> =
            field_types::ROOT_PARAMETERS.iter().map(|known| format!("`{}`", known.name)).collect();
        errors.at_span(*span, message, format!("a struct takes {}", known.join(", ")));
    }
}

fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().to_string() + letters.as_str(),
        None => String::new(),
    }
}
