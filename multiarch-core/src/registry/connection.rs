//! A connection to one server, set up by the first request.

use std::{
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::{Method, StatusCode, header};

use super::{
    Address, Connector,
    auth::Scope,
    client::{Client, PreparedRequest},
    greeting::ServerKind,
    refusal, response,
    retry::{Retries, may_read_again},
    runtime::Runtime,
};
use crate::error::{Error, ErrorKind, Result};

/// A server, its options, and the runtime for its requests.
pub(super) struct Connection {
    pub(super) address: Address,
    pub(super) connector: Connector,
    pub(super) runtime: Arc<Runtime>,
    kind: ServerKind,
    /// What connecting gave, and when; `None` before the first request.
    client: Mutex<Option<(Instant, Result<Arc<Client>>)>>,
}

/// How long a failure to connect that may pass counts for the requests that come after it.
const FAILURE_TIME: Duration = Duration::from_secs(30);

impl Connection {
    pub(super) fn new(address: Address, connector: Connector, kind: ServerKind) -> Result<Self> {
        let runtime = connector.runtime()?;
        Ok(Self { address, connector, runtime, kind, client: Mutex::new(None) })
    }

    /// The client, connected by the first request. Requests that wait for it meanwhile get the same
    /// failure: a login that is refused for each of them would lock the account.
    pub(super) fn client(&self) -> Result<Arc<Client>> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some((at, Err(error))) if error.is_retryable() && at.elapsed() > FAILURE_TIME => {}
            Some((_, known)) => return known.clone(),
            None => {}
        }
        let connect = Client::connect(self.address.clone(), self.connector.clone(), self.kind);
        let client = self.runtime.run(connect);
        if !matches!(&client, Err(error) if error.kind() == ErrorKind::Cancelled) {
            *slot = Some((Instant::now(), client.clone()));
        }
        client
    }
}

/// A web server that is not a registry: a chart repository.
pub(crate) struct Web(Connection);

/// The answer of a web server.
pub(crate) struct WebAnswer {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
    /// The answer as an error, unless it reports success.
    pub(crate) refusal: Option<Error>,
    host: String,
    request: String,
}

impl WebAnswer {
    /// An error that the answer shows.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Display) -> Error {
        self.place(Error::new(kind, message))
    }

    /// Adds the host and the request to an error.
    pub(crate) fn place(&self, error: Error) -> Error {
        error.at_host(&self.host).asking(&self.request)
    }

    /// The answer as an error that says why it is not the expected one.
    pub(crate) fn unexpected(&self, why: &str) -> Error {
        self.refusal.clone().unwrap_or_else(|| {
            let status = StatusCode::from_u16(self.status).unwrap_or_default();
            let said = refusal::explain(status, None, &self.body);
            self.error(ErrorKind::Server, format!("{why}: {}", said.message()))
        })
    }

    pub(crate) fn is_html(&self) -> bool {
        self.media_type.starts_with("text/html")
    }
}

impl Web {
    /// A server; nothing is sent yet.
    pub(crate) fn new(address: Address, connector: Connector) -> Result<Self> {
        Connection::new(address, connector, ServerKind::Web).map(Self)
    }

    pub(crate) fn host(&self) -> &str {
        self.0.address.host()
    }

    pub(crate) fn get(&self, path: &str, limit: usize) -> Result<WebAnswer> {
        self.request(Method::GET, path, None, limit)
    }

    pub(crate) fn post(&self, path: &str, body: &[u8], limit: usize) -> Result<WebAnswer> {
        self.request(Method::POST, path, Some(body), limit)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        limit: usize,
    ) -> Result<WebAnswer> {
        let client = self.0.client()?;
        let scope = Scope::none("", method == Method::POST);
        let mut request = client.request_at(method, path, scope)?;
        request.body = body.map(Bytes::copy_from_slice);
        if request.body.is_some() {
            request.headers.push((header::CONTENT_TYPE, "application/gzip".into()));
        }
        self.0.runtime.run(async move {
            let mut tries = Retries::default();
            loop {
                match client.web_answer(&request, limit).await {
                    Err(e) if may_read_again(&client.throttle, &e, &mut tries).await => {}
                    answer => return answer,
                }
            }
        })
    }
}

impl Client {
    async fn web_answer(&self, request: &PreparedRequest, limit: usize) -> Result<WebAnswer> {
        let response = self.send(request).await?;
        let status = response.status();
        let media_type = response::media_type(&response).to_owned();
        let place = |e| self.place_refusal(e, request);
        let challenge = response.headers().get(header::WWW_AUTHENTICATE);
        let challenge = challenge.map(|v| v.to_str().unwrap_or_default().to_owned());
        let body = response::body(response, limit).await.map_err(place)?;
        let refusal = (!status.is_success())
            .then(|| place(refusal::explain(status, challenge.as_deref(), &body)));
        let status = status.as_u16();
        let request = format!("{} {}", request.method, request.url.path());
        let host = self.address.host().to_owned();
        Ok(WebAnswer { status, media_type, body, refusal, host, request })
    }
}
