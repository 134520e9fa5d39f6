//! What `new-pillow` says of a mapping that exceeds a limit of the servers.

use pillowtop_core::limits::{LimitFinding, examine};
use serde_json::{Value, json};

use crate::context::Context;

/// Limits are raised to a multiple of this.
const STEP: u64 = 500;

/// Warns of each limit that a mapping exceeds, says how to raise it, and returns the warnings as
/// data. `properties` are those of the documents, without the runtime's own.
pub(super) fn warn(context: &Context, properties: &Value, settings: Option<&Value>) -> Vec<Value> {
    let own = json!({"type": "object", "properties": {
        "id": {"type": "keyword"}, "rev": {"type": "keyword"}, "db": {"type": "keyword"}}});
    let mut properties = properties.clone();
    properties["pillowtop"] = own;
    let settings = settings.cloned().unwrap_or_else(|| json!({}));
    let findings = examine(&json!({"properties": properties}), &settings, &[]);
    let warn = |finding: &LimitFinding| {
        let setting = finding.limited.setting();
        let raised = json!({setting: finding.count.next_multiple_of(STEP)});
        let help = format!(
            "raise the limit with `settings = r#\"{raised}\"#` in `#[pillow(…)]` or in the pillow's settings file, or leave fields out with \
             `#[es(skip)]` or `#[es(object, enabled = false)]`"
        );
        context.ui.note(&format!("warning: {finding}\n  help: {help}"));
        json!({"warning": finding.to_string(), "setting": setting, "count": finding.count, "limit": finding.limit, "help": help})
    };
    findings.iter().filter(|finding| finding.is_past()).map(warn).collect()
}
