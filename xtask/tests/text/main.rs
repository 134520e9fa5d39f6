//! The text of this workspace: no phrase that `docs/style.md` bans, lines of Markdown that fit 100
//! columns, links that lead somewhere, and a book that has every page.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod banned;
mod book;
mod manifests;
mod passage;
mod tree;
