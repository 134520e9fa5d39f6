//! Indicators as a pillow: what is computed for a document.

use std::any::TypeId;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use pillowtop_core::decode::decode;
use pillowtop_core::lookup::{AnyLookup, LookupKey, LookupValue};
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::table_definition::TableDefinition;
use pillowtop_core::{
    AnyPillow, ChangeMeta, Committed, CouchDocument, Definition, Fingerprint, Found, Lookup, Object,
    ProcessError, Verdict,
};
use pillowtop_runtime::panic_message::panic_message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::computed::{Computed, ComputedSet, inputs};
use crate::indicator::{Compute, Indicators, NoRelated, check};

/// What a document becomes on its way to the target: itself, and what was computed for it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Evaluated<'text> {
    /// The revision that the values were computed from.
    pub(crate) pillowtop: EvaluatedFrom,
    pub(crate) computed: ComputedSet,
    #[serde(borrow)]
    pub(crate) document: &'text RawValue,
}

/// Where a document came from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EvaluatedFrom {
    pub(crate) id: String,
    pub(crate) rev: String,
    pub(crate) db: String,
}

/// Writes what a document becomes.
pub(crate) fn write_evaluated(
    document: &str,
    change: &ChangeMeta,
    computed: ComputedSet,
    source: &mut Vec<u8>,
) -> serde_json::Result<()> {
    let pillowtop = EvaluatedFrom {
        id: change.id.to_string(),
        rev: change.revision.to_string(),
        db: change.database.to_string(),
    };
    let document: &RawValue = serde_json::from_str(document)?;
    debug_assert_eq!(RESERVED, "pillowtop", "whoever reads a `_source` looks for its revision there");
    serde_json::to_writer(source, &Evaluated { pillowtop, computed, document })
}

/// The pillow of indicators, with what it looks up.
pub fn pillow<I: Indicators>(related: I::Related) -> Arc<dyn AnyPillow> {
    const { check::<I>() };
    Arc::new(IndicatorPillow::<I> {
        definition: definition::<I>(),
        related: Arc::new(related),
        indicators: PhantomData,
    })
}

struct IndicatorPillow<I: Indicators> {
    definition: Definition,
    related: Arc<I::Related>,
    indicators: PhantomData<fn() -> I>,
}

/// Its hash covers every slug and version, so raising a version makes another target, which begins
/// at the start of the feed.
fn definition<I: Indicators>() -> Definition {
    let indicators: Vec<_> = I::INDICATORS
        .iter()
        .map(|one| {
            json!({
                "slug": one.slug, "version": one.version, "multi_value": one.is_multi_value, "type": one.kind,
            })
        })
        .collect();
    Definition::of_table(TableDefinition {
        name: I::NAME,
        document: <I::Document as CouchDocument>::DOCUMENT,
        filter: None,
        version: I::VERSION,
        description: json!({"indicators": {
            "namespace": I::NAMESPACE, "waits_for_processing": I::WAITS_FOR_PROCESSING, "indicators": indicators,
        }}),
        fingerprint: Fingerprint(0),
        committed: Committed::Unchecked,
        rust_type: std::any::type_name::<I>(),
    })
}

#[derive(Deserialize)]
struct Processed {
    #[serde(default)]
    initial_processing_complete: Option<bool>,
}

impl<I: Indicators> IndicatorPillow<I> {
    fn document(document: &str) -> Result<Option<I::Document>, ProcessError> {
        if I::WAITS_FOR_PROCESSING && !is_processed(document) {
            return Ok(None);
        }
        Ok(Some(decode::<I::Document>(document)?).filter(I::accepts))
    }

    fn evaluate(
        text: &str,
        document: &I::Document,
        found: &[(LookupKey, LookupValue)],
    ) -> Result<ComputedSet, ProcessError> {
        let related = Found::<I::Related>::of_any(found);
        let mut indicators = Vec::with_capacity(I::INDICATORS.len());
        for one in I::INDICATORS {
            let compute = || match one.compute {
                Compute::Own(compute) => compute(document),
                Compute::Related(compute) => compute(document, &related),
            };
            let value = catch_unwind(AssertUnwindSafe(compute)).map_err(|panic| ProcessError::Indicator {
                slug: one.slug.to_owned(),
                reason: format!("it panicked: {}", panic_message(panic.as_ref())),
            })?;
            indicators.push(Computed {
                slug: one.slug.to_owned(),
                version: one.version,
                value,
                multi_value: one.is_multi_value,
                kind: one.kind.to_owned(),
            });
        }
        let values = found
            .iter()
            .filter_map(|(_, value)| value.downcast_ref::<<I::Related as Lookup>::Value>())
            .map(serde_json::to_string)
            .collect::<Result<Vec<_>, _>>()?;
        let inputs = inputs(text, values.into_iter())?;
        Ok(ComputedSet { namespace: I::NAMESPACE.to_owned(), inputs, indicators })
    }
}

fn is_processed(document: &str) -> bool {
    serde_json::from_str::<Processed>(document)
        .is_ok_and(|processed| processed.initial_processing_complete == Some(true))
}

impl<I: Indicators> AnyPillow for IndicatorPillow<I> {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn mapping_tree(&self) -> &'static Object {
        <I::Document as CouchDocument>::MAPPING
    }

    fn lookup(&self) -> Option<Arc<dyn AnyLookup>> {
        let is_none = TypeId::of::<I::Related>() == TypeId::of::<NoRelated>();
        (!is_none).then(|| Arc::clone(&self.related) as _)
    }

    fn lookup_keys(&self, document: &str) -> Result<Vec<LookupKey>, ProcessError> {
        let Some(document) = Self::document(document)? else { return Ok(Vec::new()) };
        Ok(I::related_keys(&document).into_iter().map(LookupKey::new).collect())
    }

    fn process_with(
        &self,
        document: &str,
        change: &ChangeMeta,
        found: &[(LookupKey, LookupValue)],
        source: &mut Vec<u8>,
        _: &mut Option<String>,
    ) -> Result<Verdict, ProcessError> {
        let Some(typed) = Self::document(document)? else { return Ok(Verdict::Filtered) };
        let computed = Self::evaluate(document, &typed, found)?;
        write_evaluated(document, change, computed, source)?;
        Ok(Verdict::Index)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::indicator::{Indicator, indicator, related};
    use pillowtop_core::{Fetched, LookupError};

    #[derive(Debug, Serialize, Deserialize, pillowtop::CouchDocument)]
    #[couch(doc_type = "Visit", database = "clinic")]
    struct Visit {
        #[serde(default)]
        weight: f64,
        #[serde(default)]
        case_id: String,
    }

    #[derive(Debug, Default)]
    struct Cases;

    impl Lookup for Cases {
        type Key = String;
        type Value = Value;

        async fn fetch(&self, keys: Vec<String>) -> Result<Fetched<String, Value>, LookupError> {
            Ok(keys.into_iter().map(|key| (key.clone(), json!({"name": key}))).collect())
        }
    }

    struct VisitIndicators;

    impl Indicators for VisitIndicators {
        type Document = Visit;
        type Related = Cases;
        const NAME: &'static str = "visit_indicators";
        const NAMESPACE: &'static str = "mvp";
        const INDICATORS: &'static [Indicator<Visit, Cases>] = &[
            indicator("is_underweight", 3, |visit: &Visit| {
                assert!(visit.weight >= 0.0, "a negative weight");
                (visit.weight < 2.5).into()
            }),
            related("case_name", 1, |visit: &Visit, found: &Found<Cases>| {
                found.get(&visit.case_id).map_or(Value::Null, |case| case["name"].clone())
            })
            .of_type("CaseDataInFormIndicatorDefinition"),
        ];
        const WAITS_FOR_PROCESSING: bool = true;

        fn accepts(visit: &Visit) -> bool {
            visit.case_id != "none"
        }

        fn related_keys(visit: &Visit) -> Vec<String> {
            vec![visit.case_id.clone()]
        }
    }

    fn processed(document: &Value) -> Result<Option<Value>, ProcessError> {
        let pillow = pillow::<VisitIndicators>(Cases);
        let text = document.to_string();
        let keys = pillow.lookup_keys(&text)?;
        let found: Vec<(LookupKey, LookupValue)> =
            keys.into_iter().map(|key| (key, Arc::new(json!({"name": "Ada"})) as _)).collect();
        let (mut source, change) = (Vec::new(), ChangeMeta::new("a".into(), "1-x".into(), "clinic".into()));
        let verdict = pillow.process_with(&text, &change, &found, &mut source, &mut None)?;
        Ok((verdict == Verdict::Index).then(|| serde_json::from_slice(&source).unwrap()))
    }

    fn visit(weight: f64, is_processed: bool) -> Value {
        json!({"doc_type": "Visit", "weight": weight, "case_id": "c", "initial_processing_complete": is_processed})
    }

    #[test]
    fn indicators_are_computed_from_a_document_and_what_is_looked_up() {
        let found = processed(&visit(2.0, true)).unwrap().unwrap();
        let values: Vec<_> = found["computed"]["indicators"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (one["slug"].clone(), one["version"].clone(), one["value"].clone(), one["type"].clone())
            })
            .collect();
        assert_eq!(
            values,
            [
                (json!("is_underweight"), json!(3), json!(true), json!("IndicatorDefinition")),
                (json!("case_name"), json!(1), json!("Ada"), json!("CaseDataInFormIndicatorDefinition")),
            ]
        );
        assert_eq!(found["pillowtop"], json!({"id": "a", "rev": "1-x", "db": "clinic"}));
        assert_eq!(found["document"], visit(2.0, true));
    }

    #[test]
    fn a_document_that_is_being_processed_and_one_that_is_not_accepted_are_left_alone() {
        assert_eq!(processed(&visit(2.0, false)).unwrap(), None);
        assert_eq!(processed(&json!({"weight": 1.0})).unwrap(), None);
        let none = json!({"case_id": "none", "initial_processing_complete": true});
        assert_eq!(processed(&none).unwrap(), None);
    }

    #[test]
    fn a_panic_names_its_indicator() {
        let error = processed(&visit(-1.0, true)).unwrap_err().to_string();
        assert_eq!(error, "indicator `is_underweight` failed: it panicked: a negative weight");
    }
}
