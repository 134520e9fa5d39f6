//! Connecting to the servers that the configuration names.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::DatabaseName;
use pillowtop_runtime::http::{Endpoint, EndpointError};
use pillowtop_runtime::sink::elastic::{
    AcquireOptions, Cluster, ClusterError, ClusterOptions, Tell, WhenHeld,
};
use pillowtop_runtime::source::{CouchDatabase, CouchError, CouchServer};

use crate::certificates;
use crate::config::{Secret, ServerConfig};
use crate::context::Context;
use crate::exit::Failure;

/// How long to wait before a server that does not answer is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// What is done about a server that does not answer when a command starts. Whatever it does answer is final: a refused password is
/// never sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenUnreachable {
    /// An error.
    Fail,
    /// Ask again, for as long as it takes.
    Wait,
}

/// The database, after asking its server who it is.
pub(crate) async fn couch(
    context: &Context,
    database: DatabaseName,
    when_unreachable: WhenUnreachable,
) -> Result<CouchDatabase, Failure> {
    let server = CouchServer::new(endpoint(&context.config.couch, "couch", "COUCH")?);
    until_reachable(context, when_unreachable, CouchError::is_retryable, async || server.check().await)
        .await?;
    Ok(server.database(database))
}

/// The cluster.
pub(crate) async fn cluster(
    context: &Context,
    when_unreachable: WhenUnreachable,
) -> Result<Cluster, Failure> {
    cluster_with_prefix(context, context.config.prefix.as_deref(), when_unreachable).await
}

/// The cluster, with another prefix than the configuration's.
pub(crate) async fn cluster_with_prefix(
    context: &Context,
    prefix: Option<&str>,
    when_unreachable: WhenUnreachable,
) -> Result<Cluster, Failure> {
    let endpoint = endpoint(&context.config.elastic, "elastic", "ELASTIC")?;
    let options =
        ClusterOptions { prefix: prefix.map(str::to_owned), settings: context.config.settings.clone() };
    let connect = async || Cluster::connect(endpoint.clone(), options.clone()).await;
    until_reachable(context, when_unreachable, ClusterError::is_retryable, connect).await
}

/// How this command takes leases.
pub(crate) fn acquire(context: &Context, command: &str, when_held: WhenHeld) -> AcquireOptions {
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let label = format!("{} {command}", host.trim());
    let talk = context.talk.clone();
    let tell = Tell(Arc::new(move |sentence| talk.note(sentence)));
    AcquireOptions { when_held, tell, ..AcquireOptions::new(label.trim()) }
}

fn endpoint(config: &ServerConfig, flag: &str, variable: &str) -> Result<Endpoint, Failure> {
    let url = config.url.as_deref().ok_or_else(|| {
        Failure::usage(format!("no address of {}", if flag == "couch" { "CouchDB" } else { "the cluster" }))
            .hint(format!("give --{flag}-url, PILLOWTOP_{variable}_URL, or `{flag}.url` in pillowtop.toml"))
    })?;
    let password = config.password.as_ref().map(Secret::reveal);
    let options = certificates::options(config.authorities.as_ref());
    Endpoint::with_options(url, config.user.as_deref(), password, &options).map_err(|error| {
        let port = if flag == "couch" { 5984 } else { 9200 };
        let hint = match &error {
            EndpointError::NoUser(_) => {
                format!("give --{flag}-user, PILLOWTOP_{variable}_USER, or `{flag}.user` in pillowtop.toml")
            }
            _ => format!("write --{flag}-url, or where else it is said, as `http://localhost:{port}`"),
        };
        Failure::usage(error).hint(hint)
    })
}

async fn until_reachable<T, E: Display>(
    context: &Context,
    when_unreachable: WhenUnreachable,
    is_retryable: impl Fn(&E) -> bool,
    connect: impl AsyncFn() -> Result<T, E>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    let mut said = String::new();
    loop {
        match connect().await {
            Err(error) if when_unreachable == WhenUnreachable::Wait && is_retryable(&error) => {
                let text = error.to_string();
                if text != said {
                    context.talk.note(&format!("waiting: {text}"));
                    said = text;
                }
                tokio::time::sleep(PAUSE).await;
            }
            result => return Ok(result?),
        }
    }
}
