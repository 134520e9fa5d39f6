//! Products, versions, and since when something exists in which product.

use std::fmt;
use std::str::FromStr;

/// A search server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// Elasticsearch, versions 7 to 9.
    Elasticsearch,
    /// `OpenSearch`, versions 1 to 3.
    OpenSearch,
}

impl fmt::Display for Product {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::OpenSearch => "OpenSearch",
        })
    }
}

/// A server version; patch releases neither add nor remove field types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
}

impl Version {
    /// The version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `8.15`, `8.15.2` and `9` (which is 9.0), as servers and people write them.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers =
            text.split('.').map(|part| part.split('-').next().unwrap_or_default().parse::<u16>());
        let major = numbers.next();
        let minor = numbers.next().unwrap_or(Ok(0));
        match (major, minor) {
            (Some(Ok(major)), Ok(minor)) => Ok(Self { major, minor }),
            _ => Err(format!("`{text}` is not a version such as `8.15`")),
        }
    }
}

/// One product in one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    /// Which product.
    pub product: Product,
    /// Which version of it.
    pub version: Version,
}

impl Target {
    /// The servers that the rules of this crate were checked against.
    pub const CHECKED: [Self; 6] = [
        Self::elasticsearch(7, 10),
        Self::elasticsearch(7, 17),
        Self::elasticsearch(8, 14),
        Self::elasticsearch(9, 4),
        Self::opensearch(2, 19),
        Self::opensearch(3, 6),
    ];

    /// Elasticsearch in the version `major.minor`.
    pub const fn elasticsearch(major: u16, minor: u16) -> Self {
        Self { product: Product::Elasticsearch, version: Version::new(major, minor) }
    }

    /// `OpenSearch` in the version `major.minor`.
    pub const fn opensearch(major: u16, minor: u16) -> Self {
        Self { product: Product::OpenSearch, version: Version::new(major, minor) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.product, self.version)
    }
}

/// The versions of one product that have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The first version that has it.
    pub first: Version,
    /// The first version that no longer has it, when it was removed.
    pub removed: Option<Version>,
}

/// The versions of each product that have something; `None` when a product never had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Availability {
    /// The versions of Elasticsearch.
    pub elasticsearch: Option<Since>,
    /// The versions of `OpenSearch`.
    pub opensearch: Option<Since>,
}

const fn since(first: (u16, u16)) -> Since {
    Since { first: Version::new(first.0, first.1), removed: None }
}

impl Availability {
    /// In every version that this table covers.
    pub const EVERYWHERE: Self = Self::both((7, 0), (1, 0));
    /// In no version of either product.
    pub(super) const NOWHERE: Self = Self { elasticsearch: None, opensearch: None };

    /// In both products, since the versions given.
    pub const fn both(elasticsearch: (u16, u16), opensearch: (u16, u16)) -> Self {
        Self { elasticsearch: Some(since(elasticsearch)), opensearch: Some(since(opensearch)) }
    }

    /// In Elasticsearch only, since the version given.
    pub const fn elasticsearch(major: u16, minor: u16) -> Self {
        Self { elasticsearch: Some(since((major, minor))), opensearch: None }
    }

    /// In `OpenSearch` only, since the version given.
    pub const fn opensearch(major: u16, minor: u16) -> Self {
        Self { elasticsearch: None, opensearch: Some(since((major, minor))) }
    }

    /// The same, except that Elasticsearch has removed it in the version given.
    pub(super) const fn removed_from_elasticsearch(mut self, major: u16, minor: u16) -> Self {
        if let Some(since) = &mut self.elasticsearch {
            since.removed = Some(Version::new(major, minor));
        }
        self
    }

    /// The versions of one product.
    pub const fn of(self, product: Product) -> Option<Since> {
        match product {
            Product::Elasticsearch => self.elasticsearch,
            Product::OpenSearch => self.opensearch,
        }
    }

    /// Whether the target has it.
    pub fn includes(self, target: Target) -> bool {
        self.of(target.product).is_some_and(|since| {
            since.first <= target.version && since.removed.is_none_or(|removed| target.version < removed)
        })
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for product in [Product::Elasticsearch, Product::OpenSearch] {
            if let Some(since) = self.of(product) {
                write!(formatter, "{separator}{product} {}", since.first)?;
                if let Some(removed) = since.removed {
                    write!(formatter, " (removed in {removed})")?;
                }
                separator = " or ";
            }
        }
        if separator.is_empty() { formatter.write_str("neither product") } else { Ok(()) }
    }
}

/// A target lacks a field type, a parameter or a value; displayed as what it needs, without the
/// target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} needs {availability}{hint}")]
pub struct Unavailable {
    /// What is missing, in backquotes where it is a name, such as "`script` of `long`".
    pub subject: String,
    /// The versions that have it.
    pub availability: Availability,
    /// What else is known, such as the name in the other product; empty or starting with its own
    /// separator.
    pub hint: String,
}
