//! Lists: repositories, tags, referrers.

use serde_json::{Value, json};

use super::{
    Registered,
    store::{Document, Manifest},
};
use crate::{Answer, Request};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Registered {
    /// The repositories that contain a manifest.
    pub(super) fn catalog(&self, request: &Request) -> Answer {
        let store = self.store();
        let names =
            store.repositories.iter().filter(|(_, repository)| !repository.manifests.is_empty());
        let (names, link) = self.page(request, names.map(|(name, _)| name.as_str()));
        with_link(Answer::json(200, &json!({"repositories": names})), link)
    }

    /// The tags of a repository.
    pub(super) fn tags(&self, request: &Request, repository: &str) -> Answer {
        let store = self.store();
        let found = store.repositories.get(repository).filter(|found| !found.manifests.is_empty());
        let Some(found) = found else {
            return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let (tags, link) = self.page(request, found.tags.keys().map(String::as_str));
        with_link(Answer::json(200, &json!({"name": repository, "tags": tags})), link)
    }

    /// The names that `n` and `last` request, and the address of the next page.
    fn page<'n>(
        &self,
        request: &Request,
        names: impl Iterator<Item = &'n str>,
    ) -> (Vec<&'n str>, Option<String>) {
        let asked = request.parameter("n").and_then(|n| n.parse().ok()).unwrap_or(self.setup.page);
        let (count, last) =
            (asked.min(self.setup.page), request.parameter("last").unwrap_or_default());
        let mut rest = names.filter(|name| *name > last.as_str());
        let page: Vec<&str> = rest.by_ref().take(count).collect();
        let more = rest.next().is_some();
        let link = page
            .last()
            .filter(|_| more)
            .map(|last| format!("<{}?n={count}&last={last}>; rel=\"next\"", request.local_path()));
        (page, link)
    }

    /// The manifests that refer to this one, as an index.
    pub(super) fn referrers(&self, request: &Request, repository: &str, digest: &str) -> Answer {
        if !self.setup.referrers {
            return Answer::new(404);
        }
        let wanted = request.parameter("artifactType");
        let store = self.store();
        let found = store.repositories.get(repository);
        let manifests = found.into_iter().flat_map(|repository| repository.manifests.values());
        let referrers = manifests.filter_map(|manifest| {
            let document = manifest.document()?;
            (document.subject.as_ref()?.digest == digest).then(|| descriptor(manifest, document))
        });
        let referrers: Vec<Value> = referrers
            .filter(|d| wanted.as_ref().is_none_or(|wanted| d["artifactType"] == wanted.as_str()))
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": referrers});
        let answer = Answer::new(200).header("Content-Type", INDEX).body(index.to_string());
        match wanted {
            Some(_) => answer.header("OCI-Filters-Applied", "artifactType"),
            None => answer,
        }
    }
}

fn with_link(answer: Answer, link: Option<String>) -> Answer {
    match link {
        Some(link) => answer.header("Link", link),
        None => answer,
    }
}

/// A manifest's entry in a list of referrers. An artifact without its own type gets its config's.
fn descriptor(manifest: &Manifest, document: Document) -> Value {
    let mut descriptor = json!({
        "mediaType": manifest.media_type,
        "digest": manifest.digest(),
        "size": manifest.bytes.len(),
    });
    let config = document.config.map(|config| config.media_type);
    if let Some(artifact_type) = document.artifact_type.or(config) {
        descriptor["artifactType"] = artifact_type.into();
    }
    if let Some(annotations) = document.annotations {
        descriptor["annotations"] = annotations;
    }
    descriptor
}
