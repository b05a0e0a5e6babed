//! Requests: authentication, retries, time limits.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, Response, StatusCode, Url, header, redirect};

use super::{
    Address, Connector,
    address::Scheme,
    auth::{Auth, Scope},
    credentials,
    response::{LIMIT, limited, pass_over},
    retry::with_retries,
    throttle::Throttle,
    tls::Verifier,
};
use crate::error::{Error, ErrorKind, Result};

const CONNECT: Duration = Duration::from_secs(15);
/// How often a refused token is fetched anew: it may end again before it is used.
const MAX_REFUSALS: u32 = 2;
/// A connection to one registry.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) auth: Auth,
    pub(super) address: Address,
    pub(super) throttle: Arc<Throttle>,
    origin: Url,
    verifier: Arc<Verifier>,
}

/// How a request gets the right to be made.
#[derive(Clone, Copy)]
enum Admission {
    /// It waits at the server's throttle, and is repeated while its failure may pass.
    Queue,
    /// The caller holds a permit.
    Permitted,
}

/// A request that can be made again.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) scope: Scope,
    pub(super) headers: Vec<(header::HeaderName, String)>,
    pub(super) body: Option<Arc<[u8]>>,
}

impl Client {
    /// Finds out how the registry is reached. Loopback and insecure hosts may speak plain HTTP; that
    /// is tried where TLS is not spoken at all, never where a certificate is refused.
    pub(super) async fn connect(address: Address, connector: Connector) -> Result<Arc<Self>> {
        let insecure = connector.insecure_hosts.iter().any(|host| host == address.host());
        let credentials = credentials::find(&connector, address.host())?;
        let verifier = Verifier::new(&connector, insecure)?;
        let mut builder = reqwest::Client::builder();
        if address.is_loopback() {
            // HTTP_PROXY is not meant for what runs on this machine; other tools agree.
            builder = builder.no_proxy();
        }
        let http = builder
            .tls_backend_preconfigured(verifier.config()?)
            .http1_only()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .redirect(redirect::Policy::limited(5))
            .user_agent(concat!("multiarch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::caused_by(ErrorKind::Network, "setting up HTTP", e))?;
        let url = |scheme: Scheme| {
            Url::parse(&format!("{}://{}/v2/", scheme.name(), address.host())).map_err(|e| {
                Error::caused_by(ErrorKind::Usage, "the target's host is malformed", e)
                    .at_host(address.host())
            })
        };
        let meter = connector.context.meter.clone();
        let throttle = connector.throttles.get(connector.bound(), address.host(), meter);
        let may_be_plain = insecure || address.is_loopback();
        let client = |origin: Url| Self {
            auth: Auth::new(http.clone(), origin.clone(), credentials.clone()),
            http: http.clone(),
            address: address.clone(),
            throttle: throttle.clone(),
            origin,
            verifier: verifier.clone(),
        };
        let chosen = match address.scheme() {
            Some(scheme) => client(url(scheme)?),
            None if !may_be_plain => client(url(Scheme::Https)?),
            None => {
                let tls = client(url(Scheme::Https)?);
                match limited(LIMIT, tls.http.get(tls.origin.clone()).send()).await {
                    Err(_) if verifier.refused().is_none() => client(url(Scheme::Http)?),
                    _ => tls,
                }
            }
        };
        Ok(Arc::new(chosen))
    }

    /// A request below `/v2/`.
    pub(super) fn ask(&self, method: Method, path: &str, scope: Scope) -> Ask {
        let mut url = self.origin.clone();
        url.set_path(&format!("/v2/{path}"));
        Ask { method, url, scope, headers: Vec::new(), body: None }
    }

    /// Makes a request until there is an answer that says something: passing errors are waited for,
    /// a refused token is fetched anew.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Response> {
        self.authorised(ask, Admission::Queue).await
    }

    /// Makes a request for a caller that holds a permit of this server's throttle: it does not wait
    /// for another one, and is not repeated but with a fresh token.
    pub(super) async fn send_permitted(&self, ask: &Ask) -> Result<Response> {
        self.authorised(ask, Admission::Permitted).await
    }

    /// Makes a request with the authorization that the server wants.
    async fn authorised(&self, ask: &Ask, admission: Admission) -> Result<Response> {
        let place = |e: Error| {
            let e = self.explain(e).at_host(self.address.host());
            e.asking(format!("{} {}", ask.method, ask.url.path()))
        };
        for _ in 0..MAX_REFUSALS {
            let used = self.authorization(&ask.url, &ask.scope).await.map_err(place)?;
            let response =
                self.send_admitted(ask, used.as_deref(), admission).await.map_err(place)?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            let again = self.auth.refused(response.headers(), &ask.scope, used.as_deref()).await;
            if !again.map_err(place)? {
                return Ok(response);
            }
            pass_over(response).await;
        }
        let used = self.authorization(&ask.url, &ask.scope).await.map_err(place)?;
        self.send_admitted(ask, used.as_deref(), admission).await.map_err(place)
    }

    async fn send_admitted(
        &self,
        ask: &Ask,
        used: Option<&str>,
        admission: Admission,
    ) -> Result<Response> {
        match admission {
            Admission::Permitted => self.send_once(ask, used).await,
            Admission::Queue => {
                with_retries(Some(&self.throttle), || self.send_once(ask, used)).await
            }
        }
    }

    async fn send_once(&self, ask: &Ask, authorization: Option<&str>) -> Result<Response> {
        let mut request = self.http.request(ask.method.clone(), ask.url.clone());
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &ask.body {
            request = request.body(body.to_vec());
        }
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        // A certificate that is refused once is refused again: that is no failure that passes.
        let response = limited(LIMIT, request.send()).await.map_err(|e| self.explain(e))?;
        if response.status().is_success() {
            self.auth.accepted().await;
        }
        Ok(response)
    }

    /// The header for a request, but not for one to another host: an upload may go elsewhere.
    pub(super) async fn authorization(&self, url: &Url, scope: &Scope) -> Result<Option<String>> {
        if self.is_origin(url) { self.auth.header(scope).await } else { Ok(None) }
    }

    pub(super) fn is_origin(&self, url: &Url) -> bool {
        url.host_str() == self.origin.host_str()
            && url.port_or_known_default() == self.origin.port_or_known_default()
            && url.scheme() == self.origin.scheme()
    }

    /// Where a `Location` leads. A server behind a TLS proxy that does not know it gives `http://`
    /// for itself: the scheme stays ours then.
    pub(super) fn resolve(&self, from: &Url, location: &str) -> Result<Url> {
        let mut url = from.join(location).map_err(|e| {
            Error::caused_by(ErrorKind::Server, "the server's Location is malformed", e)
        })?;
        if url.host_str() == self.origin.host_str() && url.scheme() == "http" {
            let same_port = url.port() == self.origin.port();
            if same_port && self.origin.scheme() == "https" {
                let _ = url.set_scheme("https");
            }
        }
        Ok(url)
    }

    /// Says what a failure to connect really was.
    pub(super) fn explain(&self, error: Error) -> Error {
        match self.verifier.refused() {
            Some(fingerprint) if error.kind() == ErrorKind::Network => {
                let message = format!(
                    "the certificate is not trusted; its SHA-256 fingerprint is {fingerprint}"
                );
                Error::caused_by(ErrorKind::Untrusted, message, error)
            }
            _ => error,
        }
    }
}
