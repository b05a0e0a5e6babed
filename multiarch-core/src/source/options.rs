//! How packages are opened.

use std::{
    io::{Read, Seek},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use super::open;
use crate::{
    error::{Error, ErrorKind, Result},
    package::Package,
    run::{Cancel, Context, Meter, workers},
};

/// How packages are opened: with a cache, with progress, and so that it can be stopped.
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
}

impl OpenOptions {
    /// No cache.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn in_context(context: &Context, cache: Option<PathBuf>) -> Self {
        Self { context: context.clone(), cache }
    }

    /// Keeps an index of each package in this folder, so that the next run need not read all of it.
    /// The folder may be removed at any time. An index that cannot be kept is no error.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Reports how far reading is.
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

    /// Opens one package; see [`Package::open`].
    ///
    /// # Errors
    /// As [`Package::open`], and [`ErrorKind::Cancelled`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Package> {
        let path = path.as_ref();
        open::read(path, self).map_err(|e| e.in_package(path.display()))
    }

    /// Opens several packages, as many at once as there are processors. The answers are in the order
    /// of the paths; a file that is no package has its error in its place.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where one of them cannot be read; where one is not there at all, before the
    /// first one is read. [`ErrorKind::Cancelled`].
    pub fn open_all<P: AsRef<Path> + Sync>(&self, paths: &[P]) -> Result<Vec<Result<Package>>> {
        for path in paths.iter().map(AsRef::as_ref) {
            let there = std::fs::metadata(path).map_err(|e| Error::from_io("cannot be opened", e));
            there.map_err(|e| e.in_package(path.display()))?;
        }
        let jobs = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let opened = workers::map(jobs, paths, |path| self.open(path));
        let ends_all = |e: &Error| matches!(e.kind(), ErrorKind::Io | ErrorKind::Cancelled);
        opened
            .into_iter()
            .map(|opened| match opened {
                Err(error) if ends_all(&error) => Err(error),
                opened => Ok(opened),
            })
            .collect()
    }
}

impl Package {
    /// Opens a package: a file (`.tar.gz`, `.tar.zst`, `.tar`, one bundle, a docker-archive, an OCI
    /// layout) or a directory of such things. Its content decides what it is, not its name.
    ///
    /// It is read once, front to back. What is broken in it is in [`Package::problems`] and
    /// [`Bundle::problems`](crate::Bundle::problems); the rest can be used.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where it cannot be read at all, [`ErrorKind::NotAPackage`] where nothing
    /// known is in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// Reads a package that is no file, such as bytes in memory. `name` stands for a file's name: it
    /// may say a version and an architecture.
    ///
    /// ```
    /// use multiarch_core::Package;
    /// let bytes = std::io::Cursor::new(multiarch_generator::demo_package("arm64"));
    /// let package = Package::from_reader("addon-v1.0.0-arm64.tar.gz", bytes)?;
    /// assert_eq!(package.bundles()[0].chart(), "web-1.2.0");
    /// # Ok::<(), multiarch_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Package::open`].
    pub fn from_reader(name: &str, reader: impl Read + Seek + Send + 'static) -> Result<Self> {
        open::read_from(name, reader, &OpenOptions::new()).map_err(|e| e.in_package(name))
    }
}
