//! Uploads one blob, in as many attempts as needed.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use reqwest::Url;

use super::{
    Connector, Registry,
    concurrency::RequestOutcome,
    redirect,
    retry::Retries,
    runtime::Pending,
    session::{ResumePoint, UploadStart},
    throttle::Permit,
    upload::UploadEnd,
    upload_body::BufferChannel,
    upload_failure::UploadFailure,
    upload_state::UploadState,
};
use crate::{
    error::{Error, ErrorKind, Result},
    limit,
    store::{BlobContent, BlobReader, Sent},
};

/// The size of a blob, in bytes, that is sent sooner than what the server has of it is asked for.
const SMALL_BLOB: u64 = 64 << 10;
/// How many bytes more a resumed upload has at least, if the attempts are to be counted anew.
const PROGRESS: u64 = 1 << 20;
/// How many buffers of one upload may wait for the network.
const MAX_WAITING: usize = 4;

/// Closes a channel when the request that it feeds ends: a server may answer before it has all bytes,
/// and the reading thread must not wait for it then.
struct ClosedAtEnd(BufferChannel);

impl Drop for ClosedAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How one attempt ended.
enum UploadAttempt {
    Sent(Sent),
    /// The server does not take the blob in one PUT, and says so with this refusal.
    WantsChunks(Error),
    /// The server wants the blob sent to another address.
    SendTo(Url),
    /// The blob lies in another repository of the same server, which did not mount it: it has to be
    /// downloaded first.
    NeedsDownload(ResumePoint),
    Retry(UploadFailure),
}

impl Registry {
    /// Sends a blob, or mounts it from another repository that has it.
    pub(super) fn send_blob(
        &self,
        repository: &str,
        mut mount_from: Option<String>,
        content: &BlobContent<'_>,
    ) -> Result<Sent> {
        let chunked = content.size() >= self.wants_chunks.load(Ordering::Relaxed);
        let mut state = UploadState { chunked, ..UploadState::default() };
        // A blob copied within the registry is held in memory as a whole, so only one is copied at a
        // time.
        let mut copy_lock = None;
        loop {
            let offset = state.point.as_ref().map_or(0, |point| point.offset);
            let fetched = copy_lock.is_some() || !content.is_in_target();
            match self.attempt(repository, mount_from.take(), content, &mut state, fetched) {
                Ok(UploadAttempt::Sent(sent)) => return Ok(sent),
                Ok(UploadAttempt::WantsChunks(_)) if !state.chunked => {
                    state.chunked = true;
                    self.wants_chunks.fetch_min(content.size(), Ordering::Relaxed);
                }
                Ok(UploadAttempt::WantsChunks(refusal)) => {
                    return Err(refusal);
                }
                Ok(UploadAttempt::SendTo(_)) if state.redirects >= limit::REDIRECTS.length() => {
                    let error = redirect::too_many().asking(format!("PUT a blob of {repository}"));
                    return Err(error.at_host(self.connection.address.host()));
                }
                Ok(UploadAttempt::SendTo(url)) => {
                    state.redirects += 1;
                    state.point = Some(ResumePoint::redirected(url));
                }
                Ok(UploadAttempt::NeedsDownload(point)) => {
                    copy_lock = Some(self.lock_copying());
                    content.fetch()?;
                    state.point = Some(point);
                }
                Ok(UploadAttempt::Retry(failure)) => {
                    state.note_failure(&failure);
                    let recovered = self.recover(&mut state, failure, repository, content.size());
                    recovered.map_err(|error| state.whole_error.take().unwrap_or(error))?;
                }
                // The part that the server kept may be what is wrong: begin anew, and do not resume
                // again.
                Err(error) if offset > 0 && error.kind() != ErrorKind::Cancelled => {
                    state.furthest = content.size();
                }
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(error) => return Err(state.whole_error.take().unwrap_or(error)),
            }
        }
    }

    /// One attempt: a permit, then an upload session, then the bytes. A session is opened only with a
    /// permit, because one that waits takes memory on the server, and servers drop it after a while.
    fn attempt(
        &self,
        repository: &str,
        mount_from: Option<String>,
        content: &BlobContent<'_>,
        state: &mut UploadState,
        fetched: bool,
    ) -> Result<UploadAttempt> {
        let client = self.connection.client()?;
        let (throttle, order) = (client.throttle.clone(), content.read_order());
        let runtime = &self.connection.runtime;
        let (resume, to) = (state.point.take(), repository.to_owned());
        let mount = mount_from.map(|from| (content.digest().clone(), from));
        let size = content.size();
        let (permit, start) = runtime.run(async move {
            let permit = throttle.enter_to_upload(order).await?;
            let start = match resume {
                Some(point) => Ok(UploadStart::Session(point)),
                None => client.begin_upload(&permit, &to, mount, size).await,
            };
            Ok((permit, start))
        })?;
        let attempt = match start {
            Ok(UploadStart::Mounted) => Ok(UploadAttempt::Sent(Sent::Mounted)),
            Ok(UploadStart::Session(point)) if !fetched => Ok(UploadAttempt::NeedsDownload(point)),
            Ok(UploadStart::Session(point)) => {
                self.send_from(point, repository, content, state.chunked, &permit)
            }
            Ok(UploadStart::Retry(failure)) => Ok(UploadAttempt::Retry(failure)),
            Err(error) => Err(error),
        };
        match &attempt {
            // What another server does says nothing about this one.
            Ok(UploadAttempt::Retry(failure)) if !failure.is_elsewhere => {
                permit.end(failure.outcome, &failure.did);
            }
            _ => permit.end(RequestOutcome::Answered, ""),
        }
        attempt
    }

    /// Waits, and finds out where to resume, so that a connection that breaks often still transfers
    /// the blob part by part. Progress resets the retries. If the server has no more bytes than at the
    /// last resume, the blob is sent anew.
    fn recover(
        &self,
        state: &mut UploadState,
        failure: UploadFailure,
        repository: &str,
        size: u64,
    ) -> Result<()> {
        let UploadFailure { error, outcome, did, session, .. } = failure;
        if !state.retries.count_and_may_retry(outcome, Some(&error)) {
            return Err(error);
        }
        let (client, mut retries) = (self.connection.client()?, std::mem::take(&mut state.retries));
        let (repository, furthest) = (repository.to_owned(), state.furthest);
        (state.point, state.retries) = self.connection.runtime.run(async move {
            retries.wait(Some(&client.throttle), outcome, &did).await;
            // A small blob that the server had no time for is sent anew: to ask would be one request more.
            let is_small = size <= SMALL_BLOB && matches!(outcome, RequestOutcome::Throttled(_));
            let point = match session.filter(|_| !is_small) {
                Some(session) => client.find_resume_point(session, &repository, size).await,
                None => None,
            };
            let point = point.filter(|point| point.offset > furthest);
            // A server that takes a few bytes of each attempt would be sent the blob without end.
            if point.as_ref().is_some_and(|point| point.offset - furthest >= PROGRESS) {
                retries = Retries::default();
            }
            Ok((point, retries))
        })?;
        if let Some(point) = &state.point {
            state.furthest = point.offset;
        }
        Ok(())
    }

    /// Sends the bytes that the server does not have yet.
    fn send_from(
        &self,
        point: ResumePoint,
        repository: &str,
        content: &BlobContent<'_>,
        chunked: bool,
        permit: &Permit,
    ) -> Result<UploadAttempt> {
        let client = self.connection.client()?;
        let (to, digest) = (repository.to_owned(), content.digest().clone());
        let (size, offset, session) = (content.size(), point.offset, point.session.clone());
        let start = |buffers: BufferChannel| {
            self.connection.runtime.start(async move {
                let _closed = ClosedAtEnd(buffers.clone());
                if chunked || point.offset > 0 {
                    return client.put_chunked(point, &to, &digest, size, buffers).await;
                }
                client.put_whole(point, &to, &digest, size, buffers).await
            })
        };
        let reader =
            content.open(permit.buffer_permit(&self.connection.connector.context.cancel))?;
        Ok(match self.feed(reader, offset, start)? {
            UploadEnd::Done => UploadAttempt::Sent(Sent::Uploaded),
            UploadEnd::WantsChunks(refusal) => {
                self.drop_session(session, repository)?;
                UploadAttempt::WantsChunks(refusal)
            }
            UploadEnd::SendTo(url) => UploadAttempt::SendTo(url),
            UploadEnd::Retry(failure) => UploadAttempt::Retry(failure),
        })
    }
}

impl Registry {
    fn drop_session(&self, session: Url, repository: &str) -> Result<()> {
        let (client, repository) = (self.connection.client()?, repository.to_owned());
        self.connection.runtime.run(async move {
            client.drop_session(session, &repository).await;
            Ok(())
        })
    }

    /// Reads the blob on this thread, while the runtime sends it. If reading fails, that error is
    /// returned, and not the failure of the request that it caused.
    fn feed(
        &self,
        mut reader: BlobReader<'_>,
        offset: u64,
        start: impl FnOnce(BufferChannel) -> Pending<UploadEnd>,
    ) -> Result<UploadEnd> {
        let Connector { rate, context, .. } = &self.connection.connector;
        let mut rest = reader.skip(offset)?;
        let (sender, receiver) = async_channel::bounded(MAX_WAITING);
        let pending = start(receiver);
        let mut failure = None;
        loop {
            let next = rest.take().map_or_else(|| reader.next(), |rest| Ok(Some(rest)));
            let sent = next.and_then(|buffer| {
                let Some(buffer) = buffer else { return Ok(None) };
                let bytes = Bytes::from_owner(buffer);
                let sent = rate.send(bytes, &context.cancel, |b| sender.send_blocking(Ok(b)));
                sent.map(Some)
            });
            match sent {
                Ok(Some(Ok(()))) => {}
                // The channel is closed where the server has answered already.
                Ok(None | Some(Err(_))) => break,
                Err(error) => {
                    failure = Some(error);
                    let _ = sender.send_blocking(Err(()));
                    break;
                }
            }
        }
        drop(sender);
        let end = pending.wait();
        match failure {
            Some(error) => Err(error),
            None => end,
        }
    }
}
