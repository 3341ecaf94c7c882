//! The client against a rustls server with the certificates in `tests/tls`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use crossbeam_channel::{bounded, Receiver};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::abort::Abort;
use super::client::{Client, Patience};
use super::error::HttpError;
use super::secret::Secret;
use super::trust::Trust;
use super::url::Url;

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(5),
    silence: Duration::from_secs(20),
    whole: Some(Duration::from_secs(20)),
};

fn file(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)).unwrap()
}

/// Answers one connection with `hi`, or breaks it off before the end; gives the client's certificate.
fn serve(certificate: &str, ask_for_client: bool, whole: bool) -> (Url, Receiver<Option<Vec<u8>>>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_slice_iter(&file(certificate)).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(&file("server.key")).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&file("ca.pem")).map(Result::unwrap));
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = if ask_for_client {
        config.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        config.with_no_client_auth()
    };
    let config = Arc::new(config.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (tx, rx) = bounded(1);
    thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
        let _ = stream.read(&mut [0; 4096]);
        let peer = stream.conn.peer_certificates().and_then(|c| c.first()).map(|c| c.as_ref().to_vec());
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhi");
        if whole {
            stream.conn.send_close_notify();
        }
        let _ = stream.flush();
        let _ = tx.send(peer);
    });
    (url, rx)
}

fn get(url: &Url, trust: Trust) -> Result<Vec<u8>, HttpError> {
    let client = Client { trust, ..Client::default() };
    client.get(url, "*/*", PATIENCE, &Abort::default())?.bytes(100)
}

fn known() -> Trust {
    Trust { authorities: Some(file("ca.pem")), ..Trust::default() }
}

#[test]
fn a_server_of_a_known_authority_is_believed() {
    let (url, _) = serve("server.pem", false, true);
    assert_eq!(get(&url, known()), Ok(b"hi".to_vec()));
    let (url, _) = serve("server.pem", false, true);
    assert_eq!(get(&url, Trust { server_name: Some("kubernetes".into()), ..known() }), Ok(b"hi".to_vec()));
}

#[test]
fn others_are_refused_with_the_reason() {
    let wrong = |trust: Trust, certificate| {
        let (url, _) = serve(certificate, false, true);
        get(&url, trust).unwrap_err().to_string()
    };
    assert!(wrong(Trust::default(), "server.pem").contains("no authority that is trusted"));
    assert!(wrong(known(), "expired.pem").contains("expired"));
    let own = Trust { authorities: Some(file("own.pem")), ..Trust::default() };
    assert!(wrong(own, "own.pem").contains("is it an authority itself"));
    let named = Trust { server_name: Some("elsewhere".into()), ..known() };
    assert!(wrong(named, "server.pem").contains("not for elsewhere"));
    let empty = Trust { authorities: Some(b"rubbish".to_vec()), ..Trust::default() };
    assert!(wrong(empty, "server.pem").contains("holds no certificate"));
}

#[test]
fn any_server_is_believed_where_that_is_wanted() {
    let (url, _) = serve("expired.pem", false, true);
    assert_eq!(get(&url, Trust { insecure: true, ..Trust::default() }), Ok(b"hi".to_vec()));
}

#[test]
fn we_show_our_certificate_with_either_form_of_key() {
    for key in ["client.key", "client-sec1.key"] {
        let (url, peer) = serve("server.pem", true, true);
        let identity = Some((file("client.pem"), Secret::new(file(key))));
        assert_eq!(get(&url, Trust { identity, ..known() }), Ok(b"hi".to_vec()), "{key}");
        assert_eq!(peer.recv().unwrap(), CertificateDer::from_pem_slice(&file("client.pem")).ok().map(|c| c.to_vec()));
    }
    let (url, _) = serve("server.pem", true, true);
    assert!(matches!(get(&url, known()), Err(HttpError::Tls(_) | HttpError::Broken(_))));
}

#[test]
fn a_key_that_does_not_fit_is_named_and_not_shown() {
    let (url, _) = serve("server.pem", true, true);
    let identity = Some((file("client.pem"), Secret::new(file("server.key"))));
    let error = get(&url, Trust { identity, ..known() }).unwrap_err().to_string();
    assert!(error.contains("cannot be used together"), "{error}");
    let identity = Some((file("client.pem"), Secret::new("hunter2")));
    let (url, _) = serve("server.pem", true, true);
    let error = get(&url, Trust { identity, ..known() }).unwrap_err().to_string();
    assert!(error.contains("no PEM private key") && !error.contains("hunter"), "{error}");
}

#[test]
fn an_end_that_anybody_could_have_made_is_no_end() {
    let (url, _) = serve("server.pem", false, false);
    assert!(matches!(get(&url, known()), Err(HttpError::Broken(_))));
}
