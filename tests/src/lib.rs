//! Installs and starts the real servers that the end-to-end tests run against, and is the command
//! `cargo xtask test`.
//!
//! | server | where it comes from | needs |
//! | --- | --- | --- |
//! | `OpenSearch` 3.6.0 | Maven Central | Maven, a JDK 21 or newer |
//! | Elasticsearch 7.10.2 (Apache-2.0) | Maven Central | Maven, a JDK 17 to 23 |
//! | a `CouchDB` 3.5 double on `PouchDB` | npm | Node 18 or newer |
//!
//! Everything lies under `test-servers` in the cargo target directory, listens on 127.0.0.1 on a
//! port that was free, and is gone when its [`Server`] is dropped, or when the process that started
//! it ends in any other way.

mod directories;
mod error;
mod http;

mod install;
mod java;
mod process;

mod server;

mod launcher;

mod cluster;
mod couch;
mod postgres;

pub mod command;

#[cfg(test)]
mod tests;

pub use cluster::{Cluster, ClusterOptions, Product};
pub use command::cargo;
pub use command::run;
pub use couch::{CouchOptions, CouchServer, CouchStorage};
pub use directories::tail;
pub use error::ServerError;
pub use http::{Response, request};
pub use install::{Installable, install};
pub use postgres::Postgres;
pub use process::Guarded;
pub use server::Server;

/// Environment variable with the URL of the couch server that the end-to-end tests are to use.
pub const COUCH_URL_VARIABLE: &str = "PILLOWTOP_TEST_COUCH_URL";
/// Environment variable with the URL of the cluster that the end-to-end tests are to use.
pub const ELASTIC_URL_VARIABLE: &str = "PILLOWTOP_TEST_ELASTIC_URL";
/// Environment variable with the [`Product::key`] of that cluster.
pub const PRODUCT_VARIABLE: &str = "PILLOWTOP_TEST_PRODUCT";
