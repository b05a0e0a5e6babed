//! Requests: authentication, retries, time limits.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, Response, StatusCode, Url, header, redirect};

use super::{
    Address, Connector,
    address::Scheme,
    auth::{Auth, Scope},
    credentials,
    response::{TIMEOUT, discard_body, with_timeout},
    retry::{once, with_retries},
    throttle::{Permit, Throttle},
    tls::Verifier,
};
use crate::error::{Error, ErrorKind, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often a request is repeated after a 401: the first may only bring the challenge, and a new
/// token may expire before it is used.
pub(super) const MAX_UNAUTHORIZED: u32 = 2;

/// Makes requests to one server.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) auth: Auth,
    pub(super) address: Address,
    pub(super) throttle: Arc<Throttle>,
    origin: Url,
    verifier: Arc<Verifier>,
}

/// How a request is admitted to the server.
#[derive(Clone, Copy)]
enum Admission {
    /// It waits for a permit of the server's throttle, and is repeated while its failure may pass.
    Queue,
    /// The caller holds a permit; the request is not repeated after a failure.
    Permitted,
}

/// A request that can be repeated.
#[derive(Clone)]
pub(super) struct PreparedRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) scope: Scope,
    pub(super) headers: Vec<(header::HeaderName, String)>,
    pub(super) body: Option<Arc<[u8]>>,
}

impl Client {
    /// Finds out whether the server is reached by HTTPS or HTTP. Only loopback and insecure hosts may
    /// use plain HTTP. It is chosen if they do not answer over TLS, but never if their certificate is
    /// refused.
    pub(super) async fn connect(address: Address, connector: Connector) -> Result<Arc<Self>> {
        let insecure = connector.insecure_hosts.iter().any(|host| host == address.host());
        let credentials = credentials::find(&connector, address.host())?;
        let verifier = Verifier::new(&connector, insecure)?;
        let mut builder = reqwest::Client::builder();
        if address.is_loopback() {
            // HTTP_PROXY is not meant for servers on this machine; other tools ignore it there, too.
            builder = builder.no_proxy();
        }
        let http = builder
            .tls_backend_preconfigured(verifier.config()?)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
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
        let throttle = connector.throttles.get(connector.max_requests(), address.host(), meter);
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
                match with_timeout(TIMEOUT, tls.http.get(tls.origin.clone()).send()).await {
                    Err(_) if verifier.refused().is_none() => client(url(Scheme::Http)?),
                    _ => tls,
                }
            }
        };
        Ok(Arc::new(chosen))
    }

    /// A request below `/v2/`.
    pub(super) fn request(&self, method: Method, path: &str, scope: Scope) -> PreparedRequest {
        let mut url = self.origin.clone();
        url.set_path(&format!("/v2/{path}"));
        PreparedRequest { method, url, scope, headers: Vec::new(), body: None }
    }

    /// Makes a request. It is repeated after failures that may pass, and with a new token if the token
    /// is refused.
    pub(super) async fn send(&self, request: &PreparedRequest) -> Result<Response> {
        self.authorised(request, Admission::Queue).await
    }

    /// Makes a request for a caller that holds a permit of this server's throttle. It does not wait
    /// for another permit, and is repeated only with a new token.
    pub(super) async fn send_permitted(&self, request: &PreparedRequest) -> Result<Response> {
        self.authorised(request, Admission::Permitted).await
    }

    /// Makes a request with the authorization that the server wants.
    async fn authorised(
        &self,
        request: &PreparedRequest,
        admission: Admission,
    ) -> Result<Response> {
        let place = |e: Error| {
            let e = self.explain(e).at_host(self.address.host());
            e.asking(format!("{} {}", request.method, request.url.path()))
        };
        for _ in 0..MAX_UNAUTHORIZED {
            let used = self.authorization(&request.url, &request.scope).await.map_err(place)?;
            let response =
                self.send_admitted(request, used.as_deref(), admission).await.map_err(place)?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            let again =
                self.auth.refused(response.headers(), &request.scope, used.as_deref()).await;
            if !again.map_err(place)? {
                return Ok(response);
            }
            discard_body(response).await;
        }
        let used = self.authorization(&request.url, &request.scope).await.map_err(place)?;
        self.send_admitted(request, used.as_deref(), admission).await.map_err(place)
    }

    async fn send_admitted(
        &self,
        request: &PreparedRequest,
        used: Option<&str>,
        admission: Admission,
    ) -> Result<Response> {
        match admission {
            Admission::Permitted => self.send_once(request, used).await,
            Admission::Queue => {
                with_retries(Some(&self.throttle), || self.send_once(request, used)).await
            }
        }
    }

    async fn send_once(
        &self,
        request: &PreparedRequest,
        authorization: Option<&str>,
    ) -> Result<Response> {
        let mut builder = self.http.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.to_vec());
        }
        if let Some(authorization) = authorization {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        // `explain` gives a refused certificate its own error kind, which is not retried: it would be
        // refused again.
        let response = with_timeout(TIMEOUT, builder.send()).await.map_err(|e| self.explain(e))?;
        if response.status().is_success() {
            self.auth.accepted().await;
        }
        Ok(response)
    }

    /// Makes a request exactly once, with a permit that the caller holds. The second value is true where
    /// the login had expired and was renewed, so that the same request may be allowed now.
    pub(super) async fn send_single(
        &self,
        request: &PreparedRequest,
        permit: Permit,
    ) -> Result<(Response, bool)> {
        let used = self.authorization(&request.url, &request.scope).await?;
        let response = once(permit, self.send_once(request, used.as_deref())).await?;
        let renewed = response.status() == StatusCode::UNAUTHORIZED
            && self.auth.refused(response.headers(), &request.scope, used.as_deref()).await?;
        Ok((response, renewed))
    }

    /// The `Authorization` of a request. Another host gets none: a `Location` may lead an upload
    /// there.
    pub(super) async fn authorization(&self, url: &Url, scope: &Scope) -> Result<Option<String>> {
        if self.is_origin(url) { self.auth.header(scope).await } else { Ok(None) }
    }

    pub(super) fn is_origin(&self, url: &Url) -> bool {
        url.host_str() == self.origin.host_str()
            && url.port_or_known_default() == self.origin.port_or_known_default()
            && url.scheme() == self.origin.scheme()
    }

    /// The URL of a `Location`. A server that does not know about the TLS proxy before it puts
    /// `http://` into its own URLs; they are corrected to `https://`.
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

    /// Turns a connection failure into an error about the certificate, if one was refused.
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
