//! Blobs: HEAD, GET, DELETE and mounts.

use super::{Registered, route::Route};
use crate::{Answer, Request};

pub(super) fn unknown() -> Answer {
    Answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry")
}

impl Registered {
    /// Answers a request for a blob.
    pub(super) fn blob(&self, request: &Request, repository: &str, digest: &str) -> Answer {
        let mut store = self.store();
        let Some(content) = store.blob(repository, digest) else { return unknown() };
        match request.method.as_str() {
            "GET" | "HEAD" => Answer::new(200)
                .header("Content-Type", "application/octet-stream")
                .header("Docker-Content-Digest", digest)
                .body(&*content),
            "DELETE" => {
                store.delete_blob(repository, digest);
                Answer::new(202)
            }
            _ => Self::not_allowed(),
        }
    }

    /// The answer after a blob was stored.
    pub(super) fn created(repository: &str, digest: &str) -> Answer {
        Answer::new(201)
            .header("Location", format!("/v2/{repository}/blobs/{digest}"))
            .header("Docker-Content-Digest", digest)
    }

    /// Mounts a blob from the repository in `from`, or from any repository without it; `None` if
    /// that is not possible.
    pub(super) fn mount(&self, request: &Request, route: &Route) -> Option<Answer> {
        let digest = request.parameter("mount")?;
        if !self.setup.mounts {
            return None;
        }
        let mut store = self.store();
        let content = match request.parameter("from") {
            // If the token does not allow reading that repository, an upload begins instead, as in
            // distribution.
            Some(from) if !self.access.may_read(&self.setup, request, &from) => None,
            Some(from) => store.blob(&from, &digest),
            None => store.repositories.values().find_map(|other| other.blobs.get(&digest).cloned()),
        }?;
        store.repository(route.repository()).blobs.insert(digest.clone(), content);
        Some(Self::created(route.repository(), &digest))
    }
}
