//! One mapping as an attribute says it: a type, parameters, and what is inside.

use pillowtop_core::field_types::{self, FieldType};
use proc_macro2::Span;
use serde_json::{Map, Value};
use syn::Type;

use crate::errors::Errors;
use crate::parse::{EsItem, EsReceiver, EsValue, Name};

/// How a field is mapped.
pub(crate) enum Mapping<'a> {
    /// As its Rust type says.
    Default(&'a Type),
    /// As its Rust type says, and as a rule does if that is a struct.
    Objects(&'a Type, Vec<Parameter>),
    /// As an attribute says.
    Explicit(ExplicitMapping<'a>),
}

/// A mapping by its type's name.
pub(crate) struct ExplicitMapping<'a> {
    pub(crate) type_name: Name,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) contents: Contents<'a>,
    /// False for what a user wrote as JSON, because the table may not know it.
    pub(crate) is_checked: bool,
    /// How many of the parameters an attribute says; a rule gives the others.
    pub(crate) explicit_count: Option<usize>,
}

/// The properties inside a mapping.
pub(crate) enum Contents<'a> {
    Nothing,
    OfStruct(&'a Type),
    Properties(Vec<(Name, ExplicitMapping<'a>)>),
}

/// A parameter of a mapping.
pub(crate) struct Parameter {
    pub(crate) name: Name,
    pub(crate) value: ParameterValue,
    /// The value's place.
    pub(crate) span: Span,
}

/// The value of a parameter.
pub(crate) enum ParameterValue {
    Json(Value),
    /// Mappings by name, as `fields` has them.
    Mappings(Vec<(Name, ExplicitMapping<'static>)>),
    /// One that cannot be read, which is reported.
    Unread,
}

/// The items of an attribute, sorted by what they are.
#[derive(Default)]
pub(crate) struct SortedItems<'r> {
    pub(crate) skip: Option<Span>,
    pub(crate) json: Option<(Value, Span)>,
    pub(crate) type_name: Option<Name>,
    pub(crate) parameters: Vec<&'r EsItem>,
}

impl<'r> SortedItems<'r> {
    pub(crate) fn of(errors: &Errors, receiver: &'r EsReceiver) -> Self {
        let sorted = Self::sort(errors, &receiver.items);
        if let Some(span) = sorted.skip
            && receiver.items.len() > 1
        {
            errors.at_span(
                span,
                "`skip` cannot be combined with other items",
                "write `#[es(skip)]` alone to leave the field out",
            );
        }
        sorted
    }

    fn sort(errors: &Errors, items: &'r [EsItem]) -> Self {
        let mut sorted = Self::default();
        for item in items {
            let EsItem { name, value } = item;
            match (name.text.as_str(), value) {
                ("skip", EsValue::Flag) => sorted.skip = Some(name.span),
                ("json", EsValue::Scalar(Value::String(text), span)) => {
                    let value = crate::parse::json_text(errors, text, *span);
                    sorted.json = Some((value, *span));
                }
                ("skip", _) => {
                    errors.at_span(
                        name.span,
                        "`skip` takes no value",
                        "write `#[es(skip)]`, or leave it out",
                    );
                }
                ("json", _) => errors.at_span(
                    name.span,
                    "`json` expects a string: a whole mapping in JSON",
                    "write `json = r#\"{\"type\": \"…\"}\"#`",
                ),
                ("type", _) => errors.at_span(
                    name.span,
                    "a field's type is written alone, without `type =`",
                    "write `#[es(keyword)]` or `#[es(text, analyzer = \"…\")]`",
                ),
                (text, EsValue::Flag) if is_parameter(text) && field_types::field_type(text).is_none() => {
                    errors.at_span(
                        name.span,
                        format!("`{text}` needs a value"),
                        format!("write `{text} = …`"),
                    );
                }
                (text, EsValue::Flag) => match &sorted.type_name {
                    None => sorted.type_name = Some(name.clone()),
                    Some(first) => errors.at_span(
                        name.span,
                        format!("a field has one type, but both `{}` and `{text}` are given", first.text),
                        format!("to index a value in two ways, write `fields(exact({text}))`"),
                    ),
                },
                _ => sorted.parameters.push(item),
            }
        }
        if let Some((_, span)) = sorted.json
            && items.len() > 1
        {
            errors.at_span(span, "`json` is the whole mapping", "write all of it in the JSON text");
        }
        sorted
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.skip.is_none() && self.json.is_none() && self.type_name.is_none() && self.parameters.is_empty()
    }

    /// These parameters of an attribute, and what a rule adds.
    pub(crate) fn over(&self, rule: &Self) -> Self {
        let is_explicit = |name: &str| self.parameters.iter().any(|explicit| explicit.name.text == name);
        let of_rule = rule.parameters.iter().filter(|item| !is_explicit(&item.name.text));
        Self {
            skip: None,
            json: rule.json.clone(),
            type_name: rule.type_name.clone(),
            parameters: self.parameters.iter().chain(of_rule).copied().collect(),
        }
    }

    /// The mapping, if its type or its JSON is explicit; `rust_type` is what a struct-holding type
    /// takes its properties from.
    pub(crate) fn mapping<'a>(
        &self,
        errors: &Errors,
        rust_type: Option<&'a Type>,
    ) -> Option<ExplicitMapping<'a>> {
        if let Some((value, span)) = &self.json {
            return from_json(errors, value, *span);
        }
        let type_name = self.type_name.clone()?;
        let known = field_types::field_type(&type_name.text);
        let holds_members = known.is_some_and(FieldType::holds_members);
        let from_struct = known.is_some_and(FieldType::takes_properties_of_struct);
        let mut contents = rust_type.filter(|_| from_struct).map_or(Contents::Nothing, Contents::OfStruct);
        let mut parameters = Vec::new();
        for item in &self.parameters {
            match &item.value {
                EsValue::Object(members, _) if holds_members && item.name.text == "properties" => {
                    contents = Contents::Properties(mappings(errors, members));
                }
                _ => parameters.push(Parameter::of(errors, item)),
            }
        }
        Some(ExplicitMapping { type_name, parameters, contents, is_checked: true, explicit_count: None })
    }
}

impl Parameter {
    pub(crate) fn of(errors: &Errors, item: &EsItem) -> Self {
        let EsItem { name, value } = item;
        let span = value.span(name);
        let value = match value {
            EsValue::Object(members, _)
                if ["fields", "properties"].contains(&name.text.as_str()) && !is_json(members) =>
            {
                ParameterValue::Mappings(mappings(errors, members))
            }
            _ => {
                let found = Errors::new();
                let json = value.to_json(&found, name);
                let value =
                    if found.is_empty() { ParameterValue::Json(json) } else { ParameterValue::Unread };
                errors.take(&found);
                value
            }
        };
        Self { name: name.clone(), value, span }
    }

    /// A parameter that no attribute says.
    pub(crate) fn implied(name: &str, value: Value, span: Span) -> Self {
        Self { name: Name { text: name.to_owned(), span }, value: ParameterValue::Json(value), span }
    }

    pub(crate) fn json(&self) -> Value {
        match &self.value {
            ParameterValue::Json(value) => value.clone(),
            ParameterValue::Unread => Value::Null,
            ParameterValue::Mappings(mappings) => {
                mappings.iter().map(|(name, mapping)| (name.text.clone(), mapping.json())).collect()
            }
        }
    }
}

impl ExplicitMapping<'_> {
    /// A mapping of a type without parameters said.
    pub(crate) fn leaf(type_name: &str, span: Span, parameters: Vec<Parameter>) -> Self {
        let type_name = Name { text: type_name.to_owned(), span };
        Self { type_name, parameters, contents: Contents::Nothing, is_checked: true, explicit_count: None }
    }

    /// The mapping as JSON; properties of a struct are not known here.
    pub(crate) fn json(&self) -> Value {
        let mut members = Map::new();
        members.insert("type".to_owned(), Value::from(self.type_name.text.as_str()));
        for parameter in &self.parameters {
            members.insert(parameter.name.text.clone(), parameter.json());
        }
        if let Contents::Properties(properties) = &self.contents {
            let properties =
                properties.iter().map(|(name, mapping)| (name.text.clone(), mapping.json())).collect();
            members.insert("properties".to_owned(), Value::Object(properties));
        }
        Value::Object(members)
    }
}

/// Mappings by name: `exact(keyword), words(text, analyzer = "…")`.
pub(crate) fn mappings(errors: &Errors, items: &[EsItem]) -> Vec<(Name, ExplicitMapping<'static>)> {
    let mut all: Vec<(Name, ExplicitMapping<'static>)> = Vec::new();
    for EsItem { name, value } in items {
        let Name { text, span } = name;
        if all.iter().any(|(other, _)| other.text == *text) {
            errors.at_span(*span, format!("duplicate `{text}`"), "remove one of them");
        }
        let EsValue::Object(inner, _) = value else {
            errors.at_span(*span, format!("`{text}` needs a mapping"), format!("write `{text}(keyword)`"));
            continue;
        };
        let sorted = SortedItems::sort(errors, inner);
        match sorted.mapping(errors, None) {
            Some(mapping) => all.push((name.clone(), mapping)),
            None => {
                errors.at_span(*span, format!("`{text}` has no type"), format!("write `{text}(keyword)`"));
            }
        }
    }
    all
}

/// Whether a name is a parameter of some field type or of a root.
fn is_parameter(name: &str) -> bool {
    field_types::root_parameter(name).is_some()
        || field_types::field_types().any(|field_type| field_type.parameter(name).is_some())
}

fn is_json(items: &[EsItem]) -> bool {
    matches!(items, [EsItem { name, value: EsValue::Scalar(..) }] if name.text == "json")
}

fn from_json(errors: &Errors, value: &Value, span: Span) -> Option<ExplicitMapping<'static>> {
    if value.is_null() {
        // The text was not JSON, which is reported; `null` itself is reported below.
        if !errors.is_empty() {
            return None;
        }
    }
    let mapping = value.as_object().and_then(|members| unchecked(members, None, span));
    if mapping.is_none() {
        let help = "write `json = r#\"{\"type\": \"…\", …}\"#`";
        errors.at_span(span, "a mapping in JSON is an object with a `type`", help);
    }
    mapping
}

/// The same tree as from attributes, so that a mapping has one fingerprint however it is written.
fn unchecked(
    members: &Map<String, Value>,
    or_type: Option<&str>,
    span: Span,
) -> Option<ExplicitMapping<'static>> {
    let type_name = members.get("type").and_then(Value::as_str).or(or_type)?;
    let mut contents = Contents::Nothing;
    let mut parameters = Vec::new();
    for (name, value) in members.iter().filter(|(name, _)| *name != "type") {
        match properties(name, value, span) {
            Some(properties) => contents = Contents::Properties(properties),
            None => parameters.push(Parameter::implied(name, value.clone(), span)),
        }
    }
    let type_name = Name { text: type_name.to_owned(), span };
    Some(ExplicitMapping { type_name, parameters, contents, is_checked: false, explicit_count: None })
}

fn properties(name: &str, value: &Value, span: Span) -> Option<Vec<(Name, ExplicitMapping<'static>)>> {
    let members = value.as_object().filter(|_| name == "properties")?;
    members
        .iter()
        .map(|(name, value)| {
            let mapping = unchecked(value.as_object()?, Some("object"), span)?;
            Some((Name { text: name.clone(), span }, mapping))
        })
        .collect()
}
