//! Begins an upload, by a mount or a session, and finds out where an interrupted one resumes.

use reqwest::{Method, Response, StatusCode, Url, header};

use super::{
    auth::Scope,
    client::{Admission, Client},
    concurrency::RequestOutcome,
    redirect, refusal, response, retry,
    throttle::Permit,
    upload_failure::UploadFailure,
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
};

/// The result of beginning an upload.
pub(super) enum UploadStart {
    /// The blob was mounted: nothing has to be sent.
    Mounted,
    /// The bytes are to be sent to this session.
    Session(ResumePoint),
    /// Another attempt may succeed.
    Retry(UploadFailure),
}

/// Where an upload begins or resumes.
pub(super) struct ResumePoint {
    pub(super) session: Url,
    /// Bytes that the server has.
    pub(super) offset: u64,
    /// The least size of a chunk but the last, in bytes.
    pub(super) min_chunk: u64,
    /// The address takes the whole blob as it is: the server has redirected the upload there.
    pub(super) is_final: bool,
}

impl ResumePoint {
    fn new(session: Url, offset: u64, response: &Response) -> Self {
        let min_chunk = response.headers().get("oci-chunk-min-length");
        let min_chunk = min_chunk.and_then(|value| value.to_str().ok()?.parse().ok());
        Self { session, offset, min_chunk: min_chunk.unwrap_or(0), is_final: false }
    }

    /// Where a redirect sends an upload.
    pub(super) fn redirected(to: Url) -> Self {
        Self { session: to, offset: 0, min_chunk: 0, is_final: true }
    }
}

impl Client {
    /// Begins an upload; mounts the blob if another repository is given. If the mount fails, for any
    /// reason, a session to upload to is opened. The upload permit covers these requests: they are not
    /// repeated here, and a failure that may pass ends the caller's attempt.
    pub(super) async fn begin_upload(
        &self,
        _permit: &Permit,
        repository: &str,
        mount: Option<(Digest, String)>,
        size: u64,
    ) -> Result<UploadStart> {
        let path = format!("{repository}/blobs/uploads/");
        if let Some((digest, from)) = mount {
            let scope = Scope::push(repository).and_pull(&from);
            let mut request = self.request(Method::POST, &path, scope);
            request
                .url
                .query_pairs_mut()
                .append_pair("mount", &digest.to_string())
                .append_pair("from", &from);
            if let Ok(response) = self.send_permitted(&request).await {
                match response.status() {
                    StatusCode::CREATED => {
                        response::discard_body(response).await;
                        // Some registries say so, and do not have it.
                        let permitted = Admission::Permitted;
                        let stored = self.stored_blob(repository, &digest, size, permitted).await;
                        if stored.is_ok_and(|stored| stored.is_whole(size)) {
                            return Ok(UploadStart::Mounted);
                        }
                    }
                    StatusCode::ACCEPTED => return self.session(&request.url, &response),
                    _ => response::discard_body(response).await,
                }
            }
        }
        let request = self.request(Method::POST, &path, Scope::push(repository));
        let response = match self.send_permitted(&request).await {
            Ok(response) => response,
            Err(error) if error.kind() == ErrorKind::Network => {
                let did = retry::no_answer(&error);
                let outcome = RequestOutcome::NoAnswer;
                let failure =
                    UploadFailure { error, outcome, did, is_elsewhere: false, session: None };
                return Ok(UploadStart::Retry(failure));
            }
            Err(error) => return Err(error),
        };
        if response.status() == StatusCode::ACCEPTED {
            return self.session(&request.url, &response);
        }
        let (outcome, did) = retry::outcome_of(&response);
        let error = self.place_refusal(refusal::read(response).await, &request);
        match outcome {
            RequestOutcome::Answered => Err(error),
            outcome => {
                let failure =
                    UploadFailure { error, outcome, did, is_elsewhere: false, session: None };
                Ok(UploadStart::Retry(failure))
            }
        }
    }

    fn session(&self, asked: &Url, response: &Response) -> Result<UploadStart> {
        let location = redirect::location(response).ok_or_else(|| {
            let error = Error::new(ErrorKind::Server, "the server gives no Location to send to");
            self.place(error, &Method::POST, asked)
        })?;
        let session =
            self.resolve(asked, &location).map_err(|e| self.place(e, &Method::POST, asked))?;
        Ok(UploadStart::Session(ResumePoint::new(session, 0, response)))
    }

    /// Where an interrupted upload resumes ([OCI distribution, "Pushing a blob in chunks"]): the
    /// server reports how many bytes it has. `None` if it does not, or has none; the upload then
    /// begins anew.
    ///
    /// [OCI distribution, "Pushing a blob in chunks"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
    pub(super) async fn find_resume_point(
        &self,
        session: Url,
        repository: &str,
        size: u64,
    ) -> Option<ResumePoint> {
        let mut request = self.request(Method::GET, "", Scope::push(repository));
        request.url = session;
        let response = self.send(&request).await.ok()?;
        if response.status() != StatusCode::NO_CONTENT {
            return None;
        }
        let range = response.headers().get(header::RANGE)?.to_str().ok()?;
        let last: u64 = range.trim_start_matches("bytes=").strip_prefix("0-")?.parse().ok()?;
        // A session without any bytes reports `0-0`, as does one with a single byte.
        let offset = last.checked_add(1).filter(|offset| (2..=size).contains(offset))?;
        let session = match redirect::location(&response) {
            Some(location) => self.resolve(&request.url, &location).ok()?,
            None => request.url,
        };
        Some(ResumePoint::new(session, offset, &response))
    }

    /// Ends a session that is not used any more, so that the server need not keep its bytes. What it
    /// answers is of no matter: it drops old sessions in any case.
    pub(super) async fn drop_session(&self, session: Url, repository: &str) {
        let mut request = self.request(Method::DELETE, "", Scope::push(repository));
        request.url = session;
        if let Ok(response) = self.send_permitted(&request).await {
            response::discard_body(response).await;
        }
    }
}
