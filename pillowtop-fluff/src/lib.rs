//! Documents to rows in SQL: dated, grouped values for reports, as a target of pillowtop.
//!
//! A struct with `#[derive(Fluff)]` says which documents have rows, what the rows are grouped by,
//! and which [calculators](Calculator) give values for them. A calculator has
//! [emitters](Emitter), which are constants with functions. See `docs/fluff.md`.

mod column;

mod emitter;

mod table;

mod rows;

mod fluff;

mod snapshot;

#[cfg(feature = "sql")]
pub mod sql;

pub use column::{ColumnKind, ColumnType, GROUP_CHARACTERS, GroupColumn, SqlColumn, SqlValue, ValueError};
pub use emitter::{
    Dated, DatedEmitter, Emission, EmittedNumber, Emitter, Filter, Number, Reduce, ToDate, Undated,
    UndatedEmitter, dated, undated,
};
pub use fluff::{Fluff, definition, emit, pillow};
pub use pillowtop_derive::Fluff;
pub use rows::{EmitError, MAX_VALUES, Rows};
pub use snapshot::assert_emits;
pub use table::{Calculated, Calculator, Source, Table};

#[doc(hidden)]
pub mod __private {
    use crate::column::{ColumnKind, GroupColumn, SqlColumn};

    pub use crate::table::assert_table;
    pub use pillowtop_core::{Committed, CouchDocument};

    /// What a type is as a column that rows are grouped by.
    pub const fn group_kind<T: GroupColumn>() -> ColumnKind {
        T::KIND
    }

    /// What a type is as a column.
    pub const fn column_kind<T: SqlColumn>() -> ColumnKind {
        T::KIND
    }
}
