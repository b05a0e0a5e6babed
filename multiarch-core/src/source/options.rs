//! How packages are opened.

use std::{path::PathBuf, sync::Arc};

use crate::{
    limit::{self, SharedBudget},
    run::{Cancel, Context, Meter},
};

/// How packages are opened: with an index cache, a progress meter, and a way to cancel.
///
/// ```
/// use multiarch_core::OpenOptions;
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("addon-offline-full-package-v1.0.0-amd64.tar.gz");
/// # std::fs::write(&path, multiarch_generator::demo_package("amd64")).expect("written");
/// let package = OpenOptions::new().cache(folder.path().join("cache")).open(&path)?;
/// assert_eq!(package.name().architecture.as_deref(), Some("amd64"));
/// # Ok::<(), multiarch_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    pub(super) context: Context,
    pub(super) cache: Option<PathBuf>,
    pub(super) reads_programs: bool,
    /// What the packages of a run may keep together; one that is opened by itself may keep as much.
    pub(super) kept: Option<Arc<Kept>>,
}

/// What may be kept in memory of packages.
#[derive(Debug)]
pub(super) struct Kept {
    /// Manifests and configs.
    pub(super) documents: SharedBudget,
    /// What may be one of them, with the listing.
    pub(super) files: SharedBudget,
}

impl Default for Kept {
    fn default() -> Self {
        let [documents, files] =
            [limit::DOCUMENTS, limit::KEPT_FILES].map(|limit| limit.budget().shared());
        Self { documents, files }
    }
}

impl OpenOptions {
    /// Options without an index cache.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn kept(&self) -> Arc<Kept> {
        self.kept.clone().unwrap_or_default()
    }

    pub(crate) fn in_context(context: &Context, cache: Option<PathBuf>) -> Self {
        Self { context: context.clone(), cache, ..Self::default() }
    }

    /// Stores an index of each package in this folder, so that the next run need not read all of the
    /// package. The folder may be removed at any time. A failure to store an index is not an error.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Looks into the layers of every image for the architecture of its programs. Without, only those of
    /// images whose package and config disagree are looked at.
    #[must_use]
    pub fn read_programs(mut self) -> Self {
        self.reads_programs = true;
        self
    }

    /// Reports to this meter how much has been read.
    #[must_use]
    pub fn meter(mut self, meter: &Meter) -> Self {
        self.context.meter = meter.clone();
        self
    }

    /// Stops when this is cancelled.
    #[must_use]
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.context.cancel = cancel.clone();
        self
    }
}
