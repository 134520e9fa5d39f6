//! What to write so that a value fits: by the reason for which it does not.

use super::check::takes_objects;
use super::finding::Fault;
use super::json::Json;
use super::plan::{Kind, LeafPlan};
use pillowtop_core::field_types::field_type;

/// What to write where a value does not fit a field.
pub(super) fn hint(leaf: &LeafPlan, value: &Json<'_>, fault: &Fault) -> String {
    match fault {
        Fault::TooLong(_) => "raise `ignore_above`, at most to 8191, or map it as `text`".to_owned(),
        Fault::Immense(_) if matches!(leaf.kind, Kind::Text) => {
            "use an analyzer that splits it into words".to_owned()
        }
        Fault::Immense(_) => "write `ignore_above = 8191` at the field, or map it as `text`".to_owned(),
        Fault::Malformed(_) if leaf.ignore_malformed => String::new(),
        Fault::Malformed(_) | Fault::Refused(_) => {
            let hint = if matches!(value, Json::Object(_)) && !takes_objects(&leaf.kind) {
                "map it as `object`, `nested` or `flattened`, or make a value of it in a transform".to_owned()
            } else {
                of_kind(leaf)
            };
            // Points that lie nowhere are moved instead of being left out.
            let can_be_ignored = matches!(fault, Fault::Malformed(_))
                && !matches!(leaf.kind, Kind::GeoPoint)
                && field_type(&leaf.type_name)
                    .is_some_and(|known| known.parameter("ignore_malformed").is_some());
            if can_be_ignored {
                format!("{hint}, or write `ignore_malformed = true`, to leave such values out")
            } else {
                hint
            }
        }
        Fault::Altered(_) => {
            "leave such points out in a transform, or leave `ignore_malformed` out".to_owned()
        }
        Fault::LeftOut(_) | Fault::Unknown(_) => String::new(),
    }
}

fn of_kind(leaf: &LeafPlan) -> String {
    match &leaf.kind {
        Kind::Keyword | Kind::Wildcard | Kind::ConstantKeyword | Kind::Text | Kind::TokenCount => "write a string",
        Kind::Date { .. } => "name its format: `#[es(date, format = \"…\")]`",
        Kind::Numeric(_) => "write a number in range, or map it as another type",
        Kind::Boolean => "write true or false, for instance by a transform",
        Kind::Ip => "write an address such as `10.0.0.1`",
        Kind::GeoPoint => "write a point such as {\"lat\": 1.5, \"lon\": 2}, with a latitude from -90 to 90 and a longitude from -180 to 180",
        Kind::Shape => "write a shape in GeoJSON or WKT whose rings are closed",
        Kind::NumberRange(_) | Kind::DateRange(_) => "write a range such as {\"gte\": …, \"lte\": …}, the lower bound first",
        Kind::IpRange => "write a network such as `10.0.0.0/8`",
        Kind::Histogram => "write {\"values\": [1, 2], \"counts\": [3, 4]}",
        Kind::AggregateMetric => "write an object with each of the field's metrics",
        Kind::Percolator => "write a query such as {\"match_all\": {}}",
        Kind::Flattened => "write an object",
        Kind::Alias => "leave the member out; write to the field that it refers to",
        Kind::Join => "write the name of a relation without a parent",
        Kind::Binary => "write padded Base64",
        _ => return format!("write what `{}` accepts, or map it as another type", leaf.type_name),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::Conformance;
    use pillowtop_core::field_types::Target;

    #[track_caller]
    fn check(field: &Value, value: &Value, hint: &str) {
        let conformance = Conformance::new(&json!({"properties": {"f": field}}), &json!({}));
        let report = conformance.check("1", &json!({"f": value}).to_string(), Target::elasticsearch(8, 14));
        assert!(report.findings[0].hint.contains(hint), "{field} {value} {report:?}");
        if !hint.contains("ignore_malformed") {
            assert!(!report.findings[0].hint.contains("ignore_malformed"), "{field} {value} {report:?}");
        }
    }

    #[test]
    fn a_hint_is_of_the_reason_and_not_of_the_type_alone() {
        let object = json!({"a": 1});
        let mapped_otherwise = "map it as `object`, `nested` or `flattened`";
        check(&json!({"type": "keyword"}), &object, mapped_otherwise);
        check(&json!({"type": "text"}), &object, mapped_otherwise);
        check(&json!({"type": "long"}), &object, mapped_otherwise);
        check(&json!({"type": "date"}), &object, mapped_otherwise);
        check(&json!({"type": "boolean"}), &object, mapped_otherwise);
        check(&json!({"type": "keyword"}), &json!("x".repeat(40_000)), "`ignore_above = 8191`");
        check(&json!({"type": "long"}), &json!("x"), "ignore_malformed = true");
        check(&json!({"type": "wildcard"}), &json!({}), mapped_otherwise);
        check(&json!({"type": "geo_point"}), &json!({"lat": 91, "lon": 1}), "a latitude from -90 to 90");
    }
}
