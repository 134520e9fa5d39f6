//! Clocks: the time that people read, the time that leases run by, and versions that always rise.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};

use crate::operation::Version;

/// How far above the present a ceiling is reserved. Long against the interval of saving, short
/// against a clock that is set back.
pub const CEILING_AHEAD: Duration = Duration::from_mins(2);

/// Versions that [`VersionClock::has_room`] wants to be left.
const ROOM: u64 = 100_000;

/// Microseconds since 1970.
pub fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The present, RFC 3339 in UTC with seconds.
pub fn now_text() -> String {
    text_of_micros(now_micros())
}

/// A time in microseconds since 1970, RFC 3339 in UTC with seconds.
pub fn text_of_micros(micros: u64) -> String {
    let time = i64::try_from(micros).ok().and_then(DateTime::from_timestamp_micros);
    time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Time since the machine was started, including time that it was suspended: a lease runs out while
/// a machine sleeps, and `Instant` would not notice.
#[cfg(all(target_os = "linux", not(test)))]
pub fn boot_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Time since the first call. Where there is no clock that runs in suspension, a process that slept
/// finds out by the fence that another one owns its index. Tests simulate it with tokio's clock.
#[cfg(any(not(target_os = "linux"), test))]
pub fn boot_time() -> Duration {
    use std::sync::OnceLock;

    use tokio::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Makes the versions of one index: always rising, never above the ceiling that its owner has
/// reserved.
#[derive(Debug)]
pub struct VersionClock {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    last: Version,
    ceiling: Version,
}

impl VersionClock {
    /// A clock that starts above what an earlier owner may have sent. Nothing can be stamped until
    /// a ceiling is reserved.
    pub fn above(earlier_ceiling: Version) -> Self {
        Self { inner: Mutex::new(Inner { last: earlier_ceiling, ceiling: earlier_ceiling }) }
    }

    /// The ceiling to reserve next.
    pub fn next_ceiling(&self) -> Version {
        let inner = self.lock();
        let ahead = u64::try_from(CEILING_AHEAD.as_micros()).unwrap_or(u64::MAX);
        Version(now_micros().max(inner.last.0).saturating_add(ahead)).max(inner.ceiling)
    }

    /// Starts above what somebody else may have sent.
    pub fn raise(&self, above: Version) {
        let mut inner = self.lock();
        inner.last = inner.last.max(above);
    }

    /// A ceiling was stored.
    pub fn reserved(&self, ceiling: Version) {
        let mut inner = self.lock();
        inner.ceiling = inner.ceiling.max(ceiling);
    }

    /// The ceiling that is stored.
    pub fn ceiling(&self) -> Version {
        self.lock().ceiling
    }

    /// The next version; `None` while the ceiling leaves no room. Versions follow the clock, but
    /// not past the ceiling: a clock that was set forward, or a ceiling that could not be
    /// stored for a while, leaves those in between.
    pub fn stamp(&self) -> Option<Version> {
        self.stamp_many(1)
    }

    /// The first of so many versions in a row; `None` while the ceiling leaves no room for all of
    /// them.
    pub fn stamp_many(&self, count: u64) -> Option<Version> {
        let mut inner = self.lock();
        let (after, now) = (inner.last.0 + 1, now_micros());
        let fits = |first: u64| first.saturating_add(count) <= inner.ceiling.0.saturating_add(1);
        let first = [now.max(after), after].into_iter().find(|first| fits(*first))?;
        inner.last = Version(first + count.saturating_sub(1));
        Some(Version(first))
    }

    /// Whether there is room below the ceiling for more versions than anybody stamps before asking
    /// again.
    pub fn has_room(&self) -> bool {
        let inner = self.lock();
        inner.ceiling.0.saturating_sub(inner.last.0) > ROOM
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing panics while it is held.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(text_of_micros(20_088 * 86_400_000_000), "2024-12-31T00:00:00Z");
    }

    #[test]
    fn versions_rise_and_stay_below_the_ceiling() {
        let clock = VersionClock::above(Version(now_micros() + 10_000_000));
        assert_eq!(clock.stamp(), None);
        let earlier = clock.ceiling();
        clock.reserved(clock.next_ceiling());
        let (first, second) = (clock.stamp().unwrap(), clock.stamp().unwrap());
        assert!(earlier < first && first < second && second <= clock.ceiling());
    }

    #[test]
    fn a_clock_that_was_set_forward_leaves_the_versions_below_the_ceiling() {
        let clock = VersionClock::above(Version(1000));
        assert!(!clock.has_room());
        clock.reserved(Version(1_000_000));
        assert!(clock.has_room());
        assert_eq!((clock.stamp(), clock.stamp()), (Some(Version(1001)), Some(Version(1002))));
        clock.reserved(Version(1_000_001));
        (1003..=1_000_001).for_each(|version| assert_eq!(clock.stamp(), Some(Version(version))));
        assert_eq!((clock.stamp(), clock.has_room()), (None, false));
    }
}
