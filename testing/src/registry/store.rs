//! What a registry holds: real bytes, in memory.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
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

    /// What it says; `null` where that is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The descriptors of blobs: config and layers.
    pub(super) fn blobs(&self) -> Vec<Value> {
        let json = self.json();
        let layers = json["layers"].as_array().cloned().unwrap_or_default();
        // What a layer's own URLs lead to is nobody's to store.
        let layers = layers.into_iter().filter(|layer| layer["urls"].is_null());
        json.get("config").cloned().into_iter().chain(layers).collect()
    }

    /// The descriptors of manifests that an index lists.
    pub(super) fn children(&self) -> Vec<Value> {
        self.json()["manifests"].as_array().cloned().unwrap_or_default()
    }
}

/// The digest in a descriptor.
pub(super) fn digest_of(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().unwrap_or_default()
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

    /// Takes away a tag, or a manifest with all of its tags. True where there was one.
    fn delete_manifest(&mut self, reference: &str) -> bool {
        if self.tags.remove(reference).is_some() {
            return true;
        }
        self.tags.retain(|_, digest| digest != reference);
        self.manifests.remove(reference).is_some()
    }

    /// What a manifest needs that is not here.
    pub(super) fn lacks(&self, manifest: &Manifest) -> Vec<String> {
        let blobs = manifest.blobs().into_iter().map(|d| digest_of(&d).to_owned());
        let blobs = blobs.filter(|digest| !self.blobs.contains_key(digest));
        let children = manifest.children().into_iter().map(|d| digest_of(&d).to_owned());
        blobs.chain(children.filter(|digest| !self.manifests.contains_key(digest))).collect()
    }

    /// What is wrong with everything that a tag or a digest leads to.
    pub(super) fn flaws(&self, reference: &str) -> Vec<String> {
        let Some(manifest) = self.manifest(reference) else {
            return vec![format!("there is no manifest {reference}")];
        };
        let mut flaws = Vec::new();
        let mut check = |descriptor: &Value, bytes: Option<&Arc<[u8]>>| {
            let digest = digest_of(descriptor);
            match bytes {
                None => flaws.push(format!("{digest} is not there")),
                Some(bytes) if sha256(bytes) != digest => {
                    flaws.push(format!("{digest} has other bytes"));
                }
                Some(bytes) if Some(bytes.len() as u64) != descriptor["size"].as_u64() => {
                    flaws.push(format!("{digest} has {} bytes: {descriptor}", bytes.len()));
                }
                Some(_) => {}
            }
        };
        for descriptor in manifest.blobs() {
            check(&descriptor, self.blobs.get(digest_of(&descriptor)));
        }
        for descriptor in manifest.children() {
            let child = self.manifests.get(digest_of(&descriptor));
            check(&descriptor, child.map(|child| &child.bytes));
        }
        for descriptor in manifest.children() {
            if self.manifests.contains_key(digest_of(&descriptor)) {
                flaws.extend(self.flaws(digest_of(&descriptor)));
            }
        }
        flaws
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
    /// How many sessions there ever were.
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
