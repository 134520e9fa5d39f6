//! Reading the rows of documents back, as they were computed.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::database::{SqlDatabase, TextRow, Transaction, quoted};
use super::error::SqlError;
use super::layout::{Layout, LayoutColumn, Role};
use crate::column::ColumnType;
use crate::rows::{Rows, key};

/// The rows of documents in a table, by id, in the order in which they are computed. A document
/// without rows is left out.
///
/// # Errors
///
/// When the database does not respond.
pub async fn stored_rows(
    database: &SqlDatabase,
    table: &str,
    layout: &Layout,
    ids: &[&str],
) -> Result<HashMap<String, Rows>, SqlError> {
    let sql = statement(database, table, layout);
    let found = database.rows("reading rows", &sql, &[&json!(ids).to_string()]).await?;
    Ok(by_id(layout, found))
}

/// The same within a transaction.
pub(crate) async fn rows_within(
    transaction: &mut Transaction,
    database: &SqlDatabase,
    table: &str,
    layout: &Layout,
    ids: &str,
) -> Result<HashMap<String, Rows>, SqlError> {
    let sql = statement(database, table, layout);
    let found = transaction.rows("reading rows", &sql, &[ids]).await?;
    Ok(by_id(layout, found))
}

fn statement(database: &SqlDatabase, table: &str, layout: &Layout) -> String {
    let columns: Vec<String> =
        layout.columns.iter().map(|column| format!("CAST({} AS TEXT)", quoted(&column.name))).collect();
    let elements = database.dialect().elements("$1");
    format!("SELECT doc_id, {} FROM {} WHERE doc_id IN ({elements})", columns.join(", "), quoted(table))
}

fn by_id(layout: &Layout, found: Vec<TextRow>) -> HashMap<String, Rows> {
    let mut all: HashMap<String, Rows> = HashMap::new();
    for row in found {
        let mut row = row.into_iter();
        let Some(Some(id)) = row.next() else { continue };
        let values = row
            .zip(&layout.columns)
            .map(|(text, column)| value(text.as_deref(), column.column_type))
            .collect();
        all.entry(id).or_default().push(values);
    }
    let groups = 1 + layout.groups().count();
    for rows in all.values_mut() {
        rows.sort_by_key(|row| key(&row[0], &row[1..groups]));
    }
    all
}

/// A value as it was computed.
pub(crate) fn value(text: Option<&str>, column_type: ColumnType) -> Value {
    let Some(text) = text else { return Value::Null };
    match column_type {
        ColumnType::Integer => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        ColumnType::Float => text.parse::<f64>().map_or_else(|_| json!(text), |number| json!(number)),
        ColumnType::Decimal => {
            let number = text.parse::<rust_decimal::Decimal>();
            number.map_or_else(|_| json!(text), |number| json!(number.normalize().to_string()))
        }
        ColumnType::Boolean => json!(matches!(text, "1" | "true" | "t")),
        ColumnType::Timestamp => match NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f") {
            Ok(time) => json!(time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
            Err(_) => json!(text),
        },
        ColumnType::Text | ColumnType::Date => json!(text),
    }
}

/// Whether a column has a value of an emitter.
pub(crate) fn is_value(column: &LayoutColumn) -> bool {
    matches!(column.role, Role::Value { .. } | Role::Number)
}
