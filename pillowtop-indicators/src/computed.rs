//! The members of a document that indicators are written to.
//!
//! ```text
//! "computed_": {"mvp": {"is_underweight": {"version": 1, "value": true, "multi_value": false, "type": "…", "updated": "…"}}}
//! "computed_inputs_": {"mvp": "3f…"}          what the values were computed from
//! "computed_modified_on_": "2026-11-28T…Z"
//! ```
//!
//! Every other member stays the text that it is. A value is written if its stored version is lower,
//! or if it differs, in the same version, and was computed from other inputs. So neither a function
//! that gives another value each time, nor two releases that disagree about a value, write for ever.

use pillowtop_core::fingerprint::{hash_text, mix};
use pillowtop_core::{RawJson, RawObject};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

pub(crate) const COMPUTED: &str = "computed_";
pub(crate) const INPUTS: &str = "computed_inputs_";
pub(crate) const MODIFIED: &str = "computed_modified_on_";

/// What was computed for one indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Computed {
    pub(crate) slug: String,
    pub(crate) version: u32,
    pub(crate) value: Value,
    pub(crate) multi_value: bool,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// What was computed for a document in one namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ComputedSet {
    pub(crate) namespace: String,
    /// [`inputs`] of the document.
    pub(crate) inputs: String,
    pub(crate) indicators: Vec<Computed>,
}

/// What is stored for one indicator. What does not have this shape is written anew.
#[derive(Deserialize)]
struct Stored {
    version: u64,
    value: Value,
}

/// A hash of all that decides the values of a document: its members without those that indicators
/// are written to, and what was looked up.
pub(crate) fn inputs(document: &str, related: impl Iterator<Item = String>) -> serde_json::Result<String> {
    let members: RawObject<'_> = serde_json::from_str(document)?;
    let is_input = |name: &str| !matches!(name, "_rev" | COMPUTED | INPUTS | MODIFIED);
    let of_document = members
        .iter()
        .filter(|(name, _)| is_input(name))
        .map(|(name, value)| mix(hash_text(name), hash_text(value.text().unwrap_or_default())));
    // A sum, because neither members nor related documents have an order.
    let of_related = related.map(|text| mix(hash_text("related"), hash_text(&text)));
    let sum = of_document.chain(of_related).fold(0, u128::wrapping_add);
    Ok(format!("{sum:032x}"))
}

/// The document with what was computed for it; `None` if nothing has to be written. What was stored
/// before is read from `stored`, which is the document itself where it is written back.
pub(crate) fn merge(
    document: &str,
    stored: &str,
    computed: &ComputedSet,
    now: &str,
) -> serde_json::Result<Option<String>> {
    let mut before: RawObject<'_> = serde_json::from_str(stored)?;
    let mut all = before.remove(COMPUTED).and_then(RawJson::into_object).unwrap_or_default();
    let mut namespace = all.remove(&computed.namespace).and_then(RawJson::into_object).unwrap_or_default();
    let mut inputs = before.remove(INPUTS).and_then(RawJson::into_object).unwrap_or_default();
    let inputs_before = inputs.remove(&computed.namespace).and_then(|value| value.as_text());
    let is_newer = inputs_before.as_deref() != Some(computed.inputs.as_str());

    let mut written: Vec<(&str, Box<RawValue>)> = Vec::new();
    for one in &computed.indicators {
        let text = namespace.get(&one.slug).and_then(|value| value.text());
        let stored: Option<Stored> = text.and_then(|text| serde_json::from_str(text).ok());
        if must_write(one, stored.as_ref(), is_newer) {
            written.push((&one.slug, entry(one, now)?));
        }
    }
    if written.is_empty() {
        return Ok(None);
    }
    for (slug, value) in &written {
        namespace.remove(slug);
        namespace.push(*slug, &**value);
    }
    let hash = to_raw_value(&computed.inputs)?;
    inputs.push(computed.namespace.as_str(), &*hash);
    all.push(computed.namespace.as_str(), namespace);
    let modified = to_raw_value(now)?;
    let mut members: RawObject<'_> = serde_json::from_str(document)?;
    members.retain(|name, _| !matches!(name, COMPUTED | INPUTS | MODIFIED));
    members.push(COMPUTED, all);
    members.push(INPUTS, inputs);
    members.push(MODIFIED, &*modified);
    serde_json::to_string(&members).map(Some)
}

fn must_write(one: &Computed, stored: Option<&Stored>, is_newer: bool) -> bool {
    let Some(stored) = stored else { return true };
    match stored.version.cmp(&u64::from(one.version)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => is_newer && stored.value != one.value,
        // A later release wrote it.
        std::cmp::Ordering::Greater => false,
    }
}

fn entry(one: &Computed, now: &str) -> serde_json::Result<Box<RawValue>> {
    to_raw_value(&json!({
        "version": one.version, "value": one.value, "multi_value": one.multi_value, "type": one.kind,
        "updated": now,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(document: &str, version: u32, value: Value) -> ComputedSet {
        let one = Computed {
            slug: "weight".to_owned(),
            version,
            value,
            multi_value: false,
            kind: "IndicatorDefinition".to_owned(),
        };
        let inputs = inputs(document, std::iter::empty()).unwrap();
        ComputedSet { namespace: "mvp".to_owned(), inputs, indicators: vec![one] }
    }

    fn merged(document: &str, version: u32, value: Value) -> Option<String> {
        merge(document, document, &set(document, version, value), "2026-01-01T00:00:00Z").unwrap()
    }

    const PLAIN: &str =
        r#"{"_id":"a","_rev":"1-x","n":1.50,"big":12345678901234567890123,"z":{"b":1,"a":2}}"#;

    #[test]
    fn a_value_is_written_as_the_original_wrote_it_and_other_members_stay_as_they_are() {
        let text = merged(PLAIN, 1, json!(3)).unwrap();
        assert!(text.starts_with(&PLAIN[..PLAIN.len() - 1]), "{text}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            document["computed_"],
            json!({"mvp": {"weight": {
                "version": 1, "value": 3, "multi_value": false, "type": "IndicatorDefinition",
                "updated": "2026-01-01T00:00:00Z",
            }}})
        );
        assert_eq!(document["computed_modified_on_"], "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_value_is_written_only_in_a_higher_version_or_from_other_inputs() {
        let first = merged(PLAIN, 2, json!(3)).unwrap();
        assert_eq!(merged(&first, 2, json!(3)), None);
        assert_eq!(
            merged(&first, 2, json!(4)),
            None,
            "the inputs are the same: it is not a function of them"
        );
        assert_eq!(merged(&first, 1, json!(4)), None, "a later release wrote it");
        assert!(merged(&first, 3, json!(3)).is_some());
        let own = first.replacen("1-x", "2-x", 1);
        assert_eq!(merged(&own, 2, json!(4)), None, "another revision alone is not another input");
        let edited = own.replacen("1.50", "1.75", 1);
        assert_eq!(merged(&edited, 2, json!(3)), None, "the value is the same");
        let text = merged(&edited, 2, json!(4)).unwrap();
        assert_eq!(merged(&text, 2, json!(5)), None);
    }

    #[test]
    fn other_namespaces_and_slugs_stay() {
        let before = r#"{"_id":"a","computed_":{"other":{"x":{"version":1.0}},"mvp":{"old":7}},"n":1}"#;
        let document: Value = serde_json::from_str(&merged(before, 1, json!(null)).unwrap()).unwrap();
        assert_eq!(document["computed_"]["other"], json!({"x": {"version": 1.0}}));
        assert_eq!(document["computed_"]["mvp"]["old"], 7);
        assert_eq!(document["computed_"]["mvp"]["weight"]["value"], json!(null));
    }

    #[test]
    fn what_has_another_shape_is_written_anew() {
        for before in [
            r#"{"computed_":null}"#,
            r#"{"computed_":{"mvp":[]}}"#,
            r#"{"computed_":{"mvp":{"weight":{"version":"1"}}},"computed_inputs_":7}"#,
        ] {
            let text = merged(before, 1, json!(3)).unwrap();
            assert_eq!(merged(&text, 1, json!(3)), None, "{before}");
        }
    }

    #[test]
    fn inputs_have_no_order_and_count_what_is_related() {
        let of =
            |text: &str, related: &[&str]| inputs(text, related.iter().map(|one| (*one).to_owned())).unwrap();
        assert_eq!(of(r#"{"a":1,"b":2}"#, &["x", "y"]), of(r#"{"b":2,"a":1}"#, &["y", "x"]));
        assert_ne!(of(r#"{"a":1,"b":2}"#, &[]), of(r#"{"a":2,"b":1}"#, &[]));
        assert_ne!(of(r#"{"a":1}"#, &["x"]), of(r#"{"a":1}"#, &[]));
    }
}
