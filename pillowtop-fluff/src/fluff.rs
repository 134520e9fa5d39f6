//! The trait of a fluff struct, and the pillow that it is.

use std::marker::PhantomData;
use std::sync::Arc;

use pillowtop_core::decode::decode;
use pillowtop_core::lookup::{LookupKey, LookupValue};
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::table_definition::{TABLE, TableDefinition};
use pillowtop_core::{
    AnyPillow, ChangeMeta, Committed, CouchDocument, Definition, Fingerprint, Object, ProcessError, Verdict,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::emitter::Filter;
use crate::rows::{Rows, rows};
use crate::table::{Calculated, Source, Table, fingerprint};

/// A table of rows that are computed from documents. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a table of rows",
    label = "does not derive `Fluff`",
    note = "help: write `#[derive(Fluff)]` and `#[fluff(name = \"…\", document = …)]` on `{Self}`"
)]
pub trait Fluff: 'static {
    /// The documents that rows are computed from.
    type Document: CouchDocument + DeserializeOwned + 'static;
    /// `#[fluff(...)]` in data.
    const TABLE: Table<Self::Document>;
    /// The committed description that this build was checked against.
    const COMMITTED: Committed;
    /// The fingerprint of all that the committed file says.
    const FINGERPRINT: Fingerprint = fingerprint(&Self::TABLE);
}

/// The pillow of a fluff struct, for a registry.
pub fn pillow<F: Fluff>() -> Arc<dyn AnyPillow> {
    Arc::new(FluffPillow::<F> { definition: definition::<F>(), fluff: PhantomData })
}

/// The rows of a document of a fluff struct: what a test of a calculator asks for.
///
/// # Errors
///
/// When the document does not fit its struct, or a value cannot be stored.
pub fn emit<F: Fluff>(document: &str) -> Result<Option<Rows>, ProcessError> {
    let document = decode::<F::Document>(document)?;
    rows(&F::TABLE, &document)
        .map_err(|error| ProcessError::Emit { emitter: error.emitter, reason: error.reason })
}

struct FluffPillow<F> {
    definition: Definition,
    fluff: PhantomData<fn() -> F>,
}

/// The definition of a fluff struct.
pub fn definition<F: Fluff>() -> Definition {
    let table = F::TABLE;
    Definition::of_table(TableDefinition {
        name: table.name,
        document: table.document,
        // Once for each pillow of a program.
        filter: table.filter.map(|filter| &*filter.text().leak()),
        version: table.version,
        description: description(&table),
        fingerprint: F::FINGERPRINT,
        committed: F::COMMITTED,
        rust_type: std::any::type_name::<F>(),
    })
}

/// What the committed file says of a table.
fn description<D>(table: &Table<D>) -> Value {
    let windows: Map<String, Value> = table
        .calculators
        .iter()
        .filter_map(|calculated| Some((calculated.name.to_owned(), json!(calculated.window?))))
        .collect();
    json!({
        TABLE: {
            "keep_flat": table.keeps_flat,
            "groups": table.groups.iter().map(source).collect::<Vec<_>>(),
            "flat": table.flat.iter().map(source).collect::<Vec<_>>(),
            "calculators": table.calculators.iter().map(calculator).collect::<Vec<_>>(),
        },
        // How a result is read, which does not decide the rows.
        "_meta": {"windows": windows},
    })
}

fn source<D>(source: &Source<D>) -> Value {
    let kind = source.kind;
    json!({
        "name": source.name, "type": kind.column_type.name(), "nullable": kind.nullable, "from": source.from,
    })
}

fn calculator<D>(calculated: &Calculated<D>) -> Value {
    let emitters: Vec<Value> = calculated
        .emitters()
        .map(|emitter| {
            json!({
                "name": emitter.name, "dated": emitter.is_dated(), "reduce": emitter.reduce.name(),
                "values": emitter.value_type().name(), "type": emitter.column_type().name(),
            })
        })
        .collect();
    json!({
        "name": calculated.name, "version": calculated.version,
        "filter": calculated.filter.map(Filter::text), "emitters": emitters,
    })
}

impl<F: Fluff> AnyPillow for FluffPillow<F> {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn mapping_tree(&self) -> &'static Object {
        <F::Document as CouchDocument>::MAPPING
    }

    fn process_with(
        &self,
        document: &str,
        change: &ChangeMeta,
        _: &[(LookupKey, LookupValue)],
        source: &mut Vec<u8>,
        _: &mut Option<String>,
    ) -> Result<Verdict, ProcessError> {
        let Some(rows) = emit::<F>(document)? else { return Ok(Verdict::Filtered) };
        let mut whole = json!({RESERVED: {"id": change.id, "rev": change.revision, "db": change.database}});
        whole["rows"] = Value::from(rows);
        serde_json::to_writer(source, &whole)?;
        Ok(Verdict::Index)
    }
}
