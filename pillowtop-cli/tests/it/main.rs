//! The commands, run as a program runs them, on pillows that are written by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod any_documents;
mod arguments;
mod audit;
mod certificates;
mod configuration;
mod database;
mod explain;
mod fake_couch;
mod from_docs;
mod limits;
mod make_mapping;
mod new;
mod new_pillow;
mod quickstart;
mod screen;
mod support;
