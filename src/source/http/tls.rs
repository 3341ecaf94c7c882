//! TLS by rustls over ring.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, StreamOwned,
};

use super::error::HttpError;
use super::socket::Socket;
use super::trust::Trust;

/// Where distributions keep the authorities that they trust, in the order in which Go looks.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Speaks TLS over `socket` from the first byte on; the handshake is part of it, so that its errors show here.
pub(super) fn wrap(mut socket: Socket, host: &str, trust: &Trust) -> Result<impl Read + Write + Send, HttpError> {
    let name = trust.server_name.as_deref().unwrap_or(host);
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| HttpError::Tls(format!("{name} is not a name that a certificate can carry")))?;
    let mut connection =
        ClientConnection::new(Arc::new(config(trust)?), server).map_err(|e| HttpError::Tls(e.to_string()))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map_err(|e| handshake(&e, name))?;
    }
    Ok(StreamOwned::new(connection, socket))
}

/// The error of a handshake in a person's words.
fn handshake(e: &std::io::Error, name: &str) -> HttpError {
    use rustls::CertificateError as Bad;
    let Some(Error::InvalidCertificate(bad)) = e.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return HttpError::of(e);
    };
    HttpError::Tls(match bad {
        Bad::UnknownIssuer => "the server's certificate is signed by no authority that is trusted here".into(),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            format!("the server's certificate is not for {name}")
        }
        Bad::Expired | Bad::ExpiredContext { .. } => {
            "the server's certificate has expired (or the clock is wrong)".into()
        }
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet (or the clock is wrong)".into()
        }
        Bad::Other(_) => format!("the server's certificate is refused: {bad}; is it an authority itself?"),
        other => format!("the server's certificate is refused: {other}"),
    })
}

fn config(trust: &Trust) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| HttpError::Tls(e.to_string()))?;
    let builder = if trust.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
    } else {
        builder.with_root_certificates(authorities(trust.authorities.as_deref())?)
    };
    match &trust.identity {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => {
            let chain = certificates(chain);
            if chain.is_empty() {
                return Err(HttpError::Tls("the client certificate holds no PEM certificate".into()));
            }
            // Its errors are not repeated: they could quote the key.
            let key = PrivateKeyDer::from_pem_slice(key.expose())
                .map_err(|_| HttpError::Tls("the client key holds no PEM private key that can be read".into()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|e| HttpError::Tls(format!("the client certificate and key cannot be used together: {e}")))
        }
    }
}

fn authorities(pem: Option<&[u8]>) -> Result<RootCertStore, HttpError> {
    let mut roots = RootCertStore::empty();
    let (certificates, whose) = match pem {
        Some(pem) => (certificates(pem), "the certificate authority that was given"),
        None => (certificates(&bundle()?), "the system's list of authorities"),
    };
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(HttpError::Tls(format!("{whose} holds no certificate that can be read")));
    }
    Ok(roots)
}

/// The first list of authorities that is there; `SSL_CERT_FILE` names another, as it does for Go and OpenSSL.
fn bundle() -> Result<Vec<u8>, HttpError> {
    let named = std::env::var_os("SSL_CERT_FILE");
    let mut paths = named.iter().map(Path::new).chain(BUNDLES.iter().map(Path::new));
    paths.find_map(|path| fs::read(path).ok()).ok_or_else(|| {
        HttpError::Tls("this system has no list of authorities; install its ca-certificates package".into())
    })
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// Believes any certificate, for `insecure-skip-tls-verify`; that the server has its key is still checked.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
