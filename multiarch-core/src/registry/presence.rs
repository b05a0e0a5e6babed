//! Asks whether manifests and blobs are there.

use reqwest::{Method, Response, StatusCode, header};

use super::{
    auth::Scope,
    client::{Admission, Client, PreparedRequest},
    refusal, response,
};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    image::{Digest, types},
};

/// Whether a blob is there, by its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredBlob {
    Absent,
    /// It has this size; `None` where the server does not say it.
    Present(Option<u64>),
}

impl StoredBlob {
    /// True if it is there, with this size where the server says one.
    pub(super) fn is_whole(self, expected: u64) -> bool {
        matches!(self, Self::Present(_)) && self.other_size(expected).is_none()
    }

    /// The size, if it is there with another one.
    pub(super) fn other_size(self, expected: u64) -> Option<u64> {
        match self {
            Self::Present(Some(size)) if size != expected => Some(size),
            _ => None,
        }
    }
}

impl Client {
    /// Whether a manifest or index is there.
    pub(super) async fn has_manifest(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let request = self.read_request(Method::HEAD, repository, &digest.to_string());
        Ok(self.head(&request, Admission::Queue).await?.is_some())
    }

    /// Whether a blob is there, which should have this size.
    pub(super) async fn stored_blob(
        &self,
        repository: &str,
        digest: &Digest,
        expected: u64,
        admission: Admission,
    ) -> Result<StoredBlob> {
        let path = format!("{repository}/blobs/{digest}");
        // The token asks for the push scope, so that the upload can use the same token.
        let request = self.request(Method::HEAD, &path, Scope::push(repository));
        let Some(response) = self.head(&request, admission).await? else {
            return Ok(StoredBlob::Absent);
        };
        let size = length_of(&response);
        if size.is_none() || size == Some(expected) {
            return Ok(StoredBlob::Present(size));
        }
        // Some proxies give HEAD a length of 0: another length counts only where GET gives it, too.
        drop(response);
        let request = self.request(Method::GET, &path, Scope::push(repository));
        let response = self.authorised(&request, admission).await?;
        match response.status() {
            StatusCode::OK => Ok(StoredBlob::Present(length_of(&response))),
            _ => Ok(StoredBlob::Present(size)),
        }
    }

    /// Whether the server lists referrers: it answers 200 for every digest then, and 404 otherwise ([OCI
    /// distribution, "Listing Referrers"]).
    ///
    /// [OCI distribution, "Listing Referrers"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
    pub(super) async fn lists_referrers(&self, repository: &str) -> Result<bool> {
        let path = format!("{repository}/referrers/{}", Digest::sha256(b""));
        let request = self.request(Method::GET, &path, Scope::pull(repository));
        let response = self.send(&request).await?;
        let is_listed = response.status() == StatusCode::OK
            && response::media_type(&response).starts_with(types::OCI_INDEX);
        response::discard_body(response).await;
        Ok(is_listed)
    }

    /// The answer 200 to a HEAD; `None` for 404.
    async fn head(
        &self,
        request: &PreparedRequest,
        admission: Admission,
    ) -> Result<Option<Response>> {
        let mut response = self.authorised(request, admission).await?;
        // Both say that the server has no HEAD (RFC 9110, sections 15.5.6 and 15.6.2).
        if matches!(response.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED)
        {
            // With it goes its permit: requests that each hold one would wait for each other's.
            drop(response);
            let request = PreparedRequest { method: Method::GET, ..request.clone() };
            response = self.authorised(&request, admission).await?;
        }
        match response.status() {
            StatusCode::OK => Ok(Some(response)),
            // A page is the 404 of something before the registry; an answer to HEAD has no body to show more.
            StatusCode::NOT_FOUND if !is_page(&response) => Ok(None),
            _ => {
                let error = refusal::read(response).await;
                Err(self.place_refusal(error, request))
            }
        }
    }

    /// Fails unless a blob was stored: 201 is the only answer that says so ([OCI distribution, "Pushing
    /// blobs"]). After another success the blob must be there.
    ///
    /// [OCI distribution, "Pushing blobs"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
    pub(super) async fn check_blob_stored(
        &self,
        status: StatusCode,
        repository: &str,
        digest: &Digest,
        size: u64,
    ) -> Result<()> {
        if status == StatusCode::CREATED {
            return Ok(());
        }
        // The upload still holds its permit.
        let stored = self.stored_blob(repository, digest, size, Admission::Permitted).await?;
        if stored.is_whole(size) { Ok(()) } else { Err(not_stored(status)) }
    }
}

fn length_of(response: &Response) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_page(response: &Response) -> bool {
    response::media_type(response).starts_with("text/html")
}

/// The error of an answer that reports success for something that is not there afterwards.
pub(super) fn not_stored(status: StatusCode) -> Error {
    let message = format!("the server answers {status}, but does not have what was sent");
    Error::new(ErrorKind::Server, message).with_detail(Detail::NotStored)
}
