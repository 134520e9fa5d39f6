//! Stopping when asked: the first ctrl-c or SIGTERM asks, a second one ends the process at once.

use tokio_util::sync::CancellationToken;

use crate::output::Ui;

/// Whether a stop was asked for. One a command, since a process hears signals in one place.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    token: CancellationToken,
}

impl Stop {
    /// Asked for by ctrl-c, or by SIGTERM, which is how services are stopped.
    pub(crate) fn on_signals(ui: &Ui) -> Self {
        let stop = Self { token: CancellationToken::new() };
        let (heard, ui) = (stop.clone(), ui.clone());
        tokio::spawn(async move {
            while asked_by_signal().await.is_ok() {
                if heard.token.is_cancelled() {
                    // Whoever asks twice does not want to wait; nothing is lost by it.
                    std::process::exit(130);
                }
                ui.note("stopping: waiting for unanswered requests; ctrl-c again ends at once");
                heard.token.cancel();
            }
        });
        stop
    }

    /// What the runtime listens to.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The result of `work`, or `None` if a stop is asked for before it ends.
    pub(crate) async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => None,
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
