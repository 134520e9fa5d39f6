//! Saying things, at the verbosity that was asked for.

use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors alone.
    Quiet,
    /// Progress and summaries.
    Normal,
    /// What the runtime does, too.
    Verbose,
}

type Writer = Arc<Mutex<dyn Write + Send>>;

/// Standard output and standard error.
#[derive(Clone)]
pub(crate) struct Talk {
    out: Writer,
    err: Writer,
    json: bool,
    verbosity: Verbosity,
    draws: bool,
}

impl Talk {
    /// To the process's own streams.
    pub(crate) fn to_streams(json: bool, verbosity: Verbosity) -> Self {
        Self {
            out: Arc::new(Mutex::new(std::io::stdout())),
            err: Arc::new(Mutex::new(std::io::stderr())),
            json,
            verbosity,
            draws: std::io::stderr().is_terminal() && verbosity == Verbosity::Normal && !json,
        }
    }

    /// Whether progress may be drawn over.
    pub(crate) fn draws(&self) -> bool {
        self.draws
    }

    /// Data for scripts, when they asked for it.
    pub(crate) fn json(&self, value: &Value) {
        if self.json {
            write(&self.out, &value.to_string());
        }
    }

    /// A line of data for people, when nobody asked for JSON.
    pub(crate) fn text(&self, line: &str) {
        if !self.json {
            write(&self.out, line);
        }
    }

    /// What is going on.
    pub(crate) fn note(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            write(&self.err, line);
        }
    }

    /// What went wrong, and what to do about it.
    pub(crate) fn error(&self, message: &str, hint: Option<&str>) {
        write(&self.err, &format!("error: {message}"));
        if let Some(hint) = hint {
            write(&self.err, &format!("\nhint: {hint}"));
        }
    }
}

/// A closed pipe is nobody listening, which is no error of the command.
fn write(writer: &Writer, line: &str) {
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(writer, "{line}");
    let _ = writer.flush();
}
