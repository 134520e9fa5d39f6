//! The limits that servers put to a mapping, counted as they count: past one of them no index can
//! be created.
//!
//! | limit | counts | default |
//! |---|---|---|
//! | `mapping.total_fields.limit` | every property, object, multi-field, alias, runtime and derived field, and fields that types add | 1000 |
//! | `mapping.depth.limit` | an object's names from the root, and one | 20 |
//! | `mapping.nested_fields.limit` | `nested` fields | 50, Elasticsearch 9: 100 |
//! | `mapping.field_name_length.limit` | a name's UTF-16 units, without the path | none, `OpenSearch` 3: 50000 |
//! | `mapping.dimension_fields.limit` | fields with `time_series_dimension` | Elasticsearch 8 and 9: 32768 |
//!
//! The counts are those of Elasticsearch 7.10, 8.14 and 9.4 and `OpenSearch` 2.19 and 3.6, asked at
//! the boundary.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::field_types::{Product, Target};
use crate::lenient::integer;
use crate::references::keeps_dots;
use crate::settings::setting;

/// Servers that count alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Family {
    product: Product,
    major: u16,
}

const FAMILIES: [Family; 6] = [
    Family { product: Product::Elasticsearch, major: 7 },
    Family { product: Product::Elasticsearch, major: 8 },
    Family { product: Product::Elasticsearch, major: 9 },
    Family { product: Product::OpenSearch, major: 1 },
    Family { product: Product::OpenSearch, major: 2 },
    Family { product: Product::OpenSearch, major: 3 },
];

impl Family {
    const fn of(target: Target) -> Self {
        Self { product: target.product, major: target.version.major }
    }

    /// Whether fields that types add for themselves are counted by the mappers that hold them.
    const fn counts_as_elasticsearch_7(self) -> bool {
        matches!(self, Self { product: Product::OpenSearch, .. } | Self { major: 7, .. })
    }
}

impl Family {
    /// The longest name of a field that every index has.
    const fn longest_own_name(self) -> &'static str {
        match self {
            Self { product: Product::Elasticsearch, major: 7 } => "_field_names",
            _ => "_data_stream_timestamp",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.product, self.major)
    }
}

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// All fields.
    TotalFields,
    /// Objects within objects.
    Depth,
    /// Fields of type `nested`.
    NestedFields,
    /// The length of a name.
    NameLength,
    /// Dimensions of a time series.
    Dimensions,
}

impl Limited {
    const ALL: [Self; 5] =
        [Self::TotalFields, Self::Depth, Self::NestedFields, Self::NameLength, Self::Dimensions];

    /// The setting that raises it, without `index.`.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::TotalFields => "mapping.total_fields.limit",
            Self::Depth => "mapping.depth.limit",
            Self::NestedFields => "mapping.nested_fields.limit",
            Self::NameLength => "mapping.field_name_length.limit",
            Self::Dimensions => "mapping.dimension_fields.limit",
        }
    }

    const fn default_of(self, family: Family) -> Option<u64> {
        match (self, family) {
            (Self::TotalFields, _) => Some(1000),
            (Self::Depth, _) => Some(20),
            (Self::NestedFields, Family { product: Product::Elasticsearch, major: 9 }) => Some(100),
            (Self::NestedFields, _) => Some(50),
            (Self::NameLength, Family { product: Product::OpenSearch, major: 3 }) => Some(50_000),
            (Self::Dimensions, Family { product: Product::Elasticsearch, major: 8 | 9 }) => Some(32_768),
            (Self::NameLength | Self::Dimensions, _) => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::TotalFields => "fields",
            Self::Depth => "levels of objects",
            Self::NestedFields => "nested fields",
            Self::NameLength => "letters in a name",
            Self::Dimensions => "dimension fields",
        }
    }
}

/// A limit that a mapping is past, or near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitFinding {
    /// Which limit.
    pub limited: Limited,
    /// What the mapping has.
    pub count: u64,
    /// What is allowed.
    pub limit: u64,
    /// Where, for what has a place.
    pub path: Option<String>,
    /// The servers with this limit; empty when the pillow's settings say it.
    pub servers: String,
}

impl LimitFinding {
    /// Whether no index can be created, rather than soon none.
    #[must_use]
    pub const fn is_past(&self) -> bool {
        self.count > self.limit
    }
}

impl fmt::Display for LimitFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limited, count, limit, path, servers } = self;
        write!(formatter, "the mapping has {count} {}", limited.words())?;
        if let Some(path) = path {
            write!(formatter, " at `{path}`")?;
        }
        let relation = if self.is_past() { "more than" } else { "near" };
        write!(formatter, ", {relation} the limit of {limit} ({}", limited.setting())?;
        if servers.is_empty() {
            formatter.write_str(" in the pillow's settings)")
        } else {
            write!(formatter, " on {servers})")
        }
    }
}

/// The limits that a mapping is past or within a tenth of: by the pillow's normal settings where
/// they say one, otherwise by the defaults of its targets, or of every server when it names none.
/// One finding a limit, the worst.
#[must_use]
pub fn examine(mappings: &Value, settings: &Value, targets: &[Target]) -> Vec<LimitFinding> {
    let families: Vec<Family> = if targets.is_empty() {
        FAMILIES.to_vec()
    } else {
        FAMILIES
            .into_iter()
            .filter(|family| targets.iter().any(|target| Family::of(*target) == *family))
            .collect()
    };
    let counts: Vec<(Family, Counts)> =
        families.into_iter().map(|family| (family, Counts::of(mappings, family))).collect();
    Limited::ALL.into_iter().filter_map(|limited| finding(limited, settings, &counts)).collect()
}

fn finding(limited: Limited, settings: &Value, counts: &[(Family, Counts)]) -> Option<LimitFinding> {
    let explicit = limit_in(settings, limited);
    let mut found: Vec<(Family, u64, u64, Option<String>)> = Vec::new();
    for (family, counts) in counts {
        let Some(limit) = hard_limit(limited, *family, explicit) else { continue };
        let (count, path) = counts.get(limited);
        // Within a tenth of it, or past it.
        if count > 0 && count.saturating_mul(10) > limit.saturating_mul(9) {
            found.push((*family, count, limit, path));
        }
    }
    let (_, count, limit, path) = found
        .iter()
        .min_by_key(|(_, count, limit, _)| (*count <= *limit, i128::from(*limit) - i128::from(*count)))?;
    let servers: Vec<String> = found
        .iter()
        .filter(|(_, other_count, other_limit, _)| (other_count, other_limit) == (count, limit))
        .map(|(family, ..)| family.to_string())
        .collect();
    let servers = if explicit == Some(*limit) { String::new() } else { servers.join(", ") };
    Some(LimitFinding { limited, count: *count, limit: *limit, path: path.clone(), servers })
}

/// What `OpenSearch` 3 reads of a name, no setting raises.
fn hard_limit(limited: Limited, family: Family, explicit: Option<u64>) -> Option<u64> {
    let default = limited.default_of(family);
    match (limited, explicit, default) {
        (Limited::NameLength, Some(explicit), Some(default)) => Some(explicit.min(default)),
        (_, explicit, default) => explicit.or(default),
    }
}

fn limit_in(settings: &Value, limited: Limited) -> Option<u64> {
    setting(settings, limited.setting()).and_then(integer).and_then(|limit| u64::try_from(limit).ok())
}

/// What a server of a family counts.
#[derive(Debug, Default)]
struct Counts {
    fields: u64,
    objects: BTreeSet<String>,
    nested: u64,
    dimensions: u64,
    deepest: (u64, Option<String>),
    longest: (u64, Option<String>),
}

impl Counts {
    fn of(mappings: &Value, family: Family) -> Self {
        let mut counts = Self::default();
        // The server's own fields have names, too.
        counts.name(family.longest_own_name(), family.longest_own_name());
        counts.properties(mappings, "", family);
        for computed in ["runtime", "derived"] {
            for name in
                mappings.get(computed).and_then(Value::as_object).into_iter().flat_map(|all| all.keys())
            {
                counts.fields += 1;
                counts.name(name, name);
            }
        }
        counts
    }

    fn get(&self, limited: Limited) -> (u64, Option<String>) {
        match limited {
            Limited::TotalFields => (self.fields + self.objects.len() as u64, None),
            Limited::Depth => self.deepest.clone(),
            Limited::NestedFields => (self.nested, None),
            Limited::NameLength => self.longest.clone(),
            Limited::Dimensions => (self.dimensions, None),
        }
    }

    fn properties(&mut self, object: &Value, above: &str, family: Family) {
        let keeps_dots = object.as_object().is_some_and(keeps_dots);
        for (name, field) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let mut path = above.to_owned();
            let segments: Vec<&str> = if keeps_dots { vec![name] } else { name.split('.').collect() };
            for (position, segment) in segments.iter().enumerate() {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(segment);
                self.name(segment, &path);
                if position + 1 < segments.len() {
                    self.object(&path);
                }
            }
            self.field(field, &path, family);
        }
    }

    fn field(&mut self, field: &Value, path: &str, family: Family) {
        let type_name = field.get("type").and_then(Value::as_str).unwrap_or("object");
        match type_name {
            "object" | "nested" | "passthrough" => {
                self.nested += u64::from(type_name == "nested");
                self.object(path);
                self.properties(field, path, family);
                return;
            }
            _ => self.fields += 1 + Self::added(type_name, field, family),
        }
        if field.get("time_series_dimension").is_some_and(|value| *value == true || *value == "true") {
            self.dimensions += 1;
        }
        for (name, multi_field) in field.get("fields").and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{path}.{name}");
            self.name(name, &path);
            self.field(multi_field, &path, family);
        }
    }

    /// The fields that a type adds for itself.
    fn added(type_name: &str, field: &Value, family: Family) -> u64 {
        let is_set = |name: &str| field.get(name).is_some_and(|value| *value != false && !value.is_null());
        match type_name {
            // Shingles of 2 up to the largest, and prefixes.
            "search_as_you_type" => field.get("max_shingle_size").and_then(Value::as_u64).unwrap_or(3),
            "text" if family.counts_as_elasticsearch_7() => {
                u64::from(is_set("index_prefixes")) + u64::from(is_set("index_phrases"))
            }
            "join" if family.counts_as_elasticsearch_7() => {
                let relations = field.get("relations").and_then(Value::as_object);
                relations.map_or(0, |relations| relations.len() as u64) + 1
            }
            "percolator" => 5,
            _ => 0,
        }
    }

    fn object(&mut self, path: &str) {
        self.objects.insert(path.to_owned());
        let depth = path.matches('.').count() as u64 + 2;
        if depth > self.deepest.0 {
            self.deepest = (depth, Some(path.to_owned()));
        }
    }

    fn name(&mut self, name: &str, path: &str) {
        let length = name.encode_utf16().count() as u64;
        if length > self.longest.0 {
            self.longest = (length, Some(path.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn keywords(count: usize) -> Map<String, Value> {
        (0..count).map(|number| (format!("f{number}"), json!({"type": "keyword"}))).collect()
    }

    #[track_caller]
    fn check(field: &Value, elasticsearch_7: u64, elasticsearch_8: u64) {
        let mapping = json!({"properties": {"o": field}});
        let count = |major| {
            let family = Family { product: Product::Elasticsearch, major };
            Counts::of(&mapping, family).get(Limited::TotalFields).0
        };
        assert_eq!((count(7), count(8)), (elasticsearch_7, elasticsearch_8), "{mapping}");
    }

    /// The numbers were checked against the servers named above.
    #[test]
    fn fields_are_counted_as_servers_do() {
        check(&json!({"type": "keyword"}), 1, 1);
        check(&json!({"properties": {"x": {"type": "keyword"}}}), 2, 2);
        check(&json!({"type": "text", "fields": {"x": {"type": "keyword"}}}), 2, 2);
        check(&json!({"type": "alias", "path": "f"}), 1, 1);
        check(&json!({"type": "nested", "properties": {"x": {"type": "keyword"}}}), 2, 2);
        check(&json!({"type": "search_as_you_type"}), 4, 4);
        check(&json!({"type": "search_as_you_type", "max_shingle_size": 4}), 5, 5);
        check(&json!({"type": "text", "index_prefixes": {}}), 2, 1);
        check(&json!({"type": "text", "index_phrases": true}), 2, 1);
        check(&json!({"type": "join", "relations": {"a": ["b", "c"], "b": "d"}}), 4, 1);
        check(&json!({"type": "percolator"}), 6, 6);
        check(&json!({"type": "object", "enabled": false}), 1, 1);
        check(
            &json!({"type": "object", "subobjects": false, "properties": {"b.c": {"type": "keyword"}}}),
            2,
            2,
        );
        check(&json!({"properties": {"b.c": {"type": "keyword"}, "b.d": {"type": "keyword"}}}), 4, 4);
        let runtime = json!({"runtime": {"day": {"type": "keyword"}}, "properties": {}});
        assert_eq!(Counts::of(&runtime, FAMILIES[1]).get(Limited::TotalFields).0, 1);
    }

    #[test]
    fn a_mapping_is_within_near_or_past_a_limit() {
        let findings = |count: usize| {
            examine(&json!({"properties": keywords(count)}), &json!({}), &[])
                .iter()
                .map(|finding| (finding.limited, finding.is_past()))
                .collect::<Vec<_>>()
        };
        assert_eq!(findings(900), []);
        assert_eq!(findings(901), [(Limited::TotalFields, false)]);
        assert_eq!(findings(1000), [(Limited::TotalFields, false)]);
        assert_eq!(findings(1001), [(Limited::TotalFields, true)]);
        let settings = json!({"mapping": {"total_fields": {"limit": "2000"}}});
        let findings = examine(&json!({"properties": keywords(1001)}), &settings, &[]);
        assert_eq!(findings, []);
    }

    #[test]
    fn targets_decide_whose_default_holds() {
        let nested: Map<String, Value> =
            (0..60).map(|number| (format!("n{number}"), json!({"type": "nested"}))).collect();
        let mapping = json!({"properties": nested});
        let finding = &examine(&mapping, &json!({}), &[])[0];
        assert_eq!(
            finding.to_string(),
            "the mapping has 60 nested fields, more than the limit of 50 (mapping.nested_fields.limit on Elasticsearch 7, \
             Elasticsearch 8, OpenSearch 1, OpenSearch 2, OpenSearch 3)"
        );
        assert_eq!(examine(&mapping, &json!({}), &[Target::elasticsearch(9, 1)]), []);
    }

    #[test]
    fn depth_and_length_have_a_place() {
        let deep = |levels: usize| {
            let mut field = json!({"type": "keyword"});
            for _ in 0..levels {
                field = json!({"properties": {"d": field}});
            }
            examine(&field, &json!({}), &[])
        };
        // A keyword below 19 objects below the root.
        assert!(deep(20).iter().all(|finding| !finding.is_past()));
        let past = &deep(21)[0];
        assert_eq!((past.limited, past.count, past.limit), (Limited::Depth, 21, 20));
        assert!(past.path.as_ref().is_some_and(|path| path.matches('d').count() == 20));

        let settings = json!({"mapping": {"field_name_length": {"limit": 30}}});
        let named =
            |name: String| examine(&json!({"properties": {name: {"type": "keyword"}}}), &settings, &[]);
        assert!(!named("ä".repeat(30))[0].is_past());
        assert!(named("😀".repeat(16))[0].is_past());
        assert!(named("n".repeat(31))[0].to_string().ends_with("in the pillow's settings)"));
    }
}
