//! What a server makes of a member that the mapping does not name: dynamic templates first, then
//! what it takes the value for.

use serde_json::{Map, Value, json};

use super::finding::Fault;
use super::json::Json;
use super::numeric::{java_double, java_long};
use super::patterns::Patterns;
use super::plan::{text, truth};
use super::value::moment;
use pillowtop_core::date::{DEFAULT_DATE_FORMAT, DateFormats};
use pillowtop_core::field_types::{Product, Target, Version};

/// The formats by which a string is treated as a date, unless the mapping names others.
const DATE_FORMATS: [&str; 2] = [DEFAULT_DATE_FORMAT, "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"];

/// What a value is treated as; templates choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Object,
    Text,
    Long,
    Double,
    Boolean,
    Date,
}

impl Taken {
    /// The name in `match_mapping_type`.
    fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Text => "string",
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }

    /// The type that `{dynamic_type}` stands for.
    fn type_name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Text => "text",
            Self::Long => "long",
            Self::Double => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }
}

/// What is made of a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    pub(super) mapping: Map<String, Value>,
    /// The template that said so.
    pub(super) template: Option<String>,
    /// A field that is computed from `_source`, and so takes every value.
    pub(super) is_runtime: bool,
}

/// How members become fields.
#[derive(Debug, Clone, Default)]
pub(super) struct Dynamics {
    templates: Vec<Template>,
    detects_dates: bool,
    detects_numbers: bool,
    date_formats: Vec<DateFormats>,
}

#[derive(Debug, Clone)]
struct Template {
    name: String,
    /// Whether a condition is a list, which older servers compare as one name.
    has_lists: bool,
    names: Patterns,
    but_names: Patterns,
    paths: Patterns,
    but_paths: Patterns,
    kinds: Option<Vec<String>>,
    but_kinds: Vec<String>,
    mapping: Map<String, Value>,
    is_runtime: bool,
    string: Map<String, Value>,
}

impl Dynamics {
    /// Reads what a root mapping says.
    pub(super) fn new(root: &Map<String, Value>) -> Self {
        let flag = |name: &str, default| root.get(name).and_then(truth).unwrap_or(default);
        let string = root.get("dynamic_templates").and_then(Value::as_array);
        let formats: Vec<&str> = match root.get("dynamic_date_formats").and_then(Value::as_array) {
            Some(string) => string.iter().filter_map(Value::as_str).collect(),
            None => DATE_FORMATS.to_vec(),
        };
        Self {
            templates: string.into_iter().flatten().filter_map(Template::new).collect(),
            detects_dates: flag("date_detection", true),
            detects_numbers: flag("numeric_detection", false),
            date_formats: formats.into_iter().map(DateFormats::new).collect(),
        }
    }

    /// What an object becomes, or a list, by a template alone.
    pub(super) fn object_by_template(
        &self,
        path: &str,
        name: &str,
        target: Target,
    ) -> Result<Option<Made>, Fault> {
        self.by_template(path, name, (Taken::Object, None), target)
    }

    /// What a scalar becomes by a template alone.
    pub(super) fn scalar_by_template(
        &self,
        path: &str,
        name: &str,
        value: &Json<'_>,
        target: Target,
    ) -> Result<Option<Made>, Fault> {
        let (taken, format) = self.take(value, target)?;
        self.by_template(path, name, (taken, format), target)
    }

    /// What a scalar becomes.
    pub(super) fn scalar(
        &self,
        path: &str,
        name: &str,
        value: &Json<'_>,
        target: Target,
    ) -> Result<Made, Fault> {
        let (taken, format) = self.take(value, target)?;
        Ok(match self.by_template(path, name, (taken, format), target)? {
            Some(made) => made,
            None => Made { mapping: by_default(taken, format), template: None, is_runtime: false },
        })
    }

    /// What a scalar is treated as, with the format of a date.
    fn take(&self, value: &Json<'_>, target: Target) -> Result<(Taken, Option<&str>), Fault> {
        let text = match value {
            Json::Boolean(_) => return Ok((Taken::Boolean, None)),
            Json::Number(text) if text.contains(['.', 'e', 'E']) => return Ok((Taken::Double, None)),
            Json::Number(_) => return Ok((Taken::Long, None)),
            Json::Text(text) => text,
            _ => return Ok((Taken::Object, None)),
        };
        let is_older = target.product == Product::OpenSearch || target.version.major < 8;
        let is_long = java_long(text).is_some();
        let is_number = is_long || !matches!(java_double(text), Err(Fault::Malformed(_)));
        if is_number {
            let taken = match self.detects_numbers {
                true if is_long => Taken::Long,
                true => Taken::Double,
                false => Taken::Text,
            };
            return Ok((taken, None));
        }
        for formats in self.date_formats.iter().filter(|_| self.detects_dates) {
            // Older servers take it for a date, and only then see that there is no such month.
            let is_month = matches!(formats.declared(), DEFAULT_DATE_FORMAT | "date");
            if is_month && is_older && is_year_and_number(text) {
                return Ok((Taken::Date, Some(formats.declared())));
            }
            match moment(formats, text, target) {
                Ok(_) => return Ok((Taken::Date, Some(formats.declared()))),
                Err(Fault::Unknown(reason)) => return Err(Fault::Unknown(reason)),
                Err(_)
                    if is_older && formats.declared().split("||").any(|format| has_shape(format, text)) =>
                {
                    return Ok((Taken::Date, Some(formats.declared())));
                }
                Err(_) => {}
            }
        }
        Ok((Taken::Text, None))
    }

    fn by_template(
        &self,
        path: &str,
        name: &str,
        (taken, format): (Taken, Option<&str>),
        target: Target,
    ) -> Result<Option<Made>, Fault> {
        for template in &self.templates {
            let older = (template.has_lists && !reads_lists(target)).then(|| template.without_lists());
            let template = older.as_ref().unwrap_or(template);
            let fits = template.fits(path, name, taken).ok_or_else(|| {
                Fault::Unknown(format!(
                    "a pattern of the dynamic template `{}` is not checked",
                    template.name
                ))
            })?;
            if fits {
                return template.make(name, taken, format).map(Some);
            }
        }
        Ok(None)
    }
}

/// `2024-45`, and also `2024-05`.
fn is_year_and_number(text: &str) -> bool {
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
}

/// Whether a string has the shape of a pattern, whatever its month and day are: with a year of an
/// era older servers look at those only when the field reads them.
fn has_shape(pattern: &str, text: &str) -> bool {
    if !pattern.contains('y') || pattern.contains(['u', '\'', '_']) || pattern.len() != text.len() {
        return false;
    }
    let mut shape = text.as_bytes().to_vec();
    for (position, letter) in pattern.bytes().enumerate() {
        if b"MdD".contains(&letter) && text.as_bytes()[position].is_ascii_digit() {
            let is_last = pattern.as_bytes().get(position + 1) != Some(&letter);
            shape[position] = if is_last { b'1' } else { b'0' };
        }
    }
    String::from_utf8(shape).is_ok_and(|shape| DateFormats::new(pattern).parse(&shape).is_ok())
}

/// What a server makes without a template.
fn by_default(taken: Taken, format: Option<&str>) -> Map<String, Value> {
    let mut mapping = Map::from_iter([("type".to_owned(), json!(taken.type_name()))]);
    match (taken, format) {
        (Taken::Text, _) => {
            let keyword = json!({"keyword": {"type": "keyword", "ignore_above": 256}});
            mapping.insert("fields".to_owned(), keyword);
        }
        (Taken::Date, Some(format)) => {
            mapping.insert("format".to_owned(), json!(format));
        }
        _ => {}
    }
    mapping
}

/// Whether a condition may be a list: since Elasticsearch 8.9.
fn reads_lists(target: Target) -> bool {
    target.product == Product::Elasticsearch && target.version >= Version::new(8, 9)
}

impl Template {
    /// The template as older servers read it: a list is a name in brackets.
    fn without_lists(&self) -> Self {
        let is_regex = text(&self.string, "match_pattern") == Some("regex");
        let patterns = |key: &str| {
            let string = words(self.string.get(key));
            let is_list = self.string.get(key).is_some_and(Value::is_array);
            Patterns::new(
                string.map(|words| if is_list { vec![format!("[{}]", words.join(", "))] } else { words }),
                is_regex,
            )
        };
        Self {
            names: patterns("match"),
            but_names: patterns("unmatch"),
            paths: patterns("path_match"),
            but_paths: patterns("path_unmatch"),
            ..self.clone()
        }
    }

    fn new(string: &Value) -> Option<Self> {
        let (name, body) = string.as_object()?.iter().next()?;
        let body = body.as_object()?;
        let is_regex = text(body, "match_pattern") == Some("regex");
        let patterns = |key: &str| Patterns::new(words(body.get(key)), is_regex);
        let kinds = words(body.get("match_mapping_type"));
        let is_list = |key: &str| body.get(key).is_some_and(Value::is_array);
        let (mapping, is_runtime) = match (body.get("mapping"), body.get("runtime")) {
            (Some(mapping), _) => (mapping, false),
            (None, Some(mapping)) => (mapping, true),
            (None, None) => return None,
        };
        Some(Self {
            name: name.clone(),
            has_lists: ["match", "unmatch", "path_match", "path_unmatch"].into_iter().any(is_list),
            string: body.clone(),
            names: patterns("match"),
            but_names: patterns("unmatch"),
            paths: patterns("path_match"),
            but_paths: patterns("path_unmatch"),
            kinds: kinds.filter(|kinds| !kinds.iter().any(|kind| kind == "*")),
            but_kinds: words(body.get("unmatch_mapping_type")).unwrap_or_default(),
            mapping: mapping.as_object().cloned().unwrap_or_default(),
            is_runtime,
        })
    }

    /// Whether it is for a member; `None` where a pattern is not read here.
    fn fits(&self, path: &str, name: &str, taken: Taken) -> Option<bool> {
        let kind = taken.name();
        if self.kinds.as_ref().is_some_and(|kinds| !kinds.iter().any(|known| known == kind))
            || self.but_kinds.iter().any(|known| known == kind)
        {
            return Some(false);
        }
        // One with conditions on names that it is not for alone is for nothing.
        if ["match", "path_match", "match_mapping_type", "unmatch_mapping_type"]
            .iter()
            .all(|name| !self.string.contains_key(*name))
        {
            return Some(false);
        }
        Some(
            self.paths.fit(path, true)?
                && self.names.fit(name, true)?
                && !self.but_paths.fit(path, false)?
                && !self.but_names.fit(name, false)?,
        )
    }

    fn make(&self, name: &str, taken: Taken, format: Option<&str>) -> Result<Made, Fault> {
        const OF_OBJECTS: [&str; 4] = ["dynamic", "enabled", "properties", "subobjects"];
        let is_of_object = OF_OBJECTS.iter().any(|parameter| self.mapping.contains_key(*parameter));
        if is_of_object && taken != Taken::Object && !self.mapping.contains_key("type") {
            let reason = format!("the dynamic template `{}` is for objects and has no `type`", self.name);
            return Err(Fault::Unknown(reason));
        }
        let mut mapping = match filled(&Value::Object(self.mapping.clone()), name, taken) {
            Value::Object(mapping) => mapping,
            _ => Map::new(),
        };
        mapping.entry("type").or_insert_with(|| json!(taken.type_name()));
        if let (Some(format), Some("date"), None) = (format, text(&mapping, "type"), mapping.get("format")) {
            mapping.insert("format".to_owned(), json!(format));
        }
        Ok(Made { mapping, template: Some(self.name.clone()), is_runtime: self.is_runtime })
    }
}

/// A template's mapping with its placeholders filled.
fn filled(value: &Value, name: &str, taken: Taken) -> Value {
    let fill = |text: &str| {
        let text = text.replace("{name}", name);
        text.replace("{dynamic_type}", taken.type_name()).replace("{dynamicType}", taken.type_name())
    };
    match value {
        Value::String(text) => Value::String(fill(text)),
        Value::Array(items) => items.iter().map(|item| filled(item, name, taken)).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| (fill(key), filled(value, name, taken))).collect()
        }
        other => other.clone(),
    }
}

/// A string or a list of them.
fn words(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elasticsearch 7.17 and `OpenSearch` 3.6 took a list for a name in brackets, and made it a
    /// `text` field.
    #[test]
    fn a_list_of_names_is_read_by_new_servers_alone() {
        let template = json!({"match": ["one*", "*two"], "mapping": {"type": "keyword"}});
        let root = json!({"dynamic_templates": [{"t": template}]});
        let dynamics = Dynamics::new(root.as_object().unwrap());
        let type_on = |target| {
            let made = dynamics.scalar("onea", "onea", &Json::Text("x".into()), target).unwrap();
            made.mapping["type"].clone()
        };
        for target in [Target::elasticsearch(7, 17), Target::elasticsearch(8, 8), Target::opensearch(3, 6)] {
            assert_eq!(type_on(target), "text", "{target}");
        }
        assert_eq!(type_on(Target::elasticsearch(8, 9)), "keyword");
    }
}
