//! `pillows`: the registered ones.

use pillowtop_core::drift::state;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::Outcome;
use crate::output::{Align, Table};

pub(crate) fn run(context: &Context) -> Outcome {
    let columns = ["pillow", "documents", "database", "alias", "hash", "mapping"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    let (mut rows, mut listed) = (Vec::new(), Vec::new());
    for pillow in context.registry.pillows() {
        let definition = pillow.definition();
        let (state, _) = state(definition);
        let database = definition.document.database.map(|named| context.config.databases(named).to_string());
        let enabled = context
            .config
            .pillows
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| *name == definition.pillow.as_str()));
        let row = [
            definition.pillow.to_string(),
            definition.document.types.join(", "),
            database.clone().unwrap_or_default(),
            definition.alias.to_string(),
            definition.hash.short(),
            if enabled { state.to_string() } else { format!("{state}, not enabled") },
        ];
        rows.push((state.is_fine(), row));
        listed.push(json!({
            "pillow": definition.pillow, "documents": definition.document.types, "database": database, "alias": definition.alias,
            "hash": definition.hash.to_string(), "fingerprint": definition.fingerprint.to_string(), "mapping": state.to_string(),
            "enabled": enabled, "settings": context.config.settings.over(definition),
        }));
    }
    // Problems first.
    rows.sort_by_key(|(is_fine, _)| *is_fine);
    rows.into_iter().for_each(|(_, row)| table.row(row));
    context.ui.table(&table);
    context.ui.json(&json!({"pillows": Value::from(listed)}));
    Outcome::Done
}
