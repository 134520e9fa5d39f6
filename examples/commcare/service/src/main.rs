//! A service of a user's own: follows the pillows of its documents into a cluster until it is asked to stop. What fails holds, and is tried
//! again.
//!
//! `pillowtop_cli::main` does this and more; link the runtime, as here, where following is one task of several in a process. A second
//! copy of the service stands by until the first one's lease runs out.

use std::sync::Arc;

use anyhow::Context as _;
use pillowtop_runtime::http::Endpoint;
use pillowtop_runtime::pipeline::PipelineOptions;
use pillowtop_runtime::sink::elastic::{AcquireOptions, Cluster, ClusterOptions};
use pillowtop_runtime::source::CouchServer;
use pillowtop_runtime::{ChangesSource, ServeOptions, Served, serve};
use tokio::sync::watch;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let registry = commcare::registry();
    if let Err(errors) = registry.check() {
        anyhow::bail!("{errors:?}");
    }

    let couch = CouchServer::new(server("PILLOWTOP_COUCH")?);
    let cluster = Cluster::connect(server("PILLOWTOP_ELASTIC")?, ClusterOptions::default()).await?;
    let source = ChangesSource::Couch(couch.database("commcarehq".into()));

    let pillows = registry.pillows().iter().map(|pillow| Served::new(Arc::clone(pillow), Arc::default()));
    let databases = vec![(source, pillows.collect())];
    let options = ServeOptions {
        acquire: AcquireOptions::new("commcare-service"),
        pipeline: PipelineOptions::default(),
    };

    let (ask_to_stop, stop) = watch::channel(false);
    tokio::spawn(async move {
        // Without a handler for the signal, the service is stopped as any process is, and loses nothing either; only its leases have to
        // run out then.
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = ask_to_stop.send(true);
        }
    });
    serve(&cluster, databases, &options, stop).await;
    Ok(())
}

/// A server by its environment variables `…_URL`, `…_USER` and `…_PASSWORD`.
fn server(name: &str) -> anyhow::Result<Endpoint> {
    let variable = |part: &str| std::env::var(format!("{name}_{part}"));
    let url = variable("URL").with_context(|| format!("{name}_URL is not set"))?;
    Ok(Endpoint::parse(&url, variable("USER").ok().as_deref(), variable("PASSWORD").ok().as_deref())?)
}
