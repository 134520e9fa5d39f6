//! The arguments of `es-manage` and `preindex`.

use clap::{ArgGroup, Args, Subcommand};

use crate::time::read_time;

#[derive(Debug, Args)]
pub(crate) struct EsManage {
    #[command(subcommand)]
    pub(crate) action: EsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EsAction {
    /// Show the state of each pillow, its index or table, and what to do next
    Status {
        /// Show it again every 2 seconds, until ctrl-c
        #[arg(long)]
        watch: bool,
    },
    /// Show what `apply` would do to indices, in order, with the reason for each step
    Plan {
        #[command(flatten)]
        age: Age,
    },
    /// Do what `plan` shows
    Apply {
        #[command(flatten)]
        age: Age,
        /// Do it only if the plan is the one with this id
        #[arg(long, value_name = "ID")]
        plan: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Show the plan and change nothing
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
    },
    /// Move aliases to the indices of the committed mappings, all in one atomic call, and the views
    /// of each table in one transaction
    Flip(Flip),
    /// Move aliases back to the indices that they were on before, all in one atomic call, and views
    /// to the tables that they showed
    Rollback(Flip),
    /// Delete indices and tables of pillowtop that nothing refers to, or close such indices
    Prune {
        #[command(flatten)]
        age: Age,
        /// Close them instead of deleting them
        #[arg(long)]
        close: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// List what would be removed and change nothing
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["names", "all"]))]
pub(crate) struct Flip {
    /// The pillows
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// All enabled pillows
    #[arg(long)]
    pub(crate) all: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Move an alias even if there are reasons against it, which are listed
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Age {
    /// Prune only what was last used before this time: how long ago, such as `2h` or `7d`, or RFC
    /// 3339
    #[arg(long, value_name = "AGE", value_parser = read_time, default_value = "7d")]
    pub(crate) older_than: String,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub(crate) struct Preindex {
    /// The pillows [default: all that are enabled]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// All enabled pillows, which is the default
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
    /// Build at most this many indices at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) jobs: u8,
    /// Build nothing; exit with 4 while an index is missing or not complete
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) check: bool,
    /// Wait for builds that another machine has begun, and for servers that do not respond yet
    #[arg(long)]
    pub(crate) wait: bool,
    /// Show what would be built and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
