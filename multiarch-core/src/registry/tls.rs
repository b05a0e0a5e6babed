//! TLS: verifies servers with the certificates of the system and the user, and keeps the fingerprint
//! of a refused certificate.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use super::Connector;
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
};

/// Verifies certificates as usual, and remembers the fingerprint of one that it refuses.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None` without any root certificates: nothing is trusted then.
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    /// The user's certificates. A server certificate that is one of them is trusted without a chain:
    /// it may be self-signed.
    given: Vec<CertificateDer<'static>>,
    insecure: bool,
    refused: Mutex<Option<String>>,
}

impl Verifier {
    pub(super) fn new(connector: &Connector, insecure: bool) -> Result<Arc<Self>> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        // Errors are ignored: a machine without root certificates can still reach a registry whose
        // certificates the user gives, or one without TLS.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let mut given = Vec::new();
        for path in &connector.ca_files {
            let bad = |why: String| {
                Error::new(ErrorKind::Usage, format!("the certificates cannot be used: {why}"))
                    .at_path(path.display())
            };
            let before = roots.len();
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| bad(e.to_string()))?;
                roots.add(certificate.clone()).map_err(|e| bad(e.to_string()))?;
                given.push(certificate);
            }
            if roots.len() == before {
                return Err(bad("no PEM certificate is in the file".into()));
            }
        }
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .ok();
        Ok(Arc::new(Self { inner, provider, given, insecure, refused: Mutex::new(None) }))
    }

    /// A configuration that uses this verifier.
    pub(super) fn config(self: &Arc<Self>) -> Result<ClientConfig> {
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::caused_by(ErrorKind::Network, "setting up TLS", e))?
            .dangerous()
            .with_custom_certificate_verifier(self.clone())
            .with_no_client_auth();
        Ok(config)
    }

    /// SHA-256 fingerprint of the last refused certificate.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `AB:CD:…`, as openssl and browsers print it.
fn fingerprint(certificate: &[u8]) -> String {
    let digest = Digest::sha256(certificate);
    let hex = digest.hex().to_uppercase();
    let pairs: Vec<String> =
        hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
    pairs.join(":")
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        if self.insecure {
            return Ok(ServerCertVerified::assertion());
        }
        if self.given.iter().any(|given| given.as_ref() == end_entity.as_ref()) {
            // It must still be issued for this host.
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        let result = match &self.inner {
            Some(inner) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(TlsError::InvalidCertificate(rustls::CertificateError::UnknownIssuer)),
        };
        if result.is_err() {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(fingerprint(end_entity));
        }
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
