//! The arguments of `dead-letters`.

use clap::{Args, Subcommand};
use pillowtop_runtime::dead_letter::Stage;

use crate::time::read_time;

#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    #[command(subcommand)]
    pub(crate) action: DeadLetterAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetterAction {
    /// List open dead letters, oldest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// Include those of indices that were deleted
        #[arg(long)]
        all: bool,
    },
    /// Print the dead letters of a document in full
    Show {
        /// The document's id in the index
        #[arg(value_name = "ID")]
        id: String,
        /// The pillow [default: all]
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Process the documents of dead letters again
    Replay {
        #[command(flatten)]
        filter: Filter,
        /// Show what would be replayed and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Give up on a document that keeps failing with an unrecognised error, so that its pillow
    /// continues
    Bury {
        /// The document's id in the index, as the pillow's reason shows it
        #[arg(value_name = "ID")]
        id: String,
        /// The pillow [default: the only one that is enabled]
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// The document's database, where the pillow reads several
        #[arg(long, value_name = "NAME")]
        database: Option<String>,
        /// Show what would be done and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove dead letters without doing anything about their documents
    Purge {
        #[command(flatten)]
        filter: Filter,
        /// Include those of indices that were deleted
        #[arg(long)]
        all: bool,
        /// Remove without asking for confirmation
        #[arg(long)]
        yes: bool,
        /// List what would be removed and change nothing
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
    },
}

/// Which dead letters are meant: those that match everything that is given.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Filter {
    /// The pillow [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Those of this physical index
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: Option<String>,
    /// Those of documents of this database
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Those with this error type
    #[arg(long, value_name = "TYPE")]
    pub(crate) error_type: Option<String>,
    /// Those of this stage: read, id, decode, lookup, transform or index
    #[arg(long, value_name = "STAGE", value_parser = read_stage)]
    pub(crate) stage: Option<Stage>,
    /// Those that failed at this time or later: RFC 3339, or how long ago, such as `2h` or `7d`
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    pub(crate) since: Option<String>,
    /// Those that failed before this time: RFC 3339, or how long ago, such as `2h` or `7d`
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    pub(crate) before: Option<String>,
}

fn read_stage(name: &str) -> Result<Stage, String> {
    serde_json::from_value(name.into())
        .map_err(|_| "a stage is one of read, id, decode, lookup, transform, index".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_read_by_its_name() {
        assert_eq!(read_stage("decode"), Ok(Stage::Decode));
        assert!(read_stage("Decode").is_err_and(|error| error.contains("lookup")));
    }
}
