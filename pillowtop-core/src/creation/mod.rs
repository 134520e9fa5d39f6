//! What servers refuse of a mapping and its settings when an index is created, and indices that
//! would reject every document.
//!
//! Each rule was checked against real servers: Elasticsearch 7.10, 7.17, 8.14 and 9.4, `OpenSearch`
//! 2.19 and 3.6. Types, parameters and values that a version lacks are [`crate::requirement`]'s;
//! fields that name other fields, [`crate::references`]'; counts, [`crate::limits`]'.

mod combinations;

mod fields;

mod analysis;
mod similarity;
mod sort;

mod table;
mod templates;
mod value_kinds;

mod values;
mod writes;

mod refusals;

use std::fmt;

use serde_json::Value;

use crate::field_types::Target;
use crate::requirement::words;
use crate::requirement::{NEVER, Versions};
use crate::settings::limited_settings;

/// Before Elasticsearch 8, and every `OpenSearch`.
const BEFORE_ELASTICSEARCH_8: Versions = Versions { elasticsearch: (0, 0x0800), opensearch: (0, NEVER) };

pub use refusals::{refusal_of_made, refusals};

/// What becomes of an index with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The server refuses to create it.
    NotCreated,
    /// It rejects every document as the runtime sends it.
    RejectsDocuments,
    /// Elasticsearch 8 and later refuse to create it; the others reject the documents that come to
    /// it.
    RejectsSome,
    /// It takes documents, and the runtime cannot do the rest of its work: search, or change
    /// settings and aliases.
    StopsRuntime,
}

/// Something in a mapping or its settings that servers refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: the dotted path of a field, `dynamic_templates.NAME`, or empty for the root and the
    /// settings.
    pub path: String,
    /// The parameter or setting at fault.
    pub parameter: String,
    /// What is wrong, as a sentence without its end.
    pub what: String,
    /// What to write instead.
    pub help: String,
    /// The servers that accept it all the same.
    pub accepted: Versions,
    /// What becomes of the index.
    pub consequence: Consequence,
}

/// Whether a definition in the settings stands for a plugin's, or for one that the source of
/// `new-pillow` lacks: its type is its own name then.
fn stands_for_missing(name: &str, type_name: &str) -> bool {
    name == type_name
}

impl Problem {
    /// A problem that every server has with it.
    pub(crate) fn everywhere(parameter: &str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            parameter: parameter.to_owned(),
            what: what.into(),
            help: help.into(),
            accepted: Versions::NONE,
            consequence: Consequence::NotCreated,
        }
    }

    /// The same at a path.
    pub(crate) fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// The same with servers that accept it.
    pub(crate) fn accepted_by(self, accepted: Versions) -> Self {
        Self { accepted, ..self }
    }

    /// Whether a target has this problem.
    #[must_use]
    pub fn concerns(&self, target: Target) -> bool {
        !self.accepted.include(target)
    }

    /// Whether a target rejects every document because of it.
    #[must_use]
    pub fn rejects_all(&self, target: Target) -> bool {
        let is_seen_early = !refusals::looks_into_templates_later(target);
        let rejects = match self.consequence {
            Consequence::NotCreated | Consequence::RejectsDocuments => true,
            Consequence::RejectsSome => is_seen_early,
            Consequence::StopsRuntime => false,
        };
        rejects && self.concerns(target)
    }

    /// Whether a target does not create the index because of it.
    #[must_use]
    pub fn prevents_creation(&self, target: Target) -> bool {
        self.consequence != Consequence::RejectsDocuments && self.rejects_all(target)
    }

    /// Whether one of the targets has this problem; without targets, whether every server has.
    #[must_use]
    pub fn concerns_any(&self, targets: &[Target]) -> bool {
        if targets.is_empty() {
            self.accepted == Versions::NONE
        } else {
            targets.iter().any(|target| self.concerns(*target))
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "`{}`: ", self.path)?;
        }
        formatter.write_str(&self.what)?;
        if self.accepted != Versions::NONE && self.accepted != Versions::ALL {
            write!(formatter, "; it needs {}", words(self.accepted))?;
        }
        Ok(())
    }
}

/// All problems of a root mapping, product-neutral, with its normal settings
/// ([`crate::settings::normalize`]), whichever server has them.
#[must_use]
pub fn problems(mappings: &Value, settings: &Value) -> Vec<Problem> {
    let mut found = of_root(mappings);
    found.extend(of_settings(settings));
    found.extend(writes::of_both(mappings, settings));
    found.extend(sort::of_both(mappings, settings));
    found.extend(analysis::of_both(mappings, settings));
    found
}

/// Settings that not every server has, as problems of those that do not.
#[must_use]
pub fn of_products(settings: &Value) -> Vec<Problem> {
    let limited = limited_settings(settings).into_iter();
    limited
        .map(|(name, versions)| {
            let what = format!("the setting `{name}` is not one of every server");
            Problem::everywhere(&name, what, "leave it out, or change `targets`").accepted_by(versions)
        })
        .collect()
}

/// What servers accept and hardly anyone means.
#[must_use]
pub fn doubts(mappings: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    fields::week_years(mappings, "", &mut found);
    found
}

/// Problems of the parameters of a root, and of all that is in it.
#[must_use]
pub fn of_root(mappings: &Value) -> Vec<Problem> {
    let mut found = writes::of_root(mappings);
    for formats in mappings.get("dynamic_date_formats").and_then(Value::as_array).into_iter().flatten() {
        found.extend(
            formats.as_str().and_then(|declared| fields::date_format("dynamic_date_formats", declared)),
        );
    }
    found.extend(templates::of_root(mappings));
    fields::of_object(mappings, "", &mut found);
    fields::dimensions(mappings, "", false, &mut found);
    found
}

/// Problems of a field, with its multi-fields and properties.
#[must_use]
pub fn of_field(mapping: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Value::Object(members) = mapping {
        let type_name = members.get("type").and_then(Value::as_str).unwrap_or("object");
        found.extend(fields::of_members(type_name, members));
    }
    fields::of_object(mapping, "", &mut found);
    found
}

/// What is wrong with a runtime field that a dynamic template makes.
#[must_use]
pub fn of_runtime(mapping: &Value) -> Option<Problem> {
    templates::of_runtime(mapping)
}

/// Problems of settings, whatever the mapping is.
#[must_use]
pub fn of_settings(settings: &Value) -> Vec<Problem> {
    let mut found = writes::of_settings(settings);
    found.extend(sort::of_settings(settings));
    found.extend(analysis::of_settings(settings));
    found.extend(similarity::of_settings(settings));
    found.extend(values::of_settings(settings));
    found
}
