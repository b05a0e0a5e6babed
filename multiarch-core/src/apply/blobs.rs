//! Sending blobs.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    /// What could not be sent to a repository; what cannot be read is for none.
    failed: Mutex<BTreeMap<(Digest, Option<String>), Error>>,
    /// Those that are to be sent and are in no repository yet, with their sizes.
    open: Mutex<BTreeMap<Digest, u64>>,
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

    fn failed(&self) -> MutexGuard<'_, BTreeMap<(Digest, Option<String>), Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Digest, u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more is sent: what is left cannot be.
    pub(super) fn end(&self) {
        let left = std::mem::take(&mut *self.open());
        self.progress.spared(left.values().sum());
    }

    /// Sends one blob from its package; what is read is hashed on its way.
    pub(super) fn send(
        &self,
        repository: &str,
        from: Option<&str>,
        blob: &PlannedBlob,
    ) -> Result<()> {
        self.cancel.check()?;
        let key = |repository| (blob.digest.clone(), repository);
        let here = Some(repository.to_owned());
        let failed = |key| self.failed().get(&key).map(Error::copy);
        if let Some(error) = failed(key(None)).or_else(|| failed(key(here.clone()))) {
            return Err(error);
        }
        let package = self.packages[blob.package];
        let (progress, cancel) = (self.progress, self.cancel);
        let (counted, unreadable) = Default::default();
        let content = Content { blob, package, progress, cancel, counted, unreadable };
        let sent = self.store.put_blob(repository, &blob.digest, blob.size, from, &content);
        if !matches!(sent, Ok(Sent::Uploaded)) {
            content.count_anew();
        }
        if sent.is_ok() {
            let open = self.open().remove(&blob.digest);
            if let (Some(size), Ok(Sent::Mounted | Sent::Present)) = (open, &sent) {
                self.progress.spared(size);
            }
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
                let unreadable = content.unreadable.load(Ordering::Relaxed);
                let key = key(here.filter(|_| !unreadable));
                self.failed().insert(key, error.copy());
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
    /// What failed was reading.
    unreadable: AtomicBool,
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
            .inspect_err(|_| self.unreadable.store(true, Ordering::Relaxed))
            .map_err(|e| Error::from_io("reading the package", e))?;
        let inner = DigestReader::new(run, self.blob.digest.clone(), self.blob.size);
        Ok(Box::new(Counted { inner, content: self }))
    }

    fn is_local(&self) -> bool {
        self.package.source.is_local()
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
        let read = self.inner.read(buffer);
        let count = read.inspect_err(|_| self.content.unreadable.store(true, Ordering::Relaxed))?;
        self.content.counted.fetch_add(count as u64, Ordering::Relaxed);
        self.content.progress.sent(count as u64);
        Ok(count)
    }
}
