//! What pillowtop says of an index and its documents, beside what a server does with them.

use std::collections::BTreeMap;
use std::fmt;

use pillowtop_conformance::{Conformance, Effect, Report};
use pillowtop_core::creation::refusals;
use pillowtop_core::field_types::Target;
use pillowtop_core::settings::normalize;
use serde_json::{Value, json};

use crate::documents::Document;
use crate::error::ConformanceError;
use crate::roots::Body;
use crate::server::{Done, Server};

/// How pillowtop and a server disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The server refuses an index that pillowtop accepts.
    ServerRefusesIndex,
    /// Pillowtop refuses an index that the server creates.
    PillowtopRefusesIndex,
    /// The server rejects a document that pillowtop accepts.
    ServerRejectsDocument,
    /// Pillowtop rejects a document that the server indexes.
    PillowtopRejectsDocument,
    /// The server leaves values out of a document, which pillowtop does not say.
    ServerLeavesOut,
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ServerRefusesIndex => "the server refuses an index that pillowtop accepts",
            Self::PillowtopRefusesIndex => "pillowtop refuses an index that the server creates",
            Self::ServerRejectsDocument => "the server rejects a document that pillowtop accepts",
            Self::PillowtopRejectsDocument => "pillowtop rejects a document that the server indexes",
            Self::ServerLeavesOut => "the server leaves values out, which pillowtop does not say",
        })
    }
}

/// One disagreement.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Which way.
    pub direction: Direction,
    /// What pillowtop says.
    pub pillowtop: Vec<String>,
    /// What the server says; empty where it accepts.
    pub server: String,
    /// The position of the document, for what is about one.
    pub document: Option<usize>,
}

/// How many verdicts were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Indices that both create.
    pub created: usize,
    /// Indices that both refuse.
    pub refused: usize,
    /// Documents that both index.
    pub indexed: usize,
    /// Documents that both reject.
    pub rejected: usize,
    /// Documents of which pillowtop says that they are not checked.
    pub unchecked: usize,
    /// Verdicts that differ.
    pub different: usize,
}

impl Counts {
    /// All verdicts that were compared; what is not checked is none.
    #[must_use]
    pub const fn compared(&self) -> usize {
        self.created + self.refused + self.indexed + self.rejected + self.different
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.created += other.created;
        self.refused += other.refused;
        self.indexed += other.indexed;
        self.rejected += other.rejected;
        self.unchecked += other.unchecked;
        self.different += other.different;
    }
}

/// Creates an index, indexes documents where it can be, and compares; the index is deleted again.
pub(crate) fn check(
    server: &Server,
    index: &str,
    body: &Body,
    documents: &[Document],
) -> Result<(Counts, Vec<Difference>), ConformanceError> {
    let mut counts = Counts::default();
    let target = server.target();
    let (settings, refused) = match normalize(&body.settings) {
        Ok(settings) => {
            let refused = refusals(&body.mappings, &settings, target);
            (settings, refused)
        }
        Err(problem) => (json!({}), vec![problem]),
    };
    let request = json!({"settings": {"index": body.settings}, "mappings": body.mappings});
    let created = server.create(index, &request)?;
    let direction = match (&created, refused.is_empty()) {
        (Ok(()), true) => {
            counts.created += 1;
            let differences =
                of_documents(server, index, (&body.mappings, &settings), documents, &mut counts);
            server.delete(index)?;
            return Ok((counts, differences?));
        }
        (Err(_), false) => {
            counts.refused += 1;
            return Ok((counts, Vec::new()));
        }
        (Ok(()), false) => {
            server.delete(index)?;
            Direction::PillowtopRefusesIndex
        }
        (Err(_), true) => Direction::ServerRefusesIndex,
    };
    counts.different += 1;
    let server = created.err().unwrap_or_default();
    Ok((counts, vec![Difference { direction, pillowtop: refused, server, document: None }]))
}

fn of_documents(
    server: &Server,
    index: &str,
    (mappings, settings): (&Value, &Value),
    documents: &[Document],
    counts: &mut Counts,
) -> Result<Vec<Difference>, ConformanceError> {
    let sent: Vec<(String, String)> = documents
        .iter()
        .enumerate()
        .map(|(number, document)| (number.to_string(), document.text()))
        .collect();
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let done = server.index(index, &sent)?;
    let conformance = Conformance::new(mappings, settings);
    Ok(compare(&conformance, server.target(), &sent, &done, counts))
}

/// Compares the verdict on each document, in their order, with what became of it.
pub fn compare(
    conformance: &Conformance,
    target: Target,
    documents: &[(String, String)],
    done: &BTreeMap<String, Done>,
    counts: &mut Counts,
) -> Vec<Difference> {
    let mut rehearsal = conformance.rehearse(&[target]);
    let mut differences = Vec::new();
    for (position, (id, source)) in documents.iter().enumerate() {
        let report = rehearsal.index(id, source).pop().unwrap_or_default();
        let none = Done::default();
        let done = done.get(id).unwrap_or(&none);
        if done.is_undecided {
            // What it would have added is missing for those that follow.
            counts.unchecked += documents.len() - position;
            break;
        }
        if let Some(direction) = difference(&report, done) {
            counts.different += 1;
            let pillowtop = report
                .findings
                .iter()
                .map(|found| format!("{} `{}`: {}", found.effect, found.path, found.reason))
                .collect();
            let server = done.error.clone().unwrap_or_else(|| match done.ignored.len() {
                0 => String::new(),
                _ => format!("left out: {:?}", done.ignored),
            });
            differences.push(Difference { direction, pillowtop, server, document: Some(position) });
        } else if report.is_rejected() {
            counts.rejected += 1;
        } else if is_unsure(&report) {
            counts.unchecked += 1;
            // The same: pillowtop continues as if it were indexed.
            if done.error.is_some() {
                counts.unchecked += documents.len() - position - 1;
                break;
            }
        } else {
            counts.indexed += 1;
        }
    }
    differences
}

fn is_unsure(report: &Report) -> bool {
    report.findings.iter().any(|found| found.effect == Effect::NotChecked)
}

fn difference(report: &Report, done: &Done) -> Option<Direction> {
    let says_left_out =
        report.findings.iter().any(|found| matches!(found.effect, Effect::Malformed | Effect::Truncated));
    match (&done.error, report.is_rejected()) {
        (None, true) => Some(Direction::PillowtopRejectsDocument),
        _ if is_unsure(report) => None,
        (Some(_), false) => Some(Direction::ServerRejectsDocument),
        (None, false) if !done.ignored.is_empty() && !says_left_out => Some(Direction::ServerLeavesOut),
        _ => None,
    }
}
