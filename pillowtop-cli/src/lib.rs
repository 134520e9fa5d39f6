//! Every command of pillowtop as a library: a workspace's `xtask` and a production binary call
//! [`main`] with their pillows.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     pillowtop_cli::main(pillowtop_core::Registry::new())
//! }
//! ```

#![cfg_attr(not(feature = "quickstart"), allow(dead_code, reason = "what only `quickstart` uses"))]

mod output;

mod exit;

mod certificates;

mod help;
mod samples;
mod time;
mod workspace;

mod arguments;
mod checkout;
mod databases;

mod config;
mod freshness;

mod new_pillow;

mod context;
mod documents;
mod one_target;
mod reachable;
mod stop;
mod target_server;

#[cfg(not(feature = "sql"))]
#[path = "no_tables.rs"]
mod tables;
#[cfg(feature = "sql")]
mod tables;

mod servers;

mod commands;

mod app;
mod reference;

#[cfg(test)]
mod printed;

use std::process::ExitCode;

use pillowtop_core::Registry;

pub use app::{App, Task};
pub use reference::command_reference;
pub use samples::Samples;
pub use workspace::{Dependency, write_workspace};

/// Runs the command that the process's arguments name, on these pillows.
pub fn main(registry: Registry) -> ExitCode {
    App::new(registry).main()
}
