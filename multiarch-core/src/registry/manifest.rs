//! Reads and writes manifests, indexes and tags.

use bytes::Bytes;
use reqwest::{Method, Response, StatusCode, header};

use super::{
    Registry,
    auth::Scope,
    client::{Admission, Client, MAX_UNAUTHORIZED, PreparedRequest},
    concurrency::RequestOutcome,
    presence::not_stored,
    refusal, response, retry,
};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    image::{Digest, Document, types},
    limit,
};

/// All media types that a tag may hold. A server may answer 404 if the tag holds a type that is not
/// listed.
const ACCEPT: [&str; 4] =
    [types::OCI_INDEX, types::OCI_MANIFEST, types::DOCKER_LIST, types::DOCKER_MANIFEST];

impl Registry {
    /// What a tag or a digest holds, with the media type that the server declares.
    pub(super) fn read_manifest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<(Vec<u8>, String)>> {
        let repository = self.connection.address.repository(repository);
        let client = self.connection.client()?;
        let request = client.read_request(Method::GET, &repository, reference);
        self.connection
            .runtime
            .run(async move { client.send_and_read(&request, limit::MANIFEST.length()).await })
    }
}

impl Client {
    pub(super) fn read_request(
        &self,
        method: Method,
        repository: &str,
        reference: &str,
    ) -> PreparedRequest {
        let path = format!("{repository}/manifests/{reference}");
        let mut request = self.request(method, &path, Scope::pull(repository));
        request.headers.push((header::ACCEPT, ACCEPT.join(", ")));
        request
    }

    fn write_request(
        &self,
        repository: &str,
        reference: &str,
        document: &Document,
    ) -> PreparedRequest {
        let path = format!("{repository}/manifests/{reference}");
        let mut request = self.request(Method::PUT, &path, Scope::push(repository));
        request.headers.push((header::CONTENT_TYPE, document.media_type().into()));
        request.body = Some(Bytes::copy_from_slice(document.raw()));
        request
    }

    /// The body of an answer and its media type; `None` for the registry's own 404, and for no other
    /// failure.
    pub(super) async fn content(
        &self,
        request: &PreparedRequest,
        response: Response,
        limit: usize,
    ) -> Result<Option<(Vec<u8>, String)>> {
        let place = |e| self.place(e, &request.method, &request.url);
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => {
                let headers = response.headers().clone();
                let text =
                    response::body(response, limit::REFUSAL.length()).await.unwrap_or_default();
                return refusal::check_absence(&headers, &text).map(|()| None).map_err(place);
            }
            _ => return Err(self.place_refusal(refusal::read(response).await, request)),
        }
        let media_type = response::media_type(&response).to_owned();
        let body = response::body(response, limit).await.map_err(place)?;
        Ok(Some((body, media_type)))
    }

    /// Writes a manifest or index by its digest. That may be repeated: the digest stands for the same
    /// bytes each time.
    pub(super) async fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
        let request = self.write_request(repository, &document.digest().to_string(), document);
        let response = self.send(&request).await?;
        self.check_stored(&request, response, repository, document).await
    }

    /// Sets a tag that holds `before`. The tag is read with the same permit, immediately before it is
    /// written, so that nothing else is waited for between the two; and it is written only once, because
    /// another writer may have written it before a repetition.
    pub(super) async fn put_tag(
        &self,
        repository: &str,
        tag: &str,
        before: Option<Digest>,
        document: &Document,
    ) -> Result<()> {
        let read = self.read_request(Method::GET, repository, tag);
        let write = self.write_request(repository, tag, document);
        let place = |e| self.place(e, &write.method, &write.url);
        let mut renewals = 0;
        loop {
            // Fetched before, so that no token is fetched between the read and the write.
            self.authorization(&write.url, &write.scope).await.map_err(place)?;
            let mut permit = self.throttle.enter().await?;
            let response = self.send_permitted(&read).await?;
            let (outcome, did) = retry::outcome_of(&response);
            if outcome != RequestOutcome::Answered {
                permit.note(outcome, &did);
            }
            let now = match self.content(&read, response, limit::MANIFEST.length()).await {
                Err(error)
                    if error.case() == Some(Detail::NotFromRegistry)
                        && before.is_none()
                        && self.is_unlisted(repository, tag, Admission::Permitted).await =>
                {
                    None
                }
                now => now?,
            };
            if now.map(|(body, _)| Digest::sha256(&body)) != before {
                return Err(place(Error::new(ErrorKind::Contended, "the tag has changed")));
            }
            let (response, renewed) = self.send_single(&write, permit).await.map_err(place)?;
            if renewed && renewals < MAX_UNAUTHORIZED {
                renewals += 1;
                response::discard_body(response).await;
                continue;
            }
            return self.check_stored(&write, response, repository, document).await;
        }
    }

    /// Removes a tag by its name ([OCI distribution, "Deleting tags"]); false where the registry does not do that,
    /// as many do not.
    ///
    /// [OCI distribution, "Deleting tags"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-tags
    pub(super) async fn remove_tag(&self, repository: &str, tag: &str) -> Result<bool> {
        let path = format!("{repository}/manifests/{tag}");
        let request = self.request(Method::DELETE, &path, Scope::delete(repository));
        let response = self.send(&request).await?;
        match response.status() {
            StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED => {
                response::discard_body(response).await;
                Ok(false)
            }
            status if status.is_success() => {
                response::discard_body(response).await;
                Ok(true)
            }
            _ => Err(self.place_refusal(refusal::read(response).await, &request)),
        }
    }

    /// Fails unless a document was stored: 201 is the only answer that says so ([OCI distribution,
    /// "Pushing Manifests"]). After another success the document must be there.
    ///
    /// [OCI distribution, "Pushing Manifests"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
    async fn check_stored(
        &self,
        request: &PreparedRequest,
        response: Response,
        repository: &str,
        document: &Document,
    ) -> Result<()> {
        let status = response.status();
        if status == StatusCode::CREATED {
            return Ok(());
        }
        let place = |e| self.place(e, &request.method, &request.url);
        if !status.is_success() {
            return Err(self.place_refusal(refusal::read(response).await, request));
        }
        response::discard_body(response).await;
        if self.has_manifest(repository, document.digest()).await? {
            return Ok(());
        }
        Err(place(not_stored(status)))
    }
}
