//! Lists within lists, which `OpenSearch` counts.

use super::finding::Effect;
use super::json::Json;
use super::walk::Walk;
use pillowtop_core::field_types::{Product, Version};

impl Walk<'_> {
    /// Looks at what is in a list, unless the target refuses lists so deep.
    pub(super) fn within_list(&mut self, path: &str, value: &Json<'_>, look: impl FnOnce(&mut Self)) {
        self.lists += 1;
        if self.refuses_lists(self.lists, path, value) {
            self.lists -= 1;
            return;
        }
        look(self);
        self.lists -= 1;
    }

    /// Whether the target refuses lists in so many levels, which is noted. `OpenSearch` counts them
    /// since 2.5, mapped or not.
    pub(super) fn refuses_lists(&mut self, levels: usize, path: &str, value: &Json<'_>) -> bool {
        let limit = self.plan.depth_limit;
        let counts = self.target.product == Product::OpenSearch && self.target.version >= Version::new(2, 5);
        if !counts || levels <= limit {
            return false;
        }
        let reason =
            format!("lists are nested {levels} deep, more than `mapping.depth.limit`, which is {limit}");
        self.find(
            path,
            Effect::Rejected,
            &reason,
            value,
            "flatten the lists in a transform, or raise `index.mapping.depth.limit`",
        );
        true
    }
}
