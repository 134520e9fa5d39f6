//! What a claim remembers: phase, position, identities. Kept in one document, always written whole.

use pillowtop_core::{DatabaseName, Definition, IndexName, PillowName, Sequence};
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

/// Which database this is. One that was deleted and created again has another start time, and
/// sequences of the earlier one mean nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseIdentity {
    /// The database's name.
    pub name: DatabaseName,
    /// CouchDB's `instance_start_time`. "0" and an empty string prove nothing: CouchDB before 3.3
    /// and Cloudant always report "0".
    pub instance_start_time: String,
}

impl DatabaseIdentity {
    /// Whether both may be the same database. A start time of "0" matches any, as CouchDB's
    /// replicator has it.
    pub fn matches(&self, other: &Self) -> bool {
        let is_same_time = self.instance_start_time == other.instance_start_time;
        self.name == other.name && (is_same_time || !self.has_start_time() || !other.has_start_time())
    }

    /// Whether the start time distinguishes this database from one of the same name that is created
    /// later. A stored identity that has none is replaced by a matching one that has one, for
    /// instance after an upgrade of CouchDB.
    pub fn has_start_time(&self) -> bool {
        !matches!(self.instance_start_time.as_str(), "" | "0" | "null")
    }
}

/// A first load, so that it can be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadState {
    /// The position that the database reported before the first document was read.
    pub start: Sequence,
    /// Everything before this position of the load's own feed is acknowledged.
    pub position: Sequence,
    /// Whether the load reads through a selector. A change after which a document no longer matches
    /// the selector is not in it, so catching up begins at `start`.
    #[serde(default)]
    pub uses_selector: bool,
}

/// What a claim remembers of its target, or of its slice of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimState {
    /// The pillow.
    pub pillow: PillowName,
    /// The target's name: a physical index.
    pub target: IndexName,
    /// The content hash that the target was created for.
    pub hash: String,
    /// How far it is.
    pub phase: Phase,
    /// Everything before this position is in the target. Present from catching up on.
    pub checkpoint: Option<Sequence>,
    /// The first load, until it is done.
    pub load: Option<LoadState>,
    /// The database that the positions belong to.
    pub database: DatabaseIdentity,
    /// The purge position up to which purged documents were fetched again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purges: Option<Sequence>,
    /// No version above it was sent.
    pub ceiling: Version,
}

impl ClaimState {
    /// The state of an empty target of a definition, to be filled from a database. With `load` it
    /// is loaded first, otherwise its feed is followed from the start.
    pub fn new(
        definition: &Definition,
        target: IndexName,
        database: DatabaseIdentity,
        load: Option<LoadState>,
    ) -> Self {
        Self {
            pillow: definition.pillow.clone(),
            target,
            hash: definition.hash.to_string(),
            phase: if load.is_some() { Phase::Loading } else { Phase::Following },
            checkpoint: None,
            load,
            database,
            purges: None,
            ceiling: Version(0),
        }
    }

    /// Where reading resumes in this phase.
    pub fn position(&self) -> Sequence {
        match (&self.phase, &self.load, &self.checkpoint) {
            (Phase::Loading, Some(load), _) | (_, Some(load), None) => load.position.clone(),
            (_, _, Some(checkpoint)) => checkpoint.clone(),
            (_, None, None) => Sequence::start(),
        }
    }

    /// Sets where reading resumes in this phase.
    pub fn set_position(&mut self, position: Sequence) {
        match (self.phase, &mut self.load) {
            (Phase::Loading, Some(load)) => load.position = position,
            _ => self.checkpoint = Some(position),
        }
    }

    /// Enters the next phase. Catching up continues from the load's own last position: with several
    /// copies of a shard, the position that `GET /db` reported when the load began may be ahead
    /// of the copy that the load read. A load through a selector is only made where there is
    /// one copy.
    pub fn enter(&mut self, phase: Phase) {
        if self.phase == Phase::Loading {
            let reached =
                |load: &LoadState| if load.uses_selector { &load.start } else { &load.position }.clone();
            self.checkpoint = self.load.as_ref().map(reached);
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

    fn state() -> ClaimState {
        ClaimState {
            pillow: "case".into(),
            target: "hqcases_0_1".into(),
            hash: "0".to_owned(),
            phase: Phase::Loading,
            checkpoint: None,
            load: Some(LoadState { start: "s0".into(), position: Sequence::start(), uses_selector: false }),
            database: DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() },
            purges: None,
            ceiling: Version(1),
        }
    }

    #[test]
    fn catching_up_continues_from_the_own_last_position_of_the_load() {
        let mut state = state();
        state.set_position("l1".into());
        assert_eq!(state.position(), "l1".into());
        assert_eq!(state.checkpoint, None);
        state.enter(Phase::CatchingUp);
        assert_eq!(state.position(), "l1".into());
        state.set_position("s1".into());
        state.enter(Phase::Following);
        assert_eq!(state.position(), "s1".into());
        assert_eq!(state.load, None);
    }

    #[test]
    fn a_start_time_of_zero_has_no_effect() {
        let identity =
            |time: &str| DatabaseIdentity { name: "db".into(), instance_start_time: time.to_owned() };
        assert!(identity("0").matches(&identity("1700000000")));
        assert!(identity("1700000000").matches(&identity("1700000000")));
        assert!(!identity("1700000000").matches(&identity("1700000001")));
        let other = DatabaseIdentity { name: "other".into(), ..identity("0") };
        assert!(!identity("0").matches(&other));
    }
}
