//! The arguments of `checkpoint`.

use clap::{Args, Subcommand};

use crate::time::read_time;

#[derive(Debug, Args)]
pub(crate) struct Checkpoint {
    #[command(subcommand)]
    pub(crate) action: CheckpointAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointAction {
    /// Show how far each index is, and who follows it
    Show {
        /// The pillows [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Continue from this position
    Set {
        #[command(flatten)]
        of: Of,
        /// The position: a sequence of the database's changes feed, taken as it is
        #[arg(value_name = "SEQ")]
        position: String,
    },
    /// Read the whole database again
    Reset {
        #[command(flatten)]
        of: Of,
    },
    /// Continue from the present end of the changes feed, and skip everything before it
    ToHead {
        #[command(flatten)]
        of: Of,
    },
    /// Go back to the last checkpoint that was stored before a time, such as that of a snapshot
    Rewind {
        #[command(flatten)]
        of: Of,
        /// The time: RFC 3339, or how long ago, such as `2h` or `7d`
        #[arg(long, value_name = "TIME", value_parser = read_time)]
        before: String,
    },
    /// Print checkpoints as JSON, for `import`
    Export {
        /// The pillows [default: all that are enabled]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Continue from exported checkpoints
    Import {
        /// What `export` printed: a file, or `-` for standard input
        #[arg(value_name = "FILE")]
        file: String,
        /// Accept a checkpoint of another index of the same pillow. That of another database is
        /// never accepted
        #[arg(long)]
        force: bool,
        /// Show what would be done and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Whose checkpoint is changed.
#[derive(Debug, Clone, Args)]
pub(crate) struct Of {
    /// The pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// This database alone, where the pillow reads several [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// This physical index alone [default: all of the committed mapping]
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: Option<String>,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
