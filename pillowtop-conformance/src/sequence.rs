//! What depends on the values before: a number that several fields read, and the positions of terms.

use super::earlier::FirstRead;
use super::finding::{Fault, Fit, refused, unknown};
use super::json::Json;
use super::numeric::Numeric;
use super::plan::{Kind, LeafPlan, text};
use super::walk::{Walk, is_absent};
use pillowtop_core::field_types::{Product, Version};
use pillowtop_core::lenient::integer;

/// The last position of a term that Lucene takes.
const LAST_POSITION: i64 = i32::MAX as i64 - 128;

impl Walk<'_> {
    /// Whether a value that fits alone fits after those before it.
    pub(super) fn fits_after_others(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> Fit {
        self.has_position(leaf, value)?;
        self.is_only_value(leaf, value)?;
        self.reads_again(leaf, value)
    }

    /// Whether a field can read a number that other fields have read before: the JSON parser keeps
    /// what the first of them made of it.
    fn reads_again(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> Fit {
        let Json::Number(text) = value else { return Ok(()) };
        if !text.contains(['.', 'e', 'E']) || !self.keeps_first_read() {
            return Ok(());
        }
        match (&leaf.kind, self.first_read) {
            (Kind::Numeric(Numeric::Float | Numeric::HalfFloat) | Kind::RankFeature, FirstRead::None) => {
                self.first_read = FirstRead::Single;
            }
            (Kind::Numeric(Numeric::Double | Numeric::ScaledFloat), _)
            | (Kind::Numeric(_), FirstRead::None) => self.first_read = FirstRead::Double,
            (Kind::Numeric(Numeric::Float | Numeric::HalfFloat), _) => {}
            (Kind::Numeric(_), FirstRead::Single) => {
                let reason = format!(
                    "`{text}` was read as a number of 32 bits before, of which the server makes no whole number"
                );
                // `OpenSearch` alone takes it for a malformed value.
                let is_open = self.target.product == Product::OpenSearch;
                return Err(if is_open { Fault::Malformed(reason) } else { Fault::Refused(reason) });
            }
            _ => {}
        }
        Ok(())
    }

    /// Parsers of JSON do so that have single numbers as a kind of their own.
    fn keeps_first_read(&self) -> bool {
        match self.target.product {
            Product::OpenSearch => self.target.version >= Version::new(2, 12),
            Product::Elasticsearch => self.target.version >= Version::new(7, 17),
        }
    }

    /// Whether a value is the only one of a field that has one at most, copies included.
    pub(super) fn is_only_value(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> Fit {
        if !matches!(leaf.kind, Kind::RankFeature) || is_absent(value) {
            return Ok(());
        }
        let before = self.before.entry(leaf.path.clone()).or_default();
        before.values += 1;
        if before.values > 1 { refused("a document has one value of it at most") } else { Ok(()) }
    }

    /// Whether a string has a position behind those of the strings before it in the document.
    fn has_position(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> Fit {
        let gap = leaf.mapping.get("position_increment_gap").and_then(integer);
        let (Some(gap), Kind::Text, Some(string)) = (gap, &leaf.kind, value.scalar_text()) else {
            return Ok(());
        };
        let before = self.before.entry(leaf.path.clone()).or_default();
        let first = gap.saturating_mul(before.values);
        let last = first.saturating_add(before.letters);
        before.values += 1;
        before.letters += i64::try_from(string.len()).unwrap_or(i64::MAX);
        let is_plain = matches!(text(&leaf.mapping, "analyzer"), None | Some("standard" | "keyword"))
            && !self.plan.has_default_analyzer;
        if last <= LAST_POSITION || string.is_empty() {
            Ok(())
        } else if first > LAST_POSITION && is_plain && string.contains(|c: char| c.is_ascii_alphanumeric()) {
            let reason =
                format!("its terms are behind the last position, with a gap of {gap} between strings");
            Err(Fault::Refused(reason))
        } else {
            unknown("whether its terms are behind the last position is not checked")
        }
    }
}
