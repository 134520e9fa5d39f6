//! What became of a bulk or of dead letters: acknowledged, retried, halved, given up, or a reason
//! to pause.

use std::time::Duration;

use pillowtop_core::Revision;
use tokio::time::Instant;

use super::counters::Count;
use super::decide::{KEPT_DOCUMENT, KEPT_REASON, cut};
use super::entry::{Entry, Work};
use super::isolation::{Unanswered, count_timeout, count_unknown, halve};
use super::pipeline::{Pause, Pipeline};
use crate::clock::now_text;
use crate::dead_letter::{DeadLetter, DeadLetterError, Stage};
use crate::operation::Action;
use crate::request::Processed;
use crate::target::{Outcome, WriteError};

/// Failures in a row after which the reason is shown although the member does not pause.
const SHOWN_FAILURES: u32 = 3;

/// What the outcomes of a bulk add up to.
#[derive(Default)]
struct Tally {
    /// What goes back into the lanes: retries, dead letters, resolutions.
    again: Vec<Entry>,
    retries: u64,
    is_busy: bool,
    blocked: Option<String>,
    is_done: bool,
}

impl Pipeline {
    /// Dead letters were recorded and resolved, or not.
    pub(super) fn complete_dead_letters(
        &mut self,
        mut entries: Vec<Entry>,
        lanes: &[usize],
        response: Result<(), DeadLetterError>,
    ) {
        self.dead_letters.in_flight = false;
        let mut retry_at = Instant::now();
        match response {
            Ok(()) => {
                self.dead_letters.backoff.reset();
                if self.dead_letters.failing.take().is_some() && self.pause.until.is_none() {
                    self.resume();
                }
                for entry in entries.drain(..) {
                    self.stored(entry);
                }
            }
            Err(DeadLetterError::TooLarge(_)) if entries.len() > 1 => {
                self.lower_bytes(entries.iter().map(Entry::bytes).sum());
            }
            Err(DeadLetterError::TooLarge(_)) if entries.iter().any(has_document) => {
                // Better a dead letter without its document than none.
                entries = entries.into_iter().map(without_document).collect();
            }
            Err(error) => {
                retry_at += self.dead_letters.backoff.failed();
                self.dead_letters.failing = Some(error.to_string());
                self.show(Some(error.to_string()));
            }
        }
        self.lanes.complete(lanes, entries, retry_at);
    }

    fn stored(&mut self, entry: Entry) {
        let processed = match entry.work {
            Work::DeadLetter(letter) => {
                self.dead_letters.last = Some(format!("{} of `{}`", letter.error_type, letter.id));
                self.dead_letters.open.insert(entry.hash);
                self.unbury(entry.hash, &entry.revision);
                self.counters.add(Count::DeadLetter, 1);
                Processed::DeadLetter
            }
            Work::Resolve(processed) => {
                self.dead_letters.open.remove(&entry.hash);
                processed
            }
            Work::Write(_) => return,
        };
        self.acknowledge(entry.receipts, processed);
    }

    /// A bulk has outcomes.
    pub(super) fn complete_bulk(&mut self, entries: Vec<Entry>, lanes: &[usize], outcomes: Vec<Outcome>) {
        let mut tally = Tally::default();
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            self.complete_entry(entry, outcome, &mut tally);
        }
        self.concurrency.answered(!tally.is_busy);
        if let Some(reason) = tally.blocked {
            self.pause(reason);
        } else if tally.is_done && !tally.is_busy {
            self.backoff.reset();
            self.resume();
        }
        let wait = if tally.retries == 0 { Duration::ZERO } else { self.backoff.failed() };
        self.counters.add(Count::Retry, tally.retries);
        self.lanes.complete(lanes, tally.again, Instant::now() + wait);
    }

    fn complete_entry(&mut self, mut entry: Entry, outcome: Outcome, tally: &mut Tally) {
        match outcome {
            Outcome::Done | Outcome::Absent => {
                tally.is_done = true;
                let is_absent = outcome == Outcome::Absent;
                entry.is_deletion &= !is_absent;
                tally.again.extend(self.written(entry, is_absent));
            }
            Outcome::Rejected { error_type, reason } => {
                tally.is_done = true;
                tally.again.push(self.reject(entry, error_type, &reason));
            }
            Outcome::Busy { .. } => {
                tally.is_busy = true;
                tally.retries += 1;
                tally.again.push(entry);
            }
            Outcome::Blocked { reason } => {
                tally.blocked = Some(reason);
                tally.retries += 1;
                tally.again.push(entry);
            }
            Outcome::Unknown { error_type, reason } if self.is_buried(&entry) => {
                tally.is_done = true;
                tally.again.push(self.reject(entry, error_type, &reason));
            }
            // The reason may quote the document, so it is not shown.
            Outcome::Unknown { error_type, .. } => {
                if count_unknown(&mut entry) {
                    tally.blocked = Some(format!(
                        "document `{0}` fails with the unrecognised error `{error_type}`; `dead-letters bury {0}` gives up on it",
                        entry.id
                    ));
                }
                tally.retries += 1;
                tally.again.push(entry);
            }
            Outcome::Fenced { reason } => self.lost = Some(reason),
        }
    }

    /// Whether a person has given up on this revision of the document.
    fn is_buried(&self, entry: &Entry) -> bool {
        self.buried.get(&entry.hash) == Some(&entry.revision)
    }

    /// A revision of a document is done. If a person gave up on another one, that is of the past.
    fn unbury(&mut self, hash: u64, revision: &Revision) {
        if self.buried.get(&hash).is_some_and(|buried| buried != revision) {
            self.buried.remove(&hash);
        }
    }

    /// A bulk failed as a whole.
    pub(super) fn complete_failure(
        &mut self,
        mut entries: Vec<Entry>,
        lanes: &[usize],
        error: WriteError,
        after_probe: bool,
    ) {
        self.concurrency.answered(matches!(error, WriteError::Refused(_) | WriteError::TooLarge(_)));
        let mut retry_at = Instant::now();
        // Nothing else is in a request of one, so what is wrong with it is about this document.
        let mut given_up = None;
        match error {
            WriteError::Refused(reason) if entries.len() == 1 => given_up = Some(("request_refused", reason)),
            WriteError::Refused(_) => halve(&mut entries),
            WriteError::TooLarge(reason) if entries.len() == 1 => {
                given_up = Some(("request_too_large", reason));
            }
            WriteError::TooLarge(_) => self.lower_bytes(entries.iter().map(Entry::bytes).sum()),
            WriteError::ClaimLost(reason) => {
                self.lost = Some(reason);
                return;
            }
            WriteError::Blocked(reason) => {
                self.pause(reason);
                retry_at += self.backoff.failed();
            }
            WriteError::Unreachable(reason) => {
                retry_at += self.backoff.failed();
                match count_timeout(&mut entries, after_probe) {
                    Unanswered::Retry => self.show_if_failing(reason),
                    Unanswered::Halve => halve(&mut entries),
                    Unanswered::GiveUp => {
                        let reason = format!("no response to it alone, while other writes get one: {reason}");
                        given_up = Some(("no_response", reason));
                    }
                }
            }
            WriteError::Busy(reason) => {
                retry_at += self.backoff.failed();
                self.show_if_failing(reason);
            }
        }
        let again = match given_up {
            Some((error_type, reason)) => {
                let rejected =
                    entries.into_iter().map(|entry| self.reject(entry, error_type.to_owned(), &reason));
                rejected.collect()
            }
            None => {
                self.counters.add(Count::Retry, entries.len() as u64);
                entries
            }
        };
        self.lanes.complete(lanes, again, retry_at);
    }

    /// A request of so many bytes was too large: later ones have half of that at most. That stays:
    /// such a limit is configuration, of the server or of a proxy before it, and each attempt
    /// above it would send a whole body in vain.
    fn lower_bytes(&mut self, bytes: usize) {
        let bound = &mut self.limits().bytes;
        *bound = (*bound).min(bytes / 2);
        tracing::info!(
            member = self.member,
            bytes = self.options.bulk.bytes,
            "reduced the maximum bulk size"
        );
    }

    fn show_if_failing(&mut self, reason: String) {
        if self.backoff.failures() > SHOWN_FAILURES {
            self.pause.since.get_or_insert_with(Instant::now);
            self.show(Some(reason));
        }
    }

    /// An entry is in the target, or removed from it, where it may have been absent before. Returns
    /// what is to be done before it is acknowledged.
    fn written(&mut self, entry: Entry, is_absent: bool) -> Option<Entry> {
        self.unbury(entry.hash, &entry.revision);
        let processed = match &entry.work {
            Work::Write(Action::Index(_)) => {
                self.counters.add(Count::Indexed, 1);
                Processed::Indexed
            }
            _ => {
                self.counters.add(Count::Deleted, u64::from(entry.is_deletion));
                if is_absent { Processed::NotIndexed } else { Processed::Removed }
            }
        };
        if self.dead_letters.open.contains(&entry.hash) {
            return Some(entry.with_work(Work::Resolve(processed)));
        }
        self.acknowledge(entry.receipts, processed);
        None
    }

    /// The dead letter of an operation, in its place.
    fn reject(&mut self, entry: Entry, error_type: String, reason: &str) -> Entry {
        let document = match &entry.work {
            Work::Write(Action::Index(source)) if self.options.keeps_bodies => {
                Some(cut(&String::from_utf8_lossy(source), KEPT_DOCUMENT))
            }
            _ => None,
        };
        let state = self.open.claim.state();
        let letter = DeadLetter {
            pillow: state.pillow,
            index: state.target,
            database: state.database.name,
            id: entry.id.clone(),
            version: entry.version,
            revision: entry.revision.clone(),
            stage: Stage::Index,
            error_type,
            path: None,
            reason: cut(reason, KEPT_REASON),
            time: now_text(),
            document,
        };
        entry.with_work(Work::DeadLetter(Box::new(letter)))
    }

    fn pause(&mut self, reason: String) {
        let now = Instant::now();
        self.pause.since.get_or_insert(now);
        self.pause.until = Some(now + self.backoff.failed().max(Duration::from_secs(1)));
        self.show(Some(reason));
    }

    /// The target accepts writes again.
    fn resume(&mut self) {
        self.pause = Pause { reason: self.pause.reason.take(), ..Pause::default() };
        self.show(self.dead_letters.failing.clone());
    }

    /// The member was suspended and has acknowledged everything since.
    pub(super) fn end_suspension(&mut self) {
        if std::mem::take(&mut self.is_suspended) {
            self.show(None);
        }
    }

    /// Shows why the member is paused, or that it is not. The reason of a suspension is shown until
    /// everything is acknowledged: that the target accepts a probe does not mean that it
    /// accepts what failed.
    pub(super) fn show(&mut self, reason: Option<String>) {
        if self.is_suspended && reason.is_none() {
            return;
        }
        if self.pause.reason != reason {
            self.counters.set_paused(&self.member, reason.clone());
            self.pause.reason = reason;
        }
    }
}

fn has_document(entry: &Entry) -> bool {
    matches!(&entry.work, Work::DeadLetter(letter) if letter.document.is_some())
}

fn without_document(mut entry: Entry) -> Entry {
    if let Work::DeadLetter(mut letter) =
        std::mem::replace(&mut entry.work, Work::Resolve(Processed::Ignored))
    {
        letter.document = None;
        return entry.with_work(Work::DeadLetter(letter));
    }
    entry
}
