//! The bounds of a member.

use std::time::Duration;

use super::lanes::BulkLimits;
use crate::target::GuardedTarget;

/// The bounds of a member.
#[derive(Debug, Clone)]
pub struct MemberOptions {
    /// The bounds of one request, with writes or with dead letters. Default: 5 MB and 1,500 of
    /// them. A server that accepts less lowers the bytes while the member runs.
    pub bulk: BulkLimits,
    /// How long an operation waits for others while bulks are in flight. An idle pillow sends at
    /// once. Default: 200 ms.
    pub linger: Duration,
    /// The most bulks at once. Default: 4.
    pub concurrency: u32,
    /// The most bytes that wait in lanes, dead letters too, before reading stops. Default: 8 MB,
    /// which is several bulks: more would only wait, and memory that was never touched costs as
    /// much time as half of the work on a document.
    pub waiting_bytes: usize,
    /// The most rows that are on their way before reading stops. Default: 100,000.
    pub waiting_rows: usize,
    /// The time limit of one call of the target, which then counts as unreachable. Default:
    /// [`GuardedTarget::LIMIT`].
    pub target_limit: Duration,
    /// How often a position is saved while documents are written. Default: 5 s.
    pub save_interval: Duration,
    /// How long a stop waits for operations on their way, which come again at the next start.
    /// Supervisors commonly kill a process 30 seconds after asking it to stop. Default: 10 s.
    pub stop_within: Duration,
    /// So many open dead letters pause the pillow, until some are resolved. Default: 10,000.
    pub max_open_dead_letters: u64,
    /// A load fails when more than this share of its documents became dead letters, after 1,000
    /// documents, or all of the first 100. `None` never fails. Default: 0.1.
    pub max_dead_letter_share: Option<f64>,
    /// Whether it is a load although its claim follows: the target has no phase of loading. Default:
    /// no.
    pub is_load: bool,
    /// Whether dead letters keep the document. Default: no.
    pub keeps_bodies: bool,
}

impl Default for MemberOptions {
    fn default() -> Self {
        Self {
            bulk: BulkLimits { bytes: 5_000_000, operations: 1500 },
            linger: Duration::from_millis(200),
            concurrency: 4,
            waiting_bytes: 8_000_000,
            waiting_rows: 100_000,
            target_limit: GuardedTarget::LIMIT,
            save_interval: Duration::from_secs(5),
            stop_within: Duration::from_secs(10),
            max_open_dead_letters: 10_000,
            max_dead_letter_share: Some(0.1),
            is_load: false,
            keeps_bodies: false,
        }
    }
}
