//! Opening packages.

use std::{
    io::{Read, Seek},
    path::Path,
};

use super::{options::OpenOptions, read};
use crate::{
    error::{Error, ErrorKind, Result},
    package::Package,
    run::workers,
};

/// How many packages are read at once. The list of what is in one may take some 70 MiB.
const JOBS: usize = 4;

impl OpenOptions {
    /// Opens one package; see [`Package::open`].
    ///
    /// # Errors
    /// As [`Package::open`], and [`ErrorKind::Cancelled`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Package> {
        let path = path.as_ref();
        read::read(path, self).map_err(|e| e.in_package(path.display()))
    }

    /// Opens several packages, as many at once as there are processors, and at most four. The results are in the order of
    /// the paths; a file that cannot be read, or is not a package, has an error as its result.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where a path does not exist, before any package is read, or none can be read.
    /// [`ErrorKind::Cancelled`].
    pub fn open_all<P: AsRef<Path> + Sync>(&self, paths: &[P]) -> Result<Vec<Result<Package>>> {
        for path in paths.iter().map(AsRef::as_ref) {
            let there = std::fs::metadata(path).map_err(|e| Error::from_io("cannot be opened", e));
            there.map_err(|e| e.in_package(path.display()))?;
        }
        let jobs = workers::processors().min(JOBS);
        let together = Self { kept: Some(self.kept()), ..self.clone() };
        let opened = workers::map(jobs, paths, |path| together.open(path));
        let failure = |result: &Result<Package>, kind| {
            result.as_ref().err().filter(|error| error.kind() == kind).cloned()
        };
        if let Some(error) = opened.iter().find_map(|r| failure(r, ErrorKind::Cancelled)) {
            return Err(error);
        }
        // One file that cannot be read does not stop the others. Where there are no others, nothing is left
        // to do.
        let unread: Vec<Error> = opened.iter().filter_map(|r| failure(r, ErrorKind::Io)).collect();
        match unread.into_iter().next() {
            Some(error) if opened.iter().all(|r| failure(r, ErrorKind::Io).is_some()) => Err(error),
            _ => Ok(opened),
        }
    }
}

impl Package {
    /// Opens a package: a file (`.tar.gz`, `.tar.zst`, `.tar`, one bundle, a docker-archive, an OCI
    /// layout) or a directory of such things. Its content decides what it is, not its name.
    ///
    /// It is read once, front to back; not at all where the index cache knows it. Broken parts are listed in [`Package::problems`] and
    /// [`Bundle::problems`](crate::Bundle::problems); the rest can be used.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where it cannot be read at all, [`ErrorKind::NotAPackage`] where it holds no
    /// bundle and no image.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// Reads a package that is not a file, such as bytes in memory. `name` takes the place of the file
    /// name, which may contain a version and an architecture.
    ///
    /// ```
    /// use multiarch_core::Package;
    /// let bytes = std::io::Cursor::new(multiarch_generator::demo_package("arm64"));
    /// let package = Package::from_reader("addon-v1.0.0-arm64.tar.gz", bytes)?;
    /// assert!(package.bundles().iter().any(|bundle| bundle.chart() == "web-1.2.0"));
    /// # Ok::<(), multiarch_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Package::open`].
    pub fn from_reader(name: &str, reader: impl Read + Seek + Send + 'static) -> Result<Self> {
        read::read_from(name, reader, &OpenOptions::new()).map_err(|e| e.in_package(name))
    }
}
