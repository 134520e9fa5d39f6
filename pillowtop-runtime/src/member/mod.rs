//! From rows to acknowledged operations: the [`Pipeline`] of one pillow, and the [`Session`] that drives several on one feed.
//!
//! ```text
//! row ─ judge ─▶ lanes ─┬▶ bulk ─▶ sink ─▶ outcome ─┬▶ watermark ─▶ checkpoint
//!                  ▲    └▶ dead letters ─▶ sink ─────┤
//!                  └─ sent again, or a dead letter ◀─┘
//! ```

mod answers;
mod counters;
mod judge;
mod lanes;
mod loaded;
mod pace;
mod pillow;
mod probe;
mod queued;
mod session;
mod watermark;

#[cfg(test)]
mod tests;

pub use counters::{Counters, Counts};
pub use judge::{Judgement, judge};
pub use lanes::BulkLimits;
pub use pillow::{Pipeline, PipelineOptions};
pub use session::{Session, SessionEnd, SessionError};
