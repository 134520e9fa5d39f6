//! Documents whose changes have others computed again, such as a case and its forms.

use std::marker::PhantomData;
use std::sync::Arc;

use pillowtop_core::decode::decode;
use pillowtop_core::lookup::{LookupKey, LookupValue};
use pillowtop_core::pillow::RESERVED;
use pillowtop_core::table_definition::TableDefinition;
use pillowtop_core::{
    AnyPillow, ChangeMeta, Committed, CouchDocument, Definition, Fingerprint, Object, ProcessError, Verdict,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A type of documents whose changes have others computed again.
pub trait FanOut: 'static {
    /// The documents that change.
    type Document: CouchDocument + DeserializeOwned + 'static;
    /// The pillow's name.
    const NAME: &'static str;
    /// Raised by its author whenever [`affected`](Self::affected) changes.
    const VERSION: u32 = 1;

    /// The ids of the documents whose indicators are computed again when this one changes.
    fn affected(document: &Self::Document) -> Vec<String>;
}

/// What a document becomes on its way to the owner of the indicators.
#[derive(Serialize, Deserialize)]
pub(crate) struct Affected {
    pillowtop: Value,
    pub(crate) affected: Vec<String>,
}

/// The pillow of a fan-out.
pub(crate) fn fan_out_pillow<F: FanOut>() -> Arc<dyn AnyPillow> {
    let definition = Definition::of_table(TableDefinition {
        name: F::NAME,
        document: <F::Document as CouchDocument>::DOCUMENT,
        filter: None,
        version: F::VERSION,
        description: json!({"fan_out": {}}),
        fingerprint: Fingerprint(0),
        committed: Committed::Unchecked,
        rust_type: std::any::type_name::<F>(),
    });
    Arc::new(FanOutPillow::<F> { definition, fan_out: PhantomData })
}

struct FanOutPillow<F> {
    definition: Definition,
    fan_out: PhantomData<fn() -> F>,
}

impl<F: FanOut> AnyPillow for FanOutPillow<F> {
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
        let affected = F::affected(&decode::<F::Document>(document)?);
        if affected.is_empty() {
            return Ok(Verdict::Filtered);
        }
        let pillowtop = json!({"id": change.id, "rev": change.revision, "db": change.database});
        debug_assert_eq!(RESERVED, "pillowtop", "whoever reads a `_source` looks for its revision there");
        serde_json::to_writer(source, &Affected { pillowtop, affected })?;
        Ok(Verdict::Index)
    }
}
