//! Certificates of servers: those that are trusted beside the machine's own, and what to do about
//! one that is not.

use std::path::Path;

use pillowtop_runtime::http::EndpointOptions;

use crate::exit::Failure;

/// Where the certificates of a server are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
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

/// The certificates in a PEM file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let pem = fs_err::read(path).map_err(Failure::usage)?;
    if String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Ok(pem);
    }
    Err(Failure::usage(format!("`{}` contains no certificate in PEM form", path.display()))
        .hint("convert a DER file with `openssl x509 -inform der -in FILE -out ca.pem`"))
}

/// How a server is connected to that has one of these certificates, or one that the machine trusts.
pub(crate) fn options(authorities: Option<&Vec<u8>>) -> EndpointOptions {
    let mut options = EndpointOptions::default();
    options.certificate_authorities = authorities.cloned();
    options
}

/// What to do about a connection that failed for its certificate; `reason` is the error's text.
pub(crate) fn hint(server: Server, reason: &str) -> Option<String> {
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
    fn a_file_without_a_certificate_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.der");
        fs_err::write(&path, [0x30, 0x82, 0xff]).unwrap();
        let failure = read(&path).unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(failure.hint.unwrap().contains("-inform der"));
        assert_eq!(read(&folder.path().join("missing.pem")).unwrap_err().code, 2);
    }

    #[test]
    fn only_errors_of_certificates_have_a_hint() {
        assert_eq!(hint(Server::Couch, "tcp connect error: Connection refused"), None);
        let unknown = hint(Server::Elastic, "invalid peer certificate: UnknownIssuer").unwrap();
        assert!(unknown.contains("--elastic-ca-file") && unknown.contains("`elastic.ca_file`"), "{unknown}");
        assert!(hint(Server::Couch, "invalid peer certificate: Expired").unwrap().contains("clock"));
    }
}
