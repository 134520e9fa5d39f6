//! Every command of pillowtop as a library: a workspace's `xtask` and a production binary call [`main`] with their pillows.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     pillowtop_cli::main(pillowtop_core::Registry::new())
//! }
//! ```

mod certificates;
mod exit;
mod output;

mod help;

mod arguments;
mod checkout;
mod databases;

mod config;
mod freshness;

mod new_pillow;

mod context;
mod documents;
mod servers;
mod stop;

mod app;
mod commands;

use std::process::ExitCode;

use pillowtop_core::Registry;

pub use app::{App, Samples, Task};

/// Runs the command that the process's arguments name, on these pillows.
pub fn main(registry: Registry) -> ExitCode {
    App::new(registry).main()
}
