//! One comparison: what the listings differ in is decided, read again, and settled.

use futures_util::TryStreamExt as _;
use pillowtop_core::{DocumentId, Revision};

use super::compare::{Choice, Compared};
use super::findings::{Difference, Findings, Kind};
use super::look::{Expected, Seen, Sides};
use super::settle::Settler;
use super::{Bodies, VerifyError, VerifyEvent};
use crate::engine::DatabaseSelection;
use crate::target::Extent;

/// Documents that are settled together.
const TOGETHER: usize = 5000;
/// Documents that are fetched together, of as many partitions as it takes.
const FETCHED: usize = 2000;

/// A comparison that is running.
pub(super) struct Comparison<'a> {
    sides: &'a Sides<'a>,
    notify: &'a (dyn Fn(VerifyEvent) + Sync),
    settler: Settler<'a>,
    pub(super) findings: Findings,
    pub(super) choice: Choice,
    /// Documents that are in the database only, to be decided.
    absent: Vec<DocumentId>,
    /// Documents whose bodies are to be compared.
    chosen: Vec<DocumentId>,
    entries: u64,
    compared: u64,
    pub(super) documents: u64,
    pub(super) indexed: u64,
    pub(super) bodies_compared: u64,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(sides: &'a Sides<'a>, notify: &'a (dyn Fn(VerifyEvent) + Sync), entries: u64) -> Self {
        let choice = match sides.options.bodies {
            _ if !sides.reader.keeps_bodies() => Choice::sample(0),
            Bodies::All => Choice::All,
            Bodies::Sample(size) => Choice::sample(size),
        };
        Self {
            sides,
            notify,
            settler: Settler::new(sides),
            findings: Findings::new(sides.options.examples),
            choice,
            absent: Vec::new(),
            chosen: Vec::new(),
            entries,
            compared: 0,
            documents: 0,
            indexed: 0,
            bodies_compared: 0,
        }
    }

    /// Documents of the target that the runtime did not write. Where there are several databases,
    /// they are nobody's.
    pub(super) async fn take_strays(&mut self) -> Result<(), VerifyError> {
        if !matches!(self.sides.databases, DatabaseSelection::One(_)) {
            return Ok(());
        }
        let mut pages = self.sides.reader.list(Extent::Strays);
        while let Some(page) = pages.try_next().await.map_err(VerifyError::Target)? {
            self.indexed += page.len() as u64;
            for stray in page {
                self.push(stray.id, None).await?;
            }
        }
        Ok(())
    }

    /// The listings of a partition.
    pub(super) async fn take(&mut self, compared: Compared) -> Result<(), VerifyError> {
        self.documents += compared.documents;
        self.indexed += compared.indexed;
        for id in compared.repeated {
            let detail = "more than once in the index".to_owned();
            let (database_revision, index_revision) = (Revision::from(""), None);
            let difference = Difference { id, database_revision, index_revision, detail };
            self.findings.add_unrepairable(Kind::Extra, difference);
        }
        for id in compared.extra {
            self.push(id, None).await?;
        }
        for (id, revision) in compared.unequal {
            self.push(id, Some(Seen { revision, deleted: false })).await?;
        }
        self.absent.extend(compared.absent);
        self.chosen.extend(compared.chosen);
        self.fetch(FETCHED).await?;
        self.compared += compared.entries;
        (self.notify)(VerifyEvent::Comparing { done: self.compared, total: self.entries });
        Ok(())
    }

    /// Fetches documents that have to be, once there are so many.
    async fn fetch(&mut self, least: usize) -> Result<(), VerifyError> {
        if self.absent.len() >= least {
            self.decide_absent().await?;
        }
        if self.chosen.len() >= least {
            let chosen = std::mem::take(&mut self.chosen);
            self.compare_bodies(&chosen).await?;
        }
        Ok(())
    }

    /// Decides on documents that are in the database only.
    async fn decide_absent(&mut self) -> Result<(), VerifyError> {
        let (sides, ids) = (self.sides, std::mem::take(&mut self.absent));
        let mut pages = sides.decide(&ids);
        while let Some(decided) = pages.try_next().await? {
            for decided in decided {
                if !matches!(decided.expected, Expected::Nothing(_)) {
                    self.push(decided.id, Some(decided.seen)).await?;
                }
            }
        }
        Ok(())
    }

    async fn compare_bodies(&mut self, ids: &[DocumentId]) -> Result<(), VerifyError> {
        let sides = self.sides;
        let mut pages = sides.look(ids);
        while let Some(looks) = pages.try_next().await? {
            for look in looks {
                if self.settler.compare_bodies(&look, &mut self.findings)? {
                    self.bodies_compared += 1;
                } else {
                    // It was changed since it was listed.
                    self.push(look.decided.id, Some(look.decided.seen)).await?;
                }
            }
        }
        Ok(())
    }

    async fn push(&mut self, id: DocumentId, seen: Option<Seen>) -> Result<(), VerifyError> {
        self.settler.push(id, seen);
        if self.settler.len() < TOGETHER {
            return Ok(());
        }
        self.settle(TOGETHER / 2).await
    }

    async fn settle(&mut self, most: usize) -> Result<(), VerifyError> {
        if self.settler.len() > most {
            (self.notify)(VerifyEvent::Settling { documents: self.settler.len() as u64 });
        }
        self.settler.settle(most, &mut self.findings).await
    }

    /// Settles what is open, and compares the bodies of the sample.
    pub(super) async fn finish(mut self) -> Result<Self, VerifyError> {
        if let Choice::Sample { ids, .. } = &mut self.choice {
            self.chosen.append(ids);
        }
        self.fetch(0).await?;
        self.settle(0).await?;
        Ok(self)
    }
}
