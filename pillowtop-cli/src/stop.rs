//! Stopping when asked: the first ctrl-c asks, a second one ends the process at once. What stops services (SIGTERM) is heard alike.

use std::sync::Arc;

use tokio::sync::watch;

use crate::output::Talk;

/// Whether a stop was asked for. One a command, since a process hears ctrl-c in one place.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// Asked for by a signal.
    pub(crate) fn on_signal(talk: &Talk) -> Self {
        let stop = Self { asked: Arc::new(watch::Sender::new(false)) };
        let (heard, talk) = (stop.clone(), talk.clone());
        tokio::spawn(async move {
            let mut terminations = Terminations::listen();
            loop {
                tokio::select! {
                    result = tokio::signal::ctrl_c() => if result.is_err() { break },
                    () = terminations.next() => {}
                }
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

/// The signals that ask a service to stop; only Unix has them.
struct Terminations {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Terminations {
    fn listen() -> Self {
        Self {
            #[cfg(unix)]
            signals: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }

    /// The next one, for ever if there are none.
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
