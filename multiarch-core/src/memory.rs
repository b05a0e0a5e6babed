//! An image store in memory, for tests and experiments.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Digest, Document},
    store::{BlobContent, ImageStore, Sent},
};

/// An [`ImageStore`] that keeps everything in memory only. All repositories share its blobs.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<MemoryState>);

#[derive(Debug, Default)]
struct MemoryState {
    tags: BTreeMap<TargetName, Document>,
    documents: BTreeMap<Digest, Document>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImageStore for MemoryStore {
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        Ok(self.state().tags.get(name).cloned())
    }

    fn get_manifest(&self, _repository: &str, digest: &Digest) -> Result<Option<Document>> {
        Ok(self.state().documents.get(digest).cloned())
    }

    fn get_blob(&self, _repository: &str, digest: &Digest, _limit: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.state().blobs.get(digest).cloned())
    }

    fn has_blob(&self, _repository: &str, digest: &Digest, size: u64) -> Result<bool> {
        Ok(self.state().blobs.get(digest).is_some_and(|blob| blob.len() as u64 == size))
    }

    fn put_blob(
        &self,
        _repository: &str,
        _mount_from: Option<&str>,
        content: &BlobContent<'_>,
    ) -> Result<Sent> {
        let mut blob = Vec::new();
        let read = content.reader()?.read_to_end(&mut blob);
        read.map_err(|e| Error::from_io("reading a blob", e))?;
        self.state().blobs.insert(content.digest().clone(), blob);
        Ok(Sent::Uploaded)
    }

    fn put_manifest(&self, _repository: &str, document: &Document) -> Result<()> {
        self.state().documents.insert(document.digest().clone(), document.clone());
        Ok(())
    }

    fn put_tag(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        document: &Document,
    ) -> Result<()> {
        self.put_manifest(name.repository(), document)?;
        let mut state = self.state();
        if state.tags.get(name).map(Document::digest) != before {
            return Err(Error::new(ErrorKind::Contended, "the tag has changed").of_image(name));
        }
        state.tags.insert(name.clone(), document.clone());
        Ok(())
    }

    fn remove_tag(&self, name: &TargetName, before: &Digest) -> Result<bool> {
        let mut state = self.state();
        if state.tags.get(name).map(Document::digest) != Some(before) {
            return Err(Error::new(ErrorKind::Contended, "the tag has changed").of_image(name));
        }
        state.tags.remove(name);
        Ok(true)
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        Ok(Vec::new())
    }

    fn tags(&self) -> Result<Vec<TargetName>> {
        Ok(self.state().tags.keys().cloned().collect())
    }

    fn shares_blobs(&self) -> bool {
        true
    }

    fn is_local(&self) -> bool {
        true
    }

    fn compares_and_sets_tags(&self) -> bool {
        true
    }
}
