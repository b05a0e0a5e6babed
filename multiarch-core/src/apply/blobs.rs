//! Sends blobs, and counts them.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    error::{Detail, Error, Result},
    image::Digest,
    plan::{BlobOrigin, LivePlan, Plan, PlannedBlob},
    store::{BlobContent, Sent},
};

/// Sends blobs, and remembers which could not be sent, so that they are not tried again.
pub(super) struct BlobSender<'a> {
    live: &'a LivePlan,
    /// Why a blob could not be sent to a repository. The repository is `None` if the blob cannot be
    /// read, and therefore cannot be sent to any.
    failed: Mutex<BTreeMap<(Digest, Option<String>), Error>>,
    /// Why a project, the first part of its repositories, takes no more blobs.
    full: Mutex<BTreeMap<String, Error>>,
    /// Blobs that are to be sent and that no repository has yet, with their sizes.
    unsent: Mutex<BTreeMap<Digest, u64>>,
    pub(super) uploaded: AtomicU64,
    pub(super) mounted: AtomicU64,
    pub(super) bytes: AtomicU64,
}

impl<'a> BlobSender<'a> {
    pub(super) fn new(plan: &Plan, live: &'a LivePlan) -> Self {
        let (uploaded, mounted, bytes) = Default::default();
        let (failed, full) = Default::default();
        let unsent = Mutex::new(plan.to_send(&live.observed));
        Self { live, failed, full, unsent, uploaded, mounted, bytes }
    }

    fn full(&self) -> MutexGuard<'_, BTreeMap<String, Error>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails for a blob that a full project would have to find room for. The room that is left is for the
    /// manifests of the images whose blobs are all there, so that those become complete.
    fn check_room(&self, repository: &str, mount_from: Option<&str>) -> Result<()> {
        let project = self.project(repository);
        if mount_from.is_some_and(|from| self.project(from) == project) {
            return Ok(());
        }
        self.full().get(project).map_or(Ok(()), |error| Err(error.clone()))
    }

    /// The project of a repository: its first part, or that of the target's own path.
    pub(super) fn project<'r>(&self, repository: &'r str) -> &'r str {
        let address = self.live.target.name.split_once("://").map_or("", |(_, rest)| rest);
        match address.contains('/') {
            true => "",
            false => repository.split('/').next().unwrap_or(repository),
        }
    }

    fn failed(&self) -> MutexGuard<'_, BTreeMap<(Digest, Option<String>), Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unsent(&self) -> MutexGuard<'_, BTreeMap<Digest, u64>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the sending: the progress total no longer counts blobs that could not be sent.
    pub(super) fn finish_sending(&self) {
        let left = std::mem::take(&mut *self.unsent());
        self.live.context.meter.reduce_total(left.values().sum());
    }

    /// The content of a blob, and the name of the package or target that it comes from.
    fn content<'b>(&'b self, blob: &'b PlannedBlob) -> (BlobContent<'b>, &'b str) {
        let LivePlan { target, context, inventory, .. } = self.live;
        match &blob.origin {
            BlobOrigin::Package { number, locator } => {
                let package = &*inventory.packages[*number];
                let place = (*number, package);
                let content = BlobContent::in_package(&blob.digest, *locator, place, context);
                (content, package.path())
            }
            BlobOrigin::Target { repository } => {
                let place = (&*target.images, repository.as_str());
                let content = BlobContent::in_target(&blob.digest, blob.size, place, context);
                (content, &target.name)
            }
        }
    }

    /// Sends one blob to a repository, or mounts it from `mount_from`, which has it.
    pub(super) fn send(
        &self,
        repository: &str,
        mount_from: Option<&str>,
        blob: &PlannedBlob,
    ) -> Result<()> {
        let context = &self.live.context;
        context.cancel.check()?;
        let key = |repository| (blob.digest.clone(), repository);
        let here = Some(repository.to_owned());
        let failed = |key| self.failed().get(&key).cloned();
        if let Some(error) = failed(key(None)).or_else(|| failed(key(here.clone()))) {
            return Err(error);
        }
        self.check_room(repository, mount_from)?;
        let (content, source) = self.content(blob);
        let sent = self.live.target.images.put_blob(repository, mount_from, &content);
        if !matches!(sent, Ok(Sent::Uploaded)) {
            content.uncount_sent();
        }
        if sent.is_ok() {
            let open = self.unsent().remove(&blob.digest);
            if let (Some(size), Ok(Sent::Mounted | Sent::Present)) = (open, &sent) {
                context.meter.reduce_total(size);
            }
        }
        match sent.map_err(|e| e.with_digest(&blob.digest).in_package(source)) {
            Ok(Sent::Uploaded) => {
                self.uploaded.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(blob.size, Ordering::Relaxed);
                Ok(())
            }
            Ok(Sent::Mounted) => {
                self.mounted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Ok(Sent::Present) => Ok(()),
            Err(error) => {
                if error.case() == Some(Detail::Quota) {
                    let project = self.project(repository).to_owned();
                    self.full().entry(project).or_insert_with(|| error.clone());
                }
                let key = key(here.filter(|_| !content.is_unreadable()));
                self.failed().insert(key, error.clone());
                Err(error)
            }
        }
    }
}
