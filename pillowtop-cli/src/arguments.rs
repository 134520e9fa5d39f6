//! The arguments of the command line. The help of each command has examples.

mod checkpoint;
mod dead_letters;
mod es_manage;
mod fast_reindex;
#[cfg(feature = "sql")]
mod fluff;
mod verify;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use pillowtop_core::field_types::{Product, Target};

use crate::help;
use crate::workspace::Dependency;

pub(crate) use checkpoint::{Checkpoint, CheckpointAction, Of};
pub(crate) use dead_letters::{DeadLetterAction, DeadLetters, Filter};
pub(crate) use es_manage::{EsAction, EsManage, Flip, Preindex};
pub(crate) use fast_reindex::{CouchView, FastReindex, LoadFrom, Part};
#[cfg(feature = "sql")]
pub(crate) use fluff::{By, Fluff, FluffAction, Query as FluffQuery};
pub(crate) use verify::Verify;

/// The heading of the options that every command has.
const GLOBAL: &str = "Global options";

#[derive(Debug, Parser)]
#[command(
    version,
    about = "Index CouchDB documents in Elasticsearch or OpenSearch, with mappings derived from Rust structs",
    after_help = "Exit codes: 0 done, 4 stale or differs, 2 wrong usage, 1 failed.",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Shared {
    /// Configuration file [default: `pillowtop.toml` in the current directory or one above]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", overrides_with = "config")]
    pub(crate) config: Option<PathBuf>,
    /// Address of CouchDB
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "URL", env = "PILLOWTOP_COUCH_URL", hide_env_values = true)]
    pub(crate) couch_url: Option<String>,
    /// User for CouchDB; the password is `PILLOWTOP_COUCH_PASSWORD` or in the configuration file
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME", env = "PILLOWTOP_COUCH_USER")]
    pub(crate) couch_user: Option<String>,
    /// PEM file of certificates that CouchDB may have, beside those that this machine trusts
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "PILLOWTOP_COUCH_CA_FILE")]
    pub(crate) couch_ca_file: Option<PathBuf>,
    /// Address of Elasticsearch or OpenSearch
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "URL", env = "PILLOWTOP_ELASTIC_URL", hide_env_values = true)]
    pub(crate) elastic_url: Option<String>,
    /// User for Elasticsearch or OpenSearch; the password is `PILLOWTOP_ELASTIC_PASSWORD` or in the
    /// configuration file
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "NAME", env = "PILLOWTOP_ELASTIC_USER")]
    pub(crate) elastic_user: Option<String>,
    /// PEM file of certificates that Elasticsearch or OpenSearch may have, beside those that this
    /// machine trusts
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE", env = "PILLOWTOP_ELASTIC_CA_FILE")]
    pub(crate) elastic_ca_file: Option<PathBuf>,
    /// Prefix of all index names, so that several environments can share a cluster
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "PREFIX", env = "PILLOWTOP_PREFIX")]
    pub(crate) prefix: Option<String>,
    /// Address of the SQL database of tables, in a build with them: `sqlite:FILE` or `postgres://…`
    /// [default: `sqlite:pillowtop.sqlite`]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "URL", env = "PILLOWTOP_SQL_URL", hide_env_values = true)]
    pub(crate) sql_url: Option<String>,
    /// Print data as JSON
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Print more detail
    #[arg(long, short, global = true, help_heading = GLOBAL, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Print only errors to stderr
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the registered pillows
    #[command(after_help = help::PILLOWS)]
    Pillows,
    /// Write, compare or explain committed mappings
    #[command(after_help = help::MAKE_MAPPING)]
    MakeMapping(MakeMapping),
    /// Show what the mapping of a pillow does to documents, before a server does
    #[command(after_help = help::AUDIT)]
    Audit(Audit),
    /// Write the struct of a pillow from an existing mapping, or from sample documents
    #[command(after_help = help::NEW_PILLOW)]
    NewPillow(NewPillow),
    /// Build the index or the table of a pillow from its database
    #[command(after_help = help::FAST_REINDEX)]
    FastReindex(FastReindex),
    /// Install a view that lists the documents of a pillow, and wait until it is built
    #[command(after_help = help::COUCH_VIEW)]
    CouchView(CouchView),
    /// Follow changes into the indices and tables, until ctrl-c
    #[command(after_help = help::RUN)]
    Run(Run),
    /// Build the indices and tables that a deploy needs
    #[command(after_help = help::PREINDEX)]
    Preindex(Preindex),
    /// Show indices and SQL tables, move aliases and views, extend mappings, prune
    #[command(visible_alias = "manage", after_help = help::ES_MANAGE)]
    EsManage(EsManage),
    /// Compare indices and tables with their databases, and repair what differs
    #[command(after_help = help::VERIFY)]
    Verify(Verify),
    /// Process named documents again
    #[command(after_help = help::PROCESS)]
    Process(Process),
    /// List, replay or remove the changes that could not be indexed
    #[command(after_help = help::DEAD_LETTERS)]
    DeadLetters(DeadLetters),
    /// Show or change how far indices and tables are
    #[command(after_help = help::CHECKPOINT)]
    Checkpoint(Checkpoint),
    /// Query tables of rows in an SQL database
    #[cfg(feature = "sql")]
    #[command(after_help = help::FLUFF)]
    Fluff(Fluff),
    /// Index sample documents and search them
    #[command(after_help = help::QUICKSTART)]
    Quickstart(Quickstart),
    /// Write a workspace of documents, tool and service that builds at once
    #[command(after_help = help::NEW)]
    New(New),
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions(Completions),
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub(crate) struct MakeMapping {
    /// The pillows
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Select all registered pillows [default with `--check`, `--diff` and `--explain`]
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
    /// Write nothing; exit with 4 when a file is missing, stale, edited by hand or orphaned
    #[arg(long, conflicts_with = "explain")]
    pub(crate) check: bool,
    /// Write nothing; show each changed path
    #[arg(long, conflicts_with = "explain")]
    pub(crate) diff: bool,
    /// Write nothing; show each field of the index, the struct's field, and the attribute, rule or
    /// default that decided it
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Documents: a file, `-` for standard input, a directory of files, or the address of a
    /// database. A file has JSON documents line by line or as a list, or a response of CouchDB
    /// (`_changes`, `_all_docs`, a view, `_find`); gzip and zstd are decompressed
    #[arg(long, value_name = "FILE|DIRECTORY|URL")]
    pub(crate) docs: String,
    /// Read at most this many documents of each of the pillow's types, those of a database in the
    /// order of their ids
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Server to check against, such as `opensearch 3.6` or `elasticsearch 8.14` [default: the
    /// strictest of all]
    #[arg(long, value_name = "PRODUCT VERSION", value_parser = read_target)]
    pub(crate) target: Option<pillowtop_core::field_types::Target>,
}

#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("source").required(true).args(["from_mapping", "from_docs"])))]
pub(crate) struct NewPillow {
    /// The pillow's name; the struct's follows from it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// An index body, `{"settings": …, "mappings": …}`, in a file or on standard input (`-`), or
    /// the address of an index
    #[arg(long, value_name = "FILE|INDEX-URL")]
    pub(crate) from_mapping: Option<String>,
    /// Sample documents, as `audit --docs` reads them: a file, `-` for standard input, a directory,
    /// or the address of a database
    #[arg(long, value_name = "FILE|DIRECTORY|COUCH-URL")]
    pub(crate) from_docs: Option<String>,
    /// Type of the documents, several times for several [default: the only one of the samples, or a
    /// guess from NAME]
    #[arg(long, value_name = "TYPE")]
    pub(crate) doc_type: Vec<String>,
    /// Type that a document has once it is deleted, several times for several
    #[arg(long, value_name = "TYPE")]
    pub(crate) deleted: Vec<String>,
    /// The member that holds the type
    #[arg(long, value_name = "MEMBER", default_value = "doc_type")]
    pub(crate) type_field: String,
    /// A list whose objects are each searched on their own, by its path; `all` for all lists of
    /// objects
    #[arg(long, value_name = "PATH", requires = "from_docs")]
    pub(crate) nested: Vec<String>,
    /// Read at most this many documents of each type, those of a database in the order of their ids
    #[arg(long, value_name = "N", default_value_t = 5000, requires = "from_docs", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Write to this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite existing files
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[expect(clippy::struct_field_names, reason = "`--dry-run` is the name of the flag everywhere")]
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The pillows [default: all that are enabled]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Wait for indices that another process follows; without a terminal this is the default
    #[arg(long)]
    pub(crate) standby: bool,
    /// Exit once caught up
    #[arg(long)]
    pub(crate) until_caught_up: bool,
    /// Wait for servers that do not respond yet, instead of failing
    #[arg(long)]
    pub(crate) wait: bool,
    /// When stopping, wait at most this many seconds for unanswered requests
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) stop_within: u32,
    /// Show what would be followed, and from where, and follow nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Process {
    /// The pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The documents' ids: a file, or `-` for standard input, with an id on each line or a JSON
    /// array of strings
    #[arg(long, value_name = "FILE|-")]
    pub(crate) ids: String,
    /// Documents of this database alone, where the pillow reads several [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Directory of the sample changes and the embedded index
    #[arg(long, value_name = "DIRECTORY", default_value = "target/quickstart")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Directory of the workspace; it must be empty or missing
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Database whose documents become structs, one pillow for each type
    #[arg(long, value_name = "COUCH-URL", conflicts_with = "from_index")]
    pub(crate) from_couch: Option<String>,
    /// Index whose mapping becomes a struct; `a,b` or `a*` for several, one pillow for each
    #[arg(long, value_name = "INDEX-URL")]
    pub(crate) from_index: Option<String>,
    /// Read at most this many documents of each type
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Where pillowtop comes from: a version, the URL of a git repository (`URL#REVISION`), or the
    /// directory of a checkout [default: this checkout, or where this program has it from]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) pillowtop: Option<Dependency>,
    /// Only write the files of structs; do not make their mappings and audit them
    #[arg(long)]
    pub(crate) no_build: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell to write the script for
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
    /// Command that the script completes [default: the name of this program]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// Reads `opensearch 3.6`, for the command line.
fn read_target(text: &str) -> Result<Target, String> {
    let expected = || "expected a product and its version, such as `opensearch 3.6` or `elasticsearch 8.14`";
    let (product, version) =
        text.trim().split_once([' ', ':', '-', '@']).ok_or_else(|| expected().to_owned())?;
    let product = match product.to_ascii_lowercase().as_str() {
        "opensearch" => Product::OpenSearch,
        "elasticsearch" | "elastic" => Product::Elasticsearch,
        _ => return Err(expected().to_owned()),
    };
    Ok(Target { product, version: version.trim().parse()? })
}
