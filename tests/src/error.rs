//! What can go wrong with a test server.

use std::{io, path::PathBuf};

/// Why a server could not be installed, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A program that is needed is missing.
    #[error("{server} needs {tool}, which was not found\n\nhint: {hint}")]
    MissingTool {
        /// The server that was wanted.
        server: String,
        /// The program, with its versions if they matter.
        tool: String,
        /// What to do about it.
        hint: String,
    },
    /// Maven or npm failed.
    #[error("installing {server} failed; the end of {}:\n{tail}\n\nhint: Maven Central or the npm registry must be reachable for the first run", log.display())]
    Install {
        /// The server that was wanted.
        server: String,
        /// The file with all the output.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server ended, or did not respond in time.
    #[error("{server} did not come up: {reason}; the end of its output:\n{tail}")]
    Start {
        /// The server that was started.
        server: String,
        /// What happened.
        reason: String,
        /// The last lines of its output.
        tail: String,
    },
    /// A request to a server that is not running.
    #[error("{server} is not running")]
    NotRunning {
        /// The server.
        server: String,
    },
    /// A signal could not be sent.
    #[error("signal {signal} could not be sent to {server}, process {pid}")]
    Signal {
        /// The server.
        server: String,
        /// The name of the signal.
        signal: &'static str,
        /// The process.
        pid: u32,
    },
    /// A file or process could not be dealt with.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The error.
        source: io::Error,
    },
}

impl ServerError {
    /// For `map_err`: names what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
