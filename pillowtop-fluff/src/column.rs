//! Columns: which Rust types there are in SQL, and their values.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The most characters of a group value. An index of a database has a limit of its own, which is
/// not much higher.
pub const GROUP_CHARACTERS: usize = 255;

/// A type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A string.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal number. `SQLite` has none, so it is stored there as a float.
    Decimal,
    /// A float of 64 bits.
    Float,
    /// `true` or `false`.
    Boolean,
    /// A calendar date.
    Date,
    /// A point in time, in UTC.
    Timestamp,
}

impl ColumnType {
    /// The name of the type in committed files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }

    /// The type of a name in committed files.
    #[cfg(feature = "sql")]
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Text, Self::Integer, Self::Decimal, Self::Float, Self::Boolean, Self::Date, Self::Timestamp]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What a Rust type is as a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnKind {
    /// The type.
    pub column_type: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(Decimal),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date.
    Date(NaiveDate),
    /// A point in time, in UTC.
    Timestamp(NaiveDateTime),
}

/// Why a value cannot be stored in any of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A string with a NUL, which `PostgreSQL` does not store.
    #[error("a string contains NUL, which SQL cannot store")]
    Nul,
    /// A float that is not a number.
    #[error("a float is not finite")]
    NotFinite,
    /// A date that not every database has.
    #[error("a date is not in the years 1 to 9999")]
    DateOutOfRange,
    /// A group value that is too long for an index.
    #[error("a group value has more than {GROUP_CHARACTERS} characters")]
    GroupTooLong,
    /// The sum of whole numbers is too large.
    #[error("the result does not fit into its type")]
    Overflow,
}

impl SqlValue {
    /// The value as JSON, as the rows of a document are handed to a target.
    ///
    /// # Errors
    ///
    /// When no database can store it.
    pub fn to_json(&self) -> Result<Value, ValueError> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Text(text) if text.contains('\0') => return Err(ValueError::Nul),
            Self::Text(text) => json!(text),
            Self::Integer(number) => json!(number),
            Self::Decimal(number) => json!(number.normalize().to_string()),
            Self::Float(number) if !number.is_finite() => return Err(ValueError::NotFinite),
            Self::Float(number) => json!(number),
            Self::Boolean(value) => json!(value),
            Self::Date(date) => json!(date_text(*date)?),
            Self::Timestamp(time) => {
                date_text(time.date())?;
                json!(time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
            }
        })
    }

    /// The value of a group as JSON.
    ///
    /// # Errors
    ///
    /// When no database can store it, or it is too long.
    pub fn to_group_json(&self) -> Result<Value, ValueError> {
        match self {
            Self::Text(text) if text.chars().count() > GROUP_CHARACTERS => Err(ValueError::GroupTooLong),
            value => value.to_json(),
        }
    }

    /// Whether a column of this kind takes the value.
    pub fn fits(&self, kind: ColumnKind) -> bool {
        matches!(
            (self, kind.column_type),
            (Self::Text(_), ColumnType::Text)
                | (Self::Integer(_), ColumnType::Integer)
                | (Self::Decimal(_), ColumnType::Decimal)
                | (Self::Float(_), ColumnType::Float)
                | (Self::Boolean(_), ColumnType::Boolean)
                | (Self::Date(_), ColumnType::Date)
                | (Self::Timestamp(_), ColumnType::Timestamp)
        ) || (*self == Self::Null && kind.nullable)
    }
}

/// A date as every database reads it.
pub(crate) fn date_text(date: NaiveDate) -> Result<String, ValueError> {
    if (1..=9999).contains(&date.year()) {
        Ok(date.format("%Y-%m-%d").to_string())
    } else {
        Err(ValueError::DateOutOfRange)
    }
}

/// A Rust type that is a column of SQL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type of a column",
    label = "SQL has no type for it",
    note = "help: use a string, an integer of up to 64 bits, `Decimal`, `f64`, `bool`, `NaiveDate`, `DateTime<Utc>`, or an `Option` of one; an enum takes part with `fluff_text!(Enum)`"
)]
pub trait SqlColumn {
    /// The column.
    const KIND: ColumnKind;

    /// The value.
    fn to_sql(&self) -> SqlValue;
}

/// A Rust type that rows can be grouped by.
#[diagnostic::on_unimplemented(
    message = "rows cannot be grouped by `{Self}`",
    label = "not a type that SQL groups by",
    note = "help: group by a string, an integer, `bool`, `NaiveDate`, `DateTime<Utc>`, or an `Option` of one; floats and decimals are values, not groups"
)]
pub trait GroupColumn: SqlColumn {}

macro_rules! column {
    ($($type:ty => $kind:ident, |$value:ident| $sql:expr;)*) => {$(
        impl SqlColumn for $type {
            const KIND: ColumnKind = ColumnKind { column_type: ColumnType::$kind, nullable: false };

            fn to_sql(&self) -> SqlValue {
                let $value = self;
                $sql
            }
        }
    )*};
}

column! {
    String => Text, |value| SqlValue::Text(value.clone());
    &str => Text, |value| SqlValue::Text((*value).to_owned());
    i64 => Integer, |value| SqlValue::Integer(*value);
    i32 => Integer, |value| SqlValue::Integer(i64::from(*value));
    i16 => Integer, |value| SqlValue::Integer(i64::from(*value));
    u32 => Integer, |value| SqlValue::Integer(i64::from(*value));
    u16 => Integer, |value| SqlValue::Integer(i64::from(*value));
    u8 => Integer, |value| SqlValue::Integer(i64::from(*value));
    bool => Boolean, |value| SqlValue::Boolean(*value);
    f64 => Float, |value| SqlValue::Float(*value);
    Decimal => Decimal, |value| SqlValue::Decimal(*value);
    NaiveDate => Date, |value| SqlValue::Date(*value);
    NaiveDateTime => Timestamp, |value| SqlValue::Timestamp(*value);
    DateTime<Utc> => Timestamp, |value| SqlValue::Timestamp(value.naive_utc());
}

impl<T: SqlColumn> SqlColumn for Option<T> {
    const KIND: ColumnKind = ColumnKind { column_type: T::KIND.column_type, nullable: true };

    fn to_sql(&self) -> SqlValue {
        self.as_ref().map_or(SqlValue::Null, SqlColumn::to_sql)
    }
}

impl<T: GroupColumn> GroupColumn for Option<T> {}

macro_rules! groups {
    ($($type:ty),*) => { $(impl GroupColumn for $type {})* };
}

groups!(String, &str, i64, i32, i16, u32, u16, u8, bool, NaiveDate, NaiveDateTime, DateTime<Utc>);

/// Makes an enum a column of strings: by its [`Display`](fmt::Display).
#[macro_export]
macro_rules! fluff_text {
    ($type:ty) => {
        impl $crate::SqlColumn for $type {
            const KIND: $crate::ColumnKind =
                $crate::ColumnKind { column_type: $crate::ColumnType::Text, nullable: false };

            fn to_sql(&self) -> $crate::SqlValue {
                $crate::SqlValue::Text(::std::string::ToString::to_string(self))
            }
        }

        impl $crate::GroupColumn for $type {}
    };
}

impl fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
