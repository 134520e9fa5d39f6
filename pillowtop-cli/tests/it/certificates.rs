//! Servers whose certificate a private authority issued.

use std::path::Path;
use std::sync::Arc;

use pillowtop_cli::App;
use pillowtop_core::Registry;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;

use crate::fake_couch::FakeCouch;
use crate::support::{Ran, run_words};

/// A server with a certificate for a name; the authority's certificate is written to a file.
fn server(name: &str, authority: &Path) -> FakeCouch {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs_err::write(authority, issuer.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let document = json!({"_id": "a", "_rev": "1-a", "doc_type": "Visit", "village": "Kano"});
    FakeCouch::start_with_tls(vec![document], Arc::new(config))
}

fn new_pillow(url: &str, more: &[&str]) -> Ran {
    let words = [&["pillowtop", "new-pillow", "visit", "--from-docs", url], more].concat();
    run_words(App::new(Registry::new()), &words)
}

#[test]
fn the_certificate_of_a_private_authority_can_be_named() {
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    let couch = server("127.0.0.1", &authority);
    let ran = new_pillow(&couch.url, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--couch-ca-file") && ran.err.contains("`couch.ca_file`"), "{ran:?}");
    assert!(!ran.err.contains("is it running"), "{ran:?}");
    let ran = new_pillow(&couch.url, &["--couch-ca-file", authority.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let configuration = directory.path().join("pillowtop.toml");
    fs_err::write(&configuration, "[couch]\nca_file = \"authority.pem\"\n").unwrap();
    let ran = new_pillow(&couch.url, &["--config", configuration.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_certificate_for_another_name_has_its_own_hint() {
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    let couch = server("couch.example", &authority);
    let ran = new_pillow(&couch.url, &["--couch-ca-file", authority.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("issued for another name"), "{ran:?}");
}

#[test]
fn tls_to_a_server_without_it_has_its_own_hint() {
    let couch = FakeCouch::start(Vec::new(), true);
    let ran = new_pillow(&couch.url.replace("http:", "https:"), &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("write its address with `http://`"), "{ran:?}");
}
