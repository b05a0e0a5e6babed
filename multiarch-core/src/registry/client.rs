//! Requests: authentication, retries, time limits.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use tokio::sync::Semaphore;

use super::{
    Address,
    auth::{Auth, FirstLogin, Scope},
    redirect, refusal,
    response::{TIMEOUT, discard_body},
    retry::{Retries, may_read_again, once, with_retries},
    throttle::{Permit, Throttle},
    transport::{Transport, authority},
    upload_body::{BlobBody, TimeLimit},
};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    limit,
};

/// How often a request is repeated after a 401: the first may only bring the challenge, and a new
/// token may expire before it is used.
pub(super) const MAX_UNAUTHORIZED: u32 = 2;

/// Makes requests to one server.
pub(super) struct Client {
    pub(super) transport: Transport,
    pub(super) auth: Auth,
    pub(super) address: Address,
    pub(super) throttle: Arc<Throttle>,
    pub(super) origin: Url,
    /// For reading a page of a list.
    pub(super) page_permit: Semaphore,
}

/// How a request is admitted to the server.
#[derive(Clone, Copy)]
pub(super) enum Admission {
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
    pub(super) body: Option<Bytes>,
}

impl Client {
    /// A request below `/v2/`.
    pub(super) fn request(&self, method: Method, path: &str, scope: Scope) -> PreparedRequest {
        let mut url = self.origin.clone();
        url.set_path(&format!("/v2/{path}"));
        PreparedRequest { method, url, scope, headers: Vec::new(), body: None }
    }

    /// A request for a path, with its query, outside of the distribution specification.
    pub(super) fn request_at(
        &self,
        method: Method,
        path_and_query: &str,
        scope: Scope,
    ) -> Result<PreparedRequest> {
        let malformed = |e| Error::caused_by(ErrorKind::Server, "a malformed address", e);
        let url = self.origin.join(path_and_query).map_err(malformed)?;
        Ok(PreparedRequest { url, ..self.request(method, "", scope) })
    }

    /// Makes a request. It is repeated after failures that may pass, and with a new token if the token
    /// is refused.
    pub(super) async fn send(&self, request: &PreparedRequest) -> Result<Response> {
        self.authorised(request, Admission::Queue).await
    }

    /// Makes a request and reads the content of its answer; both again where the answer breaks off.
    pub(super) async fn send_and_read(
        &self,
        request: &PreparedRequest,
        limit: usize,
    ) -> Result<Option<(Vec<u8>, String)>> {
        let mut tries = Retries::default();
        loop {
            let response = self.send(request).await?;
            match self.content(request, response, limit).await {
                Err(error) if may_read_again(&self.throttle, &error, &mut tries).await => {}
                content => return content,
            }
        }
    }

    /// Makes a request for a caller that holds a permit of this server's throttle. It does not wait
    /// for another permit, and is repeated only with a new token.
    pub(super) async fn send_permitted(&self, request: &PreparedRequest) -> Result<Response> {
        self.authorised(request, Admission::Permitted).await
    }

    /// Makes a request with the authorization that the server wants.
    pub(super) async fn authorised(
        &self,
        request: &PreparedRequest,
        admission: Admission,
    ) -> Result<Response> {
        let place = |e: Error| self.place(e, &request.method, &request.url);
        let mut tries = 0;
        loop {
            let used = self.authorization(&request.url, &request.scope).await.map_err(place)?;
            // A read that was not refused before shows nothing: it may need no login.
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            let first = match tries == 0 && reads {
                true => None,
                false => self.auth.first_login(used.as_deref()).await.map_err(place)?,
            };
            let response = match first {
                Some(first) => {
                    self.send_first(request, used.as_deref(), first).await.map_err(place)?
                }
                None => None,
            };
            let response = match response {
                Some(response) => response,
                None => {
                    self.send_admitted(request, used.as_deref(), admission).await.map_err(place)?
                }
            };
            tries += 1;
            if response.status() != StatusCode::UNAUTHORIZED || tries > MAX_UNAUTHORIZED {
                return Ok(response);
            }
            let again = self.auth.refused(&response, &request.scope, used.as_deref()).await;
            if !again.map_err(place)? {
                return Ok(response);
            }
            discard_body(response).await;
        }
    }

    /// Sends the first request with a login. It waits for no permit: those that have one may be waiting for
    /// this. `None` where the server failed, and said nothing about the login.
    async fn send_first(
        &self,
        request: &PreparedRequest,
        used: Option<&str>,
        first: FirstLogin<'_>,
    ) -> Result<Option<Response>> {
        match self.send_once(request, used, TimeLimit::Whole(TIMEOUT)).await {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                let error = refusal::read(response).await;
                Err(first.refused(error, &request.scope))
            }
            Ok(response) if refusal::is_transient(response.status()) => Ok(None),
            Ok(response) => {
                first.taken();
                Ok(Some(response))
            }
            Err(error) if error.kind() == ErrorKind::Network => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn send_admitted(
        &self,
        request: &PreparedRequest,
        used: Option<&str>,
        admission: Admission,
    ) -> Result<Response> {
        match admission {
            Admission::Permitted => self.send_once(request, used, TimeLimit::Whole(TIMEOUT)).await,
            Admission::Queue => {
                let send = || self.send_once(request, used, TimeLimit::Whole(TIMEOUT));
                with_retries(Some(&self.throttle), send).await
            }
        }
    }

    /// Sends a request once, and follows redirects. Another server gets no authorization.
    pub(super) async fn send_once(
        &self,
        request: &PreparedRequest,
        authorization: Option<&str>,
        limit: TimeLimit,
    ) -> Result<Response> {
        let mut url = request.url.clone();
        for _ in 0..=limit::REDIRECTS.max {
            let server = self.transport.server(&url)?;
            let mut builder = server.request(request.method.clone(), url.clone());
            for (name, value) in &request.headers {
                builder = builder.header(name, value);
            }
            // A length of 0 must be stated, too: some servers refuse a POST without a length (411).
            let has_body = !matches!(request.method, Method::GET | Method::HEAD);
            let body = request.body.clone().or(has_body.then(Bytes::new));
            builder = self.own_headers(builder, &url, authorization);
            self.throttle.pace().await;
            let response = match limit {
                TimeLimit::Progress => {
                    server.upload(BlobBody::in_memory(body.unwrap_or_default()), builder).await?
                }
                TimeLimit::Whole(limit) => {
                    if let Some(body) = body {
                        builder = builder.header(header::CONTENT_LENGTH, body.len()).body(body);
                    }
                    server.send(limit, builder).await?
                }
            };
            match self.redirected(&request.method, &url, &response)? {
                None => return Ok(response),
                Some(next) => {
                    discard_body(response).await;
                    url = next;
                }
            }
        }
        Err(redirect::too_many())
    }

    /// Where an answer redirects a request to; `None` where it is the answer.
    pub(super) fn redirected(
        &self,
        method: &Method,
        from: &Url,
        response: &Response,
    ) -> Result<Option<Url>> {
        let to = redirect::location(response).map(|to| self.resolve(from, &to));
        redirect::target(method, from, response.status(), to)
    }

    /// Makes a request exactly once, with a permit that the caller holds. The second value is true where
    /// the login had expired and was renewed, so that the same request may be allowed now.
    pub(super) async fn send_single(
        &self,
        request: &PreparedRequest,
        permit: Permit,
    ) -> Result<(Response, bool)> {
        let used = self.authorization(&request.url, &request.scope).await?;
        let response =
            once(permit, self.send_once(request, used.as_deref(), TimeLimit::Whole(TIMEOUT)))
                .await?;
        let renewed = response.status() == StatusCode::UNAUTHORIZED
            && self.auth.refused(&response, &request.scope, used.as_deref()).await?;
        Ok((response, renewed))
    }

    /// The `Authorization` of a request. Another host gets none: a `Location` may lead an upload
    /// there.
    pub(super) async fn authorization(&self, url: &Url, scope: &Scope) -> Result<Option<String>> {
        if self.is_origin(url) { self.auth.header(scope).await } else { Ok(None) }
    }

    /// Adds what only the registry itself gets.
    pub(super) fn own_headers(
        &self,
        mut builder: RequestBuilder,
        url: &Url,
        authorization: Option<&str>,
    ) -> RequestBuilder {
        if self.is_origin(url) {
            for (name, value) in self.auth.extra_headers() {
                builder = builder.header(name, value);
            }
            if let Some(authorization) = authorization {
                builder = builder.header(header::AUTHORIZATION, authorization);
            }
        }
        builder
    }

    pub(super) fn is_origin(&self, url: &Url) -> bool {
        url.origin() == self.origin.origin()
    }

    /// The URL of a `Location`. A server that does not know about the TLS proxy before it puts
    /// `http://` into its own URLs; they are corrected to `https://`.
    pub(super) fn resolve(&self, from: &Url, location: &str) -> Result<Url> {
        let mut url = from.join(location).map_err(|e| {
            Error::caused_by(ErrorKind::Server, "the server's Location is malformed", e)
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            let message = format!(
                "the server's Location is no address of a web server: {}",
                redirect::shown(&url)
            );
            return Err(Error::new(ErrorKind::Server, message).with_detail(Detail::Redirected));
        }
        if url.host_str() == self.origin.host_str() && url.scheme() == "http" {
            let same_port = url.port() == self.origin.port();
            if same_port && self.origin.scheme() == "https" {
                let _ = url.set_scheme("https");
            }
        }
        Ok(url)
    }

    /// Adds the host and the request to an error; the host is that of the URL, which may be another one
    /// than the registry's.
    pub(super) fn place(&self, error: Error, method: &Method, url: &Url) -> Error {
        let error = match self.is_origin(url) {
            true => error.at_host(self.address.host()),
            false => error.at_host(authority(url)),
        };
        error.asking(format!("{method} {}", url.path()))
    }

    /// The same for a refusal, with the login that it was made with.
    pub(super) fn place_refusal(&self, error: Error, request: &PreparedRequest) -> Error {
        let error = self.auth.describe(error, &request.scope);
        let error = match &request.body {
            Some(body) if error.case() == Some(Detail::BodyLimit) => {
                error.saying(format!("the body has {} bytes", body.len()))
            }
            _ => error,
        };
        self.place(error, &request.method, &request.url)
    }
}
