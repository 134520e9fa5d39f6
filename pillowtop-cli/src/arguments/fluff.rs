//! The arguments of `fluff`.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Fluff {
    #[command(subcommand)]
    pub(crate) action: FluffAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FluffAction {
    /// Print what calculators gave, by groups, dates and periods
    Query(Query),
    /// Compare what a document gives with what is stored
    Diff {
        /// The table's pillow
        #[arg(value_name = "NAME")]
        name: String,
        /// The document's id
        #[arg(long, value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The table's pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// A value of a column that rows are grouped by; several of one column are
    /// alternatives
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = read_group)]
    pub(crate) group: Vec<(String, String)>,
    /// First date [default: the calculator's window]
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<NaiveDate>,
    /// Last date
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<NaiveDate>,
    /// A row for each period
    #[arg(long, value_enum, value_name = "PERIOD")]
    pub(crate) by: Option<By>,
    /// One calculator alone
    #[arg(long, value_name = "NAME")]
    pub(crate) calculator: Option<String>,
    /// Print data as CSV
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// A period.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum By {
    Day,
    Week,
    Month,
    Year,
}

fn read_group(text: &str) -> Result<(String, String), String> {
    let (column, value) =
        text.split_once('=').ok_or("expected a column and a value, such as `domain=pact`")?;
    Ok((column.to_owned(), value.to_owned()))
}
