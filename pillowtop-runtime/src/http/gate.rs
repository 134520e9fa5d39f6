//! A gate for credentials that a server has refused: CouchDB locks an account after five wrong
//! passwords.
//!
//! All clones of an endpoint share one gate. Until a secret was accepted once, requests with it are
//! sent one at a time, so a wrong one is refused once. After that, nothing is sent with it until it
//! has changed, or for ten minutes.

use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::secret::{Credentials, SecretError};

/// For how long a refused secret is not sent.
const CLOSED: Duration = Duration::from_mins(10);

/// How often a refused secret is read again at most, to see whether it has changed.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// Why a request was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The server has refused the credentials before.
    #[error(
        "the server refused the credentials before: {reason}; nothing more is sent until they change, or for \
         {} seconds, because servers lock an account after some refusals", .retried_in.as_secs()
    )]
    Refused {
        /// The server's reason.
        reason: String,
        /// When they are sent again without a change.
        retried_in: Duration,
    },
    /// The secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// The credentials of a server, and whether it accepts them.
pub(super) struct Gate {
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    secret: Option<Arc<str>>,
    /// Whether the server has accepted the secret.
    is_accepted: bool,
    refusal: Option<Refusal>,
}

struct Refusal {
    reason: String,
    at: Instant,
    read_at: Instant,
}

/// The permission to send one request. While a secret is not accepted yet, nobody else has one.
pub(super) struct Permit<'gate> {
    gate: &'gate Gate,
    secret: Arc<str>,
    alone: Option<MutexGuard<'gate, State>>,
}

impl Gate {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self { credentials, state: Mutex::new(State::default()) }
    }

    #[cfg(test)]
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Waits for the permission to send a request.
    pub(super) async fn pass(&self) -> Result<Permit<'_>, CredentialsError> {
        let mut state = self.state.lock().await;
        let secret = match &state.secret {
            Some(secret) if state.refusal.is_none() => Arc::clone(secret),
            Some(_) => self.reopen(&mut state).await?,
            None => self.read_into(&mut state).await?,
        };
        let alone = (!state.is_accepted).then_some(state);
        Ok(Permit { gate: self, secret, alone })
    }

    async fn read_into(&self, state: &mut State) -> Result<Arc<str>, CredentialsError> {
        let secret: Arc<str> = self.credentials.read().await?.into();
        state.secret = Some(Arc::clone(&secret));
        state.refusal = None;
        state.is_accepted = false;
        Ok(secret)
    }

    /// Opens the gate if the secret has changed or the time is over.
    async fn reopen(&self, state: &mut State) -> Result<Arc<str>, CredentialsError> {
        let Some(refusal) = &mut state.refusal else { return self.read_into(state).await };
        let closed_for = CLOSED.saturating_sub(refusal.at.elapsed());
        let error = CredentialsError::Refused { reason: refusal.reason.clone(), retried_in: closed_for };
        if closed_for.is_zero() {
            return self.read_into(state).await;
        }
        if !self.credentials.secret().may_change() || refusal.read_at.elapsed() < READ_AGAIN {
            return Err(error);
        }
        refusal.read_at = Instant::now();
        // A file that is being replaced is not a reason to forget the refusal.
        match self.credentials.read().await {
            Ok(secret) if state.secret.as_deref() != Some(secret.as_str()) => self.read_into(state).await,
            _ => Err(error),
        }
    }
}

impl Permit<'_> {
    /// Adds the credentials to the request.
    pub(super) fn add_to(&self, request: RequestBuilder) -> RequestBuilder {
        self.gate.credentials.add_to(request, &self.secret)
    }

    /// The server accepted the credentials.
    pub(super) fn accepted(self) {
        if let Some(mut state) = self.alone {
            state.is_accepted = true;
        }
    }

    /// The server refused the credentials. Returns whether others may be used now.
    pub(super) async fn refused(self, reason: String) -> bool {
        let mut state = match self.alone {
            Some(state) => state,
            None => self.gate.state.lock().await,
        };
        if state.secret.as_deref() != Some(&*self.secret) {
            // Another request was refused before, and the secret was read again since.
            return true;
        }
        let now = Instant::now();
        state.refusal = Some(Refusal { reason, at: now, read_at: now });
        state.is_accepted = false;
        let secret = self.gate.credentials.secret();
        if !secret.may_change() {
            return false;
        }
        match self.gate.credentials.read().await {
            Ok(secret) if secret != *self.secret => {
                state.secret = Some(secret.into());
                state.refusal = None;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::super::{Credentials, Endpoint, EndpointOptions, RequestError, SecretSource};
    use super::*;

    /// A server that accepts one password of `user`, and the number of requests that it refused.
    async fn server(password: &'static str) -> (String, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let refused = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&refused);
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let expected = client.get("http://x").basic_auth("user", Some(password)).build().unwrap();
        let expected = expected.headers()["authorization"].to_str().unwrap().to_owned();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                let is_right = String::from_utf8(head).unwrap().contains(&expected);
                let (status, body) =
                    if is_right { (200, "{}") } else { (401, "Name or password is incorrect.") };
                if !is_right {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                let head = format!(
                    "HTTP/1.1 {status} S\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all((head + body).as_bytes()).await;
            }
        });
        (url, refused)
    }

    fn endpoint(url: &str, password: SecretSource) -> Endpoint {
        let credentials = Credentials::Basic { user: "user".to_owned(), password };
        Endpoint::with_credentials(url, credentials, &EndpointOptions::default()).unwrap()
    }

    async fn status(endpoint: &Endpoint) -> Result<u16, RequestError> {
        Ok(endpoint.send(endpoint.get(&[])).await?.status().as_u16())
    }

    #[tokio::test]
    async fn a_refused_password_is_sent_once_whatever_the_number_of_pillows() {
        let (url, refused) = server("right").await;
        let endpoint = endpoint(&url, SecretSource::fixed("wrong-hidden"));
        let clones: Vec<Endpoint> = (0..20).map(|_| endpoint.clone()).collect();
        let results = futures_util::future::join_all(clones.iter().map(status)).await;
        assert_eq!(results.iter().filter(|result| **result == Ok(401)).count(), 1);
        let error = results.into_iter().find_map(Result::err).unwrap();
        assert!(error.to_string().contains("Name or password is incorrect"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
        assert_eq!(refused.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_password_is_sent_again_after_ten_minutes() {
        let (url, refused) = server("right").await;
        let endpoint = endpoint(&url, SecretSource::fixed("wrong"));
        assert_eq!(status(&endpoint).await, Ok(401));
        tokio::time::sleep(CLOSED.saturating_sub(Duration::from_secs(1))).await;
        assert!(status(&endpoint).await.is_err());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(status(&endpoint).await, Ok(401));
        assert!(status(&endpoint).await.is_err());
        assert_eq!(refused.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_password_that_changes_under_a_running_service_is_read_again() {
        let (url, refused) = server("new").await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        fs_err::write(&path, "old\n").unwrap();
        let endpoint = endpoint(&url, SecretSource::file(&path));
        assert_eq!(status(&endpoint).await, Ok(401));
        assert!(status(&endpoint).await.is_err());
        fs_err::write(&path, "new\n").unwrap();
        tokio::time::pause();
        tokio::time::advance(READ_AGAIN).await;
        tokio::time::resume();
        assert_eq!(status(&endpoint).await, Ok(200));
        assert_eq!(refused.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_password_that_was_changed_already_is_sent_at_once() {
        let (url, refused) = server("new").await;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        fs_err::write(&path, "old\n").unwrap();
        let endpoint = endpoint(&url, SecretSource::file(&path));
        assert_eq!(endpoint.gate.as_ref().unwrap().pass().await.map(|_| ()), Ok(()));
        fs_err::write(&path, "new\n").unwrap();
        assert_eq!(status(&endpoint).await, Ok(200));
        assert_eq!(refused.load(Ordering::SeqCst), 1);
    }
}
