//! Connecting to the servers that the configuration names, and stopping when asked.

use pillowtop_core::DatabaseName;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::sink::elastic::{AcquireOptions, Cluster, ClusterOptions, WhenHeld};
use pillowtop_runtime::source::{CouchDatabase, CouchServer};
use tokio::sync::watch;

use crate::config::{Secret, ServerConfig};
use crate::context::Context;
use crate::exit::Failure;
use crate::output::Talk;

/// The database, after asking the server who it is.
pub(crate) async fn couch(context: &Context, database: DatabaseName) -> Result<CouchDatabase, Failure> {
    let endpoint = endpoint(&context.config.couch, "couch", "COUCH")?;
    let server = CouchServer::new(endpoint);
    server.check().await?;
    Ok(server.database(database))
}

/// The cluster.
pub(crate) async fn cluster(context: &Context) -> Result<Cluster, Failure> {
    let endpoint = endpoint(&context.config.elastic, "elastic", "ELASTIC")?;
    let options = ClusterOptions { prefix: context.config.prefix.clone() };
    Ok(Cluster::connect(endpoint, options).await?)
}

/// How this command takes leases.
pub(crate) fn acquire(command: &str, when_held: WhenHeld) -> AcquireOptions {
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let label = format!("{} {command}", host.trim());
    AcquireOptions { when_held, ..AcquireOptions::new(label.trim()) }
}

fn endpoint(config: &ServerConfig, flag: &str, variable: &str) -> Result<Endpoint, Failure> {
    let url = config.url.as_deref().ok_or_else(|| {
        Failure::usage(format!("no address of {}", if flag == "couch" { "CouchDB" } else { "the cluster" }))
            .hint(format!("give --{flag}-url, PILLOWTOP_{variable}_URL, or `{flag}.url` in pillowtop.toml"))
    })?;
    let password = config.password.as_ref().map(Secret::reveal);
    Endpoint::parse(url, config.user.as_deref(), password).map_err(Failure::usage)
}

/// Tells when a stop is asked for: by the first ctrl-c. A second one ends the process at once.
pub(crate) fn stop_on_ctrl_c(talk: &Talk) -> watch::Receiver<bool> {
    let (ask, stop) = watch::channel(false);
    let talk = talk.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if *ask.borrow() {
                #[expect(
                    clippy::exit,
                    reason = "whoever asks twice does not want to wait; nothing is lost by it"
                )]
                std::process::exit(130);
            }
            talk.note("stopping: waiting for unanswered requests; ctrl-c again ends at once");
            if ask.send(true).is_err() {
                return;
            }
        }
    });
    stop
}
