//! The registry as an [`ImageStore`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::{Method, StatusCode, header};

use super::{Address, Connector, auth::Scope, connection::Connection, refusal, response};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    image::{Digest, Document, MAX_DOCUMENT_SIZE, types},
    store::{BlobContent, ImageStore, Sent},
};

/// A registry, reached over HTTP.
pub(crate) struct Registry {
    pub(super) connection: Connection,
    copying: Mutex<()>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({})", self.connection.address)
    }
}

/// All media types that a tag may hold. A server may answer 404 if the tag holds a type that is not
/// listed.
const ACCEPT: [&str; 4] =
    [types::OCI_INDEX, types::OCI_MANIFEST, types::DOCKER_LIST, types::DOCKER_MANIFEST];

impl Registry {
    /// A registry; nothing is sent yet.
    ///
    /// # Errors
    /// If threads cannot be started.
    pub(crate) fn new(address: Address, connector: Connector) -> Result<Self> {
        let connection = Connection::new(address, connector)?;
        Ok(Self { connection, copying: Mutex::new(()) })
    }

    /// Held while a blob is copied within the registry, so that at most one is in memory as a whole.
    pub(super) fn lock_copying(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn manifest(&self, repository: &str, reference: &str) -> Result<Option<(Vec<u8>, String)>> {
        let repository = self.connection.address.repository(repository);
        let path = format!("{repository}/manifests/{reference}");
        let limit = usize::try_from(MAX_DOCUMENT_SIZE).unwrap_or(usize::MAX);
        self.get(&path, Scope::pull(&repository), &ACCEPT, limit)
    }

    /// The body and its media type; `None` for 404, and for no other failure.
    fn get(
        &self,
        path: &str,
        scope: Scope,
        accept: &[&str],
        limit: usize,
    ) -> Result<Option<(Vec<u8>, String)>> {
        let client = self.connection.client()?;
        let mut request = client.request(Method::GET, path, scope);
        if !accept.is_empty() {
            request.headers.push((header::ACCEPT, accept.join(", ")));
        }
        self.connection.runtime.run(async move {
            let response = client.send(&request).await?;
            let place = |e: Error| {
                let e = e.at_host(client.address.host());
                e.asking(format!("GET {}", request.url.path()))
            };
            match response.status() {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    response::discard_body(response).await;
                    return Ok(None);
                }
                _ => return Err(place(refusal::read(response).await)),
            }
            let media_type = response.headers().get(header::CONTENT_TYPE);
            let media_type = media_type.and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
            let body = response::body(response, limit).await.map_err(place)?;
            Ok(Some((body, media_type)))
        })
    }

    fn put_document(&self, repository: &str, reference: &str, document: &Document) -> Result<()> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let path = format!("{repository}/manifests/{reference}");
        let mut request = client.request(Method::PUT, &path, Scope::push(&repository));
        request.headers.push((header::CONTENT_TYPE, document.media_type().into()));
        request.body = Some(document.raw().into());
        self.connection.runtime.run(async move {
            let response = client.send(&request).await?;
            if response.status().is_success() {
                return Ok(());
            }
            let error = refusal::read(response).await.at_host(client.address.host());
            Err(error.asking(format!("PUT {}", request.url.path())))
        })
    }
}

impl ImageStore for Registry {
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        let Some((body, media_type)) = self.manifest(name.repository(), name.tag())? else {
            return Ok(None);
        };
        Document::new(body, declared(&media_type)).map(Some).map_err(|e| e.of_image(name))
    }

    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>> {
        let Some((body, media_type)) = self.manifest(repository, &digest.to_string())? else {
            return Ok(None);
        };
        Document::verified(body, declared(&media_type), digest).map(Some)
    }

    fn get_blob(&self, repository: &str, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let repository = self.connection.address.repository(repository);
        let path = format!("{repository}/blobs/{digest}");
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let Some((body, _)) = self.get(&path, Scope::pull(&repository), &[], limit)? else {
            return Ok(None);
        };
        digest.verify(&body)?;
        Ok(Some(body))
    }

    fn has_blob(&self, repository: &str, digest: &Digest, _size: u64) -> Result<bool> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let path = format!("{repository}/blobs/{digest}");
        // The token asks for the push scope, so that the upload can use the same token.
        let request = client.request(Method::HEAD, &path, Scope::push(&repository));
        self.connection.runtime.run(async move {
            let response = client.send(&request).await?;
            match response.status() {
                StatusCode::OK => Ok(true),
                StatusCode::NOT_FOUND => Ok(false),
                _ => {
                    let error = refusal::read(response).await.at_host(client.address.host());
                    Err(error.asking(format!("HEAD {}", request.url.path())))
                }
            }
        })
    }

    fn put_blob(
        &self,
        repository: &str,
        mount_from: Option<&str>,
        content: &BlobContent<'_>,
    ) -> Result<Sent> {
        let address = &self.connection.address;
        let mount_from = mount_from.map(|from| address.repository(from));
        self.send_blob(&address.repository(repository), mount_from, content)
    }

    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
        self.put_document(repository, &document.digest().to_string(), document)
    }

    fn put_tag(
        &self,
        name: &TargetName,
        _before: Option<&Digest>,
        document: &Document,
    ) -> Result<()> {
        self.put_document(name.repository(), name.tag(), document)
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        Ok(Vec::new())
    }

    fn jobs(&self) -> usize {
        self.connection.connector.max_requests()
    }

    fn tags(&self) -> Result<Vec<TargetName>> {
        let client = self.connection.client()?;
        self.connection.runtime.run(client.list())
    }

    fn tags_of(&self, repository: &str) -> Result<Option<Vec<String>>> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        self.connection.runtime.run(async move { client.tags_at_once(&repository).await })
    }
}

/// The media type that the server declares; `None` for a generic one, so that the document decides.
fn declared(media_type: &str) -> Option<&str> {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    let nothing = ["", "application/json", "application/octet-stream", "text/plain"];
    (!nothing.contains(&name)).then_some(name)
}
