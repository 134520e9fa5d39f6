//! What went wrong with a request, for people.

use reqwest::Response;
use reqwest::header::LOCATION;
use url::Url;

use super::gate::CredentialsError;

/// Why a request has no response. It shows neither the address nor a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No connection, no response in time, or a response that was cut.
    #[error("{0}")]
    Transport(String),
    /// The request was not sent, because of its credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl From<reqwest::Error> for RequestError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(describe_error(error))
    }
}

/// What went wrong with a request, with its causes and without the address. Parts that only report
/// that something failed are left out: "error sending request: client error (Connect): tcp connect
/// error: Connection refused" is its last part.
pub fn describe_error(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut texts = vec![error.to_string()];
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if text.contains("InvalidContentType") {
            return "the server does not use TLS, which `https://` requires".to_owned();
        }
        if texts.iter().all(|earlier| !earlier.contains(&text)) {
            texts.push(text);
        }
        cause = inner.source();
    }
    let last = texts.pop().unwrap_or_default();
    texts.retain(|text| !is_empty_of_meaning(text));
    texts.push(last);
    let text = texts.join(": ");
    let hint = certificate_hint(&text);
    text + hint
}

/// Whether a message of the HTTP client adds nothing to its cause.
fn is_empty_of_meaning(text: &str) -> bool {
    text == "error sending request"
        || text.starts_with("client error (")
        || matches!(text, "tcp connect error" | "dns error")
}

/// What to do about a certificate that is not trusted.
fn certificate_hint(text: &str) -> &'static str {
    if text.contains("UnknownIssuer") {
        "; the certificate was issued by an authority that is not trusted here: set `ca_file`, or the variable SSL_CERT_FILE, to \
         a PEM file with the certificate of the authority"
    } else {
        ""
    }
}

/// What a redirect means, if the response is one: a server behind a proxy may have another address
/// than the one that is configured.
pub fn describe_redirect(response: &Response) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.map(|location| match Url::parse(location) {
        Ok(mut url) => {
            // These fail only for addresses that have no credentials.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            format!(" to `{url}`")
        }
        Err(_) => format!(" to `{}`", location.split(['?', '#']).next().unwrap_or_default()),
    });
    let target = target.unwrap_or_default();
    Some(format!(
        "a redirect{target}, which is not followed: check the scheme, host and base path of the configured address"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Endpoint;
    use super::*;

    #[tokio::test]
    async fn a_refused_connection_says_why_and_not_where() {
        let endpoint = Endpoint::parse("http://127.0.0.1:1", Some("user"), Some("hidden")).unwrap();
        let error = endpoint.send(endpoint.get(&["secret-path"])).await.unwrap_err().to_string();
        assert!(error.starts_with("Connection refused") && !error.contains("secret-path"), "{error}");
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
        let error = endpoint.send(endpoint.get(&[])).await.unwrap_err();
        server.join().unwrap();
        assert_eq!(error.to_string(), "the server does not use TLS, which `https://` requires");
    }

    #[test]
    fn an_unknown_issuer_comes_with_a_hint_about_certificates() {
        assert!(certificate_hint("invalid peer certificate: UnknownIssuer").contains("SSL_CERT_FILE"));
        assert_eq!(certificate_hint("invalid peer certificate: Expired"), "");
    }

    #[test]
    fn a_redirect_is_explained_without_secrets() {
        let response = http::Response::builder()
            .status(301)
            .header(LOCATION, "https://user:hidden@host/couch/?key=hidden")
            .body("")
            .unwrap();
        let text = describe_redirect(&response.into()).unwrap();
        assert!(text.contains("`https://host/couch/`") && !text.contains("hidden"), "{text}");
        assert_eq!(describe_redirect(&http::Response::new("").into()), None);
    }
}
