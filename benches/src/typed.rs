//! The way of the runtime: line, type filter, decode, filter, transform, bulk body.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytestring::ByteString;
use pillowtop_runtime::member::{Decider, Decision};
use pillowtop_runtime::row::{Line, Row};
use pillowtop_runtime::target::elastic::bulk_body;
use pillowtop_runtime::{Action, Operation, Version};

use crate::corpus::{Corpus, Shape};

/// The bytes of one bulk body.
const BULK: usize = 5_000_000;
/// Rows that are decided together, as a member does.
const CHUNK: usize = 128;

/// The whole feed; returns the bytes of all bodies.
pub(crate) fn run(corpus: &Corpus) -> usize {
    let decider = decider(corpus.shape);
    let (mut rows, mut operations, mut waiting, mut written) = (Vec::new(), Vec::new(), 0, 0);
    for line in corpus.feed() {
        rows.extend(row(line));
        if rows.len() < CHUNK {
            continue;
        }
        for operation in operations_of(&decider, &rows) {
            waiting += operation.body_bytes();
            operations.push(operation);
        }
        rows.clear();
        if waiting >= BULK {
            written += bulk_body(&operations).len();
            operations.clear();
            waiting = 0;
        }
    }
    operations.extend(operations_of(&decider, &rows));
    written + bulk_body(&operations).len()
}

/// The body of one line.
pub(crate) fn one(shape: Shape, line: &ByteString) -> Option<Vec<u8>> {
    let rows: Vec<Row> = row(line).into_iter().collect();
    let operations: Vec<Operation> = operations_of(&decider(shape), &rows).collect();
    (!operations.is_empty()).then(|| bulk_body(&operations).to_vec())
}

fn row(line: &ByteString) -> Option<Row> {
    match Line::parse(line) {
        Ok(Line::Row(row)) => Some(row),
        _ => None,
    }
}

fn operations_of(decider: &Decider, rows: &[Row]) -> impl Iterator<Item = Operation> {
    let decided = decider.decide(rows, &AtomicUsize::new(0)).into_iter();
    decided.filter_map(|decided| match decided.decision {
        Decision::Index { source, .. } => {
            Some(Operation::new(decided.id, Version(1_764_000_000_000_000), Action::Index(source)))
        }
        _ => None,
    })
}

fn decider(shape: Shape) -> Decider {
    Decider {
        pillow: Arc::clone(&shape.registry().pillows()[0]),
        target: "bench_1".into(),
        database: "commcarehq".into(),
        prefixes_ids: false,
        keeps_bodies: false,
    }
}
