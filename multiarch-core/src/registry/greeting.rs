//! The first requests to a server: whether it is reached by HTTPS or HTTP, whether it is a registry, and
//! whether it takes the login. What is wrong there is wrong for all requests, and is found once.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, Response, StatusCode, Url};
use tokio::sync::Semaphore;

use super::{
    Address, Connector,
    address::Scheme,
    auth::{Auth, Scope},
    client::{Admission, Client, PreparedRequest},
    credentials, refusal, response,
};
use crate::error::{Detail, Error, ErrorKind, Result};

/// How long a request may take that only shows how a server speaks. One that does not answer at all is asked again
/// by others.
const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// What a server is expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerKind {
    Registry,
    /// A web server that is not a registry: a chart repository.
    Web,
}

impl Client {
    /// Connects to a server. Only loopback and insecure hosts may use plain HTTP. It is chosen if they do
    /// not answer over TLS, but never where they have shown a certificate.
    pub(super) async fn connect(
        address: Address,
        connector: Connector,
        kind: ServerKind,
    ) -> Result<Arc<Self>> {
        let host = address.host();
        connector.transport.name(host);
        let logins = credentials::find(&connector, host).map_err(|e| e.at_host(host))?;
        let throttle = connector.throttle(host);
        let tokens = connector.throttle(&format!("the token server of {host}"));
        let at = |origin: Url| Self {
            auth: Auth::new(&connector.transport, &origin, logins.clone(), tokens.clone()),
            transport: connector.transport.clone(),
            address: address.clone(),
            throttle: throttle.clone(),
            origin,
            page_permit: Semaphore::new(1),
        };
        let client = |scheme: Scheme| {
            let url = Url::parse(&format!("{}://{host}/v2/", scheme.name())).map_err(|e| {
                Error::caused_by(ErrorKind::Usage, "the target's host is malformed", e)
                    .at_host(host)
            });
            url.map(at)
        };
        let may_be_plain = connector.transport.is_insecure(host) || address.is_loopback();
        let mut chosen = match address.scheme() {
            Some(scheme) => client(scheme)?,
            None if !may_be_plain => client(Scheme::Https)?,
            None => {
                let tls = client(Scheme::Https)?;
                if tls.speaks_tls().await? { tls } else { client(Scheme::Http)? }
            }
        };
        if kind == ServerKind::Registry {
            // A server that sends all requests to its own TLS is reached there at once.
            if let Some(moved) = chosen.greet().await? {
                chosen = at(moved);
                chosen.greet().await?;
            }
        }
        Ok(Arc::new(chosen))
    }

    /// True where the server speaks TLS, or where its TLS is what failed.
    async fn speaks_tls(&self) -> Result<bool> {
        let server = self.transport.server(&self.origin)?;
        let request = server.request(Method::GET, self.origin.clone());
        let answer = server.send(PROBE_TIMEOUT, request).await;
        Ok(answer.is_ok() || server.has_spoken_tls())
    }

    /// Greets a registry ([OCI distribution, "Determining Support"]), with the login if there is one. Gives
    /// the address with TLS where the server sends there from plain HTTP; the login is not sent then.
    ///
    /// # Errors
    /// Where the server is not a registry, is not reached, or refuses the login.
    ///
    /// [OCI distribution, "Determining Support"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#determining-support
    async fn greet(&self) -> Result<Option<Url>> {
        let path = self.address.path();
        let request = self.request(Method::GET, "", Scope::none(path, false));
        let place = |e: Error| self.place(e, &request.method, &request.url);
        let response = self.first_answer(&request).await.map_err(place)?;
        let to = response.url();
        if self.origin.scheme() == "http"
            && (to.scheme(), to.host_str()) == ("https", self.origin.host_str())
        {
            let mut moved = to.clone();
            moved.set_path("/v2/");
            moved.set_query(None);
            return Ok(Some(moved));
        }
        if response.status() != StatusCode::UNAUTHORIZED {
            return self.check_registry(response).await.map_err(place).map(|()| None);
        }
        self.auth.note_wants_login();
        self.auth.refused(&response, &request.scope, None).await.map_err(place)?;
        response::discard_body(response).await;
        if self.auth.greeting(path).is_none() {
            return Ok(None);
        }
        let Some(header) = self.auth.greeting_header(path).await.map_err(place)? else {
            return Ok(None);
        };
        let sent = self.send_admitted(&request, Some(&header), Admission::Queue).await;
        let response = sent.map_err(place)?;
        // A token for no scope is refused by some; the token server has taken the login then.
        if response.status() == StatusCode::UNAUTHORIZED && header.starts_with("Basic ") {
            let error = refusal::read(response).await;
            return Err(place(self.auth.greeting_refused(error, path)));
        }
        self.auth.greeted_with(&header);
        self.check_registry(response).await.map_err(place).map(|()| None)
    }

    /// The first answer of the server. What is wrong with its name or with the proxy is found by one request.
    async fn first_answer(&self, request: &PreparedRequest) -> Result<Response> {
        let server = self.transport.server(&request.url)?;
        let first = self.send_admitted(request, None, Admission::Permitted).await;
        match first {
            Err(error) if matches!(error.case(), Some(Detail::NoSuchHost | Detail::Proxy)) => {
                Err(error)
            }
            Err(error) if error.kind() == ErrorKind::Network => {
                if error.case().is_none() && self.speaks_the_other().await {
                    return Err(self.other_protocol(Some(error)));
                }
                let proxy = server.proxy().map(ToOwned::to_owned);
                let again = self.send_admitted(request, None, Admission::Queue).await;
                again.map_err(|error| match proxy {
                    Some(proxy) => error.saying(format!("it was sent by the proxy {proxy}")),
                    None => error,
                })
            }
            Ok(response) if refusal::is_transient(response.status()) => {
                response::discard_body(response).await;
                self.send_admitted(request, None, Admission::Queue).await
            }
            answer => answer,
        }
    }

    /// True where a server that does not answer in HTTP as expected, with TLS or without, does so the other
    /// way. The request has no login, and its answer is not used.
    async fn speaks_the_other(&self) -> bool {
        let mut url = self.origin.clone();
        let port = url.port_or_known_default();
        let other = if url.scheme() == "https" { "http" } else { "https" };
        let (Ok(()), Ok(())) = (url.set_scheme(other), url.set_port(port)) else { return false };
        let servers = (self.transport.server(&self.origin), self.transport.server(&url));
        let (Ok(expected), Ok(other)) = servers else { return false };
        let request = other.request(Method::GET, url);
        let answer = other.send(PROBE_TIMEOUT, request).await;
        !expected.has_spoken_tls() && (answer.is_ok() || other.has_spoken_tls())
    }

    /// The error of a server that speaks HTTPS where HTTP was expected, or the reverse.
    fn other_protocol(&self, cause: Option<Error>) -> Error {
        let (message, detail) = match self.origin.scheme() {
            "https" => ("the server speaks plain HTTP where TLS was expected", Detail::PlainHttp),
            _ => ("the server speaks HTTPS where plain HTTP was expected", Detail::TlsExpected),
        };
        let error = match cause {
            Some(cause) => Error::caused_by(ErrorKind::Network, message, cause),
            None => Error::new(ErrorKind::Network, message),
        };
        error.with_detail(detail)
    }

    /// Fails where a page answers instead of a registry.
    async fn check_registry(&self, response: Response) -> Result<()> {
        let status = response.status();
        // nginx and Go answer so where a request should have been encrypted.
        if status == StatusCode::BAD_REQUEST && self.origin.scheme() == "http" {
            let says_so = refusal::read(response).await.message().contains("HTTPS");
            return match says_so || self.speaks_the_other().await {
                true => Err(self.other_protocol(None)),
                false => Ok(()),
            };
        }
        let is_page = response::media_type(&response).starts_with("text/html")
            && !response.headers().contains_key("docker-distribution-api-version");
        if !is_page || !(status.is_success() || status == StatusCode::NOT_FOUND) {
            if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                return Err(refusal::read(response).await);
            }
            response::discard_body(response).await;
            return Ok(());
        }
        let said = refusal::read(response).await;
        let message = format!("a web page answers instead of a registry: {}", said.message());
        Err(Error::new(ErrorKind::Server, message).with_detail(Detail::NotARegistry))
    }
}
