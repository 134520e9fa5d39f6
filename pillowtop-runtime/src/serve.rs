//! Following as a service does: each index as soon as its lease is free, until a stop is asked for.
//!
//! Whatever fails holds, says why, and is tried again, and the rest goes on: an index that another process owns or that is not there, a
//! database that was created again, a lease that was lost.
//!
//! ```text
//!            ┌────────── tried again after a while ◀─────────┐
//! pillows ─▶ opening ─ lease ─▶ gathered for a moment ─▶ following ─ failed, leases given back
//! ```
//!
//! Pillows of a database whose leases were free together share its feed; one that came later has its own.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::AnyPillow;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::follow::{ChangesSource, Member, follow};
use crate::pipeline::{Counters, PipelineOptions};
use crate::reindex::open_following;
use crate::sink::elastic::{AcquireOptions, Cluster, OwnedIndex, Tell, WhenHeld};
use crate::stop::StopSignal as _;

/// How long the first lease waits for those of other pillows of its database, to share a feed with them.
const GATHERING: Duration = Duration::from_secs(2);
/// A session of this length has worked: what fails then is no repetition.
const WORKED: Duration = Duration::from_mins(1);

/// A pillow to follow.
#[derive(Clone)]
pub struct Served {
    pillow: Arc<dyn AnyPillow>,
    counters: Arc<Counters>,
    backoff: Backoff,
}

impl Served {
    /// A pillow to follow; `counters` tell what it has done, and why it holds when it does.
    pub fn new(pillow: Arc<dyn AnyPillow>, counters: Arc<Counters>) -> Self {
        Self { pillow, counters, backoff: Backoff::new(Duration::from_secs(1), Duration::from_mins(1)) }
    }

    fn hold(&self, reason: String) {
        tracing::warn!(pillow = %self.pillow.definition().pillow, reason, "holding");
        self.counters.set_hold(Some(reason));
    }
}

/// How it is followed.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// How leases are taken; they are always waited for.
    pub acquire: AcquireOptions,
    /// The bounds of each pipeline.
    pub pipeline: PipelineOptions,
}

/// Follows the pillows of each database into the cluster until a stop is asked for, then gives the leases back.
///
/// # Panics
///
/// When a task of its own does, which is a bug.
pub async fn serve(
    cluster: &Cluster,
    databases: Vec<(ChangesSource, Vec<Served>)>,
    options: &ServeOptions,
    stop: watch::Receiver<bool>,
) {
    let mut all = JoinSet::new();
    for (source, pillows) in databases {
        let service =
            Service { cluster: cluster.clone(), source, options: options.clone(), stop: stop.clone() };
        all.spawn(async move { service.run(pillows).await });
    }
    while let Some(ended) = all.join_next().await {
        not_panicked(ended);
    }
}

/// Of one database.
#[derive(Clone)]
struct Service {
    cluster: Cluster,
    source: ChangesSource,
    options: ServeOptions,
    stop: watch::Receiver<bool>,
}

/// A pillow whose lease is held.
type Opened = (Served, OwnedIndex);

impl Service {
    async fn run(self, pillows: Vec<Served>) {
        let (mut opening, mut following) = (JoinSet::new(), JoinSet::new());
        let mut opened: Vec<Opened> = Vec::new();
        let mut gathered = Instant::now();
        for served in pillows {
            opening.spawn(self.clone().open(served, Duration::ZERO));
        }
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                // A closed channel means that nobody will ever ask.
                Ok(()) = stop.wait_for_stop() => break,
                Some(next) = opening.join_next() => {
                    if opened.is_empty() {
                        gathered = Instant::now() + GATHERING;
                    }
                    opened.push(not_panicked(next));
                    if opening.is_empty() {
                        gathered = Instant::now();
                    }
                }
                () = tokio::time::sleep_until(gathered), if !opened.is_empty() => {
                    following.spawn(self.clone().follow(std::mem::take(&mut opened)));
                }
                Some(ended) = following.join_next() => {
                    for mut served in not_panicked(ended) {
                        let wait = served.backoff.failed();
                        opening.spawn(self.clone().open(served, wait));
                    }
                }
            }
            if opening.is_empty() && opened.is_empty() && following.is_empty() {
                // A file or a folder came to its end.
                return;
            }
        }
        // A lease that is won just now runs out by itself.
        opening.shutdown().await;
        for (_, index) in opened {
            release(&index).await;
        }
        while let Some(ended) = following.join_next().await {
            not_panicked(ended);
        }
    }

    /// Takes the lease of a pillow's index, whatever it takes.
    async fn open(self, mut served: Served, wait: Duration) -> Opened {
        tokio::time::sleep(wait).await;
        loop {
            let told = served.clone();
            let acquire = AcquireOptions {
                when_held: WhenHeld::Standby,
                tell: Tell(Arc::new(move |sentence| told.hold(sentence.to_owned()))),
                ..self.options.acquire.clone()
            };
            match open_following(&self.cluster, served.pillow.definition(), acquire).await {
                Ok(index) => {
                    served.counters.set_hold(None);
                    return (served, index);
                }
                Err(error) => {
                    served.hold(error.to_string());
                    tokio::time::sleep(served.backoff.failed()).await;
                }
            }
        }
    }

    /// Follows pillows until that fails, and gives their leases back. Those that are to be tried again come back; none after a stop.
    async fn follow(self, opened: Vec<Opened>) -> Vec<Served> {
        let (mut pillows, mut indices, mut members) = (Vec::new(), Vec::new(), Vec::new());
        for (served, index) in opened {
            let index = Arc::new(index);
            let (pillow, counters) = (Arc::clone(&served.pillow), Arc::clone(&served.counters));
            members.push(Member::counted(pillow, Arc::clone(&index) as Arc<_>, counters));
            pillows.push(served);
            indices.push(index);
        }
        let began = Instant::now();
        let ended = follow(&members, &self.source, &self.options.pipeline, self.stop).await;
        // Nobody renews them any more.
        drop(members);
        for index in indices {
            release(&index).await;
        }
        let Err(error) = ended else { return Vec::new() };
        for served in &mut pillows {
            if began.elapsed() >= WORKED {
                served.backoff.reset();
            }
            served.hold(error.to_string());
        }
        pillows
    }
}

/// Gives a lease back; one that was lost is none of ours any more.
async fn release(index: &OwnedIndex) {
    use crate::sink::Sink as _;
    if let Err(error) = index.release().await {
        tracing::info!(index = %index.index(), %error, "the lease is not given back");
    }
}

/// What a task made. A panic is a bug that must be seen.
fn not_panicked<T>(ended: Result<T, JoinError>) -> T {
    match ended {
        Ok(made) => made,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
