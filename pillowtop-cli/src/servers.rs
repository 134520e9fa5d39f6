//! Connecting to the servers that the configuration names.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::AnyPillow;
use pillowtop_runtime::claim::{AcquireOptions, ClaimStore, Lease, Notify, Slice, StoreError, WhenHeld};
use pillowtop_runtime::engine::{DatabaseSelection, Databases as _, Engine, EngineOptions, Served};
use pillowtop_runtime::http::{Endpoint, EndpointError};
use pillowtop_runtime::reader::ReaderOptions;
use pillowtop_runtime::source::{CouchDatabase, CouchError, CouchServer};
use pillowtop_runtime::target::elastic::{
    Cluster, ClusterError, ClusterOptions, ControlIndex, ElasticDestination,
};

use crate::certificates;
use crate::config::{Secret, ServerConfig};
use crate::context::Context;
use crate::exit::Failure;

/// How long to wait before a server that does not respond is asked again.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the end of a lease may take when a command ends. A lease that is not ended runs out.
const END_WITHIN: Duration = Duration::from_secs(3);

/// What is done about a server that does not respond when a command starts. Whatever it does answer
/// is final: a refused password is never sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenUnreachable {
    /// An error.
    Fail,
    /// Ask again, for as long as it takes.
    Wait,
}

/// What a command needs that reads databases and writes indices.
pub(crate) struct Servers {
    pub(crate) couch: CouchServer,
    pub(crate) cluster: Cluster,
    /// Claims are taken under it.
    pub(crate) lease: Arc<Lease>,
    pub(crate) engine: Arc<Engine>,
}

impl Servers {
    /// Connects to everything before any claim is taken. `command` names this process for people.
    pub(crate) async fn connect(
        context: &Context,
        command: &str,
        when_unreachable: WhenUnreachable,
    ) -> Result<Self, Failure> {
        let cluster = cluster(context, when_unreachable).await?;
        Self::connect_to(context, command, cluster, when_unreachable).await
    }

    /// Connects to CouchDB, and takes claims in this cluster.
    pub(crate) async fn connect_to(
        context: &Context,
        command: &str,
        cluster: Cluster,
        when_unreachable: WhenUnreachable,
    ) -> Result<Self, Failure> {
        let couch = couch(context, when_unreachable).await?;
        let store: Arc<dyn ClaimStore> = Arc::new(ControlIndex::new(&cluster));
        let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let label = format!("{} {command}", host.trim());
        let start = async || Lease::start(Arc::clone(&store), label.trim(), Lease::LENGTH).await;
        let lease = until_reachable(context, when_unreachable, StoreError::is_retryable, start).await?;
        let engine = Engine::new(Arc::new(couch.clone()), EngineOptions::default());
        Ok(Self { couch, cluster, lease, engine })
    }

    /// The same servers for a command that reads for one pillow at a time: a reader waits for no
    /// others.
    pub(crate) fn for_one_pillow(self) -> Self {
        let readers = ReaderOptions { gather: Duration::ZERO, ..ReaderOptions::default() };
        let options = EngineOptions { readers, ..EngineOptions::default() };
        Self { engine: Engine::new(Arc::new(self.couch.clone()), options), ..self }
    }

    /// A pillow with its databases and its indices.
    pub(crate) fn served(&self, context: &Context, pillow: &Arc<dyn AnyPillow>) -> Result<Served, Failure> {
        let definition = pillow.definition();
        let databases = context.databases(definition)?;
        let slices = match &databases {
            DatabaseSelection::One(_) => vec![Slice::Whole],
            // Databases that appear are read from their start, so an index is never incomplete for one.
            DatabaseSelection::Several { .. } => Vec::new(),
        };
        let destination = ElasticDestination::new(&self.cluster, definition, &self.lease).with_slices(slices);
        Ok(Served {
            pillow: Arc::clone(pillow),
            destination: Arc::new(destination),
            databases,
            counters: Arc::default(),
            options: context.config.member_options(&definition.pillow),
        })
    }

    /// The databases that are selected now.
    pub(crate) async fn databases(
        &self,
        selection: &DatabaseSelection,
    ) -> Result<Vec<CouchDatabase>, Failure> {
        databases(&self.couch, selection).await
    }

    /// Ends the lease, after all claims were released. One that cannot be ended runs out.
    pub(crate) async fn end(self) {
        match tokio::time::timeout(END_WITHIN, self.lease.end()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the lease is not ended"),
            Err(_) => tracing::debug!("the lease is not ended: no response in time"),
        }
    }
}

/// The databases of a server that are selected now.
pub(crate) async fn databases(
    couch: &CouchServer,
    selection: &DatabaseSelection,
) -> Result<Vec<CouchDatabase>, Failure> {
    if let DatabaseSelection::One(name) = selection {
        return Ok(vec![couch.database(name.clone())]);
    }
    let all = couch.list().await?;
    let selected = selection.select(&all).map_err(|patterns| {
        let patterns: Vec<String> = patterns.iter().map(|pattern| format!("`{pattern}`")).collect();
        Failure::new(format!("no database matches {}", patterns.join(", ")))
            .hint("which databases a pillow reads is set in `[databases]` of pillowtop.toml")
    })?;
    Ok(selected.into_iter().map(|name| couch.database(name)).collect())
}

/// CouchDB, after checking that it is one.
pub(crate) async fn couch(
    context: &Context,
    when_unreachable: WhenUnreachable,
) -> Result<CouchServer, Failure> {
    let server = CouchServer::new(endpoint(&context.config.couch, "couch", "COUCH")?);
    until_reachable(context, when_unreachable, CouchError::is_retryable, async || server.check().await)
        .await?;
    Ok(server)
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
    let options = ClusterOptions {
        prefix: prefix.map(str::to_owned),
        settings: context.config.settings.clone(),
        ..ClusterOptions::default()
    };
    let connect = async || Cluster::connect(endpoint.clone(), options.clone()).await;
    until_reachable(context, when_unreachable, ClusterError::is_retryable, connect).await
}

/// How claims are taken: whoever waits for one is notified.
pub(crate) fn acquire(context: &Context, when_held: WhenHeld) -> AcquireOptions {
    let ui = context.ui.clone();
    AcquireOptions { when_held, notify: Notify(Arc::new(move |sentence| ui.note(sentence))) }
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
            _ => format!("write the address as `http://localhost:{port}`, in --{flag}-url, PILLOWTOP_{variable}_URL, or pillowtop.toml"),
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
    let mut last = String::new();
    loop {
        match connect().await {
            Err(error) if when_unreachable == WhenUnreachable::Wait && is_retryable(&error) => {
                let text = error.to_string();
                if text != last {
                    context.ui.note(&format!("waiting: {text}"));
                    last = text;
                }
                tokio::time::sleep(PAUSE).await;
            }
            result => return Ok(result?),
        }
    }
}
