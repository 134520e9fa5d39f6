//! Where the samples get their variety: a small generator that gives the same numbers everywhere,
//! and a calendar.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// The day that the story begins, in seconds since 1970: 2024-01-08T08:00:00Z.
const BEGINNING: i64 = 1_704_700_800;

/// `SplitMix64`: a few lines, no dependency, well spread.
#[derive(Debug, Clone)]
pub(super) struct Generator(u64);

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to `limit`, which is not 0, without it.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        let reduced = self.next() % u64::from(limit);
        u32::try_from(reduced).unwrap_or_default()
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which are not none.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let limit = u32::try_from(choices.len()).unwrap_or(u32::MAX);
        &choices[usize::try_from(self.below(limit)).unwrap_or_default()]
    }

    /// 32 hexadecimal digits, as `CouchDB` makes ids.
    pub(super) fn id(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    /// What phones make ids from.
    pub(super) fn uuid(&mut self) -> String {
        let digits = self.id();
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        parts.join("-")
    }
}

/// The time since the story began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(TimeDelta);

impl Moment {
    pub(super) const START: Self = Self(TimeDelta::zero());

    pub(super) fn plus(self, seconds: u32) -> Self {
        Self(self.0 + TimeDelta::seconds(i64::from(seconds)))
    }

    fn time(self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(BEGINNING) + self.0
    }

    /// To the second, as the server writes it.
    pub(super) fn instant(self) -> String {
        self.time().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// To the microsecond, as phones write it.
    pub(super) fn fine(self) -> String {
        self.time().to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    pub(super) fn date(self) -> String {
        self.time().format("%Y-%m-%d").to_string()
    }
}
