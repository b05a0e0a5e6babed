//! Uploads: sessions that take a blob in one piece or in chunks.

use std::io::{self, Read};

use super::{Registered, route::Route, store::Session, store::sha256};
use crate::{Answer, Body, Request};

/// How much is read at once.
const PIECE: usize = 64 << 10;

fn unknown() -> Answer {
    Answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
}

impl Registered {
    /// Begins an upload, unless the blob can be mounted or comes with this request.
    pub(super) fn begin(
        &self,
        request: &Request,
        body: &mut Body<'_>,
        route: &Route,
    ) -> io::Result<Answer> {
        if request.method != "POST" {
            return Ok(Self::not_allowed());
        }
        if let Some(mounted) = self.mount(request, route) {
            return Ok(mounted);
        }
        let repository = route.repository();
        if let Some(digest) = request.parameter("digest") {
            return Ok(self.commit(repository, &digest, body.whole()?));
        }
        let mut store = self.store();
        store.begun += 1;
        let id = format!("session-{}", store.begun);
        let session = Session { repository: repository.to_owned(), content: Vec::new() };
        store.sessions.insert(id.clone(), session);
        Ok(Self::told(202, repository, &id, 0))
    }

    /// Answers a request for an upload session, and stores the bytes that it sends.
    pub(super) fn session(
        &self,
        request: &Request,
        body: &mut Body<'_>,
        repository: &str,
        id: &str,
    ) -> io::Result<Answer> {
        let Some(length) = self.length(repository, id) else { return Ok(unknown()) };
        match request.method.as_str() {
            "GET" => return Ok(Self::told(204, repository, id, length)),
            "DELETE" => {
                self.store().sessions.remove(id);
                return Ok(Answer::new(204));
            }
            "PATCH" | "PUT" => {}
            _ => return Ok(Self::not_allowed()),
        }
        let whole = request.method == "PUT" && length == 0 && request.length > 0;
        if whole && !self.setup.whole_blobs {
            return Ok(Answer::error(413, "SIZE_INVALID", "send this blob in chunks"));
        }
        if let Some(range) = request.header("content-range")
            && !follows(range, length, request.length)
        {
            return Ok(Self::told(416, repository, id, length));
        }
        let digest = request.parameter("digest");
        if request.method == "PUT" && digest.is_none() {
            return Ok(Answer::error(400, "DIGEST_INVALID", "the digest is missing"));
        }
        self.receive(body, id)?;
        let Some(digest) = digest.filter(|_| request.method == "PUT") else {
            return Ok(Self::told(202, repository, id, self.length(repository, id).unwrap_or(0)));
        };
        // The session ends even if the blob is refused.
        let session = self.store().sessions.remove(id);
        Ok(session.map_or_else(unknown, |s| self.commit(repository, &digest, s.content)))
    }

    /// The number of bytes in a session of this repository.
    fn length(&self, repository: &str, id: &str) -> Option<usize> {
        let store = self.store();
        let session = store.sessions.get(id).filter(|session| session.repository == repository);
        session.map(|session| session.content.len())
    }

    /// Reads a body into a session. If the body breaks off, the bytes received so far stay in the
    /// session if the setup keeps parts.
    fn receive(&self, body: &mut Body<'_>, id: &str) -> io::Result<()> {
        let (mut content, mut piece) = (Vec::new(), vec![0; PIECE]);
        let ended = loop {
            match body.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(count) => content.extend_from_slice(&piece[..count]),
                Err(error) => break Err(error),
            }
        };
        let kept = ended.is_ok() || self.setup.keeps_parts;
        if let Some(session) = self.store().sessions.get_mut(id).filter(|_| kept) {
            session.content.append(&mut content);
        }
        ended
    }

    /// Stores a blob if its bytes match the digest.
    fn commit(&self, repository: &str, digest: &str, content: Vec<u8>) -> Answer {
        if sha256(&content) != digest {
            let message = "provided digest did not match uploaded content";
            return Answer::error(400, "DIGEST_INVALID", message);
        }
        self.store().repository(repository).blobs.insert(digest.to_owned(), content.into());
        Self::created(repository, digest)
    }

    /// The answer that says how many bytes an upload has, and where it continues.
    fn told(status: u16, repository: &str, id: &str, length: usize) -> Answer {
        // The address has a query, as in distribution, so that a client that appends `?digest=` to
        // it fails here too.
        let location = format!("/v2/{repository}/blobs/uploads/{id}?_state={length}");
        Answer::new(status)
            .header("Location", location)
            .header("Docker-Upload-UUID", id)
            // A session without bytes also reports `0-0`, as in distribution.
            .header("Range", format!("0-{}", length.saturating_sub(1)))
    }
}

/// True if this is the range of a chunk of this size that comes next.
fn follows(range: &str, length: usize, size: u64) -> bool {
    let numbers = range.split_once('-').and_then(|(first, last)| {
        Some((first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?))
    });
    numbers.is_some_and(|(first, last)| first == length as u64 && last + 1 == first + size)
}
