//! Indicators that are defined by documents, as CommCare HQ's are.
//!
//! ```json
//! {"doc_type": "FormDataAliasIndicatorDefinition", "namespace": "mvp", "domain": "d", "slug": "weight",
//!  "version": 2, "xmlns": "http://…", "question_id": "visit.weight"}
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pillowtop_core::lookup::{AnyLookup, LookupKey, LookupValue};
use pillowtop_core::table_definition::TableDefinition;
use pillowtop_core::{
    AnyPillow, ChangeMeta, Committed, Definition, DocumentInfo, Fingerprint, Found, Object, ProcessError,
    Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::computed::{Computed, ComputedSet, inputs};
use crate::documents::Documents;
use crate::indicator::question;
use crate::pillow::write_evaluated;

/// A definition, as its document says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DefinedIndicator {
    namespace: String,
    /// Any domain, if it names none.
    #[serde(default)]
    domain: Option<String>,
    slug: String,
    version: u32,
    #[serde(flatten)]
    rule: Rule,
}

/// How the value is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doc_type")]
enum Rule {
    /// The slug: forms of this namespace have a label.
    #[serde(rename = "FormLabelIndicatorDefinition")]
    FormLabel { xmlns: String },
    /// The answer to a question of a form.
    #[serde(rename = "FormDataAliasIndicatorDefinition")]
    FormDataAlias { xmlns: String, question_id: String },
    /// A property of the case of a form.
    #[serde(rename = "CaseDataInFormIndicatorDefinition")]
    CaseDataInForm { xmlns: String, case_property: String },
    /// The answers to a question in all forms of a case.
    #[serde(rename = "FormDataInCaseIndicatorDefinition")]
    FormDataInCase { case_type: String, xmlns: String, question_id: String },
}

const KINDS: [&str; 4] = [
    "FormLabelIndicatorDefinition",
    "FormDataAliasIndicatorDefinition",
    "CaseDataInFormIndicatorDefinition",
    "FormDataInCaseIndicatorDefinition",
];

impl DefinedIndicator {
    /// Reads the definition in a document; `None` if it has none of this namespace.
    pub(crate) fn read(document: &Value, namespace: &str) -> Option<Result<Self, String>> {
        let is_one = document["doc_type"].as_str().is_some_and(|kind| KINDS.contains(&kind));
        if !is_one || document["namespace"].as_str().is_some_and(|other| other != namespace) {
            return None;
        }
        let read: Result<Self, _> = serde_json::from_value(document.clone());
        Some(match read {
            Ok(one) if one.slug.is_empty() || one.version == 0 => {
                Err("it has no slug, or a version below 1".to_owned())
            }
            read => read.map_err(|error| error.to_string()),
        })
    }

    fn kind(&self) -> &'static str {
        match self.rule {
            Rule::FormLabel { .. } => KINDS[0],
            Rule::FormDataAlias { .. } => KINDS[1],
            Rule::CaseDataInForm { .. } => KINDS[2],
            Rule::FormDataInCase { .. } => KINDS[3],
        }
    }

    /// What forms, or cases, it is for.
    fn subject(&self) -> &str {
        match &self.rule {
            Rule::FormLabel { xmlns }
            | Rule::FormDataAlias { xmlns, .. }
            | Rule::CaseDataInForm { xmlns, .. } => xmlns,
            Rule::FormDataInCase { case_type, .. } => case_type,
        }
    }

    fn is_for(&self, document: &Value) -> bool {
        let member = if matches!(self.rule, Rule::FormDataInCase { .. }) { "type" } else { "xmlns" };
        document[member] == self.subject()
            && self.domain.as_ref().is_none_or(|domain| document["domain"] == domain.as_str())
    }

    /// The ids of the documents that it reads.
    fn related(&self, document: &Value) -> Vec<String> {
        match &self.rule {
            Rule::FormLabel { .. } | Rule::FormDataAlias { .. } => Vec::new(),
            Rule::CaseDataInForm { .. } => case_id(document).map(str::to_owned).into_iter().collect(),
            Rule::FormDataInCase { .. } => form_ids(document).map(str::to_owned).collect(),
        }
    }

    fn compute(&self, document: &Value, found: &Found<Documents>) -> Value {
        match &self.rule {
            Rule::FormLabel { .. } => self.slug.as_str().into(),
            Rule::FormDataAlias { question_id, .. } => answer(document, question_id),
            Rule::CaseDataInForm { case_property, .. } => {
                let case = case_id(document).and_then(|id| found.get(id));
                case.and_then(|case| case.get(case_property)).cloned().unwrap_or(Value::Null)
            }
            Rule::FormDataInCase { xmlns, question_id, .. } => {
                let forms = form_ids(document).filter_map(|id| Some((id, found.get(id)?)));
                let of_form = |(id, form): (&str, &Value)| {
                    let value = json!({
                        "value": answer(form, question_id), "timeEnd": form["form"]["meta"]["timeEnd"],
                        "received_on": form["received_on"],
                    });
                    (id.to_owned(), value)
                };
                let forms = forms.filter(|(_, form)| form["xmlns"] == xmlns.as_str());
                Value::Object(forms.map(of_form).collect())
            }
        }
    }
}

fn answer(form: &Value, question_id: &str) -> Value {
    question(&form["form"], question_id).cloned().unwrap_or(Value::Null)
}

fn case_id(form: &Value) -> Option<&str> {
    let case = &form["form"]["case"];
    case["@case_id"].as_str().or_else(|| case["case_id"].as_str())
}

fn form_ids(case: &Value) -> impl Iterator<Item = &str> {
    case["xform_ids"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The definitions that count: of those with one domain, slug and subject, the highest version.
pub(crate) fn current(all: impl IntoIterator<Item = DefinedIndicator>) -> Vec<DefinedIndicator> {
    let mut current: BTreeMap<_, DefinedIndicator> = BTreeMap::new();
    for one in all {
        let key = (one.domain.clone(), one.slug.clone(), one.subject().to_owned());
        let best = current.entry(key).or_insert_with(|| one.clone());
        if one.version > best.version {
            *best = one;
        }
    }
    current.into_values().collect()
}

/// The pillow of these definitions. Its hash covers them, so other definitions make another target,
/// for which all documents are computed.
pub(crate) fn defined_pillow(
    name: &'static str,
    namespace: &str,
    document: DocumentInfo,
    definitions: Vec<DefinedIndicator>,
    related: Documents,
) -> Arc<dyn AnyPillow> {
    let definition = Definition::of_table(TableDefinition {
        name,
        document,
        filter: None,
        version: 1,
        description: json!({"indicators": {"namespace": namespace, "documents": definitions}}),
        fingerprint: Fingerprint(0),
        committed: Committed::Unchecked,
        rust_type: "none",
    });
    let namespace = namespace.to_owned();
    Arc::new(DefinedPillow { definition, namespace, definitions, related: Arc::new(related) })
}

struct DefinedPillow {
    definition: Definition,
    namespace: String,
    definitions: Vec<DefinedIndicator>,
    related: Arc<Documents>,
}

impl DefinedPillow {
    fn matching<'a>(&'a self, document: &'a Value) -> impl Iterator<Item = &'a DefinedIndicator> {
        self.definitions.iter().filter(|one| one.is_for(document))
    }
}

impl AnyPillow for DefinedPillow {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn mapping_tree(&self) -> &'static Object {
        &Object::EMPTY
    }

    fn lookup(&self) -> Option<Arc<dyn AnyLookup>> {
        Some(Arc::clone(&self.related) as _)
    }

    fn lookup_keys(&self, document: &str) -> Result<Vec<LookupKey>, ProcessError> {
        let document: Value = serde_json::from_str(document)?;
        let ids: BTreeSet<String> = self.matching(&document).flat_map(|one| one.related(&document)).collect();
        Ok(ids.into_iter().map(LookupKey::new).collect())
    }

    fn process_with(
        &self,
        text: &str,
        change: &ChangeMeta,
        found: &[(LookupKey, LookupValue)],
        source: &mut Vec<u8>,
        _: &mut Option<String>,
    ) -> Result<Verdict, ProcessError> {
        let document: Value = serde_json::from_str(text)?;
        let related = Found::<Documents>::of_any(found);
        let computed = |one: &DefinedIndicator| Computed {
            slug: one.slug.clone(),
            version: one.version,
            value: one.compute(&document, &related),
            multi_value: matches!(one.rule, Rule::FormDataInCase { .. }),
            kind: one.kind().to_owned(),
        };
        let indicators: Vec<Computed> = self.matching(&document).map(computed).collect();
        if indicators.is_empty() {
            return Ok(Verdict::Filtered);
        }
        let values = found.iter().filter_map(|(_, value)| value.downcast_ref::<Value>());
        let inputs = inputs(text, values.map(Value::to_string))?;
        let computed = ComputedSet { namespace: self.namespace.clone(), inputs, indicators };
        write_evaluated(text, change, computed, source)?;
        Ok(Verdict::Index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &Value) -> DefinedIndicator {
        DefinedIndicator::read(document, "mvp").unwrap().unwrap()
    }

    fn alias(domain: &str, slug: &str, version: u32) -> Value {
        json!({
            "_id": "x", "_rev": "1-a", "doc_type": KINDS[1], "namespace": "mvp", "domain": domain, "slug": slug,
            "version": version, "xmlns": "x", "question_id": "a.b", "last_modified": "2013-01-01",
        })
    }

    fn found(documents: &[(&str, Value)]) -> Found<Documents> {
        documents.iter().map(|(id, document)| ((*id).to_owned(), document.clone())).collect()
    }

    #[test]
    fn the_highest_version_of_a_slug_counts() {
        let all = [alias("d", "w", 2), alias("d", "w", 10), alias("d", "w", 3), alias("e", "w", 1)];
        let versions: Vec<_> =
            current(all.iter().map(read)).into_iter().map(|one| (one.domain.unwrap(), one.version)).collect();
        assert_eq!(versions, [("d".to_owned(), 10), ("e".to_owned(), 1)]);
    }

    #[test]
    fn what_is_not_a_definition_of_the_namespace_is_left_out_and_a_broken_one_is_an_error() {
        assert!(
            DefinedIndicator::read(&json!({"doc_type": "CouchIndicatorDef", "namespace": "mvp"}), "mvp")
                .is_none()
        );
        assert!(DefinedIndicator::read(&alias("d", "w", 1), "other").is_none());
        assert!(DefinedIndicator::read(&alias("d", "w", 0), "mvp").unwrap().is_err());
        let mut broken = alias("d", "w", 1);
        broken["question_id"] = json!(7);
        assert!(DefinedIndicator::read(&broken, "mvp").unwrap().is_err());
        broken["namespace"] = json!(null);
        assert!(DefinedIndicator::read(&broken, "mvp").unwrap().is_err());
    }

    #[test]
    fn values_are_those_of_the_original() {
        let form = json!({"xmlns": "x", "domain": "d", "received_on": "r", "form": {
            "case": {"@case_id": "c"}, "meta": {"timeEnd": "t"}, "a": {"b": {"@id": "1", "#text": "3"}},
        }});
        let case = json!({"_id": "c", "type": "child", "domain": "d", "dob": "2012-01-01", "xform_ids": ["f", "g", "h"]});
        let one = read(&alias("d", "w", 1));
        assert!(one.is_for(&form));
        assert!(!one.is_for(&json!({"xmlns": "x", "domain": "e"})) && !one.is_for(&json!({"domain": "d"})));
        assert_eq!(one.compute(&form, &found(&[])), json!("3"));

        let of = |members: Value| {
            let mut document = alias("d", "w", 1);
            members.as_object().unwrap().iter().for_each(|(name, value)| document[name] = value.clone());
            read(&document)
        };
        let label = of(json!({"doc_type": KINDS[0]}));
        assert_eq!(label.compute(&form, &found(&[])), json!("w"));
        let born = of(json!({"doc_type": KINDS[2], "case_property": "dob"}));
        assert_eq!(born.related(&form), ["c"]);
        assert_eq!(born.compute(&form, &found(&[("c", case.clone())])), json!("2012-01-01"));
        assert_eq!(born.compute(&form, &found(&[])), json!(null));
        let weights = of(json!({"doc_type": KINDS[3], "case_type": "child"}));
        assert!(weights.is_for(&case) && !weights.is_for(&form));
        assert_eq!(weights.related(&case), ["f", "g", "h"]);
        let forms = found(&[("f", form), ("g", json!({"xmlns": "y"}))]);
        assert_eq!(
            weights.compute(&case, &forms),
            json!({"f": {"value": "3", "timeEnd": "t", "received_on": "r"}})
        );
    }
}
