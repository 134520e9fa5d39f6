//! A service of a user's own: follows the pillows of its documents into a cluster until it is asked
//! to stop. What fails pauses, and is retried.
//!
//! `pillowtop_cli::main` does this and more; link the runtime, as here, where following is one task
//! of several in a process. A second copy of the service stands by until the first one's lease runs
//! out.

use std::sync::Arc;

use anyhow::Context as _;
use pillowtop_runtime::claim::Lease;
use pillowtop_runtime::engine::{DatabaseSelection, Engine, EngineOptions, Served};
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::member::{Counters, MemberOptions};
use pillowtop_runtime::service::{ServiceOptions, serve};
use pillowtop_runtime::source::CouchServer;
use pillowtop_runtime::target::elastic::{Cluster, ClusterOptions, ControlIndex, ElasticDestination};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let registry = commcare::registry();
    if let Err(errors) = registry.check() {
        anyhow::bail!("{errors:?}");
    }

    let couch = CouchServer::new(server("PILLOWTOP_COUCH")?);
    let cluster = Cluster::connect(server("PILLOWTOP_ELASTIC")?, ClusterOptions::default()).await?;
    let claims = Arc::new(ControlIndex::new(&cluster));
    let lease = Lease::start(claims, "commcare-service", Lease::LENGTH).await?;
    let engine = Engine::new(Arc::new(couch), EngineOptions::default());

    let pillows = registry.pillows().iter().map(|pillow| Served {
        pillow: Arc::clone(pillow),
        destination: Arc::new(ElasticDestination::new(&cluster, pillow.definition(), &lease)),
        databases: DatabaseSelection::One("commcarehq".into()),
        counters: Arc::new(Counters::default()),
        options: MemberOptions::default(),
    });

    let stop = CancellationToken::new();
    tokio::spawn(cancel_on_ctrl_c(stop.clone()));
    serve(&engine, pillows.collect(), &ServiceOptions::default(), &stop).await?;
    lease.end().await?;
    Ok(())
}

/// Without a handler for the signal, the service is stopped as any process is, and loses nothing
/// either; only its lease has to run out then.
async fn cancel_on_ctrl_c(stop: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    }
}

/// A server by its environment variables `…_URL`, `…_USER` and `…_PASSWORD`.
fn server(name: &str) -> anyhow::Result<Endpoint> {
    let variable = |part: &str| std::env::var(format!("{name}_{part}"));
    let url = variable("URL").with_context(|| format!("{name}_URL is not set"))?;
    Ok(Endpoint::parse(&url, variable("USER").ok().as_deref(), variable("PASSWORD").ok().as_deref())?)
}
