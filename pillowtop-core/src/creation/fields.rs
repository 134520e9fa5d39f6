//! Fields that servers refuse although each parameter alone is known: at any depth, in multi-fields
//! too.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{BEFORE_ELASTICSEARCH_8, Problem, combinations};
use crate::date::{
    DEFAULT_DATE_FORMAT, DateFormats, DateProblem, FormatProblem, format_problem, mistaken_week_year,
};
use crate::field_types::field_type;
use crate::lenient::boolean;
use crate::requirement::{NEVER, Versions};

/// Calls `one` with each field of a mapping and its path, multi-fields and those of templates too.
pub(super) fn each<'a>(object: &'a Value, path: &str, one: &mut dyn FnMut(&str, &'a Value)) {
    for inside in ["properties", "fields"] {
        for (name, field) in object.get(inside).and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            one(&path, field);
            each(field, &path, one);
        }
    }
}

/// What is wrong with the fields of an object, and with those inside.
pub(super) fn of_object(object: &Value, path: &str, found: &mut Vec<Problem>) {
    let outer = object.as_object().map_or("object", type_of);
    for inside in ["properties", "fields", "runtime"] {
        for (name, field) in object.get(inside).and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Value::Object(members) = field {
                let mut problems = of_members(type_of(members), members);
                if inside == "fields" {
                    problems.extend(of_multi_field(outer, type_of(members), members));
                }
                found.extend(problems.into_iter().map(|problem| problem.at(&path)));
            }
            of_object(field, &path, found);
        }
    }
}

const BEFORE_8: Versions = Versions { elasticsearch: (0, 0x0800), opensearch: (NEVER, NEVER) };

/// Dimensions of a time series that lie in a `nested` object.
pub(super) fn dimensions(object: &Value, path: &str, is_nested: bool, found: &mut Vec<Problem>) {
    for (name, field) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if is_nested && field.get("time_series_dimension").and_then(boolean) == Some(true) {
            let what = "`time_series_dimension` stands in a `nested` object";
            found.push(
                Problem::everywhere("time_series_dimension", what, "leave it out")
                    .accepted_by(BEFORE_8)
                    .at(&path),
            );
        }
        let is_nested = is_nested || field.get("type").is_some_and(|name| name == "nested");
        dimensions(field, &path, is_nested, found);
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
    match members.get("print_format").and_then(Value::as_str) {
        Some(format) if format.contains("||") => {
            let what = "`print_format` has several formats";
            found.push(Problem::everywhere("print_format", what, "write the one in which dates are shown"));
        }
        format => found.extend(format.and_then(|format| date_format("print_format", format))),
    }
    found.extend(null_value(type_name, members));
    match type_name {
        "text" | "match_only_text" => found.extend(combinations::of_text(members)),
        "dense_vector" => found.extend(combinations::of_vector(members)),
        "join" => found.extend(combinations::of_join(members)),
        "flattened" => found.extend(combinations::of_flattened(members)),
        "completion" => found.extend(combinations::of_completion(members)),
        _ => {}
    }
    found.extend(combinations::of_time_series(members));
    found.extend(combinations::of_script(members));
    found
}

/// What is wrong with a field of another one's `fields`, beside what would be wrong anywhere.
fn of_multi_field(outer: &str, type_name: &str, members: &Map<String, Value>) -> Vec<Problem> {
    let mut found = Vec::new();
    if members.get("fields").and_then(Value::as_object).is_some() {
        let what = "a field of `fields` has `fields` itself";
        let help = "write all of them in the `fields` of the outer field";
        found.push(Problem::everywhere("fields", what, help).accepted_by(BEFORE_ELASTICSEARCH_8));
    }
    if members.get("copy_to").is_some_and(|targets| !targets.is_null()) {
        let help = "write `copy_to` at the outer field";
        let problem = Problem::everywhere("copy_to", "a field of `fields` has `copy_to`", help);
        // Some versions do not look at the fields of these types.
        found.push(problem.accepted_by(match outer {
            "search_as_you_type" => Versions { elasticsearch: (0, 0x0800), opensearch: (NEVER, NEVER) },
            "join" => Versions { elasticsearch: (0x0711, NEVER), opensearch: (NEVER, NEVER) },
            _ => Versions::NONE,
        }));
    }
    if field_type(type_name).is_some_and(|known| !known.multi_field_allowed) {
        found.push(Problem::everywhere(
            "type",
            format!("`{type_name}` cannot be one of the `fields` of another field"),
            "map it as a field of its own",
        ));
    }
    found
}

/// What stands for null must be a value of the field.
fn null_value(type_name: &str, members: &Map<String, Value>) -> Option<Problem> {
    let value = members.get("null_value").filter(|value| !value.is_null())?;
    let number = || value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let bounds = match type_name {
        "byte" => Some((-128.0, 127.0)),
        "short" => Some((-32_768.0, 32_767.0)),
        "integer" => Some((-2_147_483_648.0, 2_147_483_647.0)),
        "long" | "float" | "half_float" | "double" | "scaled_float" => Some((f64::MIN, f64::MAX)),
        "unsigned_long" => Some((0.0, f64::MAX)),
        _ => None,
    };
    let (fits, accepted) = match (type_name, bounds) {
        (_, Some((least, most))) => {
            (number().is_some_and(|value| (least..=most).contains(&value)), Versions::NONE)
        }
        ("boolean", _) => (boolean(value).is_some(), Versions::NONE),
        ("ip", _) => {
            (value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()), BEFORE_ELASTICSEARCH_8)
        }
        ("date" | "date_nanos", _) => (is_date(value, members), BEFORE_ELASTICSEARCH_8),
        ("geo_point", _) => (value.as_str().is_none_or(is_point), Versions::NONE),
        _ => return None,
    };
    let what = || format!("`null_value` is {value}, which is not a value of the field");
    (!fits).then(|| {
        Problem::everywhere("null_value", what(), format!("write a value of type `{type_name}`"))
            .accepted_by(accepted)
    })
}

/// Whether a string is a point: latitude and longitude, a geohash, or WKT.
fn is_point(text: &str) -> bool {
    let is_geohash = |letter: char| letter.is_ascii_alphanumeric() && !"ailoAILO".contains(letter);
    let is_pair = text.split(',').count() > 1
        && text.split(',').all(|number| number.trim().parse::<f64>().is_ok_and(f64::is_finite));
    is_pair
        || text.to_ascii_lowercase().contains("point")
        || (!text.is_empty() && text.chars().all(is_geohash))
}

/// Whether the formats of a field read a value; true where that is not known.
fn is_date(value: &Value, members: &Map<String, Value>) -> bool {
    let formats = members.get("format").and_then(Value::as_str).unwrap_or(DEFAULT_DATE_FORMAT);
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    DateFormats::new(formats).parse(&text) != Err(DateProblem::NoFormatFits)
}

fn type_of(members: &Map<String, Value>) -> &str {
    members.get("type").and_then(Value::as_str).unwrap_or("object")
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

/// A name of a date format that not every server has.
fn limited_format(parameter: &str, format: &str) -> Option<Problem> {
    let accepted = match format {
        "rfc3339_lenient" => Versions { elasticsearch: (NEVER, NEVER), opensearch: (0, NEVER) },
        "week_year" => BEFORE_ELASTICSEARCH_8,
        "strict_week_year" => Versions::NONE,
        _ => return None,
    };
    let what = format!("`{parameter}` has the date format `{format}`");
    Some(Problem::everywhere(parameter, what, "write `weekyear`, or a Java pattern").accepted_by(accepted))
}

/// What is wrong with a date format.
pub(super) fn date_format(parameter: &str, formats: &str) -> Option<Problem> {
    let Some(FormatProblem { format, reason, snake_case }) = format_problem(formats) else {
        return formats.split("||").find_map(|format| limited_format(parameter, format));
    };
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
        assert_eq!(parameters(&json!({"type": "date", "print_format": "bogus"})), ["print_format"]);
        assert_eq!(
            parameters(&json!({"type": "date", "format": "yyyy-MM-dd||epoch_millis"})),
            [] as [&str; 0]
        );
        let inside = json!({"properties": {"o": {"properties": {"a": {"type": "text", "fields": {"d": {"type": "date", "format": bogus}}}}}}});
        assert_eq!(problems(&inside, &json!({}))[0].path, "o.a.d");
        let camel = &of_field(&json!({"type": "date", "format": "dateOptionalTime"}))[0];
        assert!(camel.concerns(Target::elasticsearch(8, 14)) && !camel.concerns(Target::opensearch(3, 6)));
        assert!(!camel.concerns_any(&[]));
        let lenient = &of_field(&json!({"type": "date", "format": "yyyy||rfc3339_lenient"}))[0];
        assert!(
            lenient.concerns(Target::elasticsearch(9, 4)) && !lenient.concerns(Target::opensearch(2, 19))
        );
    }

    #[test]
    fn a_dimension_does_not_lie_in_a_nested_object() {
        let dimension = json!({"type": "keyword", "time_series_dimension": true});
        let of = |of_type: &str| {
            problems(
                &json!({"properties": {"n": {"type": of_type, "properties": {"d": dimension}}}}),
                &json!({}),
            )
        };
        assert_eq!(of("object"), []);
        assert_eq!(of("nested")[0].path, "n.d");
        assert_eq!(
            parameters(&json!({"type": "flattened", "properties": {"r": {"type": "long_range"}}})),
            ["properties"]
        );
    }

    #[test]
    fn multi_fields_are_not_chained_nor_copied() {
        let keyword = json!({"type": "keyword"});
        let chained = json!({"type": "text", "fields": {"a": {"type": "text", "fields": {"b": keyword}}}});
        let found = &of_field(&chained)[0];
        assert_eq!((found.path.as_str(), found.parameter.as_str()), ("a", "fields"));
        assert!(
            found.concerns(Target::elasticsearch(8, 14)) && !found.concerns(Target::elasticsearch(7, 17))
        );
        assert_eq!(
            parameters(&json!({"type": "text", "fields": {"a": {"type": "keyword", "copy_to": "b"}}})),
            ["copy_to"]
        );
        assert_eq!(parameters(&json!({"type": "text", "fields": {"a": {"type": "nested"}}})), ["type"]);
        assert_eq!(
            parameters(&json!({"type": "text", "fields": {"a": keyword}, "copy_to": "b"})),
            [] as [&str; 0]
        );
    }

    #[test]
    fn what_stands_for_null_is_a_value_of_the_field() {
        for (field, is_refused) in [
            (json!({"type": "long", "null_value": "x"}), true),
            (json!({"type": "long", "null_value": "7"}), false),
            (json!({"type": "byte", "null_value": 1000}), true),
            (json!({"type": "unsigned_long", "null_value": -1}), true),
            (json!({"type": "boolean", "null_value": "x"}), true),
            (json!({"type": "boolean", "null_value": "false"}), false),
            (json!({"type": "ip", "null_value": "x"}), true),
            (json!({"type": "date", "null_value": "bogus"}), true),
            (json!({"type": "date", "format": "yyyy", "null_value": "2024-01-01"}), true),
            (json!({"type": "date", "null_value": "2024-01-01"}), false),
            (json!({"type": "keyword", "null_value": "NULL"}), false),
            (json!({"type": "geo_point", "null_value": "1,2"}), false),
            (json!({"type": "geo_point", "null_value": "drm3btev3e86"}), false),
            (json!({"type": "geo_point", "null_value": "::1"}), true),
        ] {
            assert_eq!(!parameters(&field).is_empty(), is_refused, "{field}");
        }
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
