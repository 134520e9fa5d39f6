//! The arguments of `fast-reindex` and `couch-view`.

use clap::{Args, ValueEnum};
use pillowtop_runtime::claim::LoadForm;
use serde_json::Value;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, Args)]
pub(crate) struct FastReindex {
    /// The pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What to read [default: the fastest that can be used, which the command names]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) from: Option<LoadFrom>,
    /// Split the listing into this many ranges, which several processes can share [default: one for
    /// 250,000 documents]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) ranges: Option<u8>,
    /// Build another index even if one is complete
    #[arg(long)]
    pub(crate) restart: bool,
    /// Build the index although it seems not to fit onto the disks of the cluster
    #[arg(long)]
    pub(crate) force: bool,
    /// Fail when more than this percentage of documents become dead letters (checked from 1,000
    /// documents on), or when all of the first 100 do; 100 disables the check [default: 10]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100), conflicts_with = "part")]
    pub(crate) max_dead_letters: Option<u8>,
    #[command(flatten)]
    pub(crate) part: Part,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Wait for servers that do not respond yet, instead of failing
    #[arg(long)]
    pub(crate) wait: bool,
}

/// Documents that are sent again into the index that there is.
#[derive(Debug, Default, Args)]
#[group(id = "part", multiple = true, conflicts_with_all = ["from", "ranges", "restart"])]
pub(crate) struct Part {
    /// Build no index: send every document again into the current one
    #[arg(long)]
    pub(crate) in_place: bool,
    /// The same for documents that are named by their ids: a file, or `-` for standard input, with
    /// an id on each line or a JSON array of strings
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["since", "until", "selector"])]
    pub(crate) ids: Option<String>,
    /// The same for documents that changed after this position of the feed
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) since: Option<String>,
    /// The same for documents that did not change after this position
    #[arg(long, value_name = "SEQUENCE")]
    pub(crate) until: Option<String>,
    /// The same for documents that match a Mango selector
    #[arg(long, value_name = "JSON", value_parser = read_selector)]
    pub(crate) selector: Option<Value>,
    /// Documents of this database alone, where the pillow reads several
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
}

impl Part {
    /// Whether documents are sent again, and no index is built.
    pub(crate) fn is_wanted(&self) -> bool {
        self.in_place || self.ids.is_some() || self.reads_feed()
    }

    /// Whether the documents are named by the changes feed.
    pub(crate) fn reads_feed(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.selector.is_some()
    }
}

/// Reads a selector, for the command line.
fn read_selector(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(selector @ Value::Object(_)) => Ok(selector),
        Ok(_) => Err("expected a JSON object, such as `{\"domain\": \"d\"}`".to_owned()),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}

/// What a load reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LoadFrom {
    /// The changes feed, with documents
    Feed,
    /// Ids from `_all_docs`, documents by `_bulk_get`
    Ids,
    /// `_all_docs`, with documents
    AllDocs,
    /// Ids from the pillow's view, documents by `_bulk_get`
    View,
    /// The index that is searched, copied by the server
    OldIndex,
}

impl LoadFrom {
    pub(crate) fn form(self) -> LoadForm {
        match self {
            Self::Feed => LoadForm::Feed,
            Self::Ids => LoadForm::Ids,
            Self::AllDocs => LoadForm::AllDocs,
            Self::View => LoadForm::View,
            Self::OldIndex => LoadForm::OldIndex,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct CouchView {
    /// The pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Show the design document and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
