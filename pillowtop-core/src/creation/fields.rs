//! Fields that servers refuse although each parameter alone is known: at any depth, in multi-fields too.

use serde_json::{Map, Value};

use super::Problem;
use crate::conformance::date::{FormatProblem, format_problem, mistaken_week_year};
use crate::demand::{NEVER, Versions};

/// Before Elasticsearch 8, and every `OpenSearch`.
pub(super) const BEFORE_ELASTICSEARCH_8: Versions =
    Versions { elasticsearch: (0, 0x0800), opensearch: (0, NEVER) };

/// What is wrong with the fields of an object, and with those inside.
pub(super) fn of_object(object: &Value, path: &str, found: &mut Vec<Problem>) {
    for inside in ["properties", "fields", "runtime"] {
        for (name, field) in object.get(inside).and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Value::Object(members) = field {
                let type_name = members.get("type").and_then(Value::as_str).unwrap_or("object");
                found.extend(of_members(type_name, members).into_iter().map(|problem| problem.at(&path)));
            }
            of_object(field, &path, found);
        }
    }
}

/// What is wrong with one field, without those inside.
pub(super) fn of_members(type_name: &str, members: &Map<String, Value>) -> Vec<Problem> {
    let mut found = Vec::new();
    if matches!(type_name, "date" | "date_nanos" | "date_range") {
        found.extend(
            members.get("format").and_then(Value::as_str).and_then(|format| date_format("format", format)),
        );
    }
    found
}

/// Date formats with a week year where a year is meant.
pub(super) fn week_years(object: &Value, path: &str, found: &mut Vec<Problem>) {
    for inside in ["properties", "fields", "runtime"] {
        for (name, field) in object.get(inside).and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let format = field.get("format").and_then(Value::as_str).and_then(mistaken_week_year);
            if let Some(format) = format {
                let what = format!(
                    "`format` has `{format}`, in which `Y` is the week year: around the new year it is another one"
                );
                let year = format.replace('Y', "y");
                let doubt = Problem::everywhere("format", what, format!("write `{year}`"));
                found.push(doubt.accepted_by(Versions::ALL).at(&path));
            }
            week_years(field, &path, found);
        }
    }
}

/// What is wrong with a date format.
pub(super) fn date_format(parameter: &str, said: &str) -> Option<Problem> {
    let FormatProblem { format, reason, snake_case } = format_problem(said)?;
    let what = format!("`{parameter}` has `{format}`, which is not a date format: {reason}");
    Some(match snake_case {
        Some(name) => {
            let what = format!("`{parameter}` has the date format `{format}`, a name in camel case");
            Problem::everywhere(parameter, what, format!("write `{name}`"))
                .accepted_by(BEFORE_ELASTICSEARCH_8)
        }
        None => Problem::everywhere(
            parameter,
            what,
            "write a name such as `strict_date_optional_time`, or a Java pattern such as `yyyy-MM-dd'T'HH:mm:ss`",
        ),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{doubts, of_field, problems};
    use super::*;
    use crate::field_types::Target;

    #[track_caller]
    fn parameters(field: &Value) -> Vec<String> {
        of_field(field).into_iter().map(|problem| problem.parameter).collect()
    }

    #[test]
    fn a_date_format_that_java_does_not_compile_is_refused_wherever_it_stands() {
        let bogus = "yyyy-MM-ddThh:mm:ss";
        for type_name in ["date", "date_nanos", "date_range"] {
            assert_eq!(parameters(&json!({"type": type_name, "format": bogus})), ["format"]);
        }
        assert_eq!(
            parameters(&json!({"type": "date", "format": "yyyy-MM-dd||epoch_millis"})),
            [] as [&str; 0]
        );
        let inside = json!({"properties": {"o": {"properties": {"a": {"type": "text", "fields": {"d": {"type": "date", "format": bogus}}}}}}});
        assert_eq!(problems(&inside, &json!({}))[0].path, "o.a.d");
        let camel = &of_field(&json!({"type": "date", "format": "dateOptionalTime"}))[0];
        assert!(camel.concerns(Target::elasticsearch(8, 14)) && !camel.concerns(Target::opensearch(3, 6)));
        assert!(!camel.concerns_any(&[]));
    }

    #[test]
    fn a_week_year_is_a_doubt_and_no_problem() {
        let mapping = json!({"properties": {"a": {"type": "date", "format": "YYYY-MM-dd"}}});
        assert_eq!(problems(&mapping, &json!({})), []);
        let doubt = &doubts(&mapping)[0];
        assert!(doubt.to_string().starts_with("`a`: `format` has `YYYY-MM-dd`"), "{doubt}");
        assert_eq!(doubt.help, "write `yyyy-MM-dd`");
    }
}
