//! Indicators that are declared in code.

use std::fmt;

use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::{CouchDocument, Fetched, Found, Lookup, LookupError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Indicators of one type of documents, in one namespace.
///
/// ```
/// use pillowtop_indicators::{Indicator, Indicators, NoRelated, indicator};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
/// # #[couch(doc_type = "Visit", database = "clinic")]
/// # struct Visit { weight: f64 }
///
/// struct VisitIndicators;
///
/// impl Indicators for VisitIndicators {
///     type Document = Visit;
///     type Related = NoRelated;
///     const NAME: &'static str = "visit_indicators";
///     const NAMESPACE: &'static str = "mvp";
///     const INDICATORS: &'static [Indicator<Visit>] =
///         &[indicator("is_underweight", 1, |visit: &Visit| (visit.weight < 2.5).into())];
/// }
///
/// let pillow = pillowtop_indicators::pillow::<VisitIndicators>(NoRelated);
/// ```
///
/// Two indicators of one slug do not compile:
///
/// ```compile_fail
/// use pillowtop_indicators::{Indicator, Indicators, NoRelated, indicator};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
/// # #[couch(doc_type = "Visit", database = "clinic")]
/// # struct Visit { weight: f64 }
/// # struct Two;
/// impl Indicators for Two {
///     # type Document = Visit;
///     # type Related = NoRelated;
///     # const NAME: &'static str = "two";
///     # const NAMESPACE: &'static str = "mvp";
///     const INDICATORS: &'static [Indicator<Visit>] =
///         &[indicator("same", 1, |_| 1.into()), indicator("same", 2, |_| 2.into())];
/// }
///
/// pillowtop_indicators::pillow::<Two>(NoRelated);
/// ```
pub trait Indicators: 'static {
    /// The documents that indicators are computed for.
    type Document: CouchDocument + DeserializeOwned + 'static;
    /// What is looked up for a document; [`NoRelated`] for nothing.
    type Related: Lookup<Value: Serialize>;
    /// The pillow's name.
    const NAME: &'static str;
    /// The member of `computed_` that the values are written to.
    const NAMESPACE: &'static str;
    /// The indicators.
    const INDICATORS: &'static [Indicator<Self::Document, Self::Related>];
    /// Raised by its author whenever [`accepts`](Self::accepts) or
    /// [`related_keys`](Self::related_keys) changes.
    const VERSION: u32 = 1;
    /// Whether documents without `"initial_processing_complete": true` are left alone: whoever
    /// writes that member may edit the document until then without a conflict.
    const WAITS_FOR_PROCESSING: bool = false;

    /// Whether indicators are computed for a document.
    fn accepts(_document: &Self::Document) -> bool {
        true
    }

    /// The keys of what is looked up for a document.
    fn related_keys(_document: &Self::Document) -> Vec<<Self::Related as Lookup>::Key> {
        Vec::new()
    }
}

/// One indicator: a slug, a version, and the function that computes its value.
pub struct Indicator<D: 'static, L: Lookup = NoRelated> {
    pub(crate) slug: &'static str,
    pub(crate) version: u32,
    pub(crate) is_multi_value: bool,
    pub(crate) kind: &'static str,
    pub(crate) compute: Compute<D, L>,
}

/// What an indicator is computed from.
pub(crate) enum Compute<D: 'static, L: Lookup> {
    /// The document.
    Own(fn(&D) -> Value),
    /// The document, and what was looked up for it.
    Related(fn(&D, &Found<L>) -> Value),
}

impl<D, L: Lookup> fmt::Debug for Indicator<D, L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Indicator").field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// An indicator that is computed from its document alone. Raise `version` whenever the function
/// changes.
pub const fn indicator<D, L: Lookup>(
    slug: &'static str,
    version: u32,
    compute: fn(&D) -> Value,
) -> Indicator<D, L> {
    let compute = Compute::Own(compute);
    Indicator { slug, version, is_multi_value: false, kind: "IndicatorDefinition", compute }
}

/// An indicator that is computed from its document and from what was looked up for it.
pub const fn related<D, L: Lookup>(
    slug: &'static str,
    version: u32,
    compute: fn(&D, &Found<L>) -> Value,
) -> Indicator<D, L> {
    let compute = Compute::Related(compute);
    Indicator { slug, version, is_multi_value: false, kind: "IndicatorDefinition", compute }
}

impl<D, L: Lookup> Indicator<D, L> {
    /// Marks the value as several in one.
    #[must_use]
    pub const fn multi_value(mut self) -> Self {
        self.is_multi_value = true;
        self
    }

    /// Sets what is written as the member `type`. Default: `IndicatorDefinition`.
    #[must_use]
    pub const fn of_type(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }
}

/// The answer to a question of a form: the value at a dotted path, out of its `#text` where it has
/// attributes too.
///
/// ```
/// use pillowtop_indicators::question;
/// use serde_json::json;
///
/// let form = json!({"visit": {"weight": {"@unit": "kg", "#text": "3.5"}}});
/// assert_eq!(question(&form, "visit.weight"), Some(&json!("3.5")));
/// assert_eq!(question(&form, "visit.height"), None);
/// ```
#[must_use]
pub fn question<'form>(form: &'form Value, id: &str) -> Option<&'form Value> {
    let answer = id.split('.').try_fold(form, |value, member| value.get(member))?;
    Some(answer.get("#text").unwrap_or(answer))
}

/// Nothing is looked up.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRelated;

impl Lookup for NoRelated {
    type Key = ();
    type Value = ();

    async fn fetch(&self, _: Vec<()>) -> Result<Fetched<(), ()>, LookupError> {
        Ok(Fetched::default())
    }
}

/// Refuses what can be seen to be wrong at compile time.
pub(crate) const fn check<I: Indicators>() {
    assert!(!I::NAME.is_empty() && !I::NAMESPACE.is_empty(), "a name and a namespace must not be empty");
    assert!(!I::INDICATORS.is_empty(), "there is no indicator");
    let mut position = 0;
    while position < I::INDICATORS.len() {
        let one = &I::INDICATORS[position];
        assert!(!one.slug.is_empty(), "a slug must not be empty");
        assert!(one.version > 0, "the version of an indicator is at least 1");
        let mut other = 0;
        while other < position {
            assert!(
                hash_text(one.slug) != hash_text(I::INDICATORS[other].slug),
                "two indicators have one slug\nhelp: rename one of them"
            );
            other += 1;
        }
        position += 1;
    }
}
