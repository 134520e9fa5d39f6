//! Attributes inside a `macro_rules!`: each fragment stands in invisible delimiters, which are
//! looked through in every attribute.

use pillowtop::{ChangeMeta, CouchDocument, Definition, Pillow};
use serde::{Deserialize, Serialize};
use serde_json::json;

const LEAST: i64 = -3;

#[derive(Serialize, CouchDocument)]
struct Indexed {
    name: String,
}

impl Indexed {
    fn from_visit(visit: Visit, _: &ChangeMeta) -> Option<Self> {
        (!visit.kind.is_empty()).then_some(Self { name: visit.kind })
    }
}

fn of_trip(trip: Trip, _: &ChangeMeta) -> Option<Indexed> {
    (!trip.kind.is_empty()).then_some(Indexed { name: trip.kind })
}

pillowtop::rules! {
    pub(crate) rules {
        strings named "note" => text;
    }
}

/// A crate's rules, made by a macro.
macro_rules! typed_rules {
    ($rust:ty, $pattern:literal, $limit:expr) => {
        pillowtop::rules! {
            pub(crate) typed_rules {
                type $rust named $pattern => keyword, ignore_above = $limit;
            }
        }
    };
}
typed_rules!(String, "*_id", 12);

macro_rules! visit {
    (
        $struct:ident, $types:expr, $deleted:literal, $unknown:expr, $type_field:literal, $database:expr,
        $name:literal, $alias:expr, $settings:expr, $targets:expr, $target:literal, $version:expr,
        $transform:path, $index:ty, $unchecked:ident,
        $this:expr, $condition:expr, $field:ident, $number:literal, $least:path, $pattern:pat,
        $rules:path, $es:ident, $limit:literal, $format:expr, $copies:expr, $meta:meta, $renamed:literal, $rust:ty
    ) => {
        #[derive(Serialize, Deserialize, CouchDocument, Pillow)]
        #[couch(doc_type = $types, deleted = [$deleted], unknown = $unknown, type_field = $type_field, database = $database)]
        #[pillow(
            name = $name, alias = $alias, settings = $settings, targets = [$target, $targets],
            transform = $transform, index = $index, transform_version = $version, mapping = $unchecked,
            filter = $condition && !$condition || self.$field != -$number && $this.$field >= $least && matches!($this.kind, $pattern)
        )]
        #[es(rules = $rules)]
        struct $struct {
            #[es($es, ignore_above = $limit, copy_to = $copies)]
            kind: $rust,
            #[es(date, format = $format, $meta)]
            #[serde(rename = $renamed)]
            moment: String,
            note: Option<Vec<$rust>>,
            $field: i64,
            closed: bool,
        }
    };
}

visit!(
    Visit,
    ["Visit", "OldVisit"],
    "Visit-Deleted",
    carry,
    "kind_of",
    "visits",
    "visit",
    "visits",
    r#"{"codec": "best_compression"}"#,
    "opensearch 3.0",
    "elasticsearch 8.15",
    3,
    Indexed::from_visit,
    Indexed,
    unchecked,
    self,
    self.closed == true || self.note.is_some(),
    count,
    5,
    LEAST,
    "home" | "clinic",
    crate::rules,
    keyword,
    100,
    "yyyy-MM-dd",
    ["all", "more"],
    ignore_malformed = true,
    "when",
    String
);
visit!(
    Trip,
    "Trip",
    "Trip-Deleted",
    drop,
    "kind_of",
    "visits",
    "trip",
    "trips",
    r#"{"codec": "best_compression"}"#,
    "opensearch 3.0",
    "elasticsearch 8.15",
    3,
    of_trip,
    Indexed,
    unchecked,
    self,
    self.closed,
    count,
    5,
    LEAST,
    "home",
    crate::rules,
    keyword,
    100,
    "yyyy-MM-dd",
    "all",
    ignore_malformed = true,
    "when",
    String
);

#[derive(Serialize, CouchDocument)]
#[es(rules = crate::typed_rules)]
struct Typed {
    owner_id: String,
    name: String,
}

#[test]
fn attributes_look_through_fragments_of_macros() {
    let definition = Definition::of::<Visit>();
    assert_eq!(definition.document.types, ["Visit", "OldVisit"]);
    assert_eq!(definition.document.deleted_types, ["Visit-Deleted"]);
    assert_eq!(definition.document.type_field, "kind_of");
    assert_eq!(definition.document.database, Some("visits"));
    assert!(definition.document.carry_unknown);
    assert_eq!((definition.pillow.as_str(), definition.alias.as_str()), ("visit", "visits"));
    assert_eq!(definition.settings, json!({"codec": "best_compression"}));
    assert_eq!((definition.targets.len(), definition.transform_version), (2, 3));
    assert_eq!(definition.mappings["properties"]["name"]["type"], "keyword");
    assert_eq!(Definition::of::<Trip>().document.types, ["Trip"]);
}

#[test]
fn fields_look_through_fragments_of_macros() {
    let mapping = pillowtop::definition::root_mapping(Visit::MAPPING);
    assert_eq!(
        mapping["properties"]["kind"],
        json!({"type": "keyword", "ignore_above": 100, "copy_to": ["all", "more"]})
    );
    assert_eq!(
        mapping["properties"]["when"],
        json!({"type": "date", "format": "yyyy-MM-dd", "ignore_malformed": true})
    );
    assert_eq!(mapping["properties"]["note"], json!({"type": "text"}));
    let typed = pillowtop::definition::root_mapping(Typed::MAPPING);
    assert_eq!(typed["properties"]["owner_id"]["ignore_above"], 12);
    assert_eq!(typed["properties"]["name"]["ignore_above"], 8191);
}

/// A fragment binds as if it stood in parentheses, in the predicate and in its text.
#[test]
fn a_filter_keeps_how_a_fragment_binds() {
    assert_eq!(
        Definition::of::<Visit>().filter,
        Some(
            "(self.closed == true || self.note.is_some()) && !(self.closed == true || self.note.is_some()) \
             || self.count != -5 && self.count >= LEAST && matches!(self.kind, \"home\" | \"clinic\")"
        )
    );
    let visit = |kind: &str, count: i64, closed: bool| Visit {
        kind: kind.to_owned(),
        moment: String::new(),
        note: None,
        count,
        closed,
    };
    assert!(visit("home", 1, true).accepts() && visit("clinic", 1, false).accepts());
    assert!(!visit("home", -4, true).accepts() && !visit("home", -5, true).accepts());
    assert!(!visit("shop", 1, true).accepts());
}
