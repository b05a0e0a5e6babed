//! A directory of packed charts with an `index.yaml`, ready to be served by any web server.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::index::RepoIndex;
use crate::{
    chart::{PackedChart, file_name},
    error::{Error, ErrorKind, Result},
    store::{ChartRepo, chart_exists_error},
};

const INDEX: &str = "index.yaml";
const TEMPORARY: &str = ".multiarch-";

#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The listing that was read last, and its text, so that the same text is parsed once.
    listing: Mutex<Option<(Vec<u8>, Arc<RepoIndex>)>>,
}

impl Directory {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), listing: Mutex::default() }
    }

    fn error(path: &Path, error: io::Error) -> Error {
        Error::from_io("the chart directory", error).at_path(path.display())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Self::error(&path, error)),
        }
    }

    fn index(&self) -> Result<Arc<RepoIndex>> {
        let Some(text) = self.read(INDEX)? else { return Ok(Arc::default()) };
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = listing.as_ref().filter(|(known, _)| *known == text) {
            return Ok(known.clone());
        }
        let place = |e: Error| e.at_path(self.path.join(INDEX).display());
        let index = Arc::new(RepoIndex::parse(&text).map_err(place)?);
        *listing = Some((text, index.clone()));
        Ok(index)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        let write = || {
            let mut file = tempfile::Builder::new()
                .prefix(TEMPORARY)
                .permissions(fs::Permissions::from_mode(0o666))
                .tempfile_in(&self.path)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            // The name must be on disk, too, before anything refers to it.
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|e| Self::error(&path, e))
    }

    /// Removes the temporary files of killed runs. The caller holds the lock, so no other run is using
    /// them.
    fn tidy(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// The file name of a chart. Fails if it would leave the directory or be hidden.
fn checked(name: &str, version: &str) -> Result<String> {
    let file = file_name(name, version);
    if file.contains('/') || file.starts_with('.') || file.contains('\0') {
        let message = format!("{file} is not a safe file name");
        return Err(Error::new(ErrorKind::UnsafePath, message));
    }
    Ok(file)
}

impl ChartRepo for Directory {
    fn check(&self) -> Result<()> {
        self.index().map(drop)
    }

    /// Creates the directory before any image is sent, so that a run fails early if charts cannot be
    /// stored.
    fn prepare(&self) -> Result<()> {
        fs::create_dir_all(&self.path).map_err(|e| Self::error(&self.path, e))
    }

    /// A file that the index does not list counts as absent, as it does for Helm.
    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let file = checked(name, version)?;
        if self.index()?.has(name, version) { self.read(&file) } else { Ok(None) }
    }

    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        let file = checked(chart.name(), chart.version())?;
        self.prepare()?;
        let lock = File::open(&self.path).map_err(|e| Self::error(&self.path, e))?;
        lock.lock().and_then(|()| self.tidy()).map_err(|e| Self::error(&self.path, e))?;
        let before = self.index()?;
        match self.read(&file)? {
            Some(there) if there == chart.bytes() => {}
            Some(_) if !replace && before.has(chart.name(), chart.version()) => {
                return Err(chart_exists_error(chart));
            }
            _ => self.write(&file, chart.bytes())?,
        }
        let mut index = RepoIndex::clone(&before);
        index.add(chart, &file);
        if index.to_text() == before.to_text() {
            return Ok(());
        }
        self.write(INDEX, &index.to_text())
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        Ok(self.index()?.list())
    }
}
