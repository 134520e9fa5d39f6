//! What the multi-fields of a field make of its value.

use super::finding::{Effect, Fit, is_taken};
use super::geo;
use super::json::Json;
use super::plan::{Kind, LeafPlan};
use super::walk::Walk;
use pillowtop_core::field_types::Product;

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

impl Walk<'_> {
    fn given(&self, leaf: &LeafPlan) -> Given {
        let is_open = self.target.product == Product::OpenSearch;
        match leaf.kind {
            Kind::Shape if is_open => Given::Nothing,
            Kind::GeoPoint if is_open || !self.is_newer_elastic() => Given::Geohash,
            _ if leaf.type_name == "search_as_you_type" && !is_open && !self.is_newer_elastic() => {
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
        match self.given(leaf) {
            Given::Geohash if is_taken(fit) => self.fields_of_point(leaf, value, in_list),
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

    /// The multi-fields of a point get the geohash of what stands for null.
    pub(super) fn fields_of_null(&mut self, leaf: &LeafPlan, in_list: bool) {
        let null = leaf.mapping.get("null_value").filter(|null| !null.is_null());
        if let Some(null) = null.filter(|_| self.given(leaf) == Given::Geohash) {
            let text = null.to_string();
            if let Ok(point) = Json::parse(&text) {
                self.fields_of_point(leaf, &point, in_list);
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
        let is_number = geohash.bytes().all(|letter| letter.is_ascii_digit() || letter == b'e');
        let geohash = Json::Text(geohash);
        for field in leaf.fields.iter().filter(|field| !field.has_script) {
            if is_number && !matches!(field.kind, Kind::Text | Kind::Keyword) {
                let reason = "what a multi-field makes of a geohash without letters is not checked";
                self.find(&field.path, Effect::NotChecked, reason, value, "");
            } else if matches!(field.kind, Kind::GeoPoint) && self.is_since_7_17() {
                // It is a point to these.
            } else if matches!(field.kind, Kind::GeoPoint | Kind::Shape) {
                let reason = "a multi-field of a point gets its geohash, which is none of its values";
                self.find(&field.path, Effect::Rejected, reason, value, "map it as a field of its own");
            } else {
                self.values(field, &geohash, in_list, false);
            }
        }
    }
}
