//! Emitters and filters: what a calculator makes of a document, as constants.

use chrono::NaiveDate;
use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;

use crate::column::{ColumnType, SqlValue};

/// How several values with one key become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduce {
    /// Their sum.
    Sum,
    /// How many there are.
    Count,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The sum of their squares.
    SumSqr,
    /// Their mean. The table has their sum and their number, so that means of several keys are
    /// right.
    Avg,
}

impl Reduce {
    /// The name in committed files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::SumSqr => "sumsqr",
            Self::Avg => "avg",
        }
    }

    /// How many columns an emitter has.
    pub(crate) const fn columns(self) -> usize {
        if matches!(self, Self::Avg) { 2 } else { 1 }
    }

    /// The reduction of a name in committed files.
    #[cfg(feature = "sql")]
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Sum, Self::Count, Self::Min, Self::Max, Self::SumSqr, Self::Avg]
            .into_iter()
            .find(|reduce| reduce.name() == name)
    }
}

/// A number that an emitter gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(Decimal),
    /// A float.
    Float(f64),
}

/// The Rust types of values.
pub trait EmittedNumber: Copy {
    /// The value of an emission that names none.
    const ONE: Self;

    /// The number.
    fn number(self) -> Number;
}

impl EmittedNumber for i64 {
    const ONE: Self = 1;

    fn number(self) -> Number {
        Number::Integer(self)
    }
}

impl EmittedNumber for Decimal {
    const ONE: Self = Self::ONE;

    fn number(self) -> Number {
        Number::Decimal(self)
    }
}

impl EmittedNumber for f64 {
    const ONE: Self = 1.0;

    fn number(self) -> Number {
        Number::Float(self)
    }
}

/// One value that an emitter gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Emission {
    /// Its date; none from an undated emitter.
    pub date: Option<NaiveDate>,
    /// The value.
    pub value: Number,
    /// Its own group values, in place of those of the document.
    pub groups: Option<Vec<SqlValue>>,
}

/// Something with a date: the time of day is cut off, in UTC.
pub trait ToDate {
    /// The date.
    fn to_date(self) -> NaiveDate;
}

impl ToDate for NaiveDate {
    fn to_date(self) -> NaiveDate {
        self
    }
}

impl ToDate for NaiveDateTime {
    fn to_date(self) -> NaiveDate {
        self.date()
    }
}

impl ToDate for DateTime<Utc> {
    fn to_date(self) -> NaiveDate {
        self.date_naive()
    }
}

/// What a dated emitter writes to.
#[derive(Debug)]
pub struct Dated<T>(Vec<Emission>, std::marker::PhantomData<T>);

impl<T: EmittedNumber> Dated<T> {
    /// Gives 1 on a date.
    pub fn on(&mut self, date: impl ToDate) {
        self.value(date, T::ONE);
    }

    /// Gives a value on a date.
    pub fn value(&mut self, date: impl ToDate, value: T) {
        self.0.push(Emission { date: Some(date.to_date()), value: value.number(), groups: None });
    }

    /// Gives a value on a date, under group values of its own: as many as the table is grouped by.
    pub fn grouped(&mut self, groups: Vec<SqlValue>, date: impl ToDate, value: T) {
        self.0.push(Emission { date: Some(date.to_date()), value: value.number(), groups: Some(groups) });
    }
}

/// What an undated emitter writes to.
#[derive(Debug)]
pub struct Undated<T>(Vec<Emission>, std::marker::PhantomData<T>);

impl<T: EmittedNumber> Undated<T> {
    /// Gives 1.
    pub fn one(&mut self) {
        self.value(T::ONE);
    }

    /// Gives a value.
    pub fn value(&mut self, value: T) {
        self.0.push(Emission { date: None, value: value.number(), groups: None });
    }

    /// Gives a value under group values of its own: as many as the table is grouped by.
    pub fn grouped(&mut self, groups: Vec<SqlValue>, value: T) {
        self.0.push(Emission { date: None, value: value.number(), groups: Some(groups) });
    }
}

type DatedFn<D, T> = fn(&D, &mut Dated<T>);
type UndatedFn<D, T> = fn(&D, &mut Undated<T>);

enum Function<D> {
    DatedIntegers(DatedFn<D, i64>),
    DatedDecimals(DatedFn<D, Decimal>),
    DatedFloats(DatedFn<D, f64>),
    Integers(UndatedFn<D, i64>),
    Decimals(UndatedFn<D, Decimal>),
    Floats(UndatedFn<D, f64>),
}

/// One column of a calculator: what it gives for a document, and how that is reduced.
pub struct Emitter<D> {
    /// Its name, which is a part of the column's.
    pub name: &'static str,
    /// How values with one key become one.
    pub reduce: Reduce,
    function: Function<D>,
}

impl<D> std::fmt::Debug for Emitter<D> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Emitter").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A dated emitter without its function.
#[derive(Debug, Clone, Copy)]
pub struct DatedEmitter(&'static str, Reduce);

/// An undated emitter without its function.
#[derive(Debug, Clone, Copy)]
pub struct UndatedEmitter(&'static str, Reduce);

/// An emitter whose values have dates.
pub const fn dated(name: &'static str, reduce: Reduce) -> DatedEmitter {
    DatedEmitter(name, reduce)
}

/// An emitter whose values have no dates.
pub const fn undated(name: &'static str, reduce: Reduce) -> UndatedEmitter {
    UndatedEmitter(name, reduce)
}

impl DatedEmitter {
    /// With a function that gives whole numbers.
    pub const fn integers<D>(self, emit: DatedFn<D, i64>) -> Emitter<D> {
        Emitter { name: self.0, reduce: self.1, function: Function::DatedIntegers(emit) }
    }

    /// With a function that gives decimal numbers.
    pub const fn decimals<D>(self, emit: DatedFn<D, Decimal>) -> Emitter<D> {
        Emitter { name: self.0, reduce: self.1, function: Function::DatedDecimals(emit) }
    }

    /// With a function that gives floats.
    pub const fn floats<D>(self, emit: DatedFn<D, f64>) -> Emitter<D> {
        Emitter { name: self.0, reduce: self.1, function: Function::DatedFloats(emit) }
    }
}

impl UndatedEmitter {
    /// With a function that gives whole numbers.
    pub const fn integers<D>(self, emit: UndatedFn<D, i64>) -> Emitter<D> {
        Emitter { name: self.0, reduce: self.1, function: Function::Integers(emit) }
    }

    /// With a function that gives decimal numbers.
    pub const fn decimals<D>(self, emit: UndatedFn<D, Decimal>) -> Emitter<D> {
        Emitter { name: self.0, reduce: self.1, function: Function::Decimals(emit) }
    }

    /// With a function that gives floats.
    pub const fn floats<D>(self, emit: UndatedFn<D, f64>) -> Emitter<D> {
        Emitter { name: self.0, reduce: self.1, function: Function::Floats(emit) }
    }
}

impl<D> Emitter<D> {
    /// Whether its values have dates.
    pub const fn is_dated(&self) -> bool {
        matches!(
            self.function,
            Function::DatedIntegers(_) | Function::DatedDecimals(_) | Function::DatedFloats(_)
        )
    }

    /// The type of its values.
    pub const fn value_type(&self) -> ColumnType {
        match self.function {
            Function::DatedIntegers(_) | Function::Integers(_) => ColumnType::Integer,
            Function::DatedDecimals(_) | Function::Decimals(_) => ColumnType::Decimal,
            Function::DatedFloats(_) | Function::Floats(_) => ColumnType::Float,
        }
    }

    /// The type of its first column.
    pub(crate) const fn column_type(&self) -> ColumnType {
        match self.reduce {
            Reduce::Count => ColumnType::Integer,
            _ => self.value_type(),
        }
    }

    /// What it gives for a document.
    pub fn emit(&self, document: &D) -> Vec<Emission> {
        fn dated<D, T>(emit: DatedFn<D, T>, document: &D) -> Vec<Emission> {
            let mut out = Dated(Vec::new(), std::marker::PhantomData);
            emit(document, &mut out);
            out.0
        }
        fn undated<D, T>(emit: UndatedFn<D, T>, document: &D) -> Vec<Emission> {
            let mut out = Undated(Vec::new(), std::marker::PhantomData);
            emit(document, &mut out);
            out.0
        }
        match self.function {
            Function::DatedIntegers(emit) => dated(emit, document),
            Function::DatedDecimals(emit) => dated(emit, document),
            Function::DatedFloats(emit) => dated(emit, document),
            Function::Integers(emit) => undated(emit, document),
            Function::Decimals(emit) => undated(emit, document),
            Function::Floats(emit) => undated(emit, document),
        }
    }
}

/// A condition on documents, by name.
pub enum Filter<D: 'static> {
    /// A function, and the name that committed files have for it.
    Is(&'static str, fn(&D) -> bool),
    /// What does not hold.
    Not(&'static Filter<D>),
    /// What all hold; nothing, of none.
    All(&'static [Filter<D>]),
    /// What one of them holds.
    Any(&'static [Filter<D>]),
}

impl<D> std::fmt::Debug for Filter<D> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl<D> Filter<D> {
    /// Whether it holds for a document.
    pub fn accepts(&self, document: &D) -> bool {
        match self {
            Self::Is(_, function) => function(document),
            Self::Not(filter) => !filter.accepts(document),
            Self::All(filters) => filters.iter().all(|filter| filter.accepts(document)),
            Self::Any(filters) => filters.iter().any(|filter| filter.accepts(document)),
        }
    }

    /// The filter as committed files have it.
    pub fn text(&self) -> String {
        let list = |filters: &[Self]| filters.iter().map(Self::text).collect::<Vec<_>>().join(", ");
        match self {
            Self::Is(name, _) => (*name).to_owned(),
            Self::Not(filter) => format!("not({})", filter.text()),
            Self::All(filters) => format!("all({})", list(filters)),
            Self::Any(filters) => format!("any({})", list(filters)),
        }
    }
}
