//! Documents that a command reads: from a file, a directory, standard input or a database.

mod bytes;
mod container;
mod database;
mod search;

mod text;

mod input;

pub(crate) use bytes::{STANDARD_INPUT, read_to_string};
pub(crate) use database::Address;
pub(crate) use input::{Input, is_url};
pub(crate) use search::search_documents;
