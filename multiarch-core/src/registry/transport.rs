//! HTTP clients, one for each server: trust, client certificates and proxies are decided by host.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use reqwest::{
    Method, RequestBuilder, Response, Url,
    header::{self, HeaderValue},
    redirect,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::time::timeout;

use super::{
    proxy::{Proxies, Proxy},
    tls::{self, Identity, SystemTrust, Trust, Verifier},
    upload_body::{BlobBody, stalled},
};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    plan::Options,
    run::Cancel,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The servers that one run reaches. Clones share their connections.
#[derive(Clone)]
pub(super) struct Transport(Arc<TransportState>);

struct TransportState {
    ca_files: Vec<PathBuf>,
    insecure_hosts: Vec<String>,
    client_certificate: Option<(PathBuf, PathBuf)>,
    proxies: Proxies,
    provider: Arc<CryptoProvider>,
    system: OnceLock<SystemTrust>,
    /// The servers that the user named. Only they get the client certificate.
    named: Mutex<BTreeSet<String>>,
    servers: Mutex<BTreeMap<String, Arc<Server>>>,
    cancel: Cancel,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl Transport {
    pub(super) fn new(options: &Options, cancel: &Cancel) -> Self {
        let both = (options.client_certificate.clone(), options.client_key.clone());
        let client_certificate = match both {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            // One file may hold both.
            (Some(both), None) => Some((both.clone(), both)),
            (None, _) => None,
        };
        let (system, named, servers) = Default::default();
        Self(Arc::new(TransportState {
            ca_files: options.ca_files.clone(),
            insecure_hosts: options.insecure_hosts.clone(),
            client_certificate,
            proxies: Proxies::of_environment(),
            provider: Arc::new(aws_lc_rs::default_provider()),
            system,
            named,
            servers,
            cancel: cancel.clone(),
        }))
    }

    /// Notes that the user named this server.
    pub(super) fn name(&self, host: &str) {
        self.0.named.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
    }

    /// True where the user said that this server's certificate is not verified.
    pub(super) fn is_insecure(&self, host: &str) -> bool {
        let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
        self.0.insecure_hosts.iter().any(|named| named == host || named == without_port)
    }

    /// The server of a URL.
    pub(super) fn server(&self, url: &Url) -> Result<Arc<Server>> {
        let mut servers = self.0.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = url.origin().ascii_serialization();
        if let Some(server) = servers.get(&key) {
            return Ok(server.clone());
        }
        let server = Arc::new(self.open(url)?);
        servers.insert(key, server.clone());
        Ok(server)
    }

    fn open(&self, url: &Url) -> Result<Server> {
        let name = authority(url);
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url.host_str().unwrap_or_default();
        let trust = self.trust(&name, host, port)?;
        let is_insecure = self.is_insecure(&name) || self.is_insecure(&format!("{host}:{port}"));
        let (verifier, identity, config) = Verifier::new(trust, is_insecure, &self.0.provider)?;
        let failed = |e: reqwest::Error| {
            Error::caused_by(ErrorKind::Network, "setting up HTTP", e.without_url()).at_host(&name)
        };
        // A proxy is not meant for servers on this machine; other tools ignore it there, too.
        let proxy = match super::address::is_loopback(host) {
            true => None,
            false => self.0.proxies.of(url.scheme(), host, port),
        };
        let mut usable = None;
        if let Some(proxy) = &proxy {
            let bad = || {
                let message = format!("{} names no proxy that can be used", proxy.variable);
                Error::new(ErrorKind::Usage, message).with_detail(Detail::ProxyAddress)
            };
            let address = Some(&proxy.address).filter(|_| proxy.is_known());
            let proxy = address.and_then(|address| reqwest::Proxy::all(address).ok());
            usable = Some(proxy.ok_or_else(bad)?);
        }
        let builder = || {
            let mut builder = reqwest::Client::builder().no_proxy();
            if let Some(proxy) = &usable {
                builder = builder.proxy(proxy.clone());
            }
            builder
                .tls_backend_preconfigured(config.clone())
                .http1_only()
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(Duration::from_secs(30))
                .dns_resolver(super::resolver::Resolver(self.0.cancel.clone()))
                .redirect(redirect::Policy::none())
                // Without, a server may choose any coding (RFC 9110, section 12.5.3). One that packs all the same
                // is understood.
                .default_headers(
                    [(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))]
                        .into_iter()
                        .collect(),
                )
                .user_agent(concat!("multiarch/", env!("CARGO_PKG_VERSION")))
        };
        let http = builder().build().map_err(failed)?;
        let unpooled = builder().pool_max_idle_per_host(0).build().map_err(failed)?;
        // The address of a proxy may hold a password.
        let shown = |proxy: &Proxy| match Url::parse(&proxy.address) {
            Ok(url) => authority(&url),
            Err(_) => format!("of {}", proxy.variable),
        };
        let closed = AtomicU32::new(0);
        Ok(Server { name, http, unpooled, closed, verifier, identity, proxy: proxy.map(shown) })
    }

    fn trust(&self, name: &str, host: &str, port: u16) -> Result<Trust> {
        let TransportState { ca_files, provider, .. } = &*self.0;
        let mut trust = Trust::new(self.0.system.get_or_init(SystemTrust::load));
        for path in ca_files {
            trust.add_file(path)?;
        }
        let mut names = vec![name.to_owned(), format!("{host}:{port}")];
        names.dedup();
        let folders = tls::folders()
            .into_iter()
            .flat_map(|folder| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>());
        if let Some(folder) = folders.into_iter().find(|folder| Path::is_dir(folder)) {
            trust.add_folder(&folder, provider)?;
        }
        let is_named = self.0.named.lock().unwrap_or_else(PoisonError::into_inner).contains(name);
        if let Some((certificate, key)) = self.0.client_certificate.as_ref().filter(|_| is_named) {
            trust.show(certificate, key, provider)?;
        }
        Ok(trust)
    }
}

/// Host, and port where the URL has one that is not its scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A server may close an idle connection just as the next request is sent on it (RFC 9112, section 9.3.1),
/// and do so each time. Where that has happened this often, connections are not used again.
const MAX_CLOSED: u32 = 3;

/// True where the connection ended before an answer began.
fn was_closed(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
            return matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
        }
        // The type of hyper's error is not among this crate's dependencies.
        if error.to_string().contains("connection closed before message completed") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// One server, by scheme, host and port.
pub(super) struct Server {
    /// Host, and perhaps port, for messages.
    pub(super) name: String,
    http: reqwest::Client,
    /// Uses each connection once.
    unpooled: reqwest::Client,
    /// How often the server closed a connection instead of answering.
    closed: AtomicU32,
    verifier: Arc<Verifier>,
    identity: Arc<Identity>,
    /// Host and port of the proxy before it.
    proxy: Option<String>,
}

impl Server {
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let is_closing = self.closed.load(Ordering::Relaxed) >= MAX_CLOSED;
        let http = if is_closing { &self.unpooled } else { &self.http };
        http.request(method, url)
    }

    /// Sends a request once. Redirects are not followed.
    pub(super) async fn send(&self, limit: Duration, request: RequestBuilder) -> Result<Response> {
        match timeout(limit, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.explain(error)),
            Err(_) => Err(self.silent(format!("no answer within {} seconds", limit.as_secs()))),
        }
    }

    /// Sends a request with the body of an upload once. Redirects are not followed.
    pub(super) async fn upload(&self, body: BlobBody, request: RequestBuilder) -> Result<Response> {
        let (progress, size) = (body.progress.clone(), body.left);
        let request = request.header(header::CONTENT_LENGTH, size);
        tokio::select! {
            response = request.body(reqwest::Body::wrap(body)).send() => {
                response.map_err(|error| self.explain(error))
            }
            () = stalled(&progress, size) => {
                Err(self.silent("the upload made no progress for too long"))
            }
        }
    }

    fn silent(&self, message: impl fmt::Display) -> Error {
        let error = Error::new(ErrorKind::Network, message).with_detail(Detail::Silent);
        error.at_host(&self.name)
    }

    /// The failure of a request as an error that says why, as far as that is known.
    pub(super) fn explain(&self, error: reqwest::Error) -> Error {
        if was_closed(&error) {
            self.closed.fetch_add(1, Ordering::Relaxed);
        }
        let proxy = self.proxy.as_deref();
        tls::explain(error, &self.verifier, &self.identity, proxy).at_host(&self.name)
    }

    /// True once the server has shown a certificate, whatever became of it.
    pub(super) fn has_spoken_tls(&self) -> bool {
        self.verifier.has_seen_one()
    }

    /// The proxy before the server, for messages.
    pub(super) fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }
}
