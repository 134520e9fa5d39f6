//! What a claim remembers: phase, position, identities. Kept in one document, always written whole.

use pillowtop_core::{DatabaseName, Definition, IndexName, PillowName, Sequence};
use serde::{Deserialize, Serialize};

use super::store::{ClaimKey, ClaimStore, StoreError};
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

/// Which database this is. One that was deleted and created again has another start time, and sequences of the earlier one mean
/// nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseIdentity {
    /// The database's name.
    pub name: DatabaseName,
    /// CouchDB's `instance_start_time`. "0" and an empty string prove nothing: CouchDB before 3.3 and Cloudant always report "0".
    pub instance_start_time: String,
}

impl DatabaseIdentity {
    /// Whether both may be the same database. A start time of "0" matches any, as CouchDB's replicator has it.
    pub fn matches(&self, other: &Self) -> bool {
        let is_same_time = self.instance_start_time == other.instance_start_time;
        self.name == other.name && (is_same_time || !self.has_start_time() || !other.has_start_time())
    }

    /// Whether the start time distinguishes this database from one of the same name that is created later. A stored identity that has none is
    /// replaced by a matching one that has one, for instance after an upgrade of CouchDB.
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
    /// Whether the load reads through a selector. A change after which a document no longer matches the selector is not in it, so
    /// catching up begins at `start`.
    #[serde(default)]
    pub uses_selector: bool,
}

/// One earlier checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCheckpoint {
    /// When it was stored, RFC 3339 in UTC.
    pub time: String,
    /// The position.
    pub since: Sequence,
}

/// Earlier checkpoints that are kept as they came, one a minute at most.
const PAST_MINUTES: usize = 60;
/// Those before them, the first of each hour.
const PAST_HOURS: usize = 48;
/// Those before them, the first of each day.
const PAST_DAYS: usize = 14;

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

/// Earlier checkpoints of a claim, oldest first, for going back to one before a snapshot. A document of its own, since it is
/// written once a minute and the claim with each saved position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCheckpoints {
    /// The checkpoints.
    pub past: Vec<PastCheckpoint>,
}

impl PastCheckpoints {
    /// Adds a checkpoint, unless there is one of the same minute. Returns whether it was added. `time` is RFC 3339 in UTC.
    pub fn add(&mut self, position: Sequence, time: &str) -> bool {
        if self.past.last().is_some_and(|last| last.minute() == minute(time)) {
            return false;
        }
        self.past.push(PastCheckpoint { time: time.to_owned(), since: position });
        thin(&mut self.past);
        true
    }

    /// Reads the earlier checkpoints of a claim.
    ///
    /// # Errors
    ///
    /// When the store does not respond, or they cannot be read.
    pub async fn read(store: &dyn ClaimStore, claim: &ClaimKey) -> Result<Self, StoreError> {
        let key = claim.past();
        let Some(stored) = store.read(&key).await? else { return Ok(Self::default()) };
        serde_json::from_value(stored.value).map_err(|error| StoreError::Refused {
            doing: format!("reading `{key}`"),
            reason: error.to_string(),
        })
    }

    /// The newest checkpoint that was stored before a time, RFC 3339 in UTC.
    pub fn before(&self, time: &str) -> Option<&PastCheckpoint> {
        self.past.iter().rev().find(|checkpoint| checkpoint.time.as_str() < time)
    }
}

impl PastCheckpoint {
    fn minute(&self) -> &str {
        minute(&self.time)
    }

    fn hour(&self) -> &str {
        self.time.get(..13).unwrap_or(&self.time)
    }

    fn day(&self) -> &str {
        self.time.get(..10).unwrap_or(&self.time)
    }
}

/// Times of one format in UTC: their first characters are the day, the hour, the minute.
fn minute(time: &str) -> &str {
    time.get(..16).unwrap_or(time)
}

/// Thins out what is older: the newest are kept as they came, then the first of each hour, then the first of each day. So a snapshot of
/// last week has a checkpoint that is at most a day older.
fn thin(past: &mut Vec<PastCheckpoint>) {
    let hours_end = past.len().saturating_sub(PAST_MINUTES);
    let newest = past.split_off(hours_end);
    past.dedup_by(|later, earlier| later.hour() == earlier.hour());
    let hours = past.split_off(past.len().saturating_sub(PAST_HOURS));
    past.dedup_by(|later, earlier| later.day() == earlier.day());
    past.drain(..past.len().saturating_sub(PAST_DAYS));
    past.extend(hours.into_iter().chain(newest));
}

impl ClaimState {
    /// The state of an empty target of a definition, to be filled from a database. With `load` it is loaded first, otherwise its
    /// feed is followed from the start.
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

    /// Enters the next phase. Catching up continues from the load's own last position: with several copies of a shard, the
    /// position that `GET /db` reported when the load began may be ahead of the copy that the load read. A load through a selector is
    /// only made where there is one copy.
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
    use proptest::prelude::*;

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

    /// A time so many minutes after the start of a year of months of 28 days.
    fn time(minutes: usize) -> String {
        let (day, of_day) = (minutes / 1440, minutes % 1440);
        format!("2026-{:02}-{:02}T{:02}:{:02}:00Z", day / 28 + 1, day % 28 + 1, of_day / 60, of_day % 60)
    }

    /// What is kept of checkpoints that were stored at these minutes.
    fn kept(minutes: &[usize]) -> Vec<PastCheckpoint> {
        let mut checkpoints = PastCheckpoints::default();
        for minute in minutes {
            checkpoints.add(format!("s{minute}").into(), &time(*minute));
        }
        checkpoints.past
    }

    #[test]
    fn one_past_checkpoint_a_minute_is_kept() {
        let mut checkpoints = PastCheckpoints::default();
        assert!(checkpoints.add("s0".into(), "2026-01-01T00:00:00Z"));
        assert!(!checkpoints.add("s30".into(), "2026-01-01T00:00:30Z"));
        assert!(checkpoints.add("s60".into(), "2026-01-01T00:01:00Z"));
        let before = |time| checkpoints.before(time).map(|checkpoint| checkpoint.since.as_str());
        assert_eq!(before("2026-01-01T00:01:00Z"), Some("s0"));
        assert_eq!(before("2026-01-01T00:00:00Z"), None);
    }

    #[test]
    fn past_checkpoints_of_busy_weeks_reach_back_for_two() {
        let all: Vec<usize> = (0..30 * 1440).collect();
        let kept = kept(&all);
        assert!((100..=PAST_MINUTES + PAST_HOURS + PAST_DAYS).contains(&kept.len()), "{}", kept.len());
        assert!(kept[0].time <= time(14 * 1440 + 60), "{:?}", kept[0]);
    }

    proptest! {
        #[test]
        fn past_checkpoints_are_thinned_by_age(gaps in prop::collection::vec(prop_oneof![1..3_usize, 1..90_usize, 1..3000_usize], 1..400)) {
            let minutes: Vec<usize> = gaps
                .iter()
                .scan(0, |minute, gap| { *minute += gap; Some(*minute) })
                .filter(|minute| *minute < 300 * 1440)
                .collect();
            let kept = kept(&minutes);
            prop_assert!(kept.len() <= PAST_MINUTES + PAST_HOURS + PAST_DAYS);
            prop_assert!(kept.is_sorted_by(|earlier, later| earlier.time < later.time));
            let kept: Vec<&str> = kept.iter().map(|entry| entry.time.as_str()).collect();
            // Whatever a snapshot's time is, there is a checkpoint shortly before it.
            let stored: Vec<String> = minutes.iter().rev().map(|minute| time(*minute)).collect();
            let firsts = |length: usize| {
                let mut parts: Vec<&str> = stored.iter().skip(PAST_MINUTES).map(|time| &time[..length]).collect();
                parts.dedup();
                parts
            };
            for newest in stored.iter().take(PAST_MINUTES) {
                prop_assert!(kept.contains(&newest.as_str()));
            }
            for hour in firsts(13).into_iter().take(PAST_HOURS) {
                prop_assert!(kept.iter().any(|time| time.starts_with(hour)), "{hour} is in none of {kept:?}");
            }
            for day in firsts(10).into_iter().take(PAST_DAYS) {
                prop_assert!(kept.iter().any(|time| time.starts_with(day)), "{day} is in none of {kept:?}");
            }
        }
    }
}
