//! Building an index from its databases.
//!
//! ```text
//! loading ─ everything there is ─▶ catching up ─ what changed since ─▶ settings restored ─▶ following
//! ```
//!
//! Each database has a claim of its own on the index, with the load's position. A load that was
//! interrupted resumes there. Catching up continues from the load's own last position, or from
//! where the database stood before the load if the load was read through a selector or from a
//! listing: a change after which a document no longer matches the selector is not in it. A copy of
//! another index is continued from that index's position.
//!
//! Only an empty index is loaded anew. One that has documents and no claim is left alone, as
//! anything may be in it: a document that was deleted since would come neither in the load nor in
//! what is caught up.

mod error;
mod view;

mod form;
#[cfg(test)]
mod form_tests;
mod step;

pub(crate) mod ranges;

mod build;

mod loading;

pub use build::Reindex;
pub use error::ReindexError;
pub use form::{Chosen, Wanted};
pub use step::{ReindexPlan, ReindexStep, Reindexed};
pub use view::{design_document, is_current, view_name};
