//! Manifests: put, read and deleted, by tag and by digest.

use std::io;

use super::{Registered, store::Manifest};
use crate::{Answer, Body, Request};

/// The specification requires at least 4 MiB; distribution accepts no more.
const LARGEST: u64 = 4 << 20;

impl Registered {
    /// Answers a request for a manifest.
    pub(super) fn manifest(
        &self,
        request: &Request,
        body: &mut Body<'_>,
        repository: &str,
        reference: &str,
    ) -> io::Result<Answer> {
        match request.method.as_str() {
            "GET" | "HEAD" => Ok(self.read(request, repository, reference)),
            "PUT" if request.length > LARGEST => {
                Ok(Answer::error(413, "SIZE_INVALID", "the manifest is too large"))
            }
            "PUT" => {
                let bytes = body.whole()?.into();
                let media_type = request.header("content-type").unwrap_or_default().to_owned();
                Ok(self.put(repository, reference, Manifest { media_type, bytes }))
            }
            "DELETE" if self.store().delete_manifest(repository, reference) => Ok(Answer::new(202)),
            "DELETE" => Ok(unknown()),
            _ => Ok(Self::not_allowed()),
        }
    }

    fn read(&self, request: &Request, repository: &str, reference: &str) -> Answer {
        let store = self.store();
        let Some(manifest) = store.manifest(repository, reference) else { return unknown() };
        // A manifest whose type the client does not accept is hidden, as distribution hides
        // indexes.
        let accepted = request.header("accept").is_none_or(|accepted| {
            let mut types =
                accepted.split(',').map(|t| t.split(';').next().unwrap_or_default().trim());
            types.any(|t| t == manifest.media_type || t == "*/*")
        });
        if !accepted {
            return unknown();
        }
        Answer::new(200)
            .header("Content-Type", &manifest.media_type)
            .header("Docker-Content-Digest", manifest.digest())
            .body(&*manifest.bytes)
    }

    fn put(&self, repository: &str, reference: &str, manifest: Manifest) -> Answer {
        let invalid = |why| Answer::error(400, "MANIFEST_INVALID", why);
        let Some(document) = manifest.document() else { return invalid("it cannot be read") };
        if document.media_type.is_some_and(|inside| inside != manifest.media_type) {
            return invalid("it has another type than is said of it");
        }
        if manifest.media_type.is_empty() {
            return invalid("its type is missing");
        }
        let digest = manifest.digest();
        if reference.contains(':') && reference != digest {
            let message = "provided digest did not match uploaded content";
            return Answer::error(400, "DIGEST_INVALID", message);
        }
        let mut store = self.store();
        let target = store.repository(repository);
        if self.setup.checks_references
            && let [first, ..] = target.lacks(&manifest).as_slice()
        {
            // docker-registry 2.8 answers 400 here, although the specification says 404.
            return Answer::json(
                400,
                &serde_json::json!({"errors": [{
                    "code": "MANIFEST_BLOB_UNKNOWN",
                    "message": "blob unknown to registry",
                    "detail": first,
                }]}),
            );
        }
        target.put_manifest(reference, manifest);
        let answer = Answer::new(201)
            .header("Location", format!("/v2/{repository}/manifests/{digest}"))
            .header("Docker-Content-Digest", digest);
        match document.subject {
            Some(subject) if self.setup.referrers => answer.header("OCI-Subject", subject.digest),
            _ => answer,
        }
    }
}

fn unknown() -> Answer {
    Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown")
}
