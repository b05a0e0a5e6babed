//! A directory of packed charts with an `index.yaml`, ready to be served by any web server.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
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
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn error(path: &Path, error: io::Error) -> Error {
        Error::from_io("the chart directory", error).at_path(path.display())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.0.join(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Self::error(&path, error)),
        }
    }

    fn index(&self) -> Result<RepoIndex> {
        match self.read(INDEX)? {
            Some(text) => {
                RepoIndex::parse(&text).map_err(|e| e.at_path(self.0.join(INDEX).display()))
            }
            None => Ok(RepoIndex::default()),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.0.join(name);
        let write = || {
            let mut file = tempfile::Builder::new()
                .prefix(TEMPORARY)
                .permissions(fs::Permissions::from_mode(0o666))
                .tempfile_in(&self.0)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            // The name must be on disk, too, before anything refers to it.
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|e| Self::error(&path, e))
    }

    /// Removes the temporary files of killed runs. The caller holds the lock, so no other run is using
    /// them.
    fn tidy(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
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
        fs::create_dir_all(&self.0).map_err(|e| Self::error(&self.0, e))
    }

    /// A file that the index does not list counts as absent, as it does for Helm.
    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let file = checked(name, version)?;
        if self.index()?.has(name, version) { self.read(&file) } else { Ok(None) }
    }

    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        let file = checked(chart.name(), chart.version())?;
        self.prepare()?;
        let lock = File::open(&self.0).map_err(|e| Self::error(&self.0, e))?;
        lock.lock().and_then(|()| self.tidy()).map_err(|e| Self::error(&self.0, e))?;
        let before = self.index()?;
        match self.read(&file)? {
            Some(there) if there == chart.bytes() => {}
            Some(_) if !replace && before.has(chart.name(), chart.version()) => {
                return Err(chart_exists_error(chart));
            }
            _ => self.write(&file, chart.bytes())?,
        }
        let mut index = before.clone();
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
