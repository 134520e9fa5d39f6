//! Connecting to the servers that the configuration names.

use std::sync::Arc;
use std::time::Duration;

use pillowtop_core::{AnyPillow, Definition};
use pillowtop_runtime::claim::{AcquireOptions, ClaimStore, Lease, Notify, Slice, StoreError, WhenHeld};
use pillowtop_runtime::engine::{DatabaseSelection, Databases as _, Engine, EngineOptions, Served};
use pillowtop_runtime::http::{Endpoint, EndpointError};
use pillowtop_runtime::reader::ReaderOptions;
use pillowtop_runtime::source::{CouchDatabase, CouchError, CouchServer};
use pillowtop_runtime::target::Destination;
use pillowtop_runtime::target::elastic::{
    Cluster, ClusterError, ClusterOptions, ControlIndex, ElasticDestination,
};

use crate::certificates;
use crate::config::{Secret, ServerConfig};
use crate::context::Context;
use crate::exit::Failure;
use crate::reachable::until_reachable;
use crate::tables::Tables;
use crate::target_server::TargetServer;

pub(crate) use crate::reachable::WhenUnreachable;

/// How often rows are committed, with the position.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// How long the end of a lease may take when a command ends. A lease that is not ended runs out.
const END_WITHIN: Duration = Duration::from_secs(3);

/// What a command needs that reads databases and writes targets: the servers of its pillows.
pub(crate) struct Servers {
    pub(crate) couch: CouchServer,
    pub(crate) engine: Arc<Engine>,
    /// The cluster, and the lease under which claims in it are taken.
    indices: Option<(Cluster, Arc<Lease>)>,
    tables: Option<Tables>,
}

impl Servers {
    /// Connects to everything that the pillows need before any claim is taken. `command` names this
    /// process for people.
    pub(crate) async fn connect(
        context: &Context,
        command: &str,
        pillows: &[Arc<dyn AnyPillow>],
        when_unreachable: WhenUnreachable,
    ) -> Result<Self, Failure> {
        let targets = targets(context, command, pillows, when_unreachable).await?;
        Self::connect_couch(context, command, targets, when_unreachable).await
    }

    /// Connects to CouchDB, and takes claims in this cluster.
    pub(crate) async fn connect_to(
        context: &Context,
        command: &str,
        cluster: Cluster,
        when_unreachable: WhenUnreachable,
    ) -> Result<Self, Failure> {
        Self::connect_couch(context, command, (Some(cluster), None), when_unreachable).await
    }

    async fn connect_couch(
        context: &Context,
        command: &str,
        (cluster, tables): (Option<Cluster>, Option<Tables>),
        when_unreachable: WhenUnreachable,
    ) -> Result<Self, Failure> {
        let couch = couch(context, when_unreachable).await?;
        let mut indices = None;
        if let Some(cluster) = cluster {
            let store: Arc<dyn ClaimStore> = Arc::new(ControlIndex::new(&cluster));
            let label = label(command);
            let start = async || Lease::start(Arc::clone(&store), label.as_str(), Lease::LENGTH).await;
            let lease = until_reachable(context, when_unreachable, StoreError::is_retryable, start).await?;
            indices = Some((cluster, lease));
        }
        let engine = Engine::new(Arc::new(couch.clone()), EngineOptions::default());
        Ok(Self { couch, engine, indices, tables })
    }

    /// The same servers for a command that reads for one pillow at a time: a reader waits for no
    /// others.
    pub(crate) fn for_one_pillow(self) -> Self {
        let readers = ReaderOptions { gather: Duration::ZERO, ..ReaderOptions::default() };
        let options = EngineOptions { readers, ..EngineOptions::default() };
        Self { engine: Engine::new(Arc::new(self.couch.clone()), options), ..self }
    }

    fn indices(&self) -> Result<&(Cluster, Arc<Lease>), Failure> {
        self.indices.as_ref().ok_or_else(|| Failure::new("no pillow of this command has an index"))
    }

    /// The cluster, where a pillow of the command has an index.
    pub(crate) fn cluster(&self) -> Result<&Cluster, Failure> {
        Ok(&self.indices()?.0)
    }

    /// The lease under which claims on indices are taken.
    pub(crate) fn lease(&self) -> Result<&Arc<Lease>, Failure> {
        Ok(&self.indices()?.1)
    }

    /// The tables, where a pillow of the command has one.
    pub(crate) fn tables(&self) -> Result<&Tables, Failure> {
        self.tables.as_ref().ok_or_else(|| Failure::new("no pillow of this command has a table"))
    }

    /// Where the targets are.
    pub(crate) fn all(&self) -> Vec<&dyn TargetServer> {
        let cluster = self.indices.as_ref().map(|(cluster, _)| cluster as &dyn TargetServer);
        cluster.into_iter().chain(self.tables.as_ref().map(|tables| tables as &dyn TargetServer)).collect()
    }

    /// Where the claims on the targets of a pillow are.
    pub(crate) fn store(&self, definition: &Definition) -> Result<Arc<dyn ClaimStore>, Failure> {
        if definition.is_table() { Ok(self.tables()?.store()) } else { Ok(self.cluster()?.store()) }
    }

    /// A pillow with its databases and its targets.
    pub(crate) fn served(&self, context: &Context, pillow: &Arc<dyn AnyPillow>) -> Result<Served, Failure> {
        let definition = pillow.definition();
        let databases = context.databases(definition)?;
        let mut options = context.config.member_options(&definition.pillow);
        let destination: Arc<dyn Destination> = if definition.is_table() {
            options.save_interval = COMMIT_INTERVAL;
            self.tables()?.destination(definition, &databases)?
        } else {
            let slices = match &databases {
                DatabaseSelection::One(_) => vec![Slice::Whole],
                // Databases that appear are read from their start, so an index is never incomplete for one.
                DatabaseSelection::Several { .. } => Vec::new(),
            };
            let (cluster, lease) = self.indices()?;
            Arc::new(ElasticDestination::new(cluster, definition, lease).with_slices(slices))
        };
        Ok(Served { pillow: Arc::clone(pillow), destination, databases, counters: Arc::default(), options })
    }

    /// The databases that are selected now.
    pub(crate) async fn databases(
        &self,
        selection: &DatabaseSelection,
    ) -> Result<Vec<CouchDatabase>, Failure> {
        databases(&self.couch, selection).await
    }

    /// Ends the leases, after all claims were released. One that cannot be ended runs out.
    pub(crate) async fn end(self) {
        let ending = async {
            if let Some(tables) = &self.tables {
                tables.end().await;
            }
            match &self.indices {
                Some((_, lease)) => lease.end().await,
                None => Ok(()),
            }
        };
        match tokio::time::timeout(END_WITHIN, ending).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "cannot release the lease"),
            Err(_) => tracing::debug!("cannot release the lease: no response in time"),
        }
    }
}

/// The name of this process for people.
fn label(command: &str) -> String {
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} {command}", host.trim()).trim().to_owned()
}

/// Whether a command on these pillows, on all by default, needs the cluster.
fn needs_cluster(pillows: &[Arc<dyn AnyPillow>]) -> bool {
    pillows.is_empty() || pillows.iter().any(|pillow| !pillow.definition().is_table())
}

async fn tables(
    context: &Context,
    command: &str,
    pillows: &[Arc<dyn AnyPillow>],
    when_unreachable: WhenUnreachable,
) -> Result<Option<Tables>, Failure> {
    let definitions = pillows.iter().map(|pillow| pillow.definition());
    let definitions: Vec<&Definition> = definitions.filter(|definition| definition.is_table()).collect();
    if definitions.is_empty() {
        return Ok(None);
    }
    Tables::connect(context, &definitions, label(command), when_unreachable).await.map(Some)
}

/// The cluster and the tables of some pillows, for a command that takes no claim.
pub(crate) async fn targets(
    context: &Context,
    command: &str,
    pillows: &[Arc<dyn AnyPillow>],
    when_unreachable: WhenUnreachable,
) -> Result<(Option<Cluster>, Option<Tables>), Failure> {
    let mut found = None;
    if needs_cluster(pillows) {
        found = Some(cluster(context, when_unreachable).await?);
    }
    Ok((found, tables(context, command, pillows, when_unreachable).await?))
}

/// The same, whatever they are.
pub(crate) async fn target_servers(
    context: &Context,
    pillows: &[Arc<dyn AnyPillow>],
) -> Result<Vec<Box<dyn TargetServer>>, Failure> {
    let (cluster, tables) = targets(context, "", pillows, WhenUnreachable::Fail).await?;
    let mut all: Vec<Box<dyn TargetServer>> = Vec::new();
    all.extend(cluster.map(|cluster| Box::new(cluster) as Box<dyn TargetServer>));
    all.extend(tables.map(|tables| Box::new(tables) as Box<dyn TargetServer>));
    Ok(all)
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
