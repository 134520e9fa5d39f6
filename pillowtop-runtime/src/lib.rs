//! Follows the changes of a CouchDB database through pillows into an index, and loses nothing.
//!
//! The way of a change: a [`source`] gives rows; [`pipeline`] gates, decodes, filters and transforms each for every pillow, queues the
//! operations in lanes, sends bulks to a [`sink`] and judges the answers; acknowledged rows raise the low-watermark, which
//! becomes the checkpoint. [`mod@follow`], [`reindex`] and [`mod@serve`] are what commands and services call.

pub mod backoff;
pub mod clock;
pub mod dead_letter;
pub mod operation;
pub mod state;

pub mod row;
pub mod scan;

pub mod http;

mod stop;

pub mod source;

pub mod sink;

pub mod pipeline;

mod lease;

pub mod follow;
pub mod reindex;
pub mod serve;

pub use dead_letter::DeadLetter;
pub use follow::{ChangesSource, Member, catch_up, follow};
pub use operation::{Action, Operation, Version, WriteMode};
pub use serve::{ServeOptions, Served, serve};
pub use sink::{ItemOutcome, Sink, SinkError, WriteError};
pub use state::{DatabaseIdentity, IndexState, LoadState, Phase};
