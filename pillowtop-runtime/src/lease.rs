//! Keeping a lease: it is renewed from when it is taken until it is given back, whatever its owner does meanwhile.
//!
//! A session stores positions, which renews the lease too. Before the first one, between two, and while another index is waited for, nobody
//! would.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::sink::{Sink, SinkError};

/// How often a lease is looked at, within a lease.
const LOOKS: u32 = 6;

/// Renews the lease of an index until it is dropped.
#[derive(Debug)]
pub(crate) struct LeaseKeeper(JoinHandle<()>);

impl LeaseKeeper {
    /// Begins to renew. Panics outside of a tokio runtime.
    pub(crate) fn start(sink: Arc<dyn Sink>) -> Self {
        Self(tokio::spawn(keep(sink)))
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep(sink: Arc<dyn Sink>) {
    let looks = (sink.lease() / LOOKS).max(Duration::from_millis(10));
    loop {
        tokio::time::sleep(looks).await;
        match sink.renew().await {
            Ok(()) => {}
            // Whoever writes hears of it too, and says it.
            Err(SinkError::LeaseLost { .. }) => return,
            // Nothing is sent once it has run out, until it is renewed.
            Err(error) => tracing::warn!(index = %sink.describe(), %error, "the lease is not renewed"),
        }
    }
}
