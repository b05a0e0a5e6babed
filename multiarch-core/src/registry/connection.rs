//! A connection to one server, set up by the first request.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Method, StatusCode, header};

use super::{
    Address, Connector, auth::Scope, client, client::Client, refusal, response, runtime::Runtime,
};
use crate::error::{Error, Result};

/// A server, its options, and the runtime for its requests.
pub(super) struct Connection {
    pub(super) address: Address,
    pub(super) connector: Connector,
    pub(super) runtime: Runtime,
    client: Mutex<Option<Arc<Client>>>,
}

impl Connection {
    pub(super) fn new(address: Address, connector: Connector) -> Result<Self> {
        let runtime = Runtime::new(connector.context.cancel.clone())?;
        Ok(Self { address, connector, runtime, client: Mutex::new(None) })
    }

    pub(super) fn client(&self) -> Result<Arc<Client>> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let connect = Client::connect(self.address.clone(), self.connector.clone());
        let client = self.runtime.run(connect)?;
        *slot = Some(client.clone());
        Ok(client)
    }
}

/// A web server that is not a registry: a chart repository.
pub(crate) struct Web(Connection);

/// The answer of a web server.
pub(crate) struct WebAnswer {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
    place: (String, String),
}

impl WebAnswer {
    /// The answer as an error.
    pub(crate) fn refusal(&self) -> Error {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = refusal::explain(status, None, &self.body);
        error.at_host(&self.place.0).asking(&self.place.1)
    }

    pub(crate) fn is_html(&self) -> bool {
        self.media_type.starts_with("text/html")
    }
}

impl Web {
    /// A server; nothing is sent yet.
    pub(crate) fn new(address: Address, connector: Connector) -> Result<Self> {
        Connection::new(address, connector).map(Self)
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
        let mut request = client.request_at(method, path)?;
        request.body = body.map(Into::into);
        if request.body.is_some() {
            request.headers.push((header::CONTENT_TYPE, "application/gzip".into()));
        }
        self.0.runtime.run(async move {
            let response = client.send(&request).await?;
            let place = (
                client.address.host().to_owned(),
                format!("{} {}", request.method, request.url.path()),
            );
            let status = response.status().as_u16();
            let media_type = response::media_type(&response).to_owned();
            let body = response::body(response, limit)
                .await
                .map_err(|e| e.at_host(&place.0).asking(&place.1))?;
            Ok(WebAnswer { status, media_type, body, place })
        })
    }
}

impl Client {
    /// A request for a path, with its query, on this server.
    fn request_at(&self, method: Method, path: &str) -> Result<client::PreparedRequest> {
        let mut request = self.request(method, "", Scope::default());
        request.url = request.url.join(path).map_err(|e| {
            Error::caused_by(crate::error::ErrorKind::Server, "a malformed address", e)
        })?;
        Ok(request)
    }
}
