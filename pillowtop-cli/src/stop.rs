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
        // Listened to from now on, without a gap: a second signal may come before the first is dealt
        // with. Where it cannot be listened to, a signal ends the process as usual.
        let Ok(mut signals) = Signals::listen() else { return stop };
        tokio::spawn(async move {
            while signals.next().await.is_some() {
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
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            asked = self.interrupt.recv() => asked,
            asked = self.terminate.recv() => asked,
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}
