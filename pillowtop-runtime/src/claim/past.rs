//! Earlier checkpoints of a claim, and which of them are kept.

use pillowtop_core::Sequence;
use serde::{Deserialize, Serialize};

use super::store::{ClaimKey, ClaimStore, StoreError};

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

/// Earlier checkpoints of a claim, oldest first, for going back to one before a snapshot. A
/// document of its own, since it is written once a minute and the claim with each saved position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCheckpoints {
    /// The checkpoints.
    pub past: Vec<PastCheckpoint>,
}

impl PastCheckpoints {
    /// Adds a checkpoint, unless there is one of the same minute. Returns whether it was added.
    /// `time` is RFC 3339 in UTC.
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
        stored.parse(format_args!("`{key}`"))
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

/// Thins out what is older: the newest are kept as they came, then the first of each hour, then the
/// first of each day. So a snapshot of last week has a checkpoint that is at most a day older.
fn thin(past: &mut Vec<PastCheckpoint>) {
    let hours_end = past.len().saturating_sub(PAST_MINUTES);
    let newest = past.split_off(hours_end);
    past.dedup_by(|later, earlier| later.hour() == earlier.hour());
    let hours = past.split_off(past.len().saturating_sub(PAST_HOURS));
    past.dedup_by(|later, earlier| later.day() == earlier.day());
    past.drain(..past.len().saturating_sub(PAST_DAYS));
    past.extend(hours.into_iter().chain(newest));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
