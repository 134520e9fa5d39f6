//! Elasticsearch 7 to 9 and OpenSearch 1 to 3: a [`Cluster`] administers indices, an [`OwnedIndex`] is one whose lease this process
//! holds and the only thing that writes documents.
//!
//! | index | what is in it |
//! |---|---|
//! | `[<prefix>-]<alias>_<hash12>_<n>` | a pillow's documents; written through its private alias `….W<epoch>` |
//! | `[<prefix>-]pillowtop-control` | one document for each of those: state, lease, epoch, shard histories |
//! | `[<prefix>-]pillowtop-dead-letters` | what could not be indexed |
//!
//! All of them are written through aliases with a capital letter, which no server creates by itself: an index that is deleted
//! under a writer stays deleted.

mod error;
mod product;

mod cluster;

mod bookkeeping;
mod process;
mod rendering;

mod aliases;
mod control;
mod indices;
mod live_mapping;
mod search;
mod status;

mod answer;
mod bulk;
mod dead_letters;

mod acquire;
mod fence;
mod owned;

mod burying;

#[cfg(test)]
mod test_support;

pub use acquire::{AcquireError, AcquireOptions, Tell, WhenHeld};
pub use aliases::FlipPlan;
pub use bulk::body as bulk_body;
pub use cluster::{Cluster, ClusterOptions, SettingsOverrides};
pub use control::{ControlDocument, Owner};
pub use error::ClusterError;
pub use indices::{CreatedIndex, IndexUse};
pub use owned::OwnedIndex;
pub use product::FoundServer;
pub use rendering::{RenderingError, creation_body};
pub use search::{Hit, SearchAnswer, SearchRequest};
pub use status::IndexStatus;
