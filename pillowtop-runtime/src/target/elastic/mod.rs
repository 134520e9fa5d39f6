//! Elasticsearch 7 to 9 and OpenSearch 1 to 3.
//!
//! A [`Cluster`] administers indices. A [`LeasedIndex`] is an index whose claim this process holds;
//! nothing else writes documents. An [`ElasticDestination`] opens the indices of one pillow.
//!
//! | index | contents |
//! |---|---|
//! | `[<prefix>-]<alias>_<hash12>_<n>` | a pillow's documents; written through its private alias `….<uuid>.W<epoch>` |
//! | `[<prefix>-]pillowtop-control` | claims, leases and requests to owners: the [`ControlIndex`] |
//! | `[<prefix>-]pillowtop-dead-letters` | changes that could not be indexed |
//!
//! All of them are written through aliases with a capital letter, which no server creates by
//! itself: an index that is deleted while it is written stays deleted.

#[cfg(test)]
mod scripted;

mod product;
mod rendering;

mod error;

mod body_buffers;
mod request;

mod cluster;
mod shards;

mod private_aliases;

mod aliases;
mod internal_index;
mod live_mapping;
mod readback;
mod search;

mod control;
mod indices;

mod backfill;
mod moves;
mod status;

mod overview;

mod privileges;

mod facts;

mod classify;

mod item;
mod shard_terms;

mod bulk;

mod dead_letters;

mod dead_letter_search;

mod dynamic_settings;
mod extend;
mod prune;

mod fence;

mod copy;
mod space;

mod gate;
mod leased;

mod listing;

mod reader;

mod destination;

pub use aliases::FlipPlan;
pub use backfill::{Backfill, IndexedId};
pub use bulk::body as bulk_body;
pub use cluster::{Cluster, ClusterOptions, SettingsOverrides};
pub use control::ControlIndex;
pub use copy::{CopySource, CopyStatus};
pub use dead_letter_search::{DeadLetterFilter, DeadLetterPage, DeadLettersOf, NextPage, StoredDeadLetter};
pub use dead_letters::IndexDeadLetters;
pub use destination::ElasticDestination;
pub use dynamic_settings::SettingChange;
pub use error::ClusterError;
pub use extend::Extension;
pub use facts::ClusterFact;
pub use fence::IndexFence;
pub use gate::{Expected, GateOptions, Problem};
pub use indices::{CreatedIndex, IndexUse};
pub use leased::LeasedIndex;
pub use moves::{AliasHistory, AliasMove};
pub use overview::{ForeignIndex, Overview};
pub use product::FoundServer;
pub use prune::Removed;
pub use rendering::{RenderingError, creation_body};
pub use search::{DocumentCopy, SearchHit, SearchRequest, SearchResponse};
pub use space::Space;
pub use status::{IndexHealth, IndexStatus};
