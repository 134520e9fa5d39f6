//! The arguments of `verify`.

use clap::Args;

/// Bodies that are compared by default.
const SAMPLE: usize = 300;
/// How long a change is waited for by default, in seconds.
const PATIENCE: u64 = 90;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Default, Args)]
pub(crate) struct Verify {
    /// The pillows
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(crate) names: Vec<String>,
    /// All enabled pillows
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
    /// Skip indices that a comparison has found equal since their load completed
    #[arg(long, conflicts_with = "repair")]
    pub(crate) once: bool,
    /// Compare this database alone, where a pillow reads several [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Compare the bodies of this many documents, chosen at random
    #[arg(long, value_name = "N", default_value_t = SAMPLE)]
    pub(crate) sample: usize,
    /// Compare the bodies of all documents
    #[arg(long, conflicts_with = "sample")]
    pub(crate) all_bodies: bool,
    /// Path of a member that is not compared, such as a time that the transform writes; several
    /// times for several
    #[arg(long, value_name = "PATH")]
    pub(crate) ignore: Vec<String>,
    /// Wait this many seconds for a change that is not yet applied
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE)]
    pub(crate) patience: u64,
    /// Process the documents that differ again
    #[arg(long)]
    pub(crate) repair: bool,
    /// Delete any number of documents without asking
    #[arg(long, requires = "repair")]
    pub(crate) yes: bool,
    /// Compare, and change nothing: neither repair nor store what was found
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Verify {
    /// The command without options.
    pub(crate) fn plain() -> Self {
        Self { sample: SAMPLE, patience: PATIENCE, ..Self::default() }
    }
}
