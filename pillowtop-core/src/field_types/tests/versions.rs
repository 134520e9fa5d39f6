//! Which server has what, and what is reported when one lacks it.

use serde_json::json;

use super::super::{Product, Target, Version, field_type, root_parameter};

fn lack(name: &str, target: Target) -> String {
    field_type(name).unwrap().is_available(target).unwrap_err().to_string()
}

#[test]
fn a_missing_type_names_what_has_it() {
    assert_eq!(
        lack("flattened", Target::opensearch(2, 6)),
        "`flattened` needs Elasticsearch 7.3 or OpenSearch 2.7 (there named `flat_object`)"
    );
    assert_eq!(
        lack("flat_object", Target::elasticsearch(7, 2)),
        "`flat_object` needs OpenSearch 2.7 or Elasticsearch 7.3 (there named `flattened`)"
    );
    assert_eq!(
        lack("match_only_text", Target::opensearch(2, 11)),
        "`match_only_text` needs Elasticsearch 7.14 or OpenSearch 2.12"
    );
    assert_eq!(
        lack("dense_vector", Target::opensearch(3, 0)),
        "`dense_vector` needs Elasticsearch 7.0; for the same purpose OpenSearch 1.0 has `knn_vector`"
    );
    assert_eq!(lack("histogram", Target::opensearch(3, 0)), "`histogram` needs Elasticsearch 7.6");
}

#[test]
fn a_renamed_type_is_available_under_its_other_name() {
    let flattened = field_type("flattened").unwrap();
    assert!(flattened.is_available(Target::opensearch(2, 7)).is_ok());
    assert!(flattened.is_available(Target::elasticsearch(7, 3)).is_ok());
    assert_eq!(flattened.name_in(Product::OpenSearch), Some("flat_object"));
    assert_eq!(flattened.name_in(Product::Elasticsearch), Some("flattened"));
    assert_eq!(field_type("xy_point").unwrap().name_in(Product::Elasticsearch), Some("point"));
    assert_eq!(field_type("dense_vector").unwrap().name_in(Product::OpenSearch), None);
}

#[test]
fn core_types_are_everywhere() {
    for name in [
        "text",
        "keyword",
        "long",
        "date",
        "date_nanos",
        "boolean",
        "ip",
        "object",
        "nested",
        "join",
        "geo_point",
    ] {
        for target in [
            Target::elasticsearch(7, 0),
            Target::elasticsearch(9, 9),
            Target::opensearch(1, 0),
            Target::opensearch(3, 9),
        ] {
            assert!(field_type(name).unwrap().is_available(target).is_ok(), "{name} in {target}");
        }
    }
}

#[test]
fn a_missing_parameter_names_what_has_it() {
    let long = field_type("long").unwrap();
    assert!(long.parameter_is_available("script", Target::elasticsearch(7, 13)).is_ok());
    assert_eq!(
        long.parameter_is_available("script", Target::opensearch(3, 0)).unwrap_err().to_string(),
        "`script` of `long` needs Elasticsearch 7.13"
    );
    let keyword = field_type("keyword").unwrap();
    assert!(keyword.parameter_is_available("boost", Target::elasticsearch(7, 17)).is_ok());
    assert!(keyword.parameter_is_available("boost", Target::opensearch(2, 0)).is_ok());
    assert_eq!(
        keyword.parameter_is_available("boost", Target::elasticsearch(8, 0)).unwrap_err().to_string(),
        "`boost` of `keyword` needs Elasticsearch 7.0 (removed in 8.0) or OpenSearch 1.0"
    );
}

#[test]
fn parameters_of_a_renamed_type_are_those_of_the_other_product() {
    let flattened = field_type("flattened").unwrap();
    assert!(flattened.parameter_is_available("depth_limit", Target::elasticsearch(8, 0)).is_ok());
    assert_eq!(
        flattened.parameter_is_available("depth_limit", Target::opensearch(3, 0)).unwrap_err().to_string(),
        "`depth_limit` of `flattened` needs Elasticsearch 7.0"
    );
    let shape = field_type("shape").unwrap();
    assert!(shape.parameter_is_available("orientation", Target::opensearch(2, 4)).is_ok());
    assert!(shape.parameter_is_available("nothing", Target::opensearch(2, 4)).is_err());
}

#[test]
fn a_missing_value_names_what_has_it() {
    let dynamic = root_parameter("dynamic").unwrap();
    assert!(dynamic.value_is_available(&json!("runtime"), Target::elasticsearch(7, 11)).is_ok());
    assert!(dynamic.value_is_available(&json!(false), Target::opensearch(1, 0)).is_ok());
    assert_eq!(
        dynamic.value_is_available(&json!("runtime"), Target::opensearch(3, 0)).unwrap_err().to_string(),
        "`dynamic = \"runtime\"` needs Elasticsearch 7.11"
    );
    let options = field_type("dense_vector").unwrap().parameter("index_options").unwrap();
    let value = json!({"type": "bbq_disk"});
    assert!(options.value_is_available(&value, Target::elasticsearch(9, 2)).is_ok());
    assert_eq!(
        options.value_is_available(&value, Target::elasticsearch(8, 17)).unwrap_err().to_string(),
        "`type = \"bbq_disk\"` needs Elasticsearch 9.2"
    );
    let value = json!({"type": "hnsw", "on_disk_rescore": true});
    assert_eq!(
        options.value_is_available(&value, Target::elasticsearch(8, 17)).unwrap_err().to_string(),
        "`on_disk_rescore` of `index_options` needs Elasticsearch 9.3"
    );
}

#[test]
fn versions_are_read_as_servers_write_them() {
    assert_eq!("8.15.2".parse(), Ok(Version::new(8, 15)));
    assert_eq!("3.0.0-SNAPSHOT".parse(), Ok(Version::new(3, 0)));
    assert_eq!("9".parse(), Ok(Version::new(9, 0)));
    assert_eq!("".parse::<Version>(), Err("`` is not a version such as `8.15`".to_owned()));
    assert!("latest".parse::<Version>().is_err());
    assert!(Version::new(7, 9) < Version::new(7, 10));
}
