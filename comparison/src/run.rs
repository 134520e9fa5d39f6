//! Generates cases for one server, compares them on several threads, and makes the disagreements
//! small.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::scope;

use crate::check::{Counts, Difference, check};
use crate::documents::documents;
use crate::draw::Draw;
use crate::error::ConformanceError;
use crate::fields::Menu;
use crate::roots::{Body, body};
use crate::server::Server;
use crate::settings::Parts;
use crate::shrink::{Subject, smallest};

/// How many indices are created side by side.
const THREADS: usize = 4;
/// How many kinds of disagreement are made small.
const SHRUNK: usize = 25;
/// How many documents an index that is created gets.
const DOCUMENTS: usize = 8;

/// What to compare.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What cases are drawn from.
    pub seed: u64,
    /// The number of the first case.
    pub first: u64,
    /// How many cases.
    pub cases: u64,
}

/// A kind of disagreement, with the smallest example that was found.
#[derive(Debug, Clone)]
pub struct Disagreement {
    /// What each says of the example.
    pub difference: Difference,
    /// The index.
    pub body: Body,
    /// The documents, in their order.
    pub documents: Vec<String>,
    /// The number of the first case that has it.
    pub case: u64,
    /// How often it was met.
    pub count: usize,
}

/// What came out for one server.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How many verdicts were compared.
    pub counts: Counts,
    /// The disagreements, by kind.
    pub disagreements: Vec<Disagreement>,
}

/// Compares cases on a server. `progress` is called with the number of cases that are done.
///
/// # Errors
///
/// The server fails, or is not one to compare with.
pub fn run(
    server: &Server,
    options: Options,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Outcome, ConformanceError> {
    let parts = Parts::read()?;
    let menu = Menu::new(server);
    if menu.is_empty() {
        return Err(ConformanceError::NoTypes { target: server.target() });
    }
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let results = Mutex::new(Vec::new());
    scope(|threads| {
        let work = |thread: usize| -> Result<(), ConformanceError> {
            let index = index_name(thread);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= options.cases {
                    return Ok(());
                }
                let case = options.first + number;
                let subject = draw(options.seed, case, &menu, &parts);
                let (counts, differences) = check(server, &index, &subject.body, &subject.documents)?;
                if let Ok(mut results) = results.lock() {
                    results.push((case, counts, differences));
                }
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        };
        let running: Vec<_> = (0..THREADS).map(|thread| threads.spawn(move || work(thread))).collect();
        let ended = running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect::<Result<Vec<()>, _>>()
    })?;
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(case, ..)| *case);
    let mut outcome = Outcome::default();
    let mut kinds: BTreeMap<String, (u64, Difference, usize)> = BTreeMap::new();
    for (case, counts, differences) in results {
        outcome.counts.add(counts);
        for difference in differences {
            kinds.entry(kind(&difference)).or_insert((case, difference, 0)).2 += 1;
        }
    }
    for (shown, (case, difference, count)) in kinds.into_values().enumerate() {
        let mut subject = draw(options.seed, case, &menu, &parts);
        let mut difference = difference;
        if shown < SHRUNK {
            subject = smaller(server, subject, &mut difference)?;
        }
        let documents = match difference.document {
            Some(_) => subject.documents.iter().map(crate::documents::Document::text).collect(),
            None => Vec::new(),
        };
        outcome.disagreements.push(Disagreement { difference, body: subject.body, documents, case, count });
    }
    Ok(outcome)
}

fn index_name(thread: usize) -> String {
    format!("conformance-{}-{thread}", std::process::id())
}

fn draw(seed: u64, case: u64, menu: &Menu<'_>, parts: &Parts) -> Subject {
    let mut draw = Draw::new(seed, case);
    let body = body(&mut draw, menu, parts);
    let documents = documents(&mut draw, &body.mappings, DOCUMENTS);
    Subject { body, documents }
}

/// The smallest subject with a difference of the same kind, which is put in the place of the first
/// one.
fn smaller(
    server: &Server,
    subject: Subject,
    difference: &mut Difference,
) -> Result<Subject, ConformanceError> {
    let wanted = kind(difference);
    let index = index_name(THREADS);
    smallest(subject, |smaller| {
        let (_, differences) = check(server, &index, &smaller.body, &smaller.documents)?;
        let same = differences.into_iter().find(|other| kind(other) == wanted);
        let is_same = same.is_some();
        if let Some(same) = same {
            *difference = same;
        }
        Ok(is_same)
    })
}

/// What disagreements of one cause have in common: the direction, and the message without names
/// and numbers.
fn kind(difference: &Difference) -> String {
    let message = match difference.server.as_str() {
        "" => difference.pillowtop.first().map_or("", String::as_str),
        server => server,
    };
    let mut kind = format!("{:?} ", difference.direction);
    let mut is_name = false;
    for letter in message.chars().take(160) {
        match letter {
            '`' | '"' | '\'' => is_name = !is_name,
            '[' | '{' => is_name = true,
            ']' | '}' => is_name = false,
            _ if is_name || letter.is_ascii_digit() => {}
            _ => kind.push(letter),
        }
    }
    kind
}
