//! From a document to its rows.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use crate::column::{SqlValue, ValueError, date_text};
use crate::emitter::{Emission, Emitter, Number, Reduce};
use crate::table::{Calculated, Source, Table};

/// The most values of one document.
pub const MAX_VALUES: usize = 10_000;

/// The rows of a document, each as JSON: the date, the groups, the flat fields, and the columns of
/// the emitters.
pub type Rows = Vec<Vec<Value>>;

/// Why a document has no rows: its dead letter names the emitter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{emitter}`: {reason}")]
pub struct EmitError {
    /// `<calculator>.<emitter>`, or the name of the field.
    pub emitter: String,
    /// Why.
    pub reason: String,
}

/// A row that is being reduced.
struct Row {
    date: Value,
    groups: Vec<Value>,
    cells: Vec<Option<Number>>,
}

/// Computes the rows of a document, in order of dates and groups. `None` if the filter does not
/// accept it.
///
/// # Errors
///
/// When a value cannot be stored, or a function of the user panics.
pub(crate) fn rows<D>(table: &Table<D>, document: &D) -> Result<Option<Rows>, EmitError> {
    if !guarded("filter", || table.filter.is_none_or(|filter| filter.accepts(document)))? {
        return Ok(None);
    }
    let groups = values(table.groups, document, SqlValue::to_group_json)?;
    let flat = values(table.flat, document, SqlValue::to_json)?;
    let mut collected = Collected { rows: BTreeMap::new(), groups: &groups, width: width(table), values: 0 };
    let mut column = 0;
    for calculated in table.calculators {
        let name = calculated.name;
        let accepts = guarded(&format!("{name}.filter"), || {
            calculated.filter.is_none_or(|filter| filter.accepts(document))
        })?;
        for emitter in calculated.emitters() {
            if accepts {
                let named = || format!("{name}.{}", emitter.name);
                collected
                    .add(table, emitter, document, column)
                    .map_err(|reason| EmitError { emitter: named(), reason })?;
            }
            column += emitter.reduce.columns();
        }
    }
    if collected.rows.is_empty() && table.keeps_flat {
        collected.row(Value::Null, groups.clone());
    }
    collected.finish(&flat).map(Some)
}

fn width<D>(table: &Table<D>) -> usize {
    let emitters = table.calculators.iter().flat_map(Calculated::emitters);
    emitters.map(|emitter| emitter.reduce.columns()).sum()
}

fn values<D>(
    sources: &[Source<D>],
    document: &D,
    to_json: impl Fn(&SqlValue) -> Result<Value, ValueError>,
) -> Result<Vec<Value>, EmitError> {
    let read = |source: &Source<D>| {
        let value = guarded(source.name, || (source.value)(document))?;
        to_json(&value)
            .map_err(|error| EmitError { emitter: source.name.to_owned(), reason: error.to_string() })
    };
    sources.iter().map(read).collect()
}

/// Calls a function of the user's, whose panic is an error of the document.
fn guarded<T>(emitter: &str, call: impl FnOnce() -> T) -> Result<T, EmitError> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|panic| EmitError { emitter: emitter.to_owned(), reason: panic_text(panic.as_ref()) })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    format!("it panicked: {}", text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message"))
}

struct Collected<'a> {
    /// By their keys, which are in the order of dates and groups.
    rows: BTreeMap<String, Row>,
    groups: &'a [Value],
    width: usize,
    values: usize,
}

impl Collected<'_> {
    fn add<D>(
        &mut self,
        table: &Table<D>,
        emitter: &Emitter<D>,
        document: &D,
        column: usize,
    ) -> Result<(), String> {
        let emitted = catch_unwind(AssertUnwindSafe(|| emitter.emit(document)));
        let emitted = emitted.map_err(|panic| panic_text(panic.as_ref()))?;
        self.values += emitted.len();
        if self.values > MAX_VALUES {
            return Err(format!("the document has more than {MAX_VALUES} values"));
        }
        for emission in emitted {
            let row = self.row_of(table, &emission)?;
            reduce(&mut row.cells[column..], emitter.reduce, emission.value)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn row_of<D>(&mut self, table: &Table<D>, emission: &Emission) -> Result<&mut Row, String> {
        let date = match emission.date {
            Some(date) => Value::from(date_text(date).map_err(|error| error.to_string())?),
            None => Value::Null,
        };
        let groups = match &emission.groups {
            None => self.groups.to_vec(),
            Some(own) if own.len() != table.groups.len() => {
                let (own, expected) = (own.len(), table.groups.len());
                return Err(format!("it gave {own} group values, and the table is grouped by {expected}"));
            }
            Some(own) => own
                .iter()
                .zip(table.groups)
                .map(|(value, group)| {
                    if !value.fits(group.kind) {
                        return Err(format!(
                            "its value of group `{}` is not of the column's type",
                            group.name
                        ));
                    }
                    value.to_group_json().map_err(|error| error.to_string())
                })
                .collect::<Result<_, _>>()?,
        };
        Ok(self.row(date, groups))
    }

    fn row(&mut self, date: Value, groups: Vec<Value>) -> &mut Row {
        let (key, width) = (key(&date, &groups), self.width);
        self.rows.entry(key).or_insert_with(|| Row { date, groups, cells: vec![None; width] })
    }

    fn finish(self, flat: &[Value]) -> Result<Rows, EmitError> {
        let rows =
            self.rows.into_values().map(|row| {
                let cells = row.cells.into_iter().map(|cell| match cell {
                    None => Ok(Value::Null),
                    Some(number) => sql(number).to_json(),
                });
                let mut whole = vec![row.date];
                whole.extend(row.groups);
                whole.extend(flat.iter().cloned());
                for cell in cells {
                    whole.push(cell.map_err(|error| EmitError {
                        emitter: "value".to_owned(),
                        reason: error.to_string(),
                    })?);
                }
                Ok(whole)
            });
        rows.collect()
    }
}

/// What rows are distinguished by, in their order.
pub(crate) fn key(date: &Value, groups: &[Value]) -> String {
    format!("{date}{}", Value::from(groups.to_vec()))
}

fn sql(number: Number) -> SqlValue {
    match number {
        Number::Integer(number) => SqlValue::Integer(number),
        Number::Decimal(number) => SqlValue::Decimal(number),
        Number::Float(number) => SqlValue::Float(number),
    }
}

/// Adds a value to the columns of its emitter.
fn reduce(cells: &mut [Option<Number>], reduce: Reduce, value: Number) -> Result<(), ValueError> {
    if let Number::Float(number) = value
        && !number.is_finite()
    {
        return Err(ValueError::NotFinite);
    }
    let one = Number::Integer(1);
    cells[0] = Some(match (reduce, cells[0]) {
        (Reduce::Count, None) => one,
        (Reduce::Count, Some(before)) => add(before, one)?,
        (Reduce::SumSqr, before) => {
            let squared = multiply(value, value)?;
            before.map_or(Ok(squared), |before| add(before, squared))?
        }
        (_, None) => value,
        (Reduce::Sum | Reduce::Avg, Some(before)) => add(before, value)?,
        (Reduce::Min, Some(before)) => {
            if is_less(value, before) {
                value
            } else {
                before
            }
        }
        (Reduce::Max, Some(before)) => {
            if is_less(before, value) {
                value
            } else {
                before
            }
        }
    });
    if reduce == Reduce::Avg {
        cells[1] = Some(cells[1].map_or(Ok(one), |before| add(before, one))?);
    }
    Ok(())
}

/// The sum of two values of one emitter, which are of one type.
fn add(one: Number, other: Number) -> Result<Number, ValueError> {
    match (one, other) {
        (Number::Integer(one), Number::Integer(other)) => one.checked_add(other).map(Number::Integer),
        (Number::Decimal(one), Number::Decimal(other)) => one.checked_add(other).map(Number::Decimal),
        (Number::Float(one), Number::Float(other)) => finite(one + other),
        _ => None,
    }
    .ok_or(ValueError::Overflow)
}

fn multiply(one: Number, other: Number) -> Result<Number, ValueError> {
    match (one, other) {
        (Number::Integer(one), Number::Integer(other)) => one.checked_mul(other).map(Number::Integer),
        (Number::Decimal(one), Number::Decimal(other)) => one.checked_mul(other).map(Number::Decimal),
        (Number::Float(one), Number::Float(other)) => finite(one * other),
        _ => None,
    }
    .ok_or(ValueError::Overflow)
}

fn finite(number: f64) -> Option<Number> {
    number.is_finite().then_some(Number::Float(number))
}

fn is_less(one: Number, other: Number) -> bool {
    match (one, other) {
        (Number::Integer(one), Number::Integer(other)) => one < other,
        (Number::Decimal(one), Number::Decimal(other)) => one < other,
        (Number::Float(one), Number::Float(other)) => one < other,
        _ => false,
    }
}
