//! When a difference counts.
//!
//! While documents are written, the two listings differ in whatever was changed in between. A document
//! differs only if all of this is so, in this order:
//!
//! 1. the database had it in revision *r*;
//! 2. the owner's stored position was read, and a one-shot reading of the changes after it did not
//!    have the document: so everything that was ever changed of it, up to *r*, is acknowledged;
//! 3. the latest write of it in the target, in real time, is not what *r* makes;
//! 4. the database still has it in revision *r*.
//!
//! What does not pass is checked again a second later, until it is equal, differs, or its time is
//! over: then its last change is *pending*. A document that was written in the target meanwhile,
//! and is still not at rest, is none of these: its owner is at work on it.
//!
//! Where a database keeps several copies of a shard, one of them may not have a change that another
//! one has, so a difference must be seen several times.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use pillowtop_core::{DocumentId, Revision};
use tokio::time::Instant;

use super::body::difference;
use super::findings::{Difference, Findings, Kind};
use super::look::{Expected, Look, Seen, Sides};
use super::{Bodies, VerifyError};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause where a difference must be seen several times.
const LONG_PAUSE: Duration = Duration::from_secs(5);
/// How long a document is checked that is written in the target all the time.
const RESTLESS: Duration = Duration::from_secs(10);
/// How often a difference must be seen where a database keeps several copies.
const LOOKS: u32 = 3;

/// The revision of a document in the target, if it is there.
#[derive(PartialEq)]
struct Indexed(Option<Revision>);

/// A document that may differ.
struct Candidate {
    id: DocumentId,
    /// The database's document, as it was seen last.
    seen: Option<Seen>,
    /// The revision in the target when it was checked first.
    first: Option<Indexed>,
    since: Instant,
    /// How often it was seen to differ.
    looks: u32,
}

/// What is known when documents are checked.
struct Round {
    /// Documents with changes that the owner has not acknowledged.
    unacknowledged: HashSet<DocumentId>,
    dead_letters: HashSet<DocumentId>,
    /// Whether somebody may be applying changes.
    is_followed: bool,
}

/// Documents that may differ.
pub(super) struct Settler<'a> {
    sides: &'a Sides<'a>,
    open: Vec<Candidate>,
}

/// What became of a candidate.
enum Verdict {
    Settled,
    Open(Candidate),
}

impl<'a> Settler<'a> {
    pub(super) fn new(sides: &'a Sides<'a>) -> Self {
        Self { sides, open: Vec::new() }
    }

    /// A document that may differ, and what the database had of it.
    pub(super) fn push(&mut self, id: DocumentId, seen: Option<Seen>) {
        self.open.push(Candidate { id, seen, first: None, since: Instant::now(), looks: 0 });
    }

    /// How many are not settled.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Settles documents until no more than so many are left.
    pub(super) async fn settle(&mut self, most: usize, findings: &mut Findings) -> Result<(), VerifyError> {
        let mut is_first = true;
        while self.open.len() > most {
            if !is_first {
                tokio::time::sleep(if self.sides.has_one_copy { PAUSE } else { LONG_PAUSE }).await;
            }
            is_first = false;
            self.look(findings).await?;
        }
        Ok(())
    }

    async fn look(&mut self, findings: &mut Findings) -> Result<(), VerifyError> {
        let sides = self.sides;
        let claim = sides.claim().await?;
        let is_followed = claim.live_owner().is_some();
        let (position, database) = (claim.state.position(), claim.state.database);
        let ids: Vec<DocumentId> = self.open.iter().map(|candidate| candidate.id.clone()).collect();
        let among: HashSet<DocumentId> = ids.iter().cloned().collect();
        let unacknowledged = sides.changed_since(position, database, &among).await?;
        let dead_letters = sides.reader.dead_letters().open().await?.into_iter().collect();
        let round = Round { unacknowledged, dead_letters, is_followed };
        let mut candidates: HashMap<DocumentId, Candidate> = std::mem::take(&mut self.open)
            .into_iter()
            .map(|candidate| (candidate.id.clone(), candidate))
            .collect();
        let mut looks = sides.look(&ids);
        while let Some(looks) = looks.try_next().await? {
            for look in looks {
                // A document that was pushed twice is one.
                let Some(candidate) = candidates.remove(&look.decided.id) else { continue };
                if let Verdict::Open(candidate) = self.classify(candidate, &look, &round, findings)? {
                    self.open.push(candidate);
                }
            }
        }
        Ok(())
    }

    fn classify(
        &self,
        mut candidate: Candidate,
        look: &Look,
        round: &Round,
        findings: &mut Findings,
    ) -> Result<Verdict, VerifyError> {
        let Some(kind) = self.kind(look, round, findings)? else { return Ok(Verdict::Settled) };
        if kind == Kind::DeadLetter {
            findings.add(kind, self.describe(look))?;
            return Ok(Verdict::Settled);
        }
        let indexed = || Indexed(look.found.as_ref().map(|found| found.revision.clone()));
        let first = candidate.first.get_or_insert_with(indexed);
        let is_same = candidate.seen.as_ref() == Some(&look.decided.seen);
        let is_acknowledged = !round.unacknowledged.contains(&candidate.id);
        let was_written = *first != indexed();
        candidate.looks = if is_same && is_acknowledged { candidate.looks + 1 } else { 0 };
        candidate.seen = Some(look.decided.seen.clone());
        if candidate.looks >= if self.sides.has_one_copy { 1 } else { LOOKS } {
            findings.add(kind, self.describe(look))?;
            return Ok(Verdict::Settled);
        }
        let elapsed = candidate.since.elapsed();
        let is_late = elapsed >= self.sides.options.patience;
        if was_written && (is_late || elapsed >= RESTLESS) {
            return Ok(Verdict::Settled);
        }
        if is_late || (is_same && !is_acknowledged && !round.is_followed) {
            findings.add(Kind::Pending, self.describe(look))?;
            return Ok(Verdict::Settled);
        }
        Ok(Verdict::Open(candidate))
    }

    /// How a document differs at this moment, if it does.
    fn kind(&self, look: &Look, round: &Round, findings: &mut Findings) -> Result<Option<Kind>, VerifyError> {
        let revision = &look.decided.seen.revision;
        let has_revision = look.found.as_ref().is_some_and(|found| found.revision == *revision);
        let is_of_another = look.found_in(self.sides).is_some();
        let kind = match (&look.decided.expected, &look.found) {
            (Expected::Nothing(_), None) => return Ok(None),
            // What another database has under this id is its own.
            (Expected::Nothing(_), Some(_)) if is_of_another => return Ok(None),
            (Expected::Document(_) | Expected::DeadLetter, Some(_)) if is_of_another => {
                return Ok(Some(Kind::Collision));
            }
            (Expected::Nothing(_), Some(_)) => return Ok(Some(Kind::Extra)),
            // One that could still be indexed when that was done.
            (Expected::DeadLetter, Some(_)) if has_revision => return Ok(None),
            (Expected::Document(_), Some(_)) if has_revision => {
                if self.sides.options.bodies == Bodies::All && self.sides.reader.keeps_bodies() {
                    self.compare_bodies(look, findings)?;
                }
                return Ok(None);
            }
            (_, None) => Kind::Missing,
            (_, Some(_)) => Kind::Stale,
        };
        let id = self.sides.deciders.decider.id_of(&look.decided.id);
        Ok(Some(if round.dead_letters.contains(&id) { Kind::DeadLetter } else { kind }))
    }

    /// Compares the bodies of a document whose revision is the same on both sides. Nothing can have
    /// changed in between, so a difference counts at once. Returns whether they could be compared.
    pub(super) fn compare_bodies(&self, look: &Look, findings: &mut Findings) -> Result<bool, VerifyError> {
        let (Expected::Document(source), Some(found)) = (&look.decided.expected, &look.found) else {
            return Ok(false);
        };
        if found.revision != look.decided.seen.revision || look.found_in(self.sides).is_some() {
            return Ok(false);
        }
        let expected = serde_json::from_slice(source).unwrap_or_default();
        if let Some(path) = difference(&expected, &found.source, &self.sides.options.ignore) {
            findings.add(Kind::Body, Difference { detail: path, ..self.describe(look) })?;
        }
        Ok(true)
    }

    fn describe(&self, look: &Look) -> Difference {
        let detail = match (look.found_in(self.sides), &look.decided.expected) {
            (Some(database), _) => format!("the index has the one of database `{database}`"),
            (None, Expected::Nothing(reason)) if look.found.is_some() => (*reason).to_owned(),
            _ => String::new(),
        };
        Difference {
            id: look.decided.id.clone(),
            database_revision: look.decided.seen.revision.clone(),
            index_revision: look.found.as_ref().map(|found| found.revision.clone()),
            detail,
        }
    }
}
