//! `make-mapping --explain`: each field of an index, the struct's field that it comes from, and
//! what decided it.

use pillowtop_core::definition::{field_mapping, reserved_properties};
use pillowtop_core::drift::rust_name;
use pillowtop_core::origin::{Decided, Origin};
use pillowtop_core::tree::{Field, Member, Object, Parameter, ROOT_DEFAULTS};
use pillowtop_core::{AnyPillow, Definition};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::output::{Align, Table};

/// One line of the table.
struct Explained {
    /// The struct's path to the field; empty where no field stands for it.
    rust_path: String,
    rust_type: String,
    /// The path in the index; empty for the root.
    path: String,
    type_name: String,
    parameters: Map<String, Value>,
    decided: String,
}

/// Prints the table of a pillow, and returns it as data.
pub(super) fn explain(context: &Context, pillow: &dyn AnyPillow) -> Value {
    let definition = pillow.definition();
    if definition.is_table() {
        context.ui.text(&format!(
            "{} ({}) is a table, as its file says",
            definition.pillow,
            rust_name(definition)
        ));
        return json!({"pillow": definition.pillow, "table": definition.mappings});
    }
    let object = pillow.mapping_tree();
    let mut lines = root(object);
    members(object, object.name, "", None, &mut lines);
    reserved(definition, &mut lines);

    context.ui.text(&format!("{} ({})", definition.pillow, rust_name(definition)));
    let mut table = Table::new(&[
        ("index field", Align::Left),
        ("type", Align::Left),
        ("field", Align::Left),
        ("rust type", Align::Left),
        ("parameters", Align::Left),
        ("decided by", Align::Left),
    ]);
    for line in &lines {
        table.row([
            if line.path.is_empty() { "(root)".to_owned() } else { line.path.clone() },
            line.type_name.clone(),
            line.rust_path.clone(),
            line.rust_type.clone(),
            shown(&line.parameters),
            line.decided.clone(),
        ]);
    }
    context.ui.table(&table);
    let fields: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "field": line.rust_path, "rust_type": line.rust_type, "path": line.path, "type": line.type_name,
                "parameters": line.parameters, "decided_by": line.decided,
            })
        })
        .collect();
    json!({"pillow": definition.pillow, "rust_type": definition.rust_type, "fields": fields})
}

/// A line for each parameter of the root.
fn root(object: &Object) -> Vec<Explained> {
    let line = |parameter: &Parameter, decided: &str| Explained {
        rust_path: object.name.to_owned(),
        rust_type: String::new(),
        path: String::new(),
        type_name: "root".to_owned(),
        parameters: Map::from_iter([(parameter.name.to_owned(), value(parameter))]),
        decided: decided.to_owned(),
    };
    let explicit: Vec<&Parameter> = object.parameters.iter().chain(object.root_parameters).collect();
    let is_new =
        |known: &[&Parameter], parameter: &Parameter| !known.iter().any(|other| other.name == parameter.name);
    let ruled: Vec<&Parameter> =
        object.root_rule.iter().filter(|parameter| is_new(&explicit, parameter)).collect();
    let defaults =
        ROOT_DEFAULTS.iter().filter(|parameter| is_new(&explicit, parameter) && is_new(&ruled, parameter));
    let mut lines: Vec<Explained> =
        explicit.iter().map(|parameter| line(parameter, "attribute of the struct")).collect();
    lines.extend(ruled.iter().map(|parameter| line(parameter, "rule `root`")));
    lines.extend(defaults.map(|parameter| line(parameter, "default of a root")));
    lines
}

/// A line for each property of an object, and for what is inside it; `above` is what decided the
/// field that holds the object.
fn members(object: &Object, rust_path: &str, path: &str, above: Option<&str>, lines: &mut Vec<Explained>) {
    for (member, origin) in object.origins() {
        let rust_path = match &origin {
            Some(origin) if !origin.field.is_empty() => format!("{rust_path}.{}", origin.field),
            _ => String::new(),
        };
        match member {
            Member::Flatten(inner) => members(inner, &rust_path, path, above, lines),
            Member::Property { name, field, .. } => {
                let path = format!("{path}{name}");
                let decided = match &origin {
                    Some(origin) => decided(origin, field),
                    None => above.unwrap_or("a mapping written by hand").to_owned(),
                };
                property(field, origin, &rust_path, &path, &decided, lines);
            }
        }
    }
}

fn property(
    field: &Field,
    origin: Option<Origin<'static>>,
    rust_path: &str,
    path: &str,
    decided: &str,
    lines: &mut Vec<Explained>,
) {
    let mut parameters = match field_mapping(field) {
        Value::Object(parameters) => parameters,
        _ => Map::new(),
    };
    let multi_fields = parameters.remove("fields");
    for known in ["type", "properties"] {
        parameters.remove(known);
    }
    lines.push(Explained {
        rust_path: rust_path.to_owned(),
        rust_type: origin.map(|origin| origin.rust_type.to_owned()).unwrap_or_default(),
        path: path.to_owned(),
        type_name: field.type_name.to_owned(),
        parameters,
        decided: decided.to_owned(),
    });
    for (name, mapping) in multi_fields.as_ref().and_then(Value::as_object).into_iter().flatten() {
        lines.push(from_json(&format!("{path}.{name}"), mapping, decided));
    }
    if let Some(inner) = field.object {
        members(inner, rust_path, &format!("{path}."), Some(decided), lines);
    }
}

/// What decided a field. A struct's own parameters come before those of a rule, and add to
/// those of the field.
fn decided(origin: &Origin<'_>, field: &Field) -> String {
    const OF_STRUCT: &str = "attribute of the struct";
    let at_field = decided_at_field(origin, field);
    let of_struct = field.object.map_or(&[][..], |object| object.parameters);
    if of_struct.is_empty() {
        return at_field;
    }
    let is_left = |parameter: &Parameter| !of_struct.iter().any(|explicit| explicit.name == parameter.name);
    match origin.decided {
        Decided::Default | Decided::ObjectsRule(_) if !field.parameters.iter().any(is_left) => {
            OF_STRUCT.to_owned()
        }
        _ => format!("{at_field}, and {OF_STRUCT}"),
    }
}

fn decided_at_field(origin: &Origin<'_>, field: &Field) -> String {
    let of_type = format!("default of `{}`", origin.rust_type);
    match origin.decided {
        Decided::AttributeOverDefault => format!("attribute, over the {of_type}"),
        Decided::AttributeOverRule(rule) => format!("attribute, over rule `{rule}`"),
        Decided::Rule(rule) => format!("rule `{rule}`"),
        // The derive cannot see which types are structs; the tree can.
        Decided::ObjectsRule(rule) if field.object.is_some() => format!("rule `{rule}`"),
        Decided::Default | Decided::ObjectsRule(_) => of_type,
        Decided::Serde => "serde's attribute".to_owned(),
        _ => "attribute".to_owned(),
    }
}

/// The object that the runtime adds to each document.
fn reserved(definition: &Definition, lines: &mut Vec<Explained>) {
    const DECIDED: &str = "the runtime's own";
    let Some(root) = definition.mappings.as_object() else { return };
    for (path, mapping) in reserved_properties(root) {
        lines.push(from_json(&path, &mapping, DECIDED));
        for (name, mapping) in mapping.get("properties").and_then(Value::as_object).into_iter().flatten() {
            lines.push(from_json(&format!("{path}.{name}"), mapping, DECIDED));
        }
    }
}

/// A field that no field of a struct stands for.
fn from_json(path: &str, mapping: &Value, decided: &str) -> Explained {
    let mut parameters = mapping.as_object().cloned().unwrap_or_default();
    let type_name = parameters.remove("type").as_ref().and_then(Value::as_str).unwrap_or("object").to_owned();
    parameters.remove("properties");
    Explained {
        rust_path: String::new(),
        rust_type: String::new(),
        path: path.to_owned(),
        type_name,
        parameters,
        decided: decided.to_owned(),
    }
}

fn value(parameter: &Parameter) -> Value {
    // The text was canonical JSON when the macro wrote it.
    serde_json::from_str(parameter.json).unwrap_or_else(|_| Value::from(parameter.json))
}

fn shown(parameters: &Map<String, Value>) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    pairs.join(", ")
}
