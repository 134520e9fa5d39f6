//! The arguments of `fluff`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Fluff {
    /// Address of the SQL database: `sqlite:FILE` or `postgres://…`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "PILLOWTOP_SQL_URL",
        hide_env_values = true,
        default_value = "sqlite:pillowtop.sqlite"
    )]
    pub(crate) sql_url: String,
    #[command(subcommand)]
    pub(crate) action: FluffAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FluffAction {
    /// Build the table of a pillow, and apply what changed meanwhile
    Build {
        /// The table's pillow
        #[arg(value_name = "NAME")]
        name: String,
        /// Build another table even if there is one
        #[arg(long)]
        restart: bool,
        /// Show what would be done and change nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        from: From,
    },
    /// Follow changes into the tables, until ctrl-c
    Run {
        /// The tables' pillows [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Exit once caught up
        #[arg(long)]
        until_caught_up: bool,
        #[command(flatten)]
        from: From,
    },
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
        #[command(flatten)]
        from: From,
    },
    /// List the tables, and which one the views show
    Status {
        /// The tables' pillows [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Let the views show the newest table of the committed definition, once it is complete
    Flip(Change),
    /// Let the views show the table that they showed before
    Rollback(Change),
    /// Drop the tables that the views do not show, except the one before
    Prune(Change),
    /// List the documents that could not be computed or stored
    DeadLetters {
        /// The table's pillow
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Where documents come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct From {
    /// File of changes to read in place of `CouchDB`: the lines of
    /// `_changes?include_docs=true`
    #[arg(long, value_name = "FILE")]
    pub(crate) changes: Option<PathBuf>,
}

/// What is changed.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The table's pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
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
