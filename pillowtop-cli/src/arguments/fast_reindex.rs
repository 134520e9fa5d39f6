//! The arguments of `fast-reindex` and `couch-view`.

use clap::{Args, ValueEnum};
use pillowtop_runtime::claim::LoadForm;

#[derive(Debug, Args)]
pub(crate) struct FastReindex {
    /// The pillow
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What to read [default: the fastest that can be used, which the command names]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) from: Option<From>,
    /// Divide the listing into so many ranges, which several processes share [default: one for
    /// 250,000 documents]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) ranges: Option<u8>,
    /// Build another index even if one is complete
    #[arg(long)]
    pub(crate) restart: bool,
    /// Show what would be done and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Wait for servers that do not respond yet, instead of failing
    #[arg(long)]
    pub(crate) wait: bool,
}

/// What a load reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// The changes feed, with documents
    Feed,
    /// Ids from `_all_docs`, documents by `_bulk_get`
    Ids,
    /// `_all_docs`, with documents
    AllDocs,
    /// Ids from the pillow's view, documents by `_bulk_get`
    View,
}

impl From {
    pub(crate) fn form(self) -> LoadForm {
        match self {
            Self::Feed => LoadForm::Feed,
            Self::Ids => LoadForm::Ids,
            Self::AllDocs => LoadForm::AllDocs,
            Self::View => LoadForm::View,
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
