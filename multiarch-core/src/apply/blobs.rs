//! Sending blobs.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Cancel, Progress};
use crate::{
    error::{Error, Result},
    image::{Digest, DigestReader},
    package::{Locator, Package},
    plan::{Plan, PlannedBlob},
    target::{BlobContent, ImageStore, ReadOrder, Sent},
};

/// Sends blobs, and remembers which could not be sent.
pub(super) struct Blobs<'a> {
    pub(super) packages: &'a [&'a Package],
    pub(super) store: &'a dyn ImageStore,
    pub(super) progress: &'a dyn Progress,
    pub(super) cancel: &'a Cancel,
    failed: Mutex<BTreeMap<Digest, Error>>,
    /// Those that are to be sent, and of which nothing is known yet.
    open: Mutex<BTreeSet<Digest>>,
    pub(super) count: AtomicU64,
    pub(super) mounted: AtomicU64,
    pub(super) bytes: AtomicU64,
}

impl<'a> Blobs<'a> {
    pub(super) fn new(
        plan: &'a Plan<'_>,
        store: &'a dyn ImageStore,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Self {
        let (count, mounted, bytes) = Default::default();
        let (failed, open) = (Mutex::default(), Mutex::new(plan.to_send()));
        let packages = &plan.wanted.packages;
        Self { packages, store, progress, cancel, failed, open, count, mounted, bytes }
    }

    /// Sends one blob from its package; what is read is hashed on its way.
    pub(super) fn send(
        &self,
        repository: &str,
        from: Option<&str>,
        blob: &PlannedBlob,
    ) -> Result<()> {
        self.cancel.check()?;
        if let Some(error) =
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get(&blob.digest)
        {
            return Err(error.copy());
        }
        let package = self.packages[blob.package];
        let (progress, cancel, counted) = (self.progress, self.cancel, AtomicU64::new(0));
        let content = Content { blob, package, progress, cancel, counted };
        let sent = self.store.put_blob(repository, &blob.digest, blob.size, from, &content);
        if !matches!(sent, Ok(Sent::Uploaded)) {
            content.count_anew();
        }
        let is_first =
            self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&blob.digest);
        if is_first && matches!(sent, Ok(Sent::Mounted | Sent::Present)) {
            self.progress.spared(blob.size);
        }
        match sent.map_err(|e| e.with_digest(&blob.digest).in_package(package.path())) {
            Ok(Sent::Uploaded) => {
                self.count.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(blob.size, Ordering::Relaxed);
                Ok(())
            }
            Ok(Sent::Mounted) => {
                self.mounted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Ok(Sent::Present) => Ok(()),
            Err(error) => {
                self.failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(blob.digest.clone(), error.copy());
                Err(error)
            }
        }
    }
}

/// A blob in a package; what is read of it counts as sent.
struct Content<'a> {
    blob: &'a PlannedBlob,
    package: &'a Package,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    counted: AtomicU64,
}

impl Content<'_> {
    /// What was read before was sent in vain.
    fn count_anew(&self) {
        match self.counted.swap(0, Ordering::Relaxed) {
            0 => {}
            bytes => self.progress.unsent(bytes),
        }
    }
}

impl BlobContent for Content<'_> {
    fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
        self.count_anew();
        let run = self
            .package
            .source
            .open(&self.blob.locator)
            .map_err(|e| Error::from_io("reading the package", e))?;
        let inner = DigestReader::new(run, self.blob.digest.clone(), self.blob.size);
        Ok(Box::new(Counted { inner, content: self }))
    }

    fn read_order(&self) -> ReadOrder {
        let Locator { space, offset, .. } = self.blob.locator;
        [self.blob.package as u64, space.0.into(), offset]
    }
}

/// Counts what passes, and stops where the run is to stop.
struct Counted<'a, R> {
    inner: R,
    content: &'a Content<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.cancel.check()?;
        let count = self.inner.read(buffer)?;
        self.content.counted.fetch_add(count as u64, Ordering::Relaxed);
        self.content.progress.sent(count as u64);
        Ok(count)
    }
}
