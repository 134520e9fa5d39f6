//! Certificates of servers: those that are trusted beside the machine's own, and what to do about
//! one that is not.

use std::path::Path;

use pillowtop_runtime::http::EndpointOptions;

use crate::exit::Failure;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.der");
        fs_err::write(&path, [0x30, 0x82, 0xff]).unwrap();
        let failure = read(&path).unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(failure.hint.unwrap().contains("-inform der"));
        assert_eq!(read(&directory.path().join("missing.pem")).unwrap_err().code, 2);
    }
}
