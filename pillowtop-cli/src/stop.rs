//! Stopping when asked: the first ctrl-c or SIGTERM asks, a second one ends the process at once.

use std::sync::Arc;

use tokio::sync::watch;

use crate::output::Talk;

/// Whether a stop was asked for. One a command, since a process hears signals in one place.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// Asked for by ctrl-c, or by SIGTERM, which is how services are stopped.
    pub(crate) fn on_signals(talk: &Talk) -> Self {
        let stop = Self { asked: Arc::new(watch::Sender::new(false)) };
        let (heard, talk) = (stop.clone(), talk.clone());
        tokio::spawn(async move {
            while asked_by_signal().await.is_ok() {
                if heard.is_asked() {
                    // Whoever asks twice does not want to wait; nothing is lost by it.
                    std::process::exit(130);
                }
                talk.note("stopping: waiting for unanswered requests; ctrl-c again ends at once");
                heard.ask();
            }
        });
        stop
    }

    /// Asks everybody who listens to stop.
    pub(crate) fn ask(&self) {
        self.asked.send_replace(true);
    }

    pub(crate) fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// What the runtime listens to.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.asked.subscribe()
    }

    /// The result of `work`, or `None` if a stop is asked for before it ends.
    pub(crate) async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut receiver = self.receiver();
        tokio::select! {
            biased;
            _ = receiver.wait_for(|asked| *asked) => None,
            result = work => Some(result),
        }
    }
}

#[cfg(unix)]
async fn asked_by_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        asked = tokio::signal::ctrl_c() => asked,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_by_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
