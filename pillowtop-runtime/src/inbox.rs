//! Searches for requests in a claim store and hands each to the member that holds its claim.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::claim::{ClaimKey, ClaimStore};
use crate::request::Request;

/// How often requests are searched for.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often while the store does not respond.
const FAILED_INTERVAL: Duration = Duration::from_secs(10);
/// Requests that wait for a member.
const QUEUE: usize = 16;

/// The requests of one claim store, for the members of this process: one search per second,
/// whatever their number.
#[derive(Debug)]
pub(crate) struct Inbox {
    members: Arc<Members>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Members(Mutex<HashMap<String, mpsc::Sender<(String, Request)>>>);

impl Members {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<(String, Request)>>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inbox {
    /// Begins to search for requests. Panics outside of a tokio runtime.
    pub(crate) fn start(store: Arc<dyn ClaimStore>) -> Self {
        let members = Arc::new(Members::default());
        let task = tokio::spawn(look(store, Arc::clone(&members)));
        Self { members, task }
    }

    /// The requests for the owner of a claim, until the receiver is dropped.
    pub(crate) fn subscribe(&self, claim: &ClaimKey) -> mpsc::Receiver<(String, Request)> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        self.members.lock().insert(claim.requests(), sender);
        receiver
    }
}

async fn look(store: Arc<dyn ClaimStore>, members: Arc<Members>) {
    let mut interval = INTERVAL;
    loop {
        tokio::time::sleep(interval).await;
        members.lock().retain(|_, sender| !sender.is_closed());
        if members.lock().is_empty() {
            continue;
        }
        interval = match store.list("request:").await {
            Ok(found) => {
                for (key, stored) in found {
                    let Ok(request) = serde_json::from_value::<Request>(stored.value) else { continue };
                    if request.result.is_none() {
                        deliver(&members, key, request);
                    }
                }
                INTERVAL
            }
            Err(error) => {
                tracing::debug!(store = store.describe(), %error, "cannot read requests");
                FAILED_INTERVAL
            }
        };
    }
}

/// A member whose queue is full receives the request with the next search.
fn deliver(members: &Members, key: String, request: Request) {
    let members = members.lock();
    // A claim's key may begin with another one's, but is followed by a colon and a number without one.
    let claim = key.rfind(':').map_or("", |colon| &key[..=colon]);
    if let Some(sender) = members.get(claim) {
        let _ = sender.try_send((key, request));
    }
}
