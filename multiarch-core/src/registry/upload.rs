//! Sends the bytes of a blob into an upload session: in one PUT; in chunks only to resume, or where
//! the server does not take one PUT.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{Method, Response, StatusCode, Url, header};

use super::{
    auth::Scope,
    client::Client,
    concurrency::RequestOutcome,
    refusal, response, retry,
    session::{ResumePoint, location},
    upload_body::{BlobBody, BufferChannel, commit_time, stalled},
    upload_failure::UploadFailure,
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
};

/// Time limit for one chunk of 8 MiB, on a slow connection.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(600);

/// Chunk size, for a server that does not take a blob in one PUT, and for the rest of a resumed blob.
const CHUNK_SIZE: usize = 8 << 20;

/// How an upload ended.
pub(super) enum UploadEnd {
    Done,
    /// The server does not take the blob in one PUT.
    WantsChunks,
    /// Another attempt may succeed.
    Retry(UploadFailure),
}

/// What an answer to a PUT or PATCH is about.
struct Upload<'a> {
    repository: &'a str,
    digest: &'a Digest,
    size: u64,
    session: Url,
}

impl Client {
    /// Adds the host and the request to an error.
    pub(super) fn place(&self, error: Error, method: &Method, url: &Url) -> Error {
        let error = self.explain(error).at_host(self.address.host());
        error.asking(format!("{method} {}", url.path()))
    }

    /// Sends the whole blob in one PUT.
    pub(super) async fn put_whole(
        &self,
        session: Url,
        repository: &str,
        digest: &Digest,
        size: u64,
        buffers: BufferChannel,
    ) -> Result<UploadEnd> {
        let mut url = session.clone();
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let progress = Arc::new(AtomicU64::new(0));
        let body = BlobBody { buffers: Box::pin(buffers), left: size, progress: progress.clone() };
        let request = self
            .http
            .put(url.clone())
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, size)
            .body(reqwest::Body::wrap(body));
        let used = self.authorization(&url, &Scope::push(repository)).await?;
        let request = authorised(request, used.as_deref());
        let response = tokio::select! {
            response = request.send() => response.map_err(response::network_error),
            () = stalled(&progress, size) => {
                Err(Error::new(ErrorKind::Network, "the upload made no progress for too long"))
            }
        };
        let place = |e| self.place(e, &Method::PUT, &url);
        let response = match response {
            Ok(response) => response,
            Err(error) => return Ok(unanswered(place(error), session)),
        };
        let upload = Upload { repository, digest, size, session };
        self.interpret(response, upload, used.as_deref()).await.map_err(place)
    }

    /// Sends the rest in chunks, each with its range ([OCI distribution, "Pushing a blob in chunks"]).
    ///
    /// [OCI distribution, "Pushing a blob in chunks"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
    pub(super) async fn put_chunked(
        &self,
        from: ResumePoint,
        repository: &str,
        digest: &Digest,
        size: u64,
        buffers: BufferChannel,
    ) -> Result<UploadEnd> {
        let ResumePoint { session: mut url, offset: mut sent } = from;
        let mut chunk = Vec::new();
        let mut open = true;
        while open {
            match buffers.recv().await {
                Ok(Ok(buffer)) => {
                    if chunk.is_empty() {
                        chunk.reserve_exact(CHUNK_SIZE + buffer.len());
                    }
                    chunk.extend_from_slice(&buffer);
                }
                Ok(Err(())) => return Err(Error::new(ErrorKind::Io, "the package ends early")),
                Err(_) => open = false,
            }
            if chunk.len() < CHUNK_SIZE && open || chunk.is_empty() {
                continue;
            }
            let body = Bytes::from(std::mem::take(&mut chunk));
            let end = sent + body.len() as u64 - 1;
            let request = self
                .http
                .patch(url.clone())
                .header(header::CONTENT_TYPE, "application/octet-stream")
                .header(header::CONTENT_RANGE, format!("{sent}-{end}"))
                .body(body);
            let used = self.authorization(&url, &Scope::push(repository)).await?;
            let request = authorised(request, used.as_deref());
            let place = |e| self.place(e, &Method::PATCH, &url);
            let response = match response::with_timeout(CHUNK_TIMEOUT, request.send()).await {
                Ok(response) => response,
                Err(error) => return Ok(unanswered(place(error), url)),
            };
            if response.status() != StatusCode::ACCEPTED {
                let upload = Upload { repository, digest, size, session: url.clone() };
                let meaning = self.interpret(response, upload, used.as_deref()).await;
                return meaning.map_err(place);
            }
            sent = end + 1;
            if let Some(location) = location(&response) {
                url = self.resolve(&url, &location)?;
            }
        }
        let session = url.clone();
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let request = self.http.put(url.clone()).header(header::CONTENT_LENGTH, 0);
        let used = self.authorization(&url, &Scope::push(repository)).await?;
        let request = authorised(request, used.as_deref());
        let place = |e| self.place(e, &Method::PUT, &url);
        match response::with_timeout(commit_time(sent), request.send()).await {
            Ok(response) => {
                let upload = Upload { repository, digest, size, session };
                self.interpret(response, upload, used.as_deref()).await.map_err(place)
            }
            Err(error) => Ok(unanswered(place(error), session)),
        }
    }

    /// What the server's answer to a PUT or PATCH means for the upload.
    async fn interpret(
        &self,
        response: Response,
        upload: Upload<'_>,
        used: Option<&str>,
    ) -> Result<UploadEnd> {
        let Upload { repository, digest, size, session } = upload;
        let status = response.status();
        if status.is_success() {
            response::discard_body(response).await;
            self.check_blob_stored(status, repository, digest, size).await?;
            return Ok(UploadEnd::Done);
        }
        let (outcome, did) = retry::outcome_of(&response);
        let retryable = |error| {
            Ok(UploadEnd::Retry(UploadFailure { error, outcome, did, session: Some(session) }))
        };
        match status {
            // The token expired while the blob was being sent.
            StatusCode::UNAUTHORIZED => {
                let scope = Scope::push(repository);
                let fresh = self.auth.refused(response.headers(), &scope, used).await?;
                let refusal = refusal::read(response).await;
                if fresh { retryable(refusal) } else { Err(refusal) }
            }
            StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::LENGTH_REQUIRED => Ok(UploadEnd::WantsChunks),
            // The session has ended, or has another offset.
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => {
                retryable(refusal::read(response).await)
            }
            _ if refusal::is_transient(status) => retryable(refusal::read(response).await),
            _ => Err(refusal::read(response).await),
        }
    }
}

/// The end of an upload whose request got no answer.
fn unanswered(error: Error, session: Url) -> UploadEnd {
    let did = retry::no_answer(&error);
    UploadEnd::Retry(UploadFailure {
        error,
        outcome: RequestOutcome::NoAnswer,
        did,
        session: Some(session),
    })
}

fn authorised(
    request: reqwest::RequestBuilder,
    authorization: Option<&str>,
) -> reqwest::RequestBuilder {
    match authorization {
        Some(value) => request.header(header::AUTHORIZATION, value),
        None => request,
    }
}
