//! What is tried on the server, made from the table.

use pillowtop_comparison::exceptions;
use pillowtop_comparison::samples::{fitting, unfit};
use pillowtop_core::field_types::{FieldType, Parameter, ROOT_PARAMETERS, Target, field_types};
use serde_json::{Map, Value, json};

use crate::server::Server;

/// What a server does with a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Taken,
    Refused,
}

/// Where a mapping is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// As one field among others.
    Field,
    /// In an index of its own, since an index can have one such field only.
    OnlyField,
    /// As the root of an index of its own.
    Root,
}

/// One mapping to try.
pub(crate) struct Probe {
    /// What is tried, for messages.
    what: String,
    /// The mapping of a field, or of a root.
    pub(crate) mapping: Value,
    pub(crate) expected: Verdict,
    pub(crate) location: Location,
}

impl Probe {
    /// What to report, if the server does not do what is expected.
    pub(crate) fn difference(&self, refusal: Option<&str>) -> Option<String> {
        match (self.expected, refusal) {
            (Verdict::Taken, None) | (Verdict::Refused, Some(_)) => None,
            (Verdict::Taken, Some(reason)) => Some(format!("{}: refused: {reason}", self.what)),
            (Verdict::Refused, None) => Some(format!("{}: taken: {}", self.what, self.mapping)),
        }
    }
}

/// All types with all their parameters and values.
pub(crate) fn of_types(server: &Server) -> Vec<Probe> {
    let mut probes = Vec::new();
    for field_type in field_types() {
        let target = server.target();
        let minimal = exceptions::minimal(field_type, target);
        let is_there = server.asked().has_type(field_type);
        let mut add = |what: String, mapping: Value, expected: Verdict| {
            let parameter = what.split(' ').next().unwrap_or_default();
            let is_only = exceptions::is_only_field(field_type.name, parameter);
            let location = if is_only { Location::OnlyField } else { Location::Field };
            probes.push(Probe { what: format!("{} {what}", field_type.name), mapping, expected, location });
        };
        if !is_there {
            add("is absent".to_owned(), Value::Object(minimal), Verdict::Refused);
            continue;
        }
        add("alone".to_owned(), Value::Object(minimal.clone()), Verdict::Taken);
        for required in field_type.parameters().filter(|parameter| parameter.required) {
            if !required.availability.includes(target) || exceptions::is_taken_without(field_type.name) {
                continue;
            }
            let mut without = minimal.clone();
            without.remove(required.name);
            add(format!("without {}", required.name), Value::Object(without), Verdict::Refused);
        }
        for parameter in field_type.parameters() {
            let with = |value: Value| {
                let mut mapping = minimal.clone();
                mapping.extend(exceptions::companions(field_type.name, parameter.name));
                mapping.insert(parameter.name.to_owned(), value);
                Value::Object(mapping)
            };
            for (what, value, expected) in of_parameter(field_type, parameter, target) {
                add(what, with(value), expected);
            }
        }
    }
    probes
}

/// The values of one parameter, and what the server should do with each.
fn of_parameter(
    field_type: &FieldType,
    parameter: &'static Parameter,
    target: Target,
) -> Vec<(String, Value, Verdict)> {
    let name = parameter.name;
    let reason = |value: &Value| format!("{name} = {value}");
    if !parameter.availability.includes(target) {
        // Elsewhere such a parameter is taken and ignored.
        let is_ignored = exceptions::is_ignored(name, target);
        return fitting(field_type.name, parameter, target)
            .into_iter()
            .take(usize::from(!is_ignored))
            .map(|value| (format!("{} is absent", reason(&value)), value, Verdict::Refused))
            .collect();
    }
    let mut all = Vec::new();
    for value in fitting(field_type.name, parameter, target) {
        assert_eq!(parameter.check(&value), Ok(()), "a fitting sample of {name}");
        let expected = match parameter.value_is_available(&value, target) {
            Ok(()) => Verdict::Taken,
            Err(_) => Verdict::Refused,
        };
        all.push((reason(&value), value, expected));
    }
    for value in unfit(field_type.name, parameter) {
        if !exceptions::is_lenient(field_type.name, parameter, &value, target) {
            assert!(parameter.check(&value).is_err(), "an unfit sample of {name}: {value}");
            all.push((reason(&value), value, Verdict::Refused));
        }
    }
    all
}

/// The root's parameters.
pub(crate) fn of_the_root(server: &Server) -> Vec<Probe> {
    let target = server.target();
    let object = FieldType { name: "root", ..*pillowtop_core::field_types::field_type("object").unwrap() };
    let mut probes = Vec::new();
    for parameter in ROOT_PARAMETERS {
        if exceptions::root_parameter_is_absent(server.asked(), parameter.name) {
            continue;
        }
        for (what, value, expected) in of_parameter(&object, parameter, target) {
            let mut mapping: Map<String, Value> = exceptions::companions("root", parameter.name);
            mapping.insert(parameter.name.to_owned(), value);
            probes.push(Probe {
                what: format!("root {what}"),
                mapping: Value::Object(mapping),
                expected,
                location: Location::Root,
            });
        }
    }
    probes.push(Probe {
        what: "root no_such_parameter".to_owned(),
        mapping: json!({"no_such_parameter": true}),
        expected: Verdict::Refused,
        location: Location::Root,
    });
    probes
}
