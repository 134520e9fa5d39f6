//! The table against itself, against mappings of the kinds that people write, and against real
//! ones.

mod mappings;
mod values;
mod versions;

use std::collections::BTreeSet;

use super::{
    Availability, Counterpart, Holds, LEGACY_ROOT_PARAMETERS, LEGACY_TYPES, Parameter, Product, field_type,
    field_types, legacy_parameter, legacy_root_parameter, legacy_type, root_parameter, suggest_parameter,
    suggest_type,
};

#[test]
fn every_type_has_one_entry() {
    let mut names = BTreeSet::new();
    for field_type in field_types() {
        assert!(names.insert(field_type.name), "`{}` is in the table twice", field_type.name);
        assert_ne!(field_type.availability, Availability::NOWHERE, "`{}` is in no product", field_type.name);
    }
    assert!(names.len() >= 60, "only {} types", names.len());
}

#[test]
fn parameters_are_listed_once_and_documented() {
    for field_type in field_types() {
        let mut names = BTreeSet::new();
        for parameter in field_type.parameters() {
            assert!(names.insert(parameter.name), "`{}` twice in `{}`", parameter.name, field_type.name);
            assert_eq!(Some(parameter), field_type.parameter(parameter.name), "of two the first must count");
            assert_well_written(parameter.doc);
        }
        assert_well_written(field_type.doc);
        assert!(field_type.parameter("type").is_none());
    }
}

fn assert_well_written(doc: &str) {
    assert!(!doc.is_empty() && !doc.ends_with('.') && !doc.contains('\n'), "{doc:?}");
}

#[test]
fn a_parameter_is_in_a_version_that_has_the_type() {
    for field_type in field_types() {
        for parameter in field_type.parameters() {
            let reachable = [Product::Elasticsearch, Product::OpenSearch].into_iter().any(|product| {
                match (field_type.availability.of(product), parameter.availability.of(product)) {
                    (Some(of_type), Some(of_parameter)) => {
                        of_parameter.removed.is_none_or(|removed| of_type.first < removed)
                    }
                    _ => false,
                }
            });
            assert!(reachable, "`{}` can never be declared for `{}`", parameter.name, field_type.name);
        }
    }
}

#[test]
fn counterparts_exist_in_the_other_product() {
    for this in field_types() {
        let Some(counterpart) = this.counterpart else { continue };
        let other = field_type(counterpart.name()).unwrap();
        for product in [Product::Elasticsearch, Product::OpenSearch] {
            assert!(this.availability.of(product).is_some() || other.availability.of(product).is_some());
        }
        if let Counterpart::Renamed(_) = counterpart {
            assert_eq!(other.counterpart, Some(Counterpart::Renamed(this.name)));
        }
    }
}

#[test]
fn objects_have_properties() {
    for field_type in field_types() {
        let has_properties = field_type.parameter("properties").is_some();
        match field_type.holds {
            Holds::Object | Holds::Nested => assert!(has_properties, "`{}`", field_type.name),
            Holds::Alias => assert!(!has_properties),
            // Elasticsearch 9.4 lets a flattened object map some of its keys.
            Holds::Leaf => {
                assert_eq!(has_properties, field_type.name == "flattened", "`{}`", field_type.name);
            }
        }
    }
}

#[test]
fn slips_are_understood() {
    for (slip, meant) in [
        ("keywrod", "keyword"),
        ("keywords", "keyword"),
        ("geoPoint", "geo_point"),
        ("Keyword", "keyword"),
        ("bool", "boolean"),
        ("nestd", "nested"),
        ("dens_vector", "dense_vector"),
        ("matchonlytext", "match_only_text"),
    ] {
        assert_eq!(suggest_type(slip), Some(meant), "for {slip}");
    }
    assert_eq!(suggest_type("varchar"), None);
    let keyword = field_type("keyword").unwrap();
    assert_eq!(suggest_parameter(keyword, "ignore_abvoe"), Some("ignore_above"));
    assert_eq!(suggest_parameter(keyword, "docvalues"), Some("doc_values"));
    assert_eq!(suggest_parameter(keyword, "analyzer"), None);
}

#[test]
fn what_servers_take_and_ignore_is_not_a_parameter() {
    let text = field_type("text").unwrap();
    assert!(text.ignores("doc_values") && text.parameter("doc_values").is_none());
    assert!(!text.ignores("index"), "which means something for text");
    assert!(!text.ignores("normalizer"), "which is rejected for text");
    assert!(!field_type("object").unwrap().ignores("index"));
}

#[test]
fn old_names_say_what_to_write_now() {
    assert!(legacy_type("string").unwrap().replacement.contains("`keyword`"));
    assert_eq!(legacy_parameter("index_analyzer").unwrap().replacement, "`analyzer`");
    assert_eq!(legacy_root_parameter("date_formats").unwrap().replacement, "`dynamic_date_formats`");
    for legacy in LEGACY_TYPES {
        assert!(field_type(legacy.name).is_none(), "`{}` is still a type", legacy.name);
    }
    for legacy in LEGACY_ROOT_PARAMETERS {
        assert!(root_parameter(legacy.name).is_none(), "`{}` is still a root parameter", legacy.name);
    }
}

#[test]
fn required_parameters_are_marked() {
    let required = |name: &str| {
        field_type(name)
            .unwrap()
            .parameters()
            .filter(|parameter| parameter.required)
            .map(|p: &Parameter| p.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(required("scaled_float"), ["scaling_factor"]);
    assert_eq!(required("join"), ["relations"]);
    assert_eq!(required("alias"), ["path"]);
    assert_eq!(required("token_count"), ["analyzer"]);
    assert_eq!(required("aggregate_metric_double"), ["metrics", "default_metric"]);
    assert_eq!(required("keyword"), Vec::<&str>::new());
}
