//! Change events: which values changed, told after they are committed, at least once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::database::{SqlDatabase, Transaction};
use super::error::SqlError;
use super::layout::Layout;
use super::stored::is_value;
use crate::rows::{Rows, key};

/// The values of a document under one date and one set of groups, before and after a change. A
/// document whose groups changed has a removed grain and an added one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grain {
    /// The document's id.
    pub id: String,
    /// The date; null without one.
    pub date: Value,
    /// The group values.
    pub groups: Vec<Value>,
    /// The columns that changed, with the old value and the new one; null for none.
    pub changes: BTreeMap<String, (Value, Value)>,
}

/// A function that is told what changed, after it is committed. It is told again of a change after
/// which the process was killed before the function returned.
#[derive(Clone)]
pub struct ChangeHook(pub Arc<HookFunction>);

/// What a [`ChangeHook`] calls.
pub type HookFunction = dyn Fn(&[Grain]) + Send + Sync;

impl fmt::Debug for ChangeHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ChangeHook")
    }
}

/// What differs between the rows of documents.
pub(crate) fn grains(
    layout: &Layout,
    old: &HashMap<String, Rows>,
    new: &HashMap<String, Rows>,
) -> Vec<Grain> {
    let mut ids: Vec<&String> = old.keys().chain(new.keys()).collect();
    ids.sort();
    ids.dedup();
    let of = |rows: &HashMap<String, Rows>, id: &str| rows.get(id).cloned().unwrap_or_default();
    ids.into_iter().flat_map(|id| document(layout, id, of(old, id), of(new, id))).collect()
}

fn document(layout: &Layout, id: &str, old: Rows, new: Rows) -> Vec<Grain> {
    let groups = 1 + layout.groups().count();
    let mut rows: BTreeMap<String, [Option<Vec<Value>>; 2]> = BTreeMap::new();
    for (side, all) in [old, new].into_iter().enumerate() {
        for row in all {
            let key = key(&row[0], &row[1..groups]);
            rows.entry(key).or_default()[side] = Some(row);
        }
    }
    let grains = rows.into_values().filter_map(|sides| {
        let any = sides.iter().flatten().next()?;
        let (date, of_groups) = (any[0].clone(), any[1..groups].to_vec());
        let value = |side: usize, position: usize| {
            sides[side].as_ref().map_or(Value::Null, |row| row[position].clone())
        };
        let changes: BTreeMap<String, (Value, Value)> = layout
            .columns
            .iter()
            .enumerate()
            .filter(|(position, column)| is_value(column) && value(0, *position) != value(1, *position))
            .map(|(position, column)| (column.name.clone(), (value(0, position), value(1, position))))
            .collect();
        (!changes.is_empty()).then(|| Grain { id: id.to_owned(), date, groups: of_groups, changes })
    });
    grains.collect()
}

/// Notes what changed, in the transaction that changes it. Returns the note's id.
pub(crate) async fn note(
    transaction: &mut Transaction,
    target: &str,
    grains: &[Grain],
) -> Result<String, SqlError> {
    let id = format!("{:032x}", fastrand::u128(..));
    let value = serde_json::to_string(grains).map_err(SqlError::malformed("a change"))?;
    let sql = "INSERT INTO pillowtop_events VALUES ($1, $2, $3)";
    transaction.execute("noting changes", sql, &[&id, target, &value]).await?;
    Ok(id)
}

/// Forgets a note, once its changes were told.
pub(crate) async fn forget(database: &SqlDatabase, id: &str) -> Result<(), SqlError> {
    let mut transaction = database.begin().await?;
    transaction.execute("forgetting changes", "DELETE FROM pillowtop_events WHERE id = $1", &[id]).await?;
    transaction.commit().await
}

/// Tells what an earlier process noted and did not tell.
pub(crate) async fn tell_left_over(
    database: &SqlDatabase,
    target: &str,
    hook: &ChangeHook,
) -> Result<(), SqlError> {
    let sql = "SELECT id, value FROM pillowtop_events WHERE target = $1";
    for row in database.rows("reading changes", sql, &[target]).await? {
        let [Some(id), Some(value)] = row.as_slice() else { continue };
        let grains: Vec<Grain> = serde_json::from_str(value).map_err(SqlError::malformed("a change"))?;
        (hook.0)(&grains);
        forget(database, id).await?;
    }
    Ok(())
}
