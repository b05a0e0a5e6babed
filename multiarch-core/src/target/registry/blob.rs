//! Sending one blob, as often as it takes.

use std::{
    io::{self, Read},
    sync::PoisonError,
};

use bytes::Bytes;

use super::{
    Registry,
    pace::Outcome,
    retry::Tries,
    runtime::Pending,
    session::{Begun, Point},
    upload::{Again, Chunks, Ended},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
    source::PIECE,
    target::{BlobContent, Sent},
};

/// How many pieces of 256 KiB may wait in an upload.
const WAITING: usize = 4;

/// What is sent.
pub(super) struct Blob<'a> {
    pub(super) digest: &'a Digest,
    pub(super) size: u64,
    pub(super) content: &'a dyn BlobContent,
}

/// How sending goes.
#[derive(Default)]
struct Course {
    tries: Tries,
    /// The server does not take it in one piece.
    chunked: bool,
    /// Bytes that the server ever had of it.
    furthest: u64,
    /// Where it goes on.
    point: Option<Point>,
}

/// Ends a channel with the request that it feeds: a server may answer before it has everything.
struct Closed(Chunks);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Registry {
    /// Sends a blob, or mounts it from another repository that has it.
    pub(super) fn send_blob(
        &self,
        repository: &str,
        blob: &Blob<'_>,
        mut from: Option<String>,
    ) -> Result<Sent> {
        let mut course = Course::default();
        loop {
            let point = match course.point.take() {
                Some(point) => point,
                None => match self.begin(repository, blob, from.take())? {
                    Begun::Mounted => return Ok(Sent::Mounted),
                    Begun::Session(point) => point,
                },
            };
            let offset = point.offset;
            match self.send_from(point, repository, blob, course.chunked) {
                Ok(Ended::Done) => return Ok(Sent::Uploaded),
                Ok(Ended::WantsChunks) if !course.chunked => course.chunked = true,
                Ok(Ended::WantsChunks) => {
                    let message = "the server takes the blob neither in one piece nor in chunks";
                    return Err(Error::new(ErrorKind::Server, message)
                        .at_host(self.connection.address.host()));
                }
                Ok(Ended::TryAgain(again)) => self.go_on(&mut course, again, repository, blob)?,
                // What the server had of it may be what is wrong; it is not asked for that again.
                Err(error) if offset > 0 && error.kind() != ErrorKind::Cancelled => {
                    course.furthest = blob.size;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits, and finds out where the blob goes on: a line that breaks now and then brings it across
    /// a part at a time. Where the server has no more than it ever had, it begins anew.
    fn go_on(
        &self,
        course: &mut Course,
        again: Again,
        repository: &str,
        blob: &Blob<'_>,
    ) -> Result<()> {
        let Again { error, outcome, did, session } = again;
        if !course.tries.another(outcome) {
            return Err(error);
        }
        let (client, mut tries) = (self.connection.client()?, std::mem::take(&mut course.tries));
        let (repository, size, furthest) = (repository.to_owned(), blob.size, course.furthest);
        (course.point, course.tries) = self.connection.runtime.run(async move {
            tries.rest(Some(&client.gate), outcome, &did).await;
            let point = client.find_point(session, &repository, size).await;
            let point = point.filter(|point| point.offset > furthest);
            if point.is_some() {
                tries = Tries::default();
            }
            Ok((point, tries))
        })?;
        if let Some(point) = &course.point {
            course.furthest = point.offset;
        }
        Ok(())
    }

    fn begin(&self, repository: &str, blob: &Blob<'_>, from: Option<String>) -> Result<Begun> {
        let (client, repository) = (self.connection.client()?, repository.to_owned());
        let mount = from.map(|from| (blob.digest.clone(), from));
        self.connection.runtime.run(async move {
            let mount = mount.as_ref().map(|(digest, from)| (digest, from.as_str()));
            client.begin_upload(&repository, mount).await
        })
    }

    /// Sends what the server does not have yet, when its gate lets it.
    fn send_from(
        &self,
        point: Point,
        repository: &str,
        blob: &Blob<'_>,
        chunked: bool,
    ) -> Result<Ended> {
        let client = self.connection.client()?;
        let copying = (!blob.content.is_local())
            .then(|| self.copying.lock().unwrap_or_else(PoisonError::into_inner));
        let fetched = copying.as_ref().map(|_| blob.content.open()).transpose()?;
        let gate = client.gate.clone();
        let place = blob.content.read_order();
        let permit =
            self.connection.runtime.run(async move { gate.enter_to_upload(place).await })?;
        let (repository, digest, size) = (repository.to_owned(), blob.digest.clone(), blob.size);
        let offset = point.offset;
        let start = |chunks: Chunks| {
            self.connection.runtime.start(async move {
                let _closed = Closed(chunks.clone());
                if chunked || point.offset > 0 {
                    return client.put_chunked(point, &repository, &digest, chunks).await;
                }
                client.put_whole(point.session, &repository, &digest, size, chunks).await
            })
        };
        let reader = fetched.map_or_else(|| blob.content.open(), Ok);
        let ended = reader.and_then(|reader| self.feed(reader, offset, start));
        match &ended {
            Ok(Ended::TryAgain(again)) => permit.end(again.outcome, &again.did),
            _ => permit.end(Outcome::Answered, ""),
        }
        ended
    }

    /// Feeds an upload from this thread, which reads; the runtime sends. A failure to read is what
    /// is reported then, not the request that ended because of it.
    fn feed(
        &self,
        mut reader: Box<dyn Read + Send + '_>,
        offset: u64,
        start: impl FnOnce(Chunks) -> Pending<Ended>,
    ) -> Result<Ended> {
        let skipped = io::copy(&mut reader.by_ref().take(offset), &mut io::sink());
        skipped.map_err(|e| Error::from_io("reading a blob", e))?;
        let (sender, receiver) = async_channel::bounded(WAITING);
        let pending = start(receiver);
        let mut failure = None;
        loop {
            let mut chunk = self.room.take();
            // Full ones, so that the last read, with its check, comes before the last bytes are sent.
            match chunk.fill(&mut reader, PIECE) {
                Ok(0) => break,
                Ok(_) => {
                    // The server has answered already: it wants no more.
                    if sender.send_blocking(Ok(Bytes::from_owner(chunk))).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    failure = Some(Error::from_io("reading a blob", error));
                    let _ = sender.send_blocking(Err(()));
                    break;
                }
            }
        }
        drop(sender);
        let ended = pending.wait();
        match failure {
            Some(error) => Err(error),
            None => ended,
        }
    }
}
