//! Sending one blob, as often as it takes.

use std::io::{self, Read};

use bytes::Bytes;

use super::{
    Registry,
    pace::{Kind, Outcome},
    retry,
    runtime::Pending,
    session::{Begun, Point},
    upload::{Chunks, Ended},
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
struct Course {
    failures: u32,
    /// The server does not take it in one piece.
    chunked: bool,
    /// The server knows how much of it it has.
    believed: bool,
    /// Where it goes on.
    point: Option<Point>,
}

impl Registry {
    /// Sends a blob, or mounts it from another repository that has it.
    pub(super) fn send_blob(
        &self,
        repository: &str,
        blob: &Blob<'_>,
        mut from: Option<String>,
    ) -> Result<Sent> {
        let mut course = Course { failures: 0, chunked: false, believed: true, point: None };
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
                Ok(Ended::TryAgain(again)) => {
                    course.failures += 1;
                    if course.failures >= retry::TRIES {
                        return Err(again.error);
                    }
                    let (client, failures) = (self.connection.client()?, course.failures);
                    let (repository, size) = (repository.to_owned(), blob.size);
                    let point = self.connection.runtime.run(async move {
                        if again.outcome == Outcome::Failed {
                            client.pause(failures).await;
                        }
                        Ok(client.go_on(again, &repository, size).await)
                    })?;
                    // A line that breaks now and then brings a blob across, a part at a time.
                    course.point = point.filter(|p| course.believed && p.offset > offset);
                    if course.point.is_some() {
                        course.failures = 0;
                    }
                }
                // What the server had of it may be what is wrong.
                Err(error) if offset > 0 && error.kind() != ErrorKind::Cancelled => {
                    course.believed = false;
                }
                Err(error) => return Err(error),
            }
        }
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
        let gate = client.gate.clone();
        let permit =
            self.connection.runtime.run(async move { Ok(gate.enter(Kind::Upload).await) })?;
        let (repository, digest, size) = (repository.to_owned(), blob.digest.clone(), blob.size);
        let ended = self.feed(blob.content, point.offset, |chunks| {
            self.connection.runtime.start(async move {
                if chunked || point.offset > 0 {
                    return client.put_chunked(point, &repository, &digest, chunks).await;
                }
                client.put_whole(point.session, &repository, &digest, size, chunks).await
            })
        });
        permit.end(match &ended {
            Ok(Ended::TryAgain(again)) => again.outcome,
            _ => Outcome::Answered,
        });
        ended
    }

    /// Feeds an upload from this thread, which reads; the runtime sends. A failure to read is what
    /// is reported then, not the request that ended because of it.
    fn feed(
        &self,
        content: &dyn BlobContent,
        offset: u64,
        start: impl FnOnce(Chunks) -> Pending<Ended>,
    ) -> Result<Ended> {
        let mut reader = content.open()?;
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
