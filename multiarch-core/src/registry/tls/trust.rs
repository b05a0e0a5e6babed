//! The certificates that are trusted for one host, and the one that we show it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use crate::{
    error::{Error, ErrorKind, Result},
    registry::user_file,
};

/// The certificates that this machine trusts. They are read once a run.
#[derive(Clone, Debug, Default)]
pub(in crate::registry) struct SystemTrust(Arc<Vec<CertificateDer<'static>>>);

impl SystemTrust {
    /// Errors are ignored: a machine without root certificates can still reach a registry whose
    /// certificates the user gives, or one without TLS.
    pub(in crate::registry) fn load() -> Self {
        Self(Arc::new(rustls_native_certs::load_native_certs().certs))
    }
}

/// What is trusted for one host.
#[derive(Debug)]
pub(in crate::registry) struct Trust {
    pub(super) roots: RootCertStore,
    /// The same certificates as they are. A server may show one of them as its own.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// The certificate that we show where the host asks for one.
    pub(super) client: Option<Arc<CertifiedKey>>,
}

impl Trust {
    /// The system's certificates.
    pub(in crate::registry) fn new(system: &SystemTrust) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system.0.iter().cloned());
        Self { roots, certificates: system.0.to_vec(), client: None }
    }

    /// Adds the certificates of a PEM file.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the file holds none, or one that cannot be used.
    pub(in crate::registry) fn add_file(&mut self, path: &Path) -> Result<()> {
        let bad = |why: &dyn ToString| cannot_be_used("certificates", path, &why.to_string());
        let mut found = false;
        let text = user_file::read(path).map_err(|e| bad(&e))?;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|e| bad(&e))?;
            self.roots.add(certificate.clone()).map_err(|e| bad(&e))?;
            self.certificates.push(certificate);
            found = true;
        }
        if found { Ok(()) } else { Err(bad(&"no PEM certificate is in the file")) }
    }

    /// Shows this certificate to the host where it asks for one.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the files hold no certificate and its key.
    pub(in crate::registry) fn show(
        &mut self,
        certificate: &Path,
        key: &Path,
        provider: &CryptoProvider,
    ) -> Result<()> {
        let bad =
            |path: &Path, why: String| cannot_be_used("client certificate and key", path, &why);
        let text = user_file::read(certificate).map_err(|e| bad(certificate, e.to_string()))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| bad(certificate, e.to_string()))?;
        if chain.is_empty() {
            return Err(bad(certificate, "no PEM certificate is in the file".into()));
        }
        let of_key = |e: &dyn ToString| bad(key, e.to_string());
        let text = user_file::read(key).map_err(|e| of_key(&e))?;
        let private = PrivateKeyDer::from_pem_slice(&text).map_err(|e| of_key(&e))?;
        let private = provider.key_provider.load_private_key(private).map_err(|e| of_key(&e))?;
        let pair = CertifiedKey::new(chain, private);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(error) => return Err(of_key(&error)),
        }
        self.client = Some(Arc::new(pair));
        Ok(())
    }

    /// Adds what a folder of docker or podman holds for one host: authorities as `*.crt`, and a client
    /// certificate as `*.cert` with its `*.key`
    /// ([containers-certs.d(5)](https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md)).
    pub(in crate::registry) fn add_folder(
        &mut self,
        folder: &Path,
        provider: &CryptoProvider,
    ) -> Result<()> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries =
            entries.map_err(|e| cannot_be_used("certificates", folder, &e.to_string()))?;
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.add_file(&path)?,
                Some("cert") => self.show(&path, &path.with_extension("key"), provider)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The folders in which docker and podman keep the certificates of single hosts; the first one that
/// knows a host counts.
pub(in crate::registry) fn folders() -> Vec<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let own = own.map(|folder| folder.join("containers/certs.d"));
    let all = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
    own.into_iter().chain(all).collect()
}

fn cannot_be_used(what: &str, path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the {what} cannot be used: {why}"))
        .at_path(path.display())
}
