//! Rows in a database: `SQLite` or `PostgreSQL`.
//!
//! ```text
//! <name>                the view that people query: all columns
//! <name>_<calculator>   a view for each calculator: a row for each document, groups and date
//! <name>_<hash>_<n>     the table
//! <name>_<hash>_<n>_docs  the documents that have been computed, with their revisions
//! pillowtop_tables      which tables there are, and which one the views show
//! pillowtop_claims      who writes, and how far it is
//! pillowtop_dead_letters, pillowtop_events, pillowtop_views
//! ```

mod error;

mod layout;

mod database;

mod own_tables;

mod schema;

mod stored;

mod events;

mod pending;

mod claims;
mod dead_letters;
mod reader;
mod target;

mod destination;

mod results;

pub use claims::SqlClaimStore;
pub use database::SqlDatabase;
pub use dead_letters::SqlDeadLetters;
pub use destination::{SqlDestination, SqlOptions};
pub use error::SqlError;
pub use events::{ChangeHook, Grain, HookFunction};
pub use layout::{Layout, LayoutColumn, Role};
pub use reader::SqlReader;
pub use results::{Period, Query, ResultRow, Results};
pub use schema::{PhysicalTable, Schema, all_tables};
pub use stored::stored_rows;
