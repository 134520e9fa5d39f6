//! What became of a bulk or of dead letters: acknowledged, sent again, halved, given up, or a reason to hold.

use std::time::Duration;

use tokio::time::Instant;

use super::counters::Count;
use super::judge::{KEPT_DOCUMENT, KEPT_REASON, cut};
use super::pillow::{Done, Pipeline};
use super::probe::{Unanswered, count_unanswered};
use super::queued::{Entry, Queued, QueuedLetter};
use crate::clock::now_text;
use crate::dead_letter::{DeadLetter, Stage};
use crate::operation::Action;
use crate::sink::{ItemOutcome, SinkError, WriteError};

/// How often an operation with an answer that is on no list is sent again before the pillow holds.
const UNKNOWN_ATTEMPTS: u32 = 5;

impl Pipeline {
    /// Judges what became of a bulk or of dead letters.
    pub(super) fn complete(&mut self, done: Done) {
        match done {
            Done::Bulk { operations, lanes, answer: Ok(outcomes), .. } => {
                self.judge_items(operations, &lanes, outcomes);
            }
            Done::Bulk { operations, lanes, answer: Err(error), was_well } => {
                self.judge_failure(operations, &lanes, error, was_well);
            }
            Done::Letters { letters, lanes, answer } => self.complete_letters(letters, &lanes, answer),
            Done::Saved { .. } => {}
        }
    }

    fn complete_letters(
        &mut self,
        mut letters: Vec<QueuedLetter>,
        lanes: &[usize],
        answer: Result<(), SinkError>,
    ) {
        self.letters_in_flight = false;
        let mut retry_at = Instant::now();
        match answer {
            Ok(()) => {
                self.letters_backoff.reset();
                if self.letters_hold.take().is_some() && self.held_until.is_none() {
                    self.release_hold();
                }
                for queued in letters.drain(..) {
                    self.counters.add(Count::DeadLetter);
                    queued.rows.into_iter().for_each(|row| self.watermark.acknowledge(row));
                }
            }
            Err(SinkError::LeaseLost { reason, .. }) => {
                self.lost = Some(reason);
                return;
            }
            Err(SinkError::TooLarge { .. }) if letters.len() > 1 => {
                self.learn_size(letters.iter().map(QueuedLetter::bytes).sum());
            }
            Err(SinkError::TooLarge { .. })
                if letters.iter().any(|queued| queued.letter.document.is_some()) =>
            {
                // Better a letter without its document than none.
                letters = letters.into_iter().map(QueuedLetter::without_document).collect();
            }
            Err(error) => {
                retry_at += self.letters_backoff.failed();
                self.letters_hold = Some(error.to_string());
                self.counters.set_hold(self.letters_hold.clone());
            }
        }
        let again = letters.into_iter().map(Entry::from).collect();
        self.lanes.settle(lanes, again, retry_at);
    }

    fn judge_items(&mut self, operations: Vec<Queued>, lanes: &[usize], outcomes: Vec<ItemOutcome>) {
        let (mut again, mut letters, mut busy, mut held, mut done) =
            (Vec::new(), Vec::new(), false, None, false);
        for (mut queued, outcome) in operations.into_iter().zip(outcomes) {
            match outcome {
                ItemOutcome::Done => {
                    done = true;
                    self.acknowledge(&queued);
                }
                ItemOutcome::Absent => {
                    done = true;
                    queued.is_deletion = false;
                    self.acknowledge(&queued);
                }
                ItemOutcome::Rejected { error_type, reason } => {
                    letters.push(self.reject(queued, error_type, &reason));
                }
                ItemOutcome::Busy { .. } => {
                    busy = true;
                    again.push(Entry::from(queued));
                }
                ItemOutcome::Held { reason } => {
                    held = Some(reason);
                    again.push(Entry::from(queued));
                }
                ItemOutcome::Unknown { error_type, reason } => {
                    queued.attempts += 1;
                    queued.company = 1;
                    if queued.attempts > UNKNOWN_ATTEMPTS {
                        held = Some(format!("document {}: {error_type}: {reason}", queued.operation.id));
                    }
                    again.push(Entry::from(queued));
                }
                ItemOutcome::Fenced { reason } => self.lost = Some(reason),
            }
        }
        self.concurrency.answered(!busy);
        if let Some(reason) = held {
            self.hold(reason);
        } else if done && !busy {
            self.backoff.reset();
            self.release_hold();
        }
        let retry_at = Instant::now() + if again.is_empty() { Duration::ZERO } else { self.backoff.failed() };
        again.iter().for_each(|_| self.counters.add(Count::Retry));
        again.extend(letters);
        self.lanes.settle(lanes, again, retry_at);
    }

    fn judge_failure(
        &mut self,
        mut operations: Vec<Queued>,
        lanes: &[usize],
        error: WriteError,
        was_well: bool,
    ) {
        self.concurrency.answered(matches!(error, WriteError::Refused(_) | WriteError::TooLarge(_)));
        let mut retry_at = Instant::now();
        // Nothing else is in a request of one, so what is wrong with it is about this document.
        let mut given_up = None;
        match error {
            WriteError::Refused(reason) if operations.len() == 1 => {
                given_up = Some(("request_refused", reason));
            }
            WriteError::Refused(_) => halve(&mut operations),
            WriteError::TooLarge(reason) if operations.len() == 1 => {
                given_up = Some(("request_too_large", reason));
            }
            WriteError::TooLarge(_) => {
                self.learn_size(operations.iter().map(|queued| queued.operation.body_bytes()).sum());
            }
            WriteError::LeaseLost(reason) => {
                self.lost = Some(reason);
                return;
            }
            WriteError::Held(reason) => {
                self.hold(reason);
                retry_at += self.backoff.failed();
            }
            WriteError::Unreachable(reason) => {
                retry_at += self.backoff.failed();
                match count_unanswered(&mut operations, was_well) {
                    Unanswered::Again => self.say_if_failing(reason),
                    Unanswered::Halve => halve(&mut operations),
                    Unanswered::GiveUp => {
                        let reason =
                            format!("no answer to it alone, while other writes are answered: {reason}");
                        given_up = Some(("no_answer", reason));
                    }
                }
            }
            WriteError::Busy(reason) => {
                retry_at += self.backoff.failed();
                self.say_if_failing(reason);
            }
        }
        let again = operations.into_iter().map(|queued| match &given_up {
            Some((error_type, reason)) => self.reject(queued, (*error_type).to_owned(), reason),
            None => {
                self.counters.add(Count::Retry);
                queued.into()
            }
        });
        let again = again.collect();
        self.lanes.settle(lanes, again, retry_at);
    }

    /// A request of so many bytes was too large: later ones have half of that at most. That stays: such a limit is configuration, of the
    /// server or of a proxy before it, and each try above it would send a whole body in vain.
    fn learn_size(&mut self, bytes: usize) {
        let bound = &mut self.options.bulk.bytes;
        *bound = (*bound).min(bytes / 2);
        tracing::info!(pillow = %self.name(), bytes = self.options.bulk.bytes, "requests are smaller from now on");
    }

    fn say_if_failing(&self, reason: String) {
        if self.backoff.failures() > 3 {
            self.counters.set_hold(Some(reason));
        }
    }

    fn acknowledge(&mut self, queued: &Queued) {
        match &queued.operation.action {
            Action::Index(_) => self.counters.add(Count::Indexed),
            Action::Delete if queued.is_deletion => self.counters.add(Count::Deleted),
            Action::Delete => {}
        }
        queued.rows.iter().for_each(|row| self.watermark.acknowledge(*row));
    }

    /// The dead letter of an operation, in its place.
    fn reject(&mut self, queued: Queued, error_type: String, reason: &str) -> Entry {
        let document = match &queued.operation.action {
            Action::Index(source) => Some(cut(&String::from_utf8_lossy(source), KEPT_DOCUMENT)),
            Action::Delete => None,
        };
        let letter = DeadLetter {
            pillow: self.state.pillow.clone(),
            index: self.state.index.clone(),
            database: self.state.database.name.clone(),
            id: queued.operation.id,
            version: queued.operation.version,
            revision: queued.revision,
            stage: Stage::Index,
            error_type,
            reason: cut(reason, KEPT_REASON),
            time: now_text(),
            document,
        };
        QueuedLetter::new(self.mourn(letter), queued.rows).into()
    }

    fn hold(&mut self, reason: String) {
        tracing::warn!(pillow = %self.name(), %reason, "holding");
        self.held_until = Some(Instant::now() + self.backoff.failed().max(Duration::from_secs(1)));
        self.counters.set_hold(Some(reason));
    }

    fn release_hold(&mut self) {
        self.held_until = None;
        if self.circuit.open_until().is_none() {
            self.counters.set_hold(self.letters_hold.clone());
        }
    }
}

fn halve(operations: &mut [Queued]) {
    let half = operations.len().div_ceil(2);
    operations.iter_mut().for_each(|queued| queued.company = half);
}
