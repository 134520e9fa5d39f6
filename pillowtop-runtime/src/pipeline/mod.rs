//! From rows to acknowledged operations: the [`Pipeline`] of one pillow, and the [`Session`] that drives several on one feed.
//!
//! ```text
//! row ─ judge ─▶ lanes ─▶ bulk ─▶ sink ─▶ outcome ─┬▶ watermark ─▶ checkpoint
//!                  ▲──────────── sent again ◀──────┤
//!                                  dead letter ◀───┘ (stored before its row counts as acknowledged)
//! ```

mod counters;
mod judge;
mod lanes;
mod loaded;
mod pace;
mod pillow;
mod session;
mod watermark;

#[cfg(test)]
mod tests;

pub use counters::{Counters, Counts};
pub use judge::{Judgement, judge};
pub use lanes::BulkLimits;
pub use pillow::{Pipeline, PipelineOptions};
pub use session::{Session, SessionEnd, SessionError};
