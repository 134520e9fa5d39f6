//! The HTTP client that sources and targets share: one server, with its credentials kept out of
//! every message.

mod secret;

mod gate;

mod failure;

use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::{RequestBuilder, Response, StatusCode};
use url::Url;

use gate::Gate;

pub use reqwest::Method;

pub use failure::{RequestError, describe_error, describe_redirect};
pub use gate::CredentialsError;
pub use secret::{Credentials, SecretError, SecretSource};

/// Characters of a path segment that are not percent-encoded: those that have no meaning anywhere
/// (RFC 3986, 2.3), and `*` and `,`, which search servers accept in the names of several indices.
/// `+` is encoded, since CouchDB would read it as a space.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*').remove(b',');

/// What CouchDB reports with status 401 to a user who is known and not permitted.
const NOT_PERMITTED: &str = "You are not a server admin";

/// What CouchDB reports with status 403, also to the right password, after too many wrong ones.
const LOCKED: &str = "Account is temporarily locked";

/// How requests are made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndpointOptions {
    /// How long a connection may take; 10 s by default.
    pub connect_timeout: Duration,
    /// How long a request and its response may take; 90 s by default, three times what a bulk is
    /// given by the server, so that the server gives up first. A request that waits for longer
    /// sets its own.
    pub request_timeout: Duration,
    /// Certificates, as PEM, that are trusted beside those of the machine; none by default.
    pub certificate_authorities: Option<Vec<u8>>,
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(90),
            certificate_authorities: None,
        }
    }
}

/// Why a server's address cannot be used. No variant shows a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is not a URL.
    #[error("the server's address is not a URL: {0}")]
    NoUrl(String),
    /// It is a URL of something else, or has no scheme.
    #[error("the server's address `{0}` starts with neither `http://` nor `https://`")]
    Scheme(String),
    /// It contains a query or a fragment.
    #[error("the server's address `{0}` has a query or a fragment")]
    Surplus(String),
    /// The address contains credentials, and there are others beside it.
    #[error("the server's address `{0}` contains credentials, and others are configured beside it")]
    TwoCredentials(String),
    /// A password was given without a user.
    #[error("there is a password for `{0}`, but no user")]
    NoUser(String),
    /// The user has a colon, which would end it.
    #[error("the user for `{0}` has a colon in its name, which no server can receive")]
    Credentials(String),
    /// The client could not be built, mostly because of certificates.
    #[error("the HTTP client for `{url}` could not be set up: {reason}")]
    Client {
        /// The server's address.
        url: String,
        /// Why.
        reason: String,
    },
}

/// One server: its address without credentials, and a client that sends them. Clones share
/// connections and the gate for refused credentials.
#[derive(Clone)]
pub struct Endpoint {
    base: Url,
    client: reqwest::Client,
    gate: Option<Arc<Gate>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Endpoint").field(&self.base.as_str()).finish()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl Endpoint {
    /// A server at an address, with the default options. Credentials in the address are removed
    /// from it. A user and password that are given beside it override them.
    pub fn parse(url: &str, user: Option<&str>, password: Option<&str>) -> Result<Self, EndpointError> {
        Self::with_options(url, user, password, &EndpointOptions::default())
    }

    /// A server at an address, with a user, a password and options, as in [`Self::parse`].
    pub fn with_options(
        url: &str,
        user: Option<&str>,
        password: Option<&str>,
        options: &EndpointOptions,
    ) -> Result<Self, EndpointError> {
        let (base, url_user, url_password) = parse_address(url)?;
        let user = user.map(str::to_owned).or(url_user);
        let password = password.map(str::to_owned).or(url_password);
        let credentials = match (user, password) {
            (Some(user), password) => {
                let password = SecretSource::fixed(password.unwrap_or_default());
                Some(Credentials::Basic { user, password })
            }
            (None, Some(_)) => return Err(EndpointError::NoUser(base.to_string())),
            (None, None) => None,
        };
        Self::new(base, credentials, options)
    }

    /// A server at an address, with credentials whose secret may change. Credentials in the address
    /// are an error.
    pub fn with_credentials(
        url: &str,
        credentials: Credentials,
        options: &EndpointOptions,
    ) -> Result<Self, EndpointError> {
        match parse_address(url)? {
            (base, None, None) => Self::new(base, Some(credentials), options),
            (base, ..) => Err(EndpointError::TwoCredentials(base.to_string())),
        }
    }

    fn new(
        base: Url,
        credentials: Option<Credentials>,
        options: &EndpointOptions,
    ) -> Result<Self, EndpointError> {
        if matches!(&credentials, Some(Credentials::Basic { user, .. }) if user.contains(':')) {
            return Err(EndpointError::Credentials(base.to_string()));
        }
        let client = build_client(&base, options).map_err(|error| EndpointError::Client {
            url: base.to_string(),
            reason: describe_error(error),
        })?;
        Ok(Self { base, client, gate: credentials.map(|credentials| Arc::new(Gate::new(credentials))) })
    }

    /// Whether requests are sent with credentials.
    pub fn has_credentials(&self) -> bool {
        self.gate.is_some()
    }

    /// An address below this server's. Each segment is percent-encoded, a `/` in it too. A segment
    /// `.` or `..` is left out, as no URL can have it. The address of the server itself ends
    /// with a slash, because a proxy may serve a base path only with one.
    pub fn url(&self, segments: &[&str]) -> Url {
        let mut path = self.base.path().trim_end_matches('/').to_owned();
        for segment in segments.iter().filter(|segment| !matches!(**segment, "." | "..")) {
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEGMENT));
        }
        if segments.is_empty() {
            path.push('/');
        }
        let mut url = self.base.clone();
        url.set_path(&path);
        url
    }

    /// A request to be [sent](Self::send). It follows no redirects.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// A `GET` request to an address below this server's, to be [sent](Self::send).
    pub fn get(&self, segments: &[&str]) -> RequestBuilder {
        self.request(Method::GET, self.url(segments))
    }

    /// Sends a request with the credentials. A response of any status is a response. After one that
    /// refuses the credentials no request is sent with the same secret until it changes, or for
    /// ten minutes. A secret that has changed is tried at once.
    ///
    /// # Errors
    ///
    /// When there is no response, or the request was not sent because of its credentials.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, RequestError> {
        let Some(gate) = &self.gate else { return Ok(request.send().await?) };
        let mut again = request.try_clone();
        let mut request = request;
        loop {
            let permit = gate.pass().await?;
            let response = permit.add_to(request).send().await?;
            if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                permit.accepted();
                return Ok(response);
            }
            let (response, body) = with_known_body(response).await?;
            if !is_refusal(response.status(), &body) {
                permit.accepted();
                return Ok(response);
            }
            match (permit.refused(reason_in(&body)).await, again.take()) {
                (true, Some(other)) => request = other,
                _ => return Ok(response),
            }
        }
    }
}

/// Whether a response with status 401 or 403 refuses the credentials, not just what was requested
/// with them.
fn is_refusal(status: StatusCode, body: &str) -> bool {
    match status {
        StatusCode::UNAUTHORIZED => !body.contains(NOT_PERMITTED),
        _ => body.contains(LOCKED),
    }
}

/// Reads a body, and returns it beside a response that still has it.
async fn with_known_body(response: Response) -> Result<(Response, String), RequestError> {
    let mut known = http::Response::new(());
    *known.status_mut() = response.status();
    *known.headers_mut() = response.headers().clone();
    let body = response.bytes().await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    Ok((known.map(|()| body).into(), text))
}

/// The beginning of a server's response that refuses credentials. It quotes none.
fn reason_in(body: &str) -> String {
    let reason: String = body.trim().chars().take(200).collect();
    if reason.is_empty() { "status 401".to_owned() } else { reason }
}

fn parse_address(url: &str) -> Result<(Url, Option<String>, Option<String>), EndpointError> {
    let mut base = Url::parse(url).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => EndpointError::Scheme(without_secrets(url)),
        error => EndpointError::NoUrl(error.to_string()),
    })?;
    let (user, password) = take_credentials(&mut base);
    if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
        return Err(EndpointError::Scheme(without_secrets(url)));
    }
    if base.query().is_some() || base.fragment().is_some() {
        // A query may hold a secret.
        base.set_query(None);
        base.set_fragment(None);
        return Err(EndpointError::Surplus(base.to_string()));
    }
    Ok((base, user, password))
}

/// An address that cannot be read as one, for people. What may be a password or a query is left
/// out.
fn without_secrets(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or_default();
    match (address.contains('@'), address.split_once(':')) {
        (false, _) => address.to_owned(),
        (true, Some((scheme, rest))) if rest.starts_with("//") => format!("{scheme}://…"),
        (true, _) => "…".to_owned(),
    }
}

fn take_credentials(url: &mut Url) -> (Option<String>, Option<String>) {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(decode);
    let password = url.password().map(decode);
    // These fail only for addresses that cannot have credentials, and then there are none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (user, password)
}

fn build_client(base: &Url, options: &EndpointOptions) -> Result<reqwest::Client, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that the program has installed one of its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pillowtop/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .redirect(reqwest::redirect::Policy::none());
    if base.scheme() == "http" {
        // The machine's certificates are not loaded: an image without any can still use plain HTTP.
        builder = builder.tls_certs_only([]);
    } else if let Some(pem) = &options.certificate_authorities {
        builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem)?);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_removed_from_the_address() {
        let endpoint = Endpoint::parse("http://ad%40min:p%3Aw@localhost:5984/couch/", None, None).unwrap();
        let gate = endpoint.gate.clone().unwrap();
        let request = gate.credentials().add_to(endpoint.get(&["db"]), "p:w").build().unwrap();
        assert_eq!(request.url().as_str(), "http://localhost:5984/couch/db");
        // `ad@min:p:w` in base64.
        assert_eq!(request.headers()["authorization"], "Basic YWRAbWluOnA6dw==");
        for text in [format!("{endpoint}"), format!("{endpoint:?}"), format!("{request:?}")] {
            for secret in ["min", "p%3Aw", "p:w", "YWRAbWluOnA6dw"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert_eq!(endpoint.to_string(), "http://localhost:5984/couch");
    }

    #[test]
    fn a_base_path_works_with_and_without_a_slash_at_its_end() {
        for address in ["http://localhost/couch", "http://localhost/couch/"] {
            let endpoint = Endpoint::parse(address, None, None).unwrap();
            assert_eq!(endpoint.url(&[]).as_str(), "http://localhost/couch/");
            assert_eq!(endpoint.url(&["db", "_changes"]).as_str(), "http://localhost/couch/db/_changes");
        }
    }

    #[test]
    fn errors_show_no_secret() {
        for (url, user, password) in [
            ("ftp://user:hidden@host", None, None),
            ("http://user:hidden@host/?q=hidden", None, None),
            ("http://host", None, Some("hidden")),
            ("http://host", Some("a:b"), Some("hidden")),
            ("user:hidden@host", None, None),
            ("http://user:hidden@host:99999", None, None),
        ] {
            let error = Endpoint::parse(url, user, password).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
        }
    }

    #[test]
    fn segments_are_percent_encoded() {
        let endpoint = Endpoint::parse("http://localhost:9200", None, None).unwrap();
        assert_eq!(
            endpoint.url(&["a/b+c", "_doc", "ü ?#%2F"]).as_str(),
            "http://localhost:9200/a%2Fb%2Bc/_doc/%C3%BC%20%3F%23%252F"
        );
        assert_eq!(endpoint.url(&["z_$()+-/9"]).as_str(), "http://localhost:9200/z_%24%28%29%2B-%2F9");
        assert_eq!(endpoint.url(&["a*,b.W7", "..", "."]).as_str(), "http://localhost:9200/a*,b.W7");
        assert_eq!(endpoint.url(&[]).as_str(), "http://localhost:9200/");
        let below = Endpoint::parse("http://localhost:9200/couch%20db/", None, None).unwrap();
        assert_eq!(below.url(&["%2e%2e"]).as_str(), "http://localhost:9200/couch%20db/%252e%252e");
    }

    #[test]
    fn an_address_without_a_scheme_is_shown_as_it_was_given() {
        for (url, shown) in [
            ("localhost:5984", "`localhost:5984`"),
            ("127.0.0.1:5984/couch?key=hidden", "`127.0.0.1:5984/couch`"),
            ("localhost", "`localhost`"),
            ("ftp://host/", "`ftp://host/`"),
            ("ftp://user:hidden@host", "`ftp://…`"),
            ("user:hid@den@host", "`…`"),
        ] {
            let error = Endpoint::parse(url, None, None).unwrap_err().to_string();
            assert!(error.contains(shown) && error.contains("starts with neither"), "{error}");
        }
    }

    #[test]
    fn a_user_without_permission_does_not_close_the_gate() {
        let (wrong, forbidden) = (StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN);
        assert!(is_refusal(wrong, r#"{"error":"unauthorized","reason":"Name or password is incorrect."}"#));
        assert!(!is_refusal(wrong, r#"{"error":"unauthorized","reason":"You are not a server admin."}"#));
        assert!(!is_refusal(forbidden, r#"{"error":"forbidden","reason":"You are not allowed here."}"#));
        assert!(is_refusal(forbidden, r#"{"error":"forbidden","reason":"Account is temporarily locked"}"#));
    }
}
