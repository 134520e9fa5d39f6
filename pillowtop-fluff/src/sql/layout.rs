//! The columns of a table, as its committed definition has them.

use pillowtop_core::Definition;
use pillowtop_core::table_definition::TABLE;
use serde_json::Value;

use crate::column::ColumnType;
use crate::emitter::Reduce;

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The date of the values; null for those without.
    Date,
    /// Rows are grouped by it.
    Group,
    /// It goes along.
    Flat,
    /// What an emitter gave.
    Value {
        /// The calculator.
        calculator: String,
        /// The emitter.
        emitter: String,
        /// How values with one key are reduced.
        reduce: Reduce,
        /// Whether they have dates.
        is_dated: bool,
    },
    /// How many values a mean is of: of the column before.
    Number,
}

/// A column beside `doc_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutColumn {
    /// The name.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
    /// What it is.
    pub role: Role,
}

/// The columns of a table beside `doc_id`, in the order of the values of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The columns.
    pub columns: Vec<LayoutColumn>,
    /// How many days a result covers that names no dates, by calculator.
    pub windows: Vec<(String, u32)>,
}

impl Layout {
    /// The columns of a definition; `None` if it is not one of a table.
    pub fn of(definition: &Definition) -> Option<Self> {
        let table = definition.mappings.get(TABLE)?;
        let date = LayoutColumn { name: "date".to_owned(), column_type: ColumnType::Date, role: Role::Date };
        let mut columns = vec![date];
        for (member, role) in [("groups", Role::Group), ("flat", Role::Flat)] {
            for column in table.get(member)?.as_array()? {
                columns.push(LayoutColumn {
                    name: text(column, "name")?,
                    column_type: ColumnType::named(&text(column, "type")?)?,
                    role: role.clone(),
                });
            }
        }
        for calculator in table.get("calculators")?.as_array()? {
            let name = text(calculator, "name")?;
            for emitter in calculator.get("emitters")?.as_array()? {
                push_emitter(&mut columns, &name, emitter)?;
            }
        }
        let windows = definition.mappings.pointer("/_meta/windows").and_then(Value::as_object);
        let windows = windows
            .into_iter()
            .flatten()
            .filter_map(|(name, days)| Some((name.clone(), u32::try_from(days.as_u64()?).ok()?)));
        Some(Self { columns, windows: windows.collect() })
    }

    /// The columns that rows are grouped by.
    pub fn groups(&self) -> impl Iterator<Item = &LayoutColumn> {
        self.columns.iter().filter(|column| column.role == Role::Group)
    }

    /// The names of the calculators.
    pub fn calculators(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for column in &self.columns {
            if let Role::Value { calculator, .. } = &column.role
                && !names.contains(&calculator.as_str())
            {
                names.push(calculator);
            }
        }
        names
    }

    /// The columns of a calculator's emitters.
    pub fn values<'a>(&'a self, calculator: &'a str) -> impl Iterator<Item = &'a LayoutColumn> {
        self.columns.iter().filter(
            move |column| matches!(&column.role, Role::Value { calculator: name, .. } if name == calculator),
        )
    }

    /// How many days a result of a calculator covers that names no dates.
    pub fn window(&self, calculator: &str) -> Option<u32> {
        self.windows.iter().find(|(name, _)| name == calculator).map(|(_, days)| *days)
    }
}

fn push_emitter(columns: &mut Vec<LayoutColumn>, calculator: &str, emitter: &Value) -> Option<()> {
    let name = text(emitter, "name")?;
    let reduce = Reduce::named(&text(emitter, "reduce")?)?;
    let column = format!("{calculator}_{name}");
    columns.push(LayoutColumn {
        name: column.clone(),
        column_type: ColumnType::named(&text(emitter, "type")?)?,
        role: Role::Value {
            calculator: calculator.to_owned(),
            emitter: name,
            reduce,
            is_dated: emitter.get("dated")?.as_bool()?,
        },
    });
    if reduce == Reduce::Avg {
        let name = format!("{column}_n");
        columns.push(LayoutColumn { name, column_type: ColumnType::Integer, role: Role::Number });
    }
    Some(())
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member)?.as_str().map(str::to_owned)
}
