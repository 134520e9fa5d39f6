//! Reading what calculators gave: by group values, dates and periods.

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Map, Value, json};

use super::database::{Dialect, SqlDatabase, quoted};
use super::error::SqlError;
use super::layout::{Layout, LayoutColumn, Role};
use super::schema::Schema;
use super::stored::value;
use crate::column::ColumnType;
use crate::emitter::Reduce;

/// A period that results are given by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// `2012-01-31`.
    Day,
    /// `2012-W05`, by ISO 8601.
    Week,
    /// `2012-01`.
    Month,
    /// `2012`.
    Year,
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Values of columns that rows are grouped by. Several of one column are alternatives; a column
    /// that is not named has any value.
    pub groups: Vec<(String, String)>,
    /// The first date. Without any date, a calculator's window up to today counts.
    pub from: Option<NaiveDate>,
    /// The last date.
    pub to: Option<NaiveDate>,
    /// A result for each period that has values, of dated emitters alone.
    pub by: Option<Period>,
    /// One calculator alone.
    pub calculator: Option<String>,
}

/// Reduced values.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// The period, where results are given by periods.
    pub period: Option<String>,
    /// The value of each emitter, by calculator and emitter. Sums and counts of nothing are 0, other
    /// values null.
    pub values: Vec<(String, String, Value)>,
}

impl ResultRow {
    /// The value of an emitter.
    pub fn get(&self, calculator: &str, emitter: &str) -> Option<&Value> {
        let mut values = self.values.iter();
        values.find(|(one, other, _)| one == calculator && other == emitter).map(|(_, _, value)| value)
    }

    /// The row as JSON: an object of calculators, and the period.
    pub fn to_json(&self) -> Value {
        let mut row = Map::new();
        if let Some(period) = &self.period {
            row.insert("period".to_owned(), json!(period));
        }
        for (calculator, emitter, value) in &self.values {
            row.entry(calculator).or_insert_with(|| json!({}))[emitter] = value.clone();
        }
        Value::Object(row)
    }
}

/// The results of a table, read through its view.
#[derive(Debug, Clone)]
pub struct Results {
    database: SqlDatabase,
    layout: Layout,
    view: String,
    today: NaiveDate,
}

/// An emitter's column, and what it is reduced by.
struct Asked<'a> {
    column: &'a LayoutColumn,
    calculator: &'a str,
    emitter: &'a str,
    reduce: Reduce,
    is_dated: bool,
}

/// A statement, and the strings that it has in place of `$1` and so on.
struct Statement {
    dialect: Dialect,
    parameters: Vec<String>,
}

impl Statement {
    fn parameter(&mut self, column_type: ColumnType, value: String) -> String {
        self.parameters.push(value);
        let number = self.parameters.len();
        match self.dialect.type_name(column_type) {
            "TEXT" => format!("${number}"),
            name => format!("CAST(${number} AS {name})"),
        }
    }
}

impl Results {
    /// What the views show.
    pub fn of(schema: &Schema) -> Self {
        Self {
            database: schema.database().clone(),
            layout: schema.layout().clone(),
            view: schema.definition().alias.to_string(),
            today: Utc::now().date_naive(),
        }
    }

    /// The same with another today, which windows end at.
    #[must_use]
    pub fn as_of(mut self, today: NaiveDate) -> Self {
        self.today = today;
        self
    }

    /// Reduced values: one row, or one for each period. Values of several keys are reduced as those
    /// of one are: a minimum of minima, a mean of all values.
    ///
    /// # Errors
    ///
    /// When the query names what the table does not have, or the database does not respond.
    pub async fn reduced(&self, query: &Query) -> Result<Vec<ResultRow>, SqlError> {
        let mut asked = self.asked(query)?;
        if query.by.is_some() {
            asked.retain(|asked| asked.is_dated);
        }
        let mut statement = self.statement();
        let period = query.by.map(|period| statement.dialect.period(period));
        let mut columns: Vec<String> = period.iter().map(|sql| format!("{sql} AS period")).collect();
        for asked in &asked {
            let dates = self.dates(asked, query, &mut statement);
            columns.push(format!("CAST({} AS TEXT)", asked.reduced(&dates)));
        }
        let mut conditions = self.conditions(query, &mut statement)?;
        if query.by.is_some() {
            conditions.push("date IS NOT NULL".to_owned());
            conditions.extend(Self::range(query, &mut statement));
        }
        let mut sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(&self.view));
        if !conditions.is_empty() {
            sql = format!("{sql} WHERE {}", conditions.join(" AND "));
        }
        if period.is_some() {
            sql += " GROUP BY 1 ORDER BY 1";
        }
        let found = self.rows(&sql, &statement).await?;
        Ok(found
            .into_iter()
            .map(|row| {
                let mut row = row.into_iter();
                let period = period.as_ref().and_then(|_| row.next().flatten());
                let values = asked.iter().zip(row).map(|(asked, text)| asked.named(text.as_deref()));
                ResultRow { period, values: values.collect() }
            })
            .collect())
    }

    /// The ids of the documents that an emitter gave values for, in their order.
    ///
    /// # Errors
    ///
    /// When the query or the emitter names what the table does not have, or the database does not
    /// respond.
    pub async fn ids(&self, query: &Query, calculator: &str, emitter: &str) -> Result<Vec<String>, SqlError> {
        let rows = self.verbose(query, calculator, emitter).await?;
        let mut ids: Vec<String> =
            rows.iter().filter_map(|row| row.get("doc_id")?.as_str().map(str::to_owned)).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// The values of an emitter with their documents, groups and dates.
    ///
    /// # Errors
    ///
    /// When the query or the emitter names what the table does not have, or the database does not
    /// respond.
    pub async fn verbose(
        &self,
        query: &Query,
        calculator: &str,
        emitter: &str,
    ) -> Result<Vec<Map<String, Value>>, SqlError> {
        let all = self.asked(query)?;
        let asked = all.iter().find(|asked| asked.calculator == calculator && asked.emitter == emitter);
        let asked = asked.ok_or_else(|| {
            SqlError::Query(format!("calculator `{calculator}` has no emitter `{emitter}`"))
        })?;
        let mut statement = self.statement();
        let mut conditions = self.conditions(query, &mut statement)?;
        conditions.push(format!("{} IS NOT NULL", quoted(&asked.column.name)));
        if !asked.is_dated {
            conditions.push("date IS NULL".to_owned());
        }
        let dates = self.dates(asked, query, &mut statement);
        conditions.extend(dates);
        let groups: Vec<&str> = self.layout.groups().map(|column| column.name.as_str()).collect();
        let names = [&["doc_id"], groups.as_slice(), &["date"]].concat();
        let columns: Vec<String> = names
            .iter()
            .chain([&asked.column.name.as_str()])
            .map(|name| format!("CAST({} AS TEXT)", quoted(name)))
            .collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE {} ORDER BY date, doc_id",
            columns.join(", "),
            quoted(&self.view),
            conditions.join(" AND ")
        );
        let found = self.rows(&sql, &statement).await?;
        Ok(found
            .into_iter()
            .map(|row| {
                let names = names.iter().copied().chain(["value"]);
                names.map(str::to_owned).zip(row.into_iter().map(|text| json!(text))).collect()
            })
            .collect())
    }

    fn statement(&self) -> Statement {
        Statement { dialect: self.database.dialect(), parameters: Vec::new() }
    }

    async fn rows(
        &self,
        sql: &str,
        statement: &Statement,
    ) -> Result<Vec<super::database::TextRow>, SqlError> {
        let parameters: Vec<&str> = statement.parameters.iter().map(String::as_str).collect();
        self.database.rows("reading results", sql, &parameters).await
    }

    fn asked(&self, query: &Query) -> Result<Vec<Asked<'_>>, SqlError> {
        let names = self.layout.calculators();
        if let Some(name) = query.calculator.as_deref().filter(|name| !names.contains(name)) {
            return Err(SqlError::Query(format!(
                "`{}` has no calculator `{name}`; it has: {}",
                self.view,
                names.join(", ")
            )));
        }
        let all = self.layout.columns.iter().filter_map(|column| match &column.role {
            Role::Value { calculator, emitter, reduce, is_dated } => {
                Some(Asked { column, calculator, emitter, reduce: *reduce, is_dated: *is_dated })
            }
            _ => None,
        });
        Ok(all
            .filter(|asked| query.calculator.as_ref().is_none_or(|name| name == asked.calculator))
            .collect())
    }

    fn conditions(&self, query: &Query, statement: &mut Statement) -> Result<Vec<String>, SqlError> {
        let mut conditions: Vec<String> = Vec::new();
        let mut done: Vec<&str> = Vec::new();
        for (name, _) in &query.groups {
            if done.contains(&name.as_str()) {
                continue;
            }
            done.push(name);
            let known: Vec<&str> = self.layout.groups().map(|column| column.name.as_str()).collect();
            let column = self.layout.groups().find(|column| column.name == *name).ok_or_else(|| {
                SqlError::Query(format!(
                    "`{}` is not grouped by `{name}`; it is grouped by: {}",
                    self.view,
                    known.join(", ")
                ))
            })?;
            let values = query.groups.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
            let dialect = statement.dialect;
            let alternatives: Vec<String> = values
                .map(|value| statement.parameter(column.column_type, sql_text(dialect, column, value)))
                .collect();
            conditions.push(format!("{} IN ({})", quoted(name), alternatives.join(", ")));
        }
        Ok(conditions)
    }

    /// The dates of an emitter's values: those of the query, or the calculator's window.
    fn dates(&self, asked: &Asked<'_>, query: &Query, statement: &mut Statement) -> Vec<String> {
        if !asked.is_dated {
            return Vec::new();
        }
        if query.from.is_some() || query.to.is_some() {
            return Self::range(query, statement);
        }
        if query.by.is_some() {
            return Vec::new();
        }
        let days = u64::from(self.layout.window(asked.calculator).unwrap_or(0));
        let from = self.today.checked_sub_days(Days::new(days));
        Self::range(&Query { from, to: Some(self.today), ..Query::default() }, statement)
    }

    fn range(query: &Query, statement: &mut Statement) -> Vec<String> {
        let mut conditions = Vec::new();
        for (operator, date) in [(">=", query.from), ("<=", query.to)] {
            if let Some(date) = date {
                let date = statement.parameter(ColumnType::Date, date.format("%Y-%m-%d").to_string());
                conditions.push(format!("date {operator} {date}"));
            }
        }
        conditions
    }
}

/// A group value as the database reads it.
fn sql_text(dialect: Dialect, column: &LayoutColumn, value: &str) -> String {
    match (dialect, column.column_type, value) {
        // It has no booleans.
        (Dialect::Sqlite, ColumnType::Boolean, "true") => "1".to_owned(),
        (Dialect::Sqlite, ColumnType::Boolean, "false") => "0".to_owned(),
        _ => value.to_owned(),
    }
}

impl Asked<'_> {
    fn reduced(&self, dates: &[String]) -> String {
        let name = quoted(&self.column.name);
        let filter =
            if dates.is_empty() { String::new() } else { format!(" FILTER (WHERE {})", dates.join(" AND ")) };
        match self.reduce {
            Reduce::Sum | Reduce::Count | Reduce::SumSqr => format!("COALESCE(SUM({name}){filter}, 0)"),
            Reduce::Min => format!("MIN({name}){filter}"),
            Reduce::Max => format!("MAX({name}){filter}"),
            Reduce::Avg => {
                let number = quoted(&format!("{}_n", self.column.name));
                format!("CAST(SUM({name}){filter} AS DOUBLE PRECISION) / SUM({number}){filter}")
            }
        }
    }

    fn named(&self, text: Option<&str>) -> (String, String, Value) {
        let column_type =
            if self.reduce == Reduce::Avg { ColumnType::Float } else { self.column.column_type };
        (self.calculator.to_owned(), self.emitter.to_owned(), value(text, column_type))
    }
}

impl Dialect {
    /// The period that a row's date is in.
    fn period(self, period: Period) -> &'static str {
        match (self, period) {
            (Self::Sqlite, Period::Day) => "date",
            (Self::Sqlite, Period::Week) => "strftime('%G-W%V', date)",
            (Self::Sqlite, Period::Month) => "strftime('%Y-%m', date)",
            (Self::Sqlite, Period::Year) => "strftime('%Y', date)",
            (Self::Postgres, Period::Day) => "to_char(date, 'YYYY-MM-DD')",
            (Self::Postgres, Period::Week) => "to_char(date, 'IYYY-\"W\"IW')",
            (Self::Postgres, Period::Month) => "to_char(date, 'YYYY-MM')",
            (Self::Postgres, Period::Year) => "to_char(date, 'YYYY')",
        }
    }
}
