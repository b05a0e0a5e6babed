//! Verifies the certificates of one host, and keeps the fingerprint of a refused one.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::{Identity, Trust};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
};

/// Verifies certificates as usual, and remembers the fingerprint of one that it refuses.
#[derive(Debug)]
pub(in crate::registry) struct Verifier {
    /// `None` without any root certificates: nothing is trusted then.
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    /// A server certificate that is one of these is trusted although it is an authority's: `openssl
    /// req -x509` makes such certificates for servers.
    trusted: Vec<CertificateDer<'static>>,
    insecure: bool,
    has_seen_one: AtomicBool,
    refused: Mutex<Option<String>>,
}

impl Verifier {
    /// A verifier for one host, and the configuration of its connections.
    pub(in crate::registry) fn new(
        trust: Trust,
        insecure: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<(Arc<Self>, Arc<Identity>, ClientConfig)> {
        let Trust { roots, certificates, client } = trust;
        let roots = Arc::new(roots);
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        let verifier = Arc::new(Self {
            inner: inner.build().ok(),
            provider: provider.clone(),
            trusted: certificates,
            insecure,
            has_seen_one: AtomicBool::new(false),
            refused: Mutex::new(None),
        });
        let identity = Arc::new(Identity::new(client));
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::caused_by(ErrorKind::Network, "setting up TLS", e))?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_client_cert_resolver(identity.clone());
        Ok((verifier, identity, config))
    }

    /// SHA-256 fingerprint of the last refused certificate.
    pub(super) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True once the host has shown a certificate, whatever became of it.
    pub(in crate::registry) fn has_seen_one(&self) -> bool {
        self.has_seen_one.load(Ordering::Relaxed)
    }

    fn note_refused<T>(
        &self,
        certificate: &CertificateDer<'_>,
        result: std::result::Result<T, TlsError>,
    ) -> std::result::Result<T, TlsError> {
        if result.is_err() {
            let refused = Some(fingerprint(certificate));
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        }
        result
    }

    fn verify_signature(
        &self,
        certificate: &CertificateDer<'_>,
        verify: impl FnOnce(
            &WebPkiSupportedAlgorithms,
        ) -> std::result::Result<HandshakeSignatureValid, TlsError>,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        // A server that may show any certificate may also sign with any key. The certificate may be of a
        // form that is not read otherwise, such as X.509 version 1.
        if self.insecure {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let result = verify(&self.provider.signature_verification_algorithms);
        self.note_refused(certificate, result)
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        let Some(inner) = &self.inner else {
            return Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer));
        };
        let verified =
            inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The period of validity was looked at before the other properties.
            Err(error)
                if !is_out_of_time(&error)
                    && self.trusted.iter().any(|known| known.as_ref() == end_entity.as_ref()) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }
}

fn is_out_of_time(error: &TlsError) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    let TlsError::InvalidCertificate(error) = error else { return false };
    matches!(error, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
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
        self.has_seen_one.store(true, Ordering::Relaxed);
        if self.insecure {
            return Ok(ServerCertVerified::assertion());
        }
        let result = self.verify(end_entity, intermediates, server_name, ocsp_response, now);
        self.note_refused(end_entity, result)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.verify_signature(certificate, |algorithms| {
            verify_tls12_signature(message, certificate, signature, algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.verify_signature(certificate, |algorithms| {
            verify_tls13_signature(message, certificate, signature, algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
