//! Waiting for a stop that may never be asked for.

use tokio::sync::watch;

/// What listens for a stop.
pub(crate) trait StopSignal {
    /// Waits until a stop is asked for; an error when nobody is left who could.
    async fn wait_for_stop(&mut self) -> Result<(), watch::error::RecvError>;
}

impl StopSignal for watch::Receiver<bool> {
    async fn wait_for_stop(&mut self) -> Result<(), watch::error::RecvError> {
        self.wait_for(|stop| *stop).await.map(|_| ())
    }
}
