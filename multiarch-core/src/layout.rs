//! An OCI layout directory as a target ([OCI image layout]), which needs no server.
//!
//! Blobs are written under a temporary name and renamed, and `index.json` is replaced as a whole, so
//! that a crash leaves every tag as it was or complete. Writers coordinate with file locks, which the
//! kernel releases when the process ends: each run holds a shared lock on the directory while it
//! writes, and an exclusive one on `oci-layout` while it replaces `index.json`.
//!
//! [OCI image layout]: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md

mod administration;
mod files;
mod index;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use self::{files::Files, index::TagIndex};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Digest, Document},
    limit::MANIFEST,
    run::Cancel,
    store::{BlobContent, ImageStore, Sent},
};

/// An OCI layout directory. A tag is an entry whose `org.opencontainers.image.ref.name` has the form
/// `repository:tag`. The first write creates the directory.
#[derive(Debug)]
pub(crate) struct OciLayout {
    files: Files,
    staged: Mutex<BTreeMap<TargetName, Staged>>,
}

/// A tag that was set, but is not in `index.json` before the next flush.
#[derive(Debug)]
struct Staged {
    before: Option<Digest>,
    document: Document,
}

impl OciLayout {
    /// The layout at this path, which need not exist yet.
    pub(crate) fn new(path: impl Into<PathBuf>, cancel: &Cancel) -> Self {
        Self { files: Files::new(path.into(), cancel.clone()), staged: Mutex::default() }
    }

    fn staged(&self) -> MutexGuard<'_, BTreeMap<TargetName, Staged>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImageStore for OciLayout {
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>> {
        if let Some(staged) = self.staged().get(name) {
            return Ok(Some(staged.document.clone()));
        }
        let index = self.files.index()?;
        let Some(entry) = index.get(name)? else { return Ok(None) };
        let descriptor = entry.descriptor();
        let text = self.files.read(&descriptor.digest, MANIFEST.max)?.ok_or_else(|| {
            let message = "index.json lists a document that is not there";
            Error::new(ErrorKind::Missing, message).with_digest(&descriptor.digest).of_image(name)
        })?;
        Document::verified(text, Some(&descriptor.media_type), &descriptor.digest)
            .map(Some)
            .map_err(|e| e.of_image(name))
    }

    fn get_manifest(&self, _repository: &str, digest: &Digest) -> Result<Option<Document>> {
        match self.files.read(digest, MANIFEST.max)? {
            Some(text) => Document::verified(text, None, digest).map(Some),
            None => Ok(None),
        }
    }

    fn has_manifest(&self, _repository: &str, digest: &Digest) -> Result<bool> {
        // A manifest is small: its content is compared, and not only its name.
        let there = self.files.read(digest, MANIFEST.max)?;
        Ok(there.is_some_and(|there| digest.verify(&there).is_ok()))
    }

    fn get_blob(&self, _repository: &str, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let blob = self.files.read(digest, limit)?;
        blob.iter().try_for_each(|blob| digest.verify(blob))?;
        Ok(blob)
    }

    fn has_blob(&self, _repository: &str, digest: &Digest, size: u64) -> Result<bool> {
        Ok(self.files.size(digest)? == Some(size))
    }

    fn put_blob(
        &self,
        _repository: &str,
        _mount_from: Option<&str>,
        content: &BlobContent<'_>,
    ) -> Result<Sent> {
        // A permit of its own is enough: each buffer is written before the next one is taken.
        let mut buffers = content.buffers()?;
        self.files.write(content.digest(), || buffers.next())?;
        Ok(Sent::Uploaded)
    }

    fn put_manifest(&self, _repository: &str, document: &Document) -> Result<()> {
        let there = self.files.read(document.digest(), MANIFEST.max)?;
        if there.is_some_and(|there| there == document.raw()) {
            return Ok(());
        }
        let mut raw = Some(document.raw());
        self.files.write(document.digest(), || Ok(raw.take()))
    }

    fn put_tag(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        document: &Document,
    ) -> Result<()> {
        self.put_manifest(name.repository(), document)?;
        let mut staged = self.staged();
        // If the tag is staged already, `before` is the staged document. `flush` compares with
        // index.json, so the digest from there is kept.
        let before = match staged.get(name) {
            Some(earlier) => earlier.before.clone(),
            None => before.cloned(),
        };
        staged.insert(name.clone(), Staged { before, document: document.clone() });
        Ok(())
    }

    fn remove_tag(&self, name: &TargetName, before: &Digest) -> Result<bool> {
        let _lock = self.files.lock_index()?;
        let mut index = (*self.files.index()?).clone();
        if index.get(name)?.map(|entry| entry.digest()) != Some(before) {
            return Err(Error::new(ErrorKind::Contended, "the tag has changed").of_image(name));
        }
        index.remove(name);
        self.files.replace_index(&index)?;
        Ok(true)
    }

    fn flush(&self) -> Result<Vec<TargetName>> {
        // Held to the end, and emptied only then: after a failure all of it is still to be written.
        let mut staged = self.staged();
        if staged.is_empty() {
            // What was sent again for tags that stay as they are must be on disk, too.
            self.files.sync()?;
            return Ok(Vec::new());
        }
        let _lock = self.files.lock_index()?;
        let mut index = (*self.files.index()?).clone();
        let mut contended = Vec::new();
        for (name, Staged { before, document }) in &*staged {
            if index.get(name)?.map(|entry| entry.digest()) == before.as_ref() {
                index.set(name, document);
            } else {
                contended.push(name.clone());
            }
        }
        self.files.replace_index(&index)?;
        staged.clear();
        Ok(contended)
    }

    fn tags(&self) -> Result<Vec<TargetName>> {
        Ok(self.files.index()?.names())
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
