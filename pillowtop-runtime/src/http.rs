//! The HTTP client that sources and sinks share: one server, its credentials kept out of every text.

use std::fmt::{self, Write as _};
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

/// How requests are made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndpointOptions {
    /// How long a connection may take; 10 s by default.
    pub connect_timeout: Duration,
    /// How long a request and its answer may take; 90 s by default, three times what a bulk is given by the server, so that
    /// the server gives up first. A request that waits for longer sets its own.
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
    /// It is no URL.
    #[error("the server's address is no URL: {0}")]
    NoUrl(String),
    /// It is a URL of something else, or has no scheme.
    #[error("the server's address `{0}` starts with neither `http://` nor `https://`")]
    Scheme(String),
    /// A query or a fragment has no place in it.
    #[error("the server's address `{0}` has a query or a fragment")]
    Surplus(String),
    /// A password was given without a user.
    #[error("there is a password for `{0}`, but no user")]
    NoUser(String),
    /// The user or password has a character that no header can carry.
    #[error("the user or the password for `{0}` cannot be sent")]
    Credentials(String),
    /// The client could not be made, mostly because of certificates.
    #[error("the HTTP client for `{url}` could not be set up: {reason}")]
    Client {
        /// The server's address.
        url: String,
        /// Why.
        reason: String,
    },
}

/// One server: its address without credentials, and a client that sends them.
#[derive(Clone)]
pub struct Endpoint {
    base: Url,
    client: reqwest::Client,
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
    /// A server by its address, with the default options. Credentials in the address are taken out of it; a user and password
    /// that are given beside it come before them.
    pub fn parse(url: &str, user: Option<&str>, password: Option<&str>) -> Result<Self, EndpointError> {
        Self::with_options(url, user, password, &EndpointOptions::default())
    }

    /// The same with options.
    pub fn with_options(
        url: &str,
        user: Option<&str>,
        password: Option<&str>,
        options: &EndpointOptions,
    ) -> Result<Self, EndpointError> {
        let mut base = Url::parse(url).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => EndpointError::Scheme(without_secrets(url)),
            error => EndpointError::NoUrl(error.to_string()),
        })?;
        let (url_user, url_password) = take_credentials(&mut base);
        let shown = || base.to_string();
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(EndpointError::Scheme(without_secrets(url)));
        }
        if base.query().is_some() || base.fragment().is_some() {
            // A query may hold a secret.
            base.set_query(None);
            base.set_fragment(None);
            return Err(EndpointError::Surplus(base.to_string()));
        }
        let user = user.map(str::to_owned).or(url_user);
        let password = password.map(str::to_owned).or(url_password);
        let headers = match (user, password) {
            (Some(user), password) => basic_auth(&user, password.as_deref().unwrap_or_default())
                .ok_or_else(|| EndpointError::Credentials(shown()))?,
            (None, Some(_)) => return Err(EndpointError::NoUser(shown())),
            (None, None) => HeaderMap::new(),
        };
        let client = build_client(&base, headers, options)
            .map_err(|error| EndpointError::Client { url: shown(), reason: describe_error(error) })?;
        Ok(Self { base, client })
    }

    /// The client; it sends the credentials with each request and follows no redirects.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// An address below this server's: each segment is percent-encoded, a `/` in it too, and a `+`, which CouchDB would read as a
    /// space. A segment `.` or `..` is left out, as no URL can have it.
    pub fn url(&self, segments: &[&str]) -> Url {
        let mut path = self.base.path().trim_end_matches('/').to_owned();
        for segment in segments.iter().filter(|segment| !matches!(**segment, "." | "..")) {
            path.push('/');
            push_segment(&mut path, segment);
        }
        let mut url = self.base.clone();
        url.set_path(&path);
        url
    }
}

/// Percent-encodes all but the characters that mean nothing anywhere (RFC 3986, 2.3) and the `*` and `,` that search servers have in
/// the names of several indices.
fn push_segment(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~*,".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

/// What went wrong with a request, with its causes and without the address. Those that only say that something did are left out:
/// "error sending request: client error (Connect): tcp connect error: Connection refused" is its last part.
pub fn describe_error(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut texts = vec![error.to_string()];
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if text.contains("InvalidContentType") {
            return "it speaks no TLS, which `https://` asks for".to_owned();
        }
        if texts.iter().all(|said| !said.contains(&text)) {
            texts.push(text);
        }
        cause = inner.source();
    }
    let last = texts.pop().unwrap_or_default();
    texts.retain(|text| !says_nothing(text));
    texts.push(last);
    texts.join(": ")
}

/// Whether a text of the HTTP client says nothing that its cause does not.
fn says_nothing(text: &str) -> bool {
    text == "error sending request"
        || text.starts_with("client error (")
        || matches!(text, "tcp connect error" | "dns error")
}

/// An address that cannot be read as one, for people. What may be a password or a query is left out.
fn without_secrets(url: &str) -> String {
    let address = url.split(['?', '#']).next().unwrap_or_default();
    match (address.contains('@'), address.split_once(':')) {
        (false, _) => address.to_owned(),
        (true, Some((scheme, rest))) if rest.starts_with("//") => format!("{scheme}://…"),
        (true, _) => "…".to_owned(),
    }
}

fn take_credentials(url: &mut Url) -> (Option<String>, Option<String>) {
    let decode = |text: &str| percent_decode(text);
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(decode);
    let password = url.password().map(decode);
    // These fail only for addresses that cannot have credentials, and then there are none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (user, password)
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn basic_auth(user: &str, password: &str) -> Option<HeaderMap> {
    if user.contains(':') {
        return None;
    }
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))).ok()?;
    value.set_sensitive(true);
    Some(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |position: usize| u32::from(chunk.get(position).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let digit = bits >> (18 - 6 * position) & 63;
                text.push(char::from(DIGITS[digit as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn build_client(
    base: &Url,
    headers: HeaderMap,
    options: &EndpointOptions,
) -> Result<reqwest::Client, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error says that the program has installed one of its own, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pillowtop/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .redirect(reqwest::redirect::Policy::none());
    if base.scheme() == "http" {
        // The machine's certificates are not looked for: an image without any can still use plain HTTP.
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
    fn credentials_are_taken_out_of_the_address() {
        let endpoint = Endpoint::parse("http://ad%40min:p%3Aw@localhost:5984/couch/", None, None).unwrap();
        for text in [format!("{endpoint}"), format!("{endpoint:?}"), format!("{:?}", endpoint.client())] {
            for secret in ["min", "p%3Aw", "p:w", &base64(b"ad@min:p:w")] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert_eq!(endpoint.to_string(), "http://localhost:5984/couch");
        let request = endpoint.client().get(endpoint.url(&["db"])).build().unwrap();
        assert_eq!(request.url().as_str(), "http://localhost:5984/couch/db");
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
    fn base64_is_padded() {
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64("ü:ÿ".as_bytes()), "w7w6w78=");
    }

    #[tokio::test]
    async fn a_refused_connection_says_why_and_not_where() {
        let endpoint = Endpoint::parse("http://127.0.0.1:1", Some("user"), Some("hidden")).unwrap();
        let error = endpoint.client().get(endpoint.url(&["secret-path"])).send().await.unwrap_err();
        let text = describe_error(error);
        assert!(text.starts_with("Connection refused") && !text.contains("secret-path"), "{text}");
    }

    #[tokio::test]
    async fn a_server_without_tls_is_named_as_such() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        });
        let endpoint = Endpoint::parse(&format!("https://127.0.0.1:{port}"), None, None).unwrap();
        let error = endpoint.client().get(endpoint.url(&[])).send().await.unwrap_err();
        server.join().unwrap();
        assert_eq!(describe_error(error), "it speaks no TLS, which `https://` asks for");
    }

    #[test]
    fn an_address_without_a_scheme_is_shown_as_it_was_said() {
        for (url, shown) in [
            ("localhost:5984", "`localhost:5984`"),
            ("127.0.0.1:5984/couch?key=hidden", "`127.0.0.1:5984/couch`"),
            ("localhost", "`localhost`"),
            ("ftp://host/", "`ftp://host/`"),
            ("ftp://user:hidden@host", "`ftp://…`"),
            ("user:hid@den@host", "`…`"),
        ] {
            let said = Endpoint::parse(url, None, None).unwrap_err().to_string();
            assert!(said.contains(shown) && said.contains("starts with neither"), "{said}");
        }
    }
}
