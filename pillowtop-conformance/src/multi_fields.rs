//! What the multi-fields of a field make of its value, and of a number that several fields read.

use super::finding::{Effect, Fault, Fit};
use super::geo;
use super::json::Json;
use super::numeric::Numeric;
use super::plan::{Kind, LeafPlan};
use super::walk::Walk;
use pillowtop_core::field_types::{Product, Version};

/// What a server gives to the multi-fields of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// The value itself.
    Value,
    /// Nothing: they stay empty.
    Nothing,
    /// The geohash of a point.
    Geohash,
}

/// How a number with a fraction was read first: what reads it next gets that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum FirstRead {
    #[default]
    None,
    /// As a number of 32 bits, of which the server's JSON parser makes no whole number.
    Single,
    /// In a way from which every number can be made.
    Double,
}

impl Walk<'_> {
    fn given(&self, leaf: &LeafPlan) -> Given {
        let is_open = self.target.product == Product::OpenSearch;
        match leaf.kind {
            Kind::Shape if is_open => Given::Nothing,
            Kind::GeoPoint if is_open || !self.is_since_7_17() => Given::Geohash,
            _ if leaf.type_name == "search_as_you_type" && !is_open && !self.is_since_7_17() => {
                Given::Nothing
            }
            _ => Given::Value,
        }
    }

    /// Whether the multi-fields of a field get what the document has.
    pub(super) fn gives_value(&self, leaf: &LeafPlan) -> bool {
        self.given(leaf) == Given::Value
    }

    /// A value that its field has decided about, for the multi-fields. `is_read`: the type reads it
    /// whole, so that nothing of it is left.
    pub(super) fn multi_fields(
        &mut self,
        leaf: &LeafPlan,
        value: &Json<'_>,
        (fit, in_list, is_read): (&Fit, bool, bool),
    ) {
        let is_taken = matches!(fit, Ok(()) | Err(Fault::Altered(_)));
        match self.given(leaf) {
            Given::Geohash if is_taken => self.fields_of_point(leaf, value, in_list),
            Given::Nothing | Given::Geohash => {}
            Given::Value if is_read => {
                for field in &leaf.fields {
                    let reason = "what a multi-field makes of an object is not checked";
                    self.find(&field.path, Effect::NotChecked, reason, value, "");
                }
            }
            Given::Value => {
                self.scripted_fields(leaf, value);
                let fields = leaf.fields.iter().filter(|field| !field.has_script);
                fields.for_each(|field| self.values(field, value, in_list, false));
            }
        }
    }

    /// A multi-field that a script computes takes no value.
    pub(super) fn scripted_fields(&mut self, leaf: &LeafPlan, value: &Json<'_>) {
        for field in leaf.fields.iter().filter(|field| field.has_script) {
            let hint = "leave `script` out, or map it as a field of its own";
            self.find(&field.path, Effect::Rejected, "a script computes the field", value, hint);
        }
    }

    fn fields_of_point(&mut self, leaf: &LeafPlan, value: &Json<'_>, in_list: bool) {
        let Some(geohash) = geo::geohash(leaf, value, self.target) else { return };
        let geohash = Json::Text(geohash);
        for field in leaf.fields.iter().filter(|field| !field.has_script) {
            if matches!(field.kind, Kind::GeoPoint | Kind::Shape) {
                let reason = "a multi-field of a point gets its geohash, which is none of its values";
                self.find(&field.path, Effect::Rejected, reason, value, "map it as a field of its own");
            } else {
                self.values(field, &geohash, in_list, false);
            }
        }
    }

    /// Whether a field can read a number that other fields have read before: the JSON parser keeps
    /// what the first of them made of it.
    pub(super) fn reads_again(&mut self, leaf: &LeafPlan, value: &Json<'_>) -> Fit {
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
                return Err(Fault::Malformed(reason));
            }
            _ => {}
        }
        Ok(())
    }

    /// Parsers of JSON do so that have single numbers as a kind of their own.
    fn keeps_first_read(&self) -> bool {
        match self.target.product {
            Product::OpenSearch => self.target.version >= Version::new(2, 12),
            Product::Elasticsearch => false,
        }
    }
}
