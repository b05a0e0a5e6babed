//! Sending blobs.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::{Cancel, Progress};
use crate::{
    error::{Error, Result},
    image::{Digest, DigestReader},
    package::Package,
    plan::PlannedBlob,
    target::ImageStore,
};

/// Sends blobs once each and remembers which could not be sent.
pub(super) struct Blobs<'a> {
    pub(super) packages: &'a [&'a Package],
    pub(super) store: &'a dyn ImageStore,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
    pub(super) failed: BTreeMap<Digest, Error>,
    pub(super) count: u64,
    pub(super) bytes: u64,
}

impl Blobs<'_> {
    /// Sends one blob from its package; what is read is hashed on its way.
    pub(super) fn send(&mut self, repository: &str, blob: &PlannedBlob) -> Result<()> {
        self.cancel.check()?;
        let package = self.packages[blob.package];
        let place = |e: Error| e.with_digest(&blob.digest).in_package(package.path());
        let result = package
            .source
            .open(&blob.locator)
            .map_err(|e| Error::from_io("reading the package", e))
            .and_then(|run| {
                let checked = DigestReader::new(run, blob.digest.clone(), blob.size);
                let mut content = Counted {
                    inner: checked,
                    cancel: self.cancel,
                    progress: self.progress,
                    seen: 0,
                };
                let result = self.store.put_blob(repository, &blob.digest, blob.size, &mut content);
                if result.is_err() {
                    self.progress.unsent(content.seen);
                }
                result
            })
            .map_err(place);
        match &result {
            Ok(()) => {
                self.count += 1;
                self.bytes += blob.size;
            }
            Err(error) => {
                self.failed.insert(blob.digest.clone(), error.copy());
            }
        }
        result
    }
}

/// Counts what passes, and stops where the run is to stop.
struct Counted<'a, R> {
    inner: R,
    cancel: &'a Cancel,
    progress: &'a dyn Progress,
    seen: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel.check()?;
        let count = self.inner.read(buffer)?;
        self.seen += count as u64;
        self.progress.sent(count as u64);
        Ok(count)
    }
}
