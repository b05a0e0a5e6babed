//! What stores of the tests' own have in common.

/// The methods of a store that another one answers: the test's own methods stand beside.
macro_rules! answered_by_memory {
    ($inner:ident) => {
        fn get_manifest(&self, repository: &str, digest: &Digest) -> Result<Option<Document>> {
            self.$inner.get_manifest(repository, digest)
        }

        fn get_blob(&self, repository: &str, of: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
            self.$inner.get_blob(repository, of, limit)
        }

        fn has_blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<bool> {
            self.$inner.has_blob(repository, digest, size)
        }

        fn put_manifest(&self, repository: &str, document: &Document) -> Result<()> {
            self.$inner.put_manifest(repository, document)
        }

        fn flush(&self) -> Result<Vec<TargetName>> {
            Ok(Vec::new())
        }

        fn tags(&self) -> Result<Vec<TargetName>> {
            self.$inner.tags()
        }
    };
}
pub(crate) use answered_by_memory;
