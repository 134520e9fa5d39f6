//! What a mapping requires of its surroundings: a product and version that has its types and
//! parameters, names that the settings define, and a routing. Requirements are kept beside the mapping
//! tree and are not part of any hash.
//!
//! A derive sees the types and names of one struct; only the pillow knows targets and settings. So
//! each field and object carries its requirements, and a summary of all below it ([`Needs`]) that
//! const evaluation adds up: a pillow is compared with the summary alone, and only a failure walks
//! the tree ([`crate::unmet`]). The same decision is made for JSON ([`of_field`], [`of_object`],
//! [`of_root`]).

mod of_mapping;

pub(crate) use of_mapping::words;
pub use of_mapping::{majors, of_field, of_object, of_root};

use crate::analysis::NameKind;
use crate::field_types::{Product, Target};

/// A version as a number that is ordered like versions.
const fn packed(target: Target) -> u16 {
    target.version.major * 256 + target.version.minor
}

/// No version: the first of a product that never has something.
pub const NEVER: u16 = u16::MAX;

/// The versions of both products that have something, as `major * 256 + minor`: the first, and the
/// first that no longer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// From which version of Elasticsearch and before which.
    pub elasticsearch: (u16, u16),
    /// From which version of `OpenSearch` and before which.
    pub opensearch: (u16, u16),
}

impl Versions {
    /// All versions of both products.
    pub const ALL: Self = Self { elasticsearch: (0, NEVER), opensearch: (0, NEVER) };

    /// No version of either product.
    pub const NONE: Self = Self { elasticsearch: (NEVER, NEVER), opensearch: (NEVER, NEVER) };

    /// Whether a target is among them.
    #[must_use]
    pub const fn include(self, target: Target) -> bool {
        let (first, removed) = match target.product {
            Product::Elasticsearch => self.elasticsearch,
            Product::OpenSearch => self.opensearch,
        };
        first <= packed(target) && packed(target) < removed
    }

    /// Those that are in both.
    const fn and(self, other: Self) -> Self {
        Self {
            elasticsearch: narrower(self.elasticsearch, other.elasticsearch),
            opensearch: narrower(self.opensearch, other.opensearch),
        }
    }
}

const fn narrower(left: (u16, u16), right: (u16, u16)) -> (u16, u16) {
    (if left.0 > right.0 { left.0 } else { right.0 }, if left.1 < right.1 { left.1 } else { right.1 })
}

/// What is required: strings are constants in a mapping tree, and owned where they come from JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks<Text = &'static str> {
    /// A server of these versions.
    Server {
        /// Which.
        versions: Versions,
        /// The same in words, and what else is known, such as "Elasticsearch 7.3 or later".
        needs: Text,
    },
    /// A definition in the settings.
    Definition {
        /// Of what.
        kind: NameKind,
        /// The name.
        name: Text,
    },
    /// That the pillow declares a routing.
    Routing,
}

/// One thing that a field, or a parameter of an object, asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement<Text = &'static str> {
    /// Where, below the field or mapping that requires it: empty for itself, `exact` for a
    /// multi-field.
    pub path: Text,
    /// What asks, as in "is of type `dense_vector`".
    pub what: Text,
    /// What it asks.
    pub asks: Asks<Text>,
    /// Whether it is about what a dynamic template maps, which servers before Elasticsearch 8 check
    /// when a document comes.
    pub is_of_template: bool,
}

impl Requirement {
    /// A requirement on the server. `versions` are the first and the first without it, of
    /// Elasticsearch, then of `OpenSearch`.
    #[must_use]
    pub const fn server(
        path: &'static str,
        what: &'static str,
        versions: [u16; 4],
        needs: &'static str,
    ) -> Self {
        let [elasticsearch, elasticsearch_removed, opensearch, opensearch_removed] = versions;
        let versions = Versions {
            elasticsearch: (elasticsearch, elasticsearch_removed),
            opensearch: (opensearch, opensearch_removed),
        };
        Self { path, what, asks: Asks::Server { versions, needs }, is_of_template: false }
    }

    /// An analyzer that the settings are to define.
    #[must_use]
    pub const fn analyzer(path: &'static str, name: &'static str) -> Self {
        Self::definition(path, NameKind::Analyzer, name)
    }

    /// A normalizer that the settings are to define.
    #[must_use]
    pub const fn normalizer(path: &'static str, name: &'static str) -> Self {
        Self::definition(path, NameKind::Normalizer, name)
    }

    /// A similarity that the settings are to define.
    #[must_use]
    pub const fn similarity(path: &'static str, name: &'static str) -> Self {
        Self::definition(path, NameKind::Similarity, name)
    }

    /// That the pillow declares a routing.
    #[must_use]
    pub const fn routing(path: &'static str, what: &'static str) -> Self {
        Self { path, what, asks: Asks::Routing, is_of_template: false }
    }

    const fn definition(path: &'static str, kind: NameKind, name: &'static str) -> Self {
        Self { path, what: "", asks: Asks::Definition { kind, name }, is_of_template: false }
    }
}

/// Between what requires something and the target that lacks it, and between the target and what is
/// needed.
pub(crate) const LACK: [&str; 2] = [", which ", " does not have: it needs "];

impl Requirement<String> {
    /// Why a target does not meet it; none when it does.
    #[must_use]
    pub fn lack(&self, target: Target) -> Option<String> {
        match &self.asks {
            Asks::Server { versions, needs } if !versions.include(target) => {
                let path = match self.path.as_str() {
                    "" => "the mapping's root".to_owned(),
                    path => format!("`{path}`"),
                };
                let [which, does_not_have] = LACK;
                Some(format!("{path} {}{which}{target}{does_not_have}{needs}", self.what))
            }
            _ => None,
        }
    }
}

/// The sum of many requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The versions that have all of it.
    pub versions: Versions,
    /// Whether a name is asked for.
    pub has_names: bool,
    /// Whether a routing is asked for.
    pub has_routing: bool,
    is_anything: bool,
}

impl Needs {
    /// Nothing is asked.
    pub const NOTHING: Self =
        Self { versions: Versions::ALL, has_names: false, has_routing: false, is_anything: false };

    /// The sum of some requirements.
    #[must_use]
    pub const fn of(requirements: &[Requirement]) -> Self {
        let mut needs = Self::NOTHING;
        let mut position = 0;
        while position < requirements.len() {
            needs.is_anything = true;
            match requirements[position].asks {
                Asks::Server { versions, .. } => needs.versions = needs.versions.and(versions),
                Asks::Definition { .. } => needs.has_names = true,
                Asks::Routing => needs.has_routing = true,
            }
            position += 1;
        }
        needs
    }

    /// The sum of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        if !other.is_anything {
            return self;
        }
        Self {
            versions: self.versions.and(other.versions),
            has_names: self.has_names || other.has_names,
            has_routing: self.has_routing || other.has_routing,
            is_anything: true,
        }
    }
}
