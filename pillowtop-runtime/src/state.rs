//! The state of one physical index: phase, positions, identities, owner. Kept in one document, always written whole.

use pillowtop_core::{DatabaseName, IndexName, PillowName, Sequence};
use serde::{Deserialize, Serialize};

use crate::operation::Version;

/// How far an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Documents are copied in; only loaders write.
    Loading,
    /// Changes since the load began are applied.
    CatchingUp,
    /// Changes are followed.
    Following,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Loading => "loading",
            Self::CatchingUp => "catching up",
            Self::Following => "following",
        })
    }
}

/// Which database this is: one that was deleted and created again has another start time, and its sequences mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseIdentity {
    /// The database's name.
    pub name: DatabaseName,
    /// CouchDB's `instance_start_time`, as text.
    pub instance_start_time: String,
}

/// A first load, so that it can be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadState {
    /// The feed's position before the first document was read; catching up starts here.
    pub start: Sequence,
    /// The version of every write of the load, lower than any later one.
    pub version: Version,
    /// Everything before this position of the load's own feed is acknowledged.
    pub position: Sequence,
}

/// One earlier checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCheckpoint {
    /// When it was stored, RFC 3339 in UTC.
    pub time: String,
    /// The position.
    pub since: Sequence,
}

/// How many earlier checkpoints are kept, one a minute at most.
pub const PAST_CHECKPOINTS: usize = 100;

/// The state of one physical index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    /// The pillow.
    pub pillow: PillowName,
    /// The physical index.
    pub index: IndexName,
    /// The content hash that it was created for.
    pub hash: String,
    /// How far it is.
    pub phase: Phase,
    /// Everything before this position is in the index; present from catching up on.
    pub checkpoint: Option<Sequence>,
    /// The first load, until it is done.
    pub load: Option<LoadState>,
    /// The database that the positions belong to.
    pub database: DatabaseIdentity,
    /// No version above it was sent.
    pub ceiling: Version,
    /// Earlier checkpoints, oldest first, for going back to one before a snapshot.
    pub past: Vec<PastCheckpoint>,
}

impl IndexState {
    /// Where reading goes on in this phase.
    pub fn position(&self) -> Sequence {
        match (&self.phase, &self.load, &self.checkpoint) {
            (Phase::Loading, Some(load), _) => load.position.clone(),
            (_, Some(load), None) => load.start.clone(),
            (_, _, Some(checkpoint)) => checkpoint.clone(),
            (_, None, None) => Sequence::start(),
        }
    }

    /// Stores where reading goes on in this phase; `time` is RFC 3339 in UTC.
    pub fn set_position(&mut self, position: Sequence, time: &str) {
        if let (Phase::Loading, Some(load)) = (self.phase, &mut self.load) {
            load.position = position;
            return;
        }
        // Times of one format in UTC: the first 16 characters are the minute.
        let minute = |time: &str| time.get(..16).map(str::to_owned);
        if self.past.last().is_none_or(|last| minute(&last.time) != minute(time)) {
            self.past.push(PastCheckpoint { time: time.to_owned(), since: position.clone() });
            let surplus = self.past.len().saturating_sub(PAST_CHECKPOINTS);
            self.past.drain(..surplus);
        }
        self.checkpoint = Some(position);
    }

    /// Goes to the next phase: what the load needed is dropped when it is over.
    pub fn enter(&mut self, phase: Phase) {
        if self.phase == Phase::Loading {
            self.checkpoint = self.load.as_ref().map(|load| load.start.clone());
        }
        self.phase = phase;
        if phase == Phase::Following {
            self.load = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> IndexState {
        IndexState {
            pillow: "case".into(),
            index: "hqcases_0_1".into(),
            hash: "0".to_owned(),
            phase: Phase::Loading,
            checkpoint: None,
            load: Some(LoadState { start: "s0".into(), version: Version(1), position: Sequence::start() }),
            database: DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() },
            ceiling: Version(1),
            past: Vec::new(),
        }
    }

    #[test]
    fn a_load_is_followed_by_what_changed_since_it_began() {
        let mut state = state();
        state.set_position("l1".into(), "2026-01-01T00:00:00Z");
        assert_eq!(state.position(), "l1".into());
        assert_eq!(state.checkpoint, None);
        state.enter(Phase::CatchingUp);
        assert_eq!(state.position(), "s0".into());
        state.set_position("s1".into(), "2026-01-01T00:00:00Z");
        state.enter(Phase::Following);
        assert_eq!(state.position(), "s1".into());
        assert_eq!(state.load, None);
    }

    #[test]
    fn one_past_checkpoint_a_minute_is_kept() {
        let mut state = state();
        state.enter(Phase::Following);
        for minute in 0..200 {
            for second in [0, 30] {
                let time = format!("2026-01-01T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60);
                state.set_position(format!("s{minute}-{second}").into(), &time);
            }
        }
        assert_eq!(state.past.len(), PAST_CHECKPOINTS);
        assert_eq!(state.past[0].since, "s100-0".into());
    }
}
