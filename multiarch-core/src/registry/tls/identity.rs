//! The client certificate, for a server that asks for one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rustls::{SignatureScheme, client::ResolvesClientCert, sign::CertifiedKey};

/// Shows the client certificate of a host, and remembers that the host asked for one: some servers
/// close the connection without a word where they get none.
#[derive(Debug)]
pub(in crate::registry) struct Identity {
    shown: Option<Arc<CertifiedKey>>,
    is_asked: AtomicBool,
}

impl Identity {
    pub(super) fn new(shown: Option<Arc<CertifiedKey>>) -> Self {
        Self { shown, is_asked: AtomicBool::new(false) }
    }

    /// True where the host asked for a certificate, and we have none.
    pub(super) fn is_missing(&self) -> bool {
        self.shown.is_none() && self.is_asked.load(Ordering::Relaxed)
    }

    /// True where the host got a certificate.
    pub(super) fn is_shown(&self) -> bool {
        self.shown.is_some() && self.is_asked.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_asked.store(true, Ordering::Relaxed);
        self.shown.clone()
    }

    fn has_certs(&self) -> bool {
        self.shown.is_some()
    }
}
