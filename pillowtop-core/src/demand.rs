//! What a field asks of its surroundings: a product and version that has its type and parameters, and names that the settings
//! define. Demands are kept beside the mapping tree and are not part of any hash.
//!
//! A derive sees the types and names of one struct; only the pillow knows targets and settings. So each field and object
//! carries its demands, and a summary of all below it ([`Needs`]) that const evaluation adds up: a pillow is compared with the
//! summary alone, and only a failure walks the tree ([`crate::surroundings`]).

use crate::field_types::{Product, Target};

/// A version as a number that is ordered like versions.
const fn packed(target: Target) -> u16 {
    target.version.major * 256 + target.version.minor
}

/// No version: the first of a product that never has something.
pub const NEVER: u16 = u16::MAX;

/// The versions of both products that have something, as `major * 256 + minor`: the first, and the first that no longer has it.
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

/// What a name in a mapping is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// An analyzer, also one for searching.
    Analyzer,
    /// A normalizer of exact strings.
    Normalizer,
    /// A way of scoring.
    Similarity,
}

impl NameKind {
    /// As people write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Normalizer => "normalizer",
            Self::Similarity => "similarity",
        }
    }

    /// Where settings define it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Analyzer => "analysis.analyzer",
            Self::Normalizer => "analysis.normalizer",
            Self::Similarity => "similarity",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A server of these versions.
    Server {
        /// Which.
        versions: Versions,
        /// The same in words, and what else is known, such as "Elasticsearch 7.3 or later".
        needs: &'static str,
    },
    /// A definition in the settings.
    Definition {
        /// Of what.
        kind: NameKind,
        /// The name.
        name: &'static str,
    },
}

/// One thing that a field, or a parameter of an object, asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Where within the field: empty for the field itself, `exact` for a multi-field.
    pub below: &'static str,
    /// What asks, as in "is of type `dense_vector`".
    pub what: &'static str,
    /// What it asks.
    pub asks: Asks,
}

impl Demand {
    /// A demand on the server. `versions` are the first and the first without it, of Elasticsearch, then of `OpenSearch`.
    #[must_use]
    pub const fn server(
        below: &'static str,
        what: &'static str,
        versions: [u16; 4],
        needs: &'static str,
    ) -> Self {
        let [elasticsearch, elasticsearch_removed, opensearch, opensearch_removed] = versions;
        let versions = Versions {
            elasticsearch: (elasticsearch, elasticsearch_removed),
            opensearch: (opensearch, opensearch_removed),
        };
        Self { below, what, asks: Asks::Server { versions, needs } }
    }

    /// An analyzer that the settings are to define.
    #[must_use]
    pub const fn analyzer(below: &'static str, name: &'static str) -> Self {
        Self::definition(below, NameKind::Analyzer, name)
    }

    /// A normalizer that the settings are to define.
    #[must_use]
    pub const fn normalizer(below: &'static str, name: &'static str) -> Self {
        Self::definition(below, NameKind::Normalizer, name)
    }

    /// A similarity that the settings are to define.
    #[must_use]
    pub const fn similarity(below: &'static str, name: &'static str) -> Self {
        Self::definition(below, NameKind::Similarity, name)
    }

    const fn definition(below: &'static str, kind: NameKind, name: &'static str) -> Self {
        Self { below, what: "", asks: Asks::Definition { kind, name } }
    }
}

/// The sum of many demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The versions that have all of it.
    pub versions: Versions,
    /// Whether a name is asked for.
    pub has_names: bool,
    is_anything: bool,
}

impl Needs {
    /// Nothing is asked.
    pub const NOTHING: Self = Self { versions: Versions::ALL, has_names: false, is_anything: false };

    /// The sum of some demands.
    #[must_use]
    pub const fn of(demands: &[Demand]) -> Self {
        let mut needs = Self::NOTHING;
        let mut position = 0;
        while position < demands.len() {
            needs.is_anything = true;
            match demands[position].asks {
                Asks::Server { versions, .. } => needs.versions = needs.versions.and(versions),
                Asks::Definition { .. } => needs.has_names = true,
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
            is_anything: true,
        }
    }
}
