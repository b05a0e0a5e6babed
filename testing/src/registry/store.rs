//! What a registry holds: real bytes, in memory.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The digest of these bytes, as registries print it.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A manifest or an index, as it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The media type it was put with.
    pub media_type: String,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl Manifest {
    /// Its digest.
    pub fn digest(&self) -> String {
        sha256(&self.bytes)
    }

    /// The fields that a registry reads; `None` if the bytes are not a manifest.
    pub(super) fn document(&self) -> Option<Document> {
        serde_json::from_slice(&self.bytes).ok()
    }

    /// The descriptors of blobs: config and layers.
    fn blobs(&self) -> Vec<Descriptor> {
        let document = self.document().unwrap_or_default();
        // A registry need not store a layer that has its own URLs.
        let layers = document.layers.into_iter().filter(|layer| layer.urls.is_empty());
        document.config.into_iter().chain(layers).collect()
    }

    /// The descriptors of manifests that an index lists.
    fn children(&self) -> Vec<Descriptor> {
        self.document().unwrap_or_default().manifests
    }
}

/// The fields of a manifest or an index that a registry reads. The rest is kept byte for byte and
/// not parsed, because its numbers may not fit into our types.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) media_type: Option<String>,
    pub(super) artifact_type: Option<String>,
    pub(super) config: Option<Descriptor>,
    layers: Vec<Descriptor>,
    manifests: Vec<Descriptor>,
    pub(super) subject: Option<Descriptor>,
    pub(super) annotations: Option<serde_json::Value>,
}

/// The fields of a descriptor that a registry reads.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    size: u64,
    urls: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) blobs: BTreeMap<String, Arc<[u8]>>,
    pub(super) manifests: BTreeMap<String, Manifest>,
    /// Tag → digest.
    pub(super) tags: BTreeMap<String, String>,
}

impl Repository {
    /// The manifest at a tag or a digest.
    pub(super) fn manifest(&self, reference: &str) -> Option<&Manifest> {
        self.manifests.get(self.tags.get(reference).map_or(reference, String::as_str))
    }

    pub(super) fn put_manifest(&mut self, reference: &str, manifest: Manifest) -> String {
        let digest = manifest.digest();
        self.manifests.insert(digest.clone(), manifest);
        if !reference.is_empty() && !reference.contains(':') {
            self.tags.insert(reference.to_owned(), digest.clone());
        }
        digest
    }

    /// Deletes a tag, or a manifest with all of its tags. True if there was one.
    fn delete_manifest(&mut self, reference: &str) -> bool {
        if self.tags.remove(reference).is_some() {
            return true;
        }
        self.tags.retain(|_, digest| digest != reference);
        self.manifests.remove(reference).is_some()
    }

    /// The digests that a manifest needs and this repository does not have.
    pub(super) fn lacks(&self, manifest: &Manifest) -> Vec<String> {
        let blobs = manifest.blobs().into_iter().map(|descriptor| descriptor.digest);
        let blobs = blobs.filter(|digest| !self.blobs.contains_key(digest));
        let children = manifest.children().into_iter().map(|descriptor| descriptor.digest);
        blobs.chain(children.filter(|digest| !self.manifests.contains_key(digest))).collect()
    }

    /// What is wrong with a tag or a digest and everything it refers to.
    pub(super) fn flaws(&self, reference: &str) -> Vec<String> {
        let Some(manifest) = self.manifest(reference) else {
            return vec![format!("there is no manifest {reference}")];
        };
        let mut flaws = Vec::new();
        for descriptor in manifest.blobs() {
            flaws.extend(descriptor.flaw(self.blobs.get(&descriptor.digest)));
        }
        for descriptor in manifest.children() {
            let child = self.manifests.get(&descriptor.digest);
            flaws.extend(descriptor.flaw(child.map(|child| &child.bytes)));
            if child.is_some() {
                flaws.extend(self.flaws(&descriptor.digest));
            }
        }
        flaws
    }
}

impl Descriptor {
    /// What is wrong with the bytes that it refers to.
    fn flaw(&self, bytes: Option<&Arc<[u8]>>) -> Option<String> {
        let digest = &self.digest;
        match bytes {
            None => Some(format!("{digest} is not there")),
            Some(bytes) if sha256(bytes) != *digest => Some(format!("{digest} has other bytes")),
            Some(bytes) if bytes.len() as u64 != self.size => {
                Some(format!("{digest} has {} bytes, not {}", bytes.len(), self.size))
            }
            Some(_) => None,
        }
    }
}

/// An upload that is under way.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) repository: String,
    pub(super) content: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) sessions: BTreeMap<String, Session>,
    /// The number of sessions ever begun.
    pub(super) begun: usize,
}

impl Store {
    pub(super) fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub(super) fn blob(&self, repository: &str, digest: &str) -> Option<Arc<[u8]>> {
        self.repositories.get(repository)?.blobs.get(digest).cloned()
    }

    pub(super) fn manifest(&self, repository: &str, reference: &str) -> Option<&Manifest> {
        self.repositories.get(repository)?.manifest(reference)
    }

    pub(super) fn delete_blob(&mut self, repository: &str, digest: &str) -> bool {
        let found = self.repositories.get_mut(repository);
        found.is_some_and(|repository| repository.blobs.remove(digest).is_some())
    }

    pub(super) fn delete_manifest(&mut self, repository: &str, reference: &str) -> bool {
        let found = self.repositories.get_mut(repository);
        found.is_some_and(|repository| repository.delete_manifest(reference))
    }
}
