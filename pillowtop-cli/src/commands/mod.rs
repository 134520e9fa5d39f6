//! The commands, a module each.

pub(crate) mod audit;
pub(crate) mod checkpoint;
pub(crate) mod completions;
mod confirm;
mod touching;

pub(crate) mod verify;

pub(crate) mod couch_view;
pub(crate) mod es_manage;
mod explain;
#[cfg(feature = "sql")]
pub(crate) mod fluff;
pub(crate) mod limits;

pub(crate) mod make_mapping;
pub(crate) mod new_pillow;

pub(crate) mod new;
pub(crate) mod pillows;
pub(crate) mod run;

pub(crate) mod dead_letters;
pub(crate) mod process;

pub(crate) mod fast_reindex;

pub(crate) mod preindex;
#[cfg(feature = "quickstart")]
pub(crate) mod quickstart;
