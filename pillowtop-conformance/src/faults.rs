//! What a value that does not fit does: its effect, by what the field and the server leave out.

use super::finding::{Effect, Fault, Finding};
use super::hint::hint;
use super::json::Json;
use super::plan::{Kind, LeafPlan};
use super::walk::Walk;
use pillowtop_core::field_types::{Product, field_type};

/// The longest text of an example value, in characters.
const SHOWN: usize = 100;

impl Walk<'_> {
    /// Whether a malformed value of the type is left out. Elasticsearch does so for the types that
    /// have the parameter `ignore_malformed`, whatever the setting of that name says;
    /// `OpenSearch` for every type.
    fn ignores_malformed(&self, leaf: &LeafPlan) -> bool {
        self.target.product == Product::OpenSearch
            || field_type(&leaf.type_name)
                .is_none_or(|known| known.parameter_is_available("ignore_malformed", self.target).is_ok())
    }

    pub(super) fn find(&mut self, path: &str, effect: Effect, reason: &str, value: &Json<'_>, hint: &str) {
        self.early |= effect == Effect::Rejected && !self.late;
        let text = value.to_string();
        let value = match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        let (path, reason, hint) = (path.to_owned(), reason.to_owned(), hint.to_owned());
        self.report.findings.push(Finding { path, effect, reason, value, hint });
    }

    /// Does something whose refusals come late.
    pub(super) fn refusing_late(&mut self, act: impl FnOnce(&mut Self)) {
        self.late = true;
        act(self);
        self.late = false;
    }

    pub(super) fn record_fit(&mut self, leaf: &LeafPlan, value: &Json<'_>, fit: Result<(), Fault>) {
        let Err(fault) = fit else { return };
        let hint = hint(leaf, value, &fault);
        let is_range = matches!(leaf.kind, Kind::NumberRange(_) | Kind::DateRange(_) | Kind::IpRange);
        let is_open = self.target.product == Product::OpenSearch;
        match fault {
            // How much of the document is read then depends on where the range is malformed.
            Fault::Malformed(reason) if leaf.ignore_malformed && is_range && is_open => {
                let reason =
                    format!("{reason}; whether `ignore_malformed` leaves a range out is not checked");
                self.find(&leaf.path, Effect::NotChecked, &reason, value, "");
            }
            Fault::Malformed(reason) if leaf.ignore_malformed && self.ignores_malformed(leaf) => {
                self.find(&leaf.path, Effect::Malformed, &reason, value, &hint);
            }
            Fault::Malformed(reason) | Fault::Refused(reason) if self.plan.ignores_malformed && is_open => {
                let reason =
                    format!("{reason}; whether the setting `ignore_malformed` leaves it out is not checked");
                self.find(&leaf.path, Effect::NotChecked, &reason, value, "");
            }
            Fault::Malformed(reason) | Fault::Refused(reason) => {
                self.find(&leaf.path, Effect::Rejected, &reason, value, &hint);
            }
            // Elasticsearch 8 looks at the length itself, others leave that to Lucene.
            Fault::Immense(reason) => {
                self.late = !self.is_newer_elastic();
                self.find(&leaf.path, Effect::Rejected, &reason, value, &hint);
                self.late = false;
            }
            Fault::TooLong(reason) => {
                self.find(&leaf.path, Effect::Truncated, &reason, value, &hint);
            }
            Fault::LeftOut(reason) => self.find(&leaf.path, Effect::Malformed, &reason, value, ""),
            Fault::Altered(reason) => self.find(&leaf.path, Effect::Altered, &reason, value, &hint),
            Fault::Unknown(reason) => self.find(&leaf.path, Effect::NotChecked, &reason, value, ""),
        }
    }
}
