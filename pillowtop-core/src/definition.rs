//! A pillow's definition as values: what is committed, hashed, compared and sent.

use std::fmt;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::canonical::to_canonical;
use crate::document::{CouchDocument, DocumentInfo};
use crate::field_types::Target;
use crate::fingerprint::Fingerprint;
use crate::name::{AliasName, IndexName, PillowName};
use crate::pillow::{Committed, Pillow, PillowInfo, RESERVED};
use crate::references::keeps_dots;
use crate::settings;
use crate::tree::{Field, Object, Parameter, ROOT_DEFAULTS};

/// The version of the format of committed files.
pub const FORMAT: u32 = 1;

/// SHA-256 over what decides the contents of an index: the mapping without `_meta`, the hashed
/// settings, document types, filter text, routing and transform version. Not the alias, not the
/// database's name, not dynamic settings.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The first 12 hexadecimal digits, which index names carry.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Everything that a pillow's struct says, in owned values.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The pillow's name.
    pub pillow: PillowName,
    /// The name that users search.
    pub alias: AliasName,
    /// How its documents are distinguished from others.
    pub document: DocumentInfo,
    /// The filter's source in normal token form.
    pub filter: Option<&'static str>,
    /// The selector that is weaker than the filter, as JSON.
    pub selector: Option<Value>,
    /// Whether the fields that the filter reads never change. It decides what is read, not what is
    /// indexed, so it is not part of the hash.
    pub filter_is_immutable: bool,
    /// Where the routing value of a document comes from, as it is declared; `None`: documents are
    /// routed by their ids.
    pub routing: Option<&'static str>,
    /// The transform's version.
    pub transform_version: u32,
    /// Normal settings.
    pub settings: Value,
    /// The servers that the mapping is for; empty when none is named.
    pub targets: &'static [Target],
    /// Sample documents, one a line, whose outcome is committed.
    pub samples: Option<&'static str>,
    /// The root of the mapping, with the reserved object, without `_meta.pillowtop`.
    pub mappings: Value,
    /// What the compiler compares.
    pub fingerprint: Fingerprint,
    /// What index names carry.
    pub hash: ContentHash,
    /// Where the committed file is.
    pub committed: Committed,
    /// The Rust type, for messages.
    pub rust_type: &'static str,
}

impl Definition {
    /// The definition that a struct derives.
    #[must_use]
    pub fn of<P: Pillow>() -> Self {
        let info: PillowInfo = P::PILLOW;
        let settings = info
            .settings
            .and_then(|text| serde_json::from_str(text).ok())
            .and_then(|value| settings::normalize(&value).ok())
            .unwrap_or_else(|| json!({}));
        let mappings = root_mapping(<P::Index as CouchDocument>::MAPPING);
        let hash = content_hash(&Content {
            mappings: &mappings,
            settings: &settings,
            document: &document_json(&P::DOCUMENT),
            filter: info.filter,
            routing: info.routing,
            transform_version: info.transform_version,
        });
        Self {
            pillow: info.name.into(),
            alias: info.alias.into(),
            document: P::DOCUMENT,
            filter: info.filter,
            selector: info.selector.and_then(|text| serde_json::from_str(text).ok()),
            filter_is_immutable: info.filter_is_immutable,
            routing: info.routing,
            transform_version: info.transform_version,
            settings,
            targets: info.targets,
            samples: info.samples,
            mappings,
            fingerprint: P::FINGERPRINT,
            hash,
            committed: P::COMMITTED,
            rust_type: std::any::type_name::<P>(),
        }
    }

    /// The definition of a mapping that no struct derives, for documents as they are. What handles
    /// definitions is tested with it.
    #[must_use]
    pub fn of_mapping(pillow: &str, alias: &str, settings: Value, mappings: Value) -> Self {
        let content = Content {
            mappings: &mappings,
            settings: &settings,
            document: &document_json(&DocumentInfo::PART),
            filter: None,
            routing: None,
            transform_version: 1,
        };
        Self {
            pillow: pillow.into(),
            alias: alias.into(),
            document: DocumentInfo::PART,
            filter: None,
            selector: None,
            filter_is_immutable: false,
            routing: None,
            transform_version: 1,
            hash: content_hash(&content),
            settings,
            targets: &[],
            samples: None,
            mappings,
            fingerprint: Fingerprint(0),
            committed: Committed::Unchecked,
            rust_type: "none",
        }
    }

    /// A hash of what decides the contents of an index beside its mapping: static settings,
    /// document types, filter, routing and transform. Where it is the same, a changed mapping
    /// may be put on a live index.
    pub fn rest_hash(&self) -> ContentHash {
        content_hash(&Content {
            mappings: &Value::Null,
            settings: &self.settings,
            document: &document_json(&self.document),
            filter: self.filter,
            routing: self.routing,
            transform_version: self.transform_version,
        })
    }

    /// A selector that changes may be followed through, without deletions: what it withholds is in
    /// the index at no time. `None` unless the filter is declared immutable.
    #[must_use]
    pub fn follow_selector(&self) -> Option<Value> {
        follow_selector(self.selector.as_ref(), &self.document).filter(|_| self.filter_is_immutable)
    }

    /// The name without a number: always an alias of the physical index that is current for this
    /// hash.
    pub fn hashed_alias(&self, prefix: Option<&str>) -> AliasName {
        AliasName::new(format!("{}_{}", self.search_alias(prefix), self.hash.short()))
    }

    /// The `number`-th physical index of this hash.
    pub fn index_name(&self, prefix: Option<&str>, number: u32) -> IndexName {
        IndexName::new(format!("{}_{number}", self.hashed_alias(prefix)))
    }

    /// The name that users search: `[<prefix>-]<alias>`.
    pub fn search_alias(&self, prefix: Option<&str>) -> AliasName {
        match prefix {
            Some(prefix) => AliasName::new(format!("{prefix}-{}", self.alias)),
            None => self.alias.clone(),
        }
    }

    /// The mapping that an index is created with: with `_meta.pillowtop`.
    #[must_use]
    pub fn mappings_with_meta(&self) -> Value {
        let mut mappings = self.mappings.clone();
        let meta = mappings.as_object_mut().map(|root| root.entry("_meta").or_insert_with(|| json!({})));
        if let Some(Value::Object(meta)) = meta {
            meta.insert(
                RESERVED.to_owned(),
                json!({
                    "pillow": self.pillow, "hash": self.hash.to_string(), "rest": self.rest_hash().to_string(),
                    "format": FORMAT,
                }),
            );
        }
        mappings
    }
}

/// What passes for an immutable filter with this selector: its documents, and those of a deleted
/// type. A document that changes to another type passes as long as its fields match, unless types
/// are immutable, too.
#[must_use]
pub fn follow_selector(filter: Option<&Value>, document: &DocumentInfo) -> Option<Value> {
    let is_one_of = |types: &[&str]| json!({document.type_field: {"$in": types}});
    // A dot or a dollar sign would be read as a path or an operator.
    let can_ask = !document.type_field.is_empty() && !document.type_field.contains(['.', '$', '\\']);
    let matching = match (filter, can_ask && document.type_is_immutable) {
        (Some(filter), true) => json!({"$and": [is_one_of(document.types), filter]}),
        (Some(filter), false) => filter.clone(),
        (None, true) => is_one_of(document.types),
        (None, false) => return None,
    };
    match (document.deleted_types, can_ask) {
        ([], _) => Some(matching),
        (types, true) => Some(json!({"$or": [matching, is_one_of(types)]})),
        (_, false) => None,
    }
}

/// What [`content_hash`] covers.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The root of the mapping; `_meta` is left out.
    pub mappings: &'a Value,
    /// Normal settings; only their hashed part counts.
    pub settings: &'a Value,
    /// [`document_json`]; the database is left out.
    pub document: &'a Value,
    /// The filter's source in normal token form.
    pub filter: Option<&'a str>,
    /// Where the routing value comes from. It counts only where it is declared.
    pub routing: Option<&'a str>,
    /// The transform's version.
    pub transform_version: u32,
}

/// The content hash.
#[must_use]
pub fn content_hash(content: &Content<'_>) -> ContentHash {
    let (mut mappings, mut document) = (content.mappings.clone(), content.document.clone());
    if let Some(root) = mappings.as_object_mut() {
        root.remove("_meta");
    }
    if let Some(members) = document.as_object_mut() {
        members.remove("database");
    }
    let mut covered = json!({
        "document": document,
        "filter": content.filter,
        "mappings": mappings,
        "settings": settings::hashed_part(content.settings),
        "transform_version": content.transform_version,
    });
    if let Some(routing) = content.routing {
        covered["routing"] = json!(routing);
    }
    ContentHash(Sha256::digest(to_canonical(&covered).as_bytes()).into())
}

/// `#[couch(...)]` as the committed file has it.
#[must_use]
pub fn document_json(document: &DocumentInfo) -> Value {
    let mut members = Map::new();
    if let Some(database) = document.database {
        members.insert("database".to_owned(), json!(database));
    }
    let sorted = |texts: &[&str]| {
        let mut texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        texts.sort();
        json!(texts)
    };
    members.insert("deleted".to_owned(), sorted(document.deleted_types));
    members.insert("field".to_owned(), json!(document.type_field));
    members.insert("types".to_owned(), sorted(document.types));
    if document.carry_unknown {
        members.insert("unknown".to_owned(), json!("carry"));
    }
    Value::Object(members)
}

/// The root of a mapping with the defaults of a root and the reserved object.
#[must_use]
pub fn root_mapping(object: &Object) -> Value {
    let mut root = Map::new();
    for default in &ROOT_DEFAULTS {
        insert(&mut root, default);
    }
    object.root_rule.iter().for_each(|parameter| insert(&mut root, parameter));
    object.parameters.iter().chain(object.root_parameters).for_each(|parameter| insert(&mut root, parameter));
    let mut properties = properties(object);
    properties.extend(reserved_properties(&root));
    root.insert("properties".to_owned(), Value::Object(properties));
    Value::Object(root)
}

/// The object that the runtime fills in every document, as the root of a mapping takes it: where
/// that has no objects, its fields stand there by their paths. Documents have the object either
/// way.
#[must_use]
pub fn reserved_properties(root: &Map<String, Value>) -> Map<String, Value> {
    let fields = json!({
        "db": {"type": "keyword"},
        "id": {"type": "keyword"},
        "rev": {"type": "keyword", "index": false, "doc_values": true},
    });
    match fields {
        Value::Object(fields) if keeps_dots(root) => {
            fields.into_iter().map(|(name, field)| (format!("{RESERVED}.{name}"), field)).collect()
        }
        fields => {
            let object = json!({"type": "object", "dynamic": false, "properties": fields});
            [(RESERVED.to_owned(), object)].into_iter().collect()
        }
    }
}

/// A field as Elasticsearch writes it, objects with their type.
#[must_use]
pub fn field_mapping(field: &Field) -> Value {
    let mut members = Map::new();
    members.insert("type".to_owned(), json!(field.type_name));
    field.parameters.iter().for_each(|parameter| insert(&mut members, parameter));
    if let Some(object) = field.object {
        object.parameters.iter().for_each(|parameter| insert(&mut members, parameter));
        let properties = properties(object);
        if !properties.is_empty() {
            members.insert("properties".to_owned(), Value::Object(properties));
        }
    }
    Value::Object(members)
}

/// What the fields of a struct become in an index: the `properties` of its mapping, without the
/// reserved object.
#[must_use]
pub fn properties_of<Document: CouchDocument>() -> Value {
    Value::Object(properties(Document::MAPPING))
}

fn properties(object: &Object) -> Map<String, Value> {
    object.properties().map(|(name, field)| (name.to_owned(), field_mapping(field))).collect()
}

fn insert(members: &mut Map<String, Value>, parameter: &Parameter) {
    // The text was canonical JSON when the macro wrote it.
    let value = serde_json::from_str(parameter.json).unwrap_or_else(|_| Value::from(parameter.json));
    members.insert(parameter.name.to_owned(), value);
}
