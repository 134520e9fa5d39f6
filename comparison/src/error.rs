//! Why a comparison cannot be made.

use std::io;

use pillowtop_core::field_types::Target;

/// Why a comparison cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConformanceError {
    /// The server could not be reached.
    #[error("{method} {path} on port {port}: {source}")]
    Request {
        /// The port of the server.
        port: u16,
        /// The method of the request.
        method: String,
        /// Its path.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The server responded with neither success nor a refusal.
    #[error("{method} {path} on port {port}: status {status}: {reason}")]
    Status {
        /// The port of the server.
        port: u16,
        /// The method of the request.
        method: String,
        /// Its path.
        path: String,
        /// The status.
        status: u16,
        /// The reason that the server gives.
        reason: String,
    },
    /// What listens on the port is not a search server.
    #[error("port {port}: the response to `GET /` names no product and version")]
    NotASearchServer {
        /// The port.
        port: u16,
    },
    /// The values that definitions are made of cannot be read.
    #[error("parts.json: {0}")]
    Parts(serde_json::Error),
    /// The server has hardly any field types.
    #[error("{target} has none of the field types")]
    NoTypes {
        /// The server.
        target: Target,
    },
}
