//! The way of the runtime: line, gate, decode, filter, transform, bulk body.

use bytestring::ByteString;
use pillowtop_core::{AnyPillow, Sequence};
use pillowtop_runtime::pipeline::{Judgement, judge};
use pillowtop_runtime::row::Line;
use pillowtop_runtime::sink::elastic::bulk_body;
use pillowtop_runtime::{Action, DatabaseIdentity, IndexState, Operation, Phase, Version};

use crate::corpus::{Corpus, Shape};

/// The bytes of one bulk body.
const BULK: usize = 5_000_000;

/// The whole feed; returns the bytes of all bodies.
pub(crate) fn run(corpus: &Corpus) -> usize {
    let registry = corpus.shape.registry();
    let pillow = registry.pillows()[0].as_ref();
    let state = state();
    let (mut operations, mut waiting, mut written) = (Vec::new(), 0, 0);
    for line in corpus.feed() {
        if let Some(operation) = operation(pillow, line, &state) {
            waiting += operation.body_bytes();
            operations.push(operation);
        }
        if waiting >= BULK {
            written += bulk_body(&operations).len();
            operations.clear();
            waiting = 0;
        }
    }
    written + bulk_body(&operations).len()
}

/// The body of one line.
pub(crate) fn one(shape: Shape, line: &ByteString) -> Option<Vec<u8>> {
    let registry = shape.registry();
    let operation = operation(registry.pillows()[0].as_ref(), line, &state())?;
    Some(bulk_body(&[operation]).to_vec())
}

fn operation(pillow: &dyn AnyPillow, line: &ByteString, state: &IndexState) -> Option<Operation> {
    let Ok(Line::Row(row)) = Line::parse(line) else { return None };
    match judge(pillow, &row, state) {
        Judgement::Index(source) => Some(Operation {
            id: row.id,
            version: Version(1_764_000_000_000_000),
            action: Action::Index(source),
        }),
        _ => None,
    }
}

fn state() -> IndexState {
    IndexState {
        pillow: "bench".into(),
        index: "bench_1".into(),
        hash: String::new(),
        phase: Phase::Following,
        checkpoint: Some(Sequence::start()),
        load: None,
        database: DatabaseIdentity { name: "commcarehq".into(), instance_start_time: "0".to_owned() },
        ceiling: Version(u64::MAX),
        past: Vec::new(),
    }
}
