//! The interface of a target for images: a few primitives, on which everything else is built once.

use super::BlobContent;
use crate::{
    chart::TargetName,
    error::{Error, Result},
    image::{Digest, Document},
};

/// How a blob got into its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Its bytes were sent.
    Uploaded,
    /// It was mounted from another repository.
    Mounted,
    /// It was there already.
    Present,
}

/// A place that images can be read from and written to.
///
/// `None` and `false` mean that something is not there. Failures are errors, and are never taken for
/// absence.
pub trait ImageStore: Send + Sync {
    /// The manifest or index that a tag holds.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn get_tag(&self, name: &TargetName) -> Result<Option<Document>>;

    /// A manifest or index by its digest.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what its digest says.
    fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>>;

    /// Whether a manifest or index is there.
    ///
    /// # Errors
    /// Where the store cannot say.
    fn has_manifest(&self, repository: &str, digest: &Digest) -> Result<bool> {
        Ok(self.get_manifest(repository, digest)?.is_some())
    }

    /// A small blob, such as a config, of at most `limit` bytes.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what its digest says.
    fn get_blob(&self, repository: &str, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>>;

    /// Whether a blob of this size is there.
    ///
    /// # Errors
    /// Where the store cannot say.
    fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool>;

    /// Writes a blob, or mounts it from the repository `mount_from`, which has it. Reading the
    /// content fails where it does not have its digest; then nothing may become visible under the
    /// digest.
    ///
    /// # Errors
    /// Where reading or writing fails.
    fn put_blob(
        &self,
        repository: &str,
        mount_from: Option<&str>,
        content: &BlobContent<'_>,
    ) -> Result<Sent>;

    /// Writes a manifest or index by its digest, not by a tag.
    ///
    /// # Errors
    /// Where writing fails.
    fn put_manifest(&self, repository: &str, document: &Document) -> Result<()>;

    /// Sets a tag that held `before`. A store may delay this until [`ImageStore::flush`].
    ///
    /// # Errors
    /// Where writing fails. [`ErrorKind::Contended`](crate::ErrorKind::Contended) where the store compares,
    /// and the tag no longer holds `before`: it is left as it is, and the caller reads it again.
    fn put_tag(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        document: &Document,
    ) -> Result<()>;

    /// Removes a tag that holds `before`, and nothing else: what it holds stays under its digest. False where the
    /// store removes no tags. A store may delay this until [`ImageStore::flush`].
    ///
    /// # Errors
    /// As [`put_tag`](ImageStore::put_tag).
    fn remove_tag(&self, name: &TargetName, before: &Digest) -> Result<bool> {
        let _ = (name, before);
        Ok(false)
    }

    /// Makes all tags that were set visible. Returns those that another writer changed in the meantime;
    /// they are left as they are.
    ///
    /// # Errors
    /// Where writing fails.
    fn flush(&self) -> Result<Vec<TargetName>>;

    /// True where [`put_tag`](ImageStore::put_tag) or [`flush`](ImageStore::flush) compares a tag and sets
    /// it in one step, so that no other writer can come in between. Elsewhere a tag is read back after it
    /// was written, and looked at once more at the end.
    fn compares_and_sets_tags(&self) -> bool {
        false
    }

    /// True where [`put_tag`](ImageStore::put_tag) reads the tag immediately before it writes it, and
    /// writes nothing where the tag no longer holds `before`. Elsewhere the caller reads it.
    fn compares_tags(&self) -> bool {
        self.compares_and_sets_tags()
    }

    /// True where the store is on this machine, so that asking what is there costs next to nothing: then
    /// every blob of a listed image is asked for, too.
    fn is_local(&self) -> bool {
        false
    }

    /// How many requests at once are useful.
    fn jobs(&self) -> usize {
        1
    }

    /// Adds to an error of what a tag or digest holds where that is: a registry names its host and the request.
    fn place(&self, error: Error, repository: &str, reference: &str) -> Error {
        let _ = (repository, reference);
        error
    }

    /// Says which repositories come next, each with whether it is written to. A registry then asks its
    /// token server for several of them at once; other stores have nothing to prepare.
    fn prepare(&self, next: &[(&str, bool)]) {
        let _ = next;
    }

    /// All tags.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn tags(&self) -> Result<Vec<TargetName>>;

    /// The tags of one repository, where one request lists all of them; `None` where asking for single
    /// tags is better.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn tags_of(&self, repository: &str) -> Result<Option<Vec<String>>> {
        let _ = repository;
        Ok(None)
    }

    /// Whether the store itself lists the documents that refer to a digest by their `subject`. Elsewhere a
    /// tag stands in for that list.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    fn lists_referrers(&self, repository: &str) -> Result<bool> {
        let _ = repository;
        Ok(false)
    }

    /// Whether all repositories share one set of blobs.
    fn shares_blobs(&self) -> bool {
        false
    }
}
