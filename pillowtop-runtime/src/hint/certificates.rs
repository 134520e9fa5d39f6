//! What to do about a connection that failed for its certificate.

/// Where the certificates of a server are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    Couch,
    Elastic,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Couch => "couch",
            Self::Elastic => "elastic",
        }
    }
}

/// What to do about a connection that failed for its certificate; `reason` is the error's text.
pub(super) fn hint(server: Server, reason: &str) -> Option<String> {
    let name = server.name();
    if reason.contains("tls handshake eof") {
        return Some("if the server expects plain HTTP, write its address with `http://`".to_owned());
    }
    let is_about_certificates = reason.contains("certificate") || reason.contains("UnknownIssuer");
    if !is_about_certificates {
        return None;
    }
    Some(if reason.contains("NotValidForName") || reason.contains("not valid for name") {
        "the certificate was issued for another name: use that name in the address".to_owned()
    } else if reason.contains("Expired") || reason.contains("NotValidYet") || reason.contains("expired") {
        "renew the certificate, or correct this machine's clock".to_owned()
    } else {
        format!(
            "this machine does not trust the server's certificate: name the PEM file of the authority that issued it with \
             --{name}-ca-file or `{name}.ca_file` in pillowtop.toml; the file that SSL_CERT_FILE names replaces the machine's own"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_of_certificates_have_a_hint() {
        assert_eq!(hint(Server::Couch, "tcp connect error: Connection refused"), None);
        let unknown = hint(Server::Elastic, "invalid peer certificate: UnknownIssuer").unwrap();
        assert!(unknown.contains("--elastic-ca-file") && unknown.contains("`elastic.ca_file`"), "{unknown}");
        assert!(hint(Server::Couch, "invalid peer certificate: Expired").unwrap().contains("clock"));
    }
}
