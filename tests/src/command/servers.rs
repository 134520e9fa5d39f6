//! The servers of one run of the command, installed and started side by side.

use std::{
    thread::{ScopedJoinHandle, scope},
    time::Instant,
};

use super::console;
use crate::{
    cluster::{Cluster, ClusterOptions, Product},
    couch::{CouchOptions, CouchServer},
    error::ServerError,
    install::{Installable, install},
    server::Server,
};

/// A search server and what it is.
#[derive(Debug)]
pub(super) struct RunningCluster {
    pub(super) product: Product,
    pub(super) server: Server,
}

/// All servers of a run. Stopped when dropped.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) couch: Server,
    pub(super) clusters: Vec<RunningCluster>,
}

impl Servers {
    /// Starts what is needed for these products. When one fails, those that came up are stopped
    /// again.
    pub(super) fn start(products: &[Product]) -> Result<Self, ServerError> {
        scope(|threads| {
            let couch = threads
                .spawn(|| start_one(Installable::Couch, || CouchServer::start(&CouchOptions::default())));
            let clusters: Vec<_> = products
                .iter()
                .map(|&product| {
                    let start = move || Cluster::start(product, &ClusterOptions::default());
                    (product, threads.spawn(move || start_one(product.installable(), start)))
                })
                .collect();
            let clusters: Vec<_> =
                clusters.into_iter().map(|(product, thread)| (product, join(thread))).collect();
            let couch = join(couch)?;
            let clusters = clusters
                .into_iter()
                .map(|(product, server)| Ok(RunningCluster { product, server: server? }))
                .collect::<Result<_, ServerError>>()?;
            Ok(Self { couch, clusters })
        })
    }

    /// Copies the logs of the servers to where they outlive them, and says where.
    pub(super) fn keep_logs(&self, cluster: &RunningCluster) {
        for server in [&cluster.server, &self.couch] {
            match server.keep_log() {
                Ok(path) => {
                    console::progress(&format!("the log of {}: {}", server.version(), path.display()));
                }
                Err(problem) => console::progress(&format!("warning: {problem}")),
            }
        }
    }
}

fn join(thread: ScopedJoinHandle<'_, Result<Server, ServerError>>) -> Result<Server, ServerError> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn start_one(
    what: Installable,
    start: impl FnOnce() -> Result<Server, ServerError>,
) -> Result<Server, ServerError> {
    install(what, &console::progress)?;
    console::progress(&format!("starting {} …", what.label()));
    let started = Instant::now();
    let server = start()?;
    let seconds = started.elapsed().as_secs_f64();
    console::progress(&format!("started {} on port {} in {seconds:.1} s", what.label(), server.port()));
    Ok(server)
}
