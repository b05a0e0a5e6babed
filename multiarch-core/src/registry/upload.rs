//! Sends the bytes of a blob into an upload session: in one PUT; in chunks only to resume, or where
//! the server does not take one PUT.

use bytes::Bytes;
use reqwest::{Method, Response, StatusCode, Url, header};

use super::{
    auth::Scope,
    client::{Client, PreparedRequest},
    concurrency::RequestOutcome,
    redirect, refusal, response, retry,
    session::ResumePoint,
    upload_body::{BlobBody, BufferChannel, TimeLimit, commit_time},
    upload_failure::UploadFailure,
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
};

/// Chunk size, for a server that does not take a blob in one PUT, and for the rest of a resumed blob.
const CHUNK_SIZE: usize = 8 << 20;
/// No server makes us hold larger chunks in memory.
const MAX_CHUNK_SIZE: u64 = 64 << 20;

/// How an upload ended.
pub(super) enum UploadEnd {
    Done,
    /// The server does not take the blob in one PUT, and says so with this refusal.
    WantsChunks(Error),
    /// The server wants the blob sent to another address.
    SendTo(Url),
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
    /// Sends the whole blob in one PUT.
    pub(super) async fn put_whole(
        &self,
        to: ResumePoint,
        repository: &str,
        digest: &Digest,
        size: u64,
        buffers: BufferChannel,
    ) -> Result<UploadEnd> {
        let ResumePoint { session, is_final, .. } = to;
        let url = if is_final { session.clone() } else { with_digest(&session, digest) };
        let place = |e| self.place(e, &Method::PUT, &url);
        let used = self.authorization(&url, &Scope::push(repository)).await.map_err(place)?;
        let server = self.transport.server(&url).map_err(place)?;
        self.throttle.pace().await;
        let request = server
            .request(Method::PUT, url.clone())
            .header(header::CONTENT_TYPE, "application/octet-stream");
        let request = self.own_headers(request, &url, used.as_deref());
        let response = match server.upload(BlobBody::new(buffers, size), request).await {
            Ok(response) => response,
            Err(error) => return Ok(self.unanswered(place(error), session)),
        };
        if let Some(to) = self.redirected(&Method::PUT, &url, &response).map_err(place)? {
            response::discard_body(response).await;
            return Ok(UploadEnd::SendTo(to));
        }
        let upload = Upload { repository, digest, size, session };
        self.interpret(response, upload, used.as_deref(), &place).await
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
        let ResumePoint { session: mut url, offset: mut sent, min_chunk, .. } = from;
        let min_chunk = usize::try_from(min_chunk.min(MAX_CHUNK_SIZE)).unwrap_or(CHUNK_SIZE);
        let chunk_size = CHUNK_SIZE.max(min_chunk);
        let scope = Scope::push(repository);
        let mut chunk = Vec::new();
        let mut open = true;
        while open {
            match buffers.recv().await {
                Ok(Ok(buffer)) => {
                    if chunk.is_empty() {
                        chunk.reserve_exact(chunk_size + buffer.len());
                    }
                    chunk.extend_from_slice(&buffer);
                }
                Ok(Err(())) => return Err(Error::new(ErrorKind::Io, "the package ends early")),
                Err(_) => open = false,
            }
            if chunk.len() < chunk_size && open || chunk.is_empty() {
                continue;
            }
            let body = Bytes::from(std::mem::take(&mut chunk));
            let end = sent + body.len() as u64 - 1;
            let mut request = self.part(Method::PATCH, url.clone(), &scope);
            request.headers.push((header::CONTENT_TYPE, "application/octet-stream".into()));
            request.headers.push((header::CONTENT_RANGE, format!("{sent}-{end}")));
            let place = |e| self.place(e, &Method::PATCH, &url);
            let (response, used) = match self.send_part(request, body, TimeLimit::Progress).await {
                Ok(answered) => answered,
                Err(error) if error.kind() == ErrorKind::Network => {
                    return Ok(self.unanswered(place(error), url));
                }
                Err(error) => return Err(place(error)),
            };
            // 202 is the specification's; others mean the same.
            if !response.status().is_success() {
                let upload = Upload { repository, digest, size, session: url.clone() };
                return self.interpret(response, upload, used.as_deref(), &place).await;
            }
            sent = end + 1;
            if let Some(location) = redirect::location(&response) {
                url = self.resolve(&url, &location).map_err(place)?;
            }
        }
        let session = url.clone();
        let url = with_digest(&session, digest);
        let place = |e| self.place(e, &Method::PUT, &url);
        let commit = TimeLimit::Whole(commit_time(sent));
        let request = self.part(Method::PUT, url.clone(), &scope);
        match self.send_part(request, Bytes::new(), commit).await {
            Ok((response, used)) => {
                let upload = Upload { repository, digest, size, session };
                self.interpret(response, upload, used.as_deref(), &place).await
            }
            Err(error) if error.kind() == ErrorKind::Network => {
                Ok(self.unanswered(place(error), session))
            }
            Err(error) => Err(place(error)),
        }
    }

    fn part(&self, method: Method, url: Url, scope: &Scope) -> PreparedRequest {
        PreparedRequest { method, url, scope: scope.clone(), headers: Vec::new(), body: None }
    }

    /// Sends a chunk once. The second value is the authorization that was used.
    async fn send_part(
        &self,
        mut request: PreparedRequest,
        body: Bytes,
        limit: TimeLimit,
    ) -> Result<(Response, Option<String>)> {
        request.body = Some(body);
        let used = self.authorization(&request.url, &request.scope).await?;
        let response = self.send_once(&request, used.as_deref(), limit).await?;
        Ok((response, used))
    }

    /// What the server's answer to a PUT or PATCH means for the upload.
    async fn interpret(
        &self,
        response: Response,
        upload: Upload<'_>,
        used: Option<&str>,
        place: &impl Fn(Error) -> Error,
    ) -> Result<UploadEnd> {
        let Upload { repository, digest, size, session } = upload;
        let status = response.status();
        if status.is_success() {
            response::discard_body(response).await;
            let stored = self.check_blob_stored(status, repository, digest, size).await;
            return stored.map(|()| UploadEnd::Done).map_err(place);
        }
        let scope = Scope::push(repository);
        let (outcome, did) = retry::outcome_of(&response);
        // The token may have expired while the blob was being sent. Another server got none.
        let is_renewed = status == StatusCode::UNAUTHORIZED
            && self.is_origin(&session)
            && self.auth.refused(&response, &scope, used).await.map_err(place)?;
        let refusal = refusal::read(response).await;
        let refusal = match self.is_origin(&session) {
            true => self.auth.describe(refusal, &scope),
            false => {
                refusal.saying("the registry has blobs sent there (Location), without a login")
            }
        };
        let refusal = place(refusal);
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Ok(UploadEnd::WantsChunks(refusal.saying(format!("the body has {size} bytes"))))
            }
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::BAD_REQUEST
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::LENGTH_REQUIRED => Ok(UploadEnd::WantsChunks(refusal)),
            // Without a reason that we know, it may be the way and not the blob that is refused.
            StatusCode::FORBIDDEN if refusal.detail().is_none() => {
                Ok(UploadEnd::WantsChunks(refusal))
            }
            // The session has ended, or has another offset.
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => {
                Ok(may_pass(refusal, outcome, did, session))
            }
            _ if is_renewed || refusal::is_transient(status) => {
                Ok(may_pass(refusal, outcome, did, session))
            }
            _ => Err(refusal),
        }
    }
}

fn may_pass(error: Error, outcome: RequestOutcome, did: String, session: Url) -> UploadEnd {
    let (session, is_elsewhere) = (Some(session), false);
    UploadEnd::Retry(UploadFailure { error, outcome, did, is_elsewhere, session })
}

impl Client {
    /// The end of an upload whose request got no answer.
    fn unanswered(&self, error: Error, session: Url) -> UploadEnd {
        let did = retry::no_answer(&error);
        let is_elsewhere = !self.is_origin(&session);
        let error = match is_elsewhere {
            true => error.saying(format!(
                "the registry {} has blobs sent there (Location)",
                self.address.host()
            )),
            false => error,
        };
        let (outcome, session) = (RequestOutcome::NoAnswer, Some(session));
        UploadEnd::Retry(UploadFailure { error, outcome, did, is_elsewhere, session })
    }
}

fn with_digest(session: &Url, digest: &Digest) -> Url {
    let mut url = session.clone();
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    url
}
