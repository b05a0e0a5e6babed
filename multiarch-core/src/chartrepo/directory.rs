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
    limit::{self, Limit},
    run::Cancel,
    source::{read_regular, temporary, wait_for_lock},
    store::{ChartRepo, chart_exists_error},
};

const INDEX: &str = "index.yaml";

#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Ends the waiting for a lock.
    cancel: Cancel,
    /// The listing that was read last, and its text, so that the same text is parsed once.
    listing: Mutex<Option<(Vec<u8>, Arc<RepoIndex>)>>,
}

impl Directory {
    pub(super) fn new(path: impl Into<PathBuf>, cancel: &Cancel) -> Self {
        Self { path: path.into(), cancel: cancel.clone(), listing: Mutex::default() }
    }

    fn error(path: &Path, error: io::Error) -> Error {
        Error::from_io("the chart directory", error).at_path(path.display())
    }

    fn read(&self, name: &str, limit: Limit) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match read_regular(&path, limit) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Self::error(&path, error)),
        }
    }

    fn index(&self) -> Result<Arc<RepoIndex>> {
        let Some(text) = self.read(INDEX, limit::REPO_INDEX)? else { return Ok(Arc::default()) };
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
                .prefix(temporary::PREFIX)
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
            if temporary::is_temporary(&entry) {
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
    // Linux takes no longer name; that is known before anything is sent.
    if file.len() > 255 {
        let message = format!(
            "the file name of the chart would have {} bytes, and 255 are possible",
            file.len()
        );
        return Err(Error::new(ErrorKind::Malformed, message));
    }
    Ok(file)
}

/// Fails where the file of a chart is that of another one: `a-1.0.0` of version `2.0.0` and `a` of version
/// `1.0.0-2.0.0` have the same name.
fn check_owner(index: &RepoIndex, file: &str, name: &str, version: &str) -> Result<()> {
    let is_other = |(other, its): &(&str, String)| {
        (*other, its.as_str()) != (name, version) && file_name(other, its) == file
    };
    // A file begins with the name of its chart: most others need no closer look.
    let mut alike = index.charts(|other| file.starts_with(other));
    let Some((name, version)) = alike.find(is_other) else { return Ok(()) };
    let message = format!(
        "{file} there is the chart {name} of version {version}, which has the same file name"
    );
    Err(Error::new(ErrorKind::Malformed, message))
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
        let index = self.index()?;
        check_owner(&index, &file, name, version)?;
        if index.has(name, version) { self.read(&file, limit::PACKED_CHART) } else { Ok(None) }
    }

    fn place(&self, error: Error, name: &str, version: &str) -> Error {
        error.at_path(self.path.join(file_name(name, version)).display())
    }

    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        let file = checked(chart.name(), chart.version())?;
        self.prepare()?;
        let lock = File::open(&self.path).map_err(|e| Self::error(&self.path, e))?;
        wait_for_lock(&self.cancel, || lock.try_lock())
            .and_then(|()| self.tidy())
            .map_err(|e| Self::error(&self.path, e))?;
        let before = self.index()?;
        check_owner(&before, &file, chart.name(), chart.version())?;
        match self.read(&file, limit::PACKED_CHART)? {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::ChartFiles;

    fn chart(name: &str, version: &str) -> PackedChart {
        let mut files = ChartFiles::default();
        let text = format!("name: {name}\nversion: {version}\n");
        files.insert("Chart.yaml", text.as_bytes());
        PackedChart::new(&files).expect("packs")
    }

    #[test]
    fn two_charts_do_not_share_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let charts = Directory::new(folder.path(), &Cancel::new());
        let (one, other) = (chart("a-1.0.0", "2.0.0"), chart("a", "1.0.0-2.0.0"));
        assert_eq!(file_name(one.name(), one.version()), file_name(other.name(), other.version()));
        charts.put(&one, false).expect("stored");
        for replace in [false, true] {
            assert!(charts.put(&other, replace).is_err());
        }
        assert!(
            charts.get(other.name(), other.version()).is_err(),
            "known before anything is sent"
        );
        let held = charts.get(one.name(), one.version()).expect("read");
        assert_eq!(held.as_deref(), Some(one.bytes()));
    }

    #[test]
    fn a_name_that_is_too_long_for_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let charts = Directory::new(folder.path(), &Cancel::new());
        assert!(charts.get(&"a".repeat(245), "1.0.0").is_ok());
        assert!(charts.get(&"a".repeat(246), "1.0.0").is_err());
    }

    /// A device is never read to its end, and a pipe waits for a writer.
    #[test]
    fn devices_are_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(INDEX)).expect("linked");
        assert!(Directory::new(folder.path(), &Cancel::new()).check().is_err());
    }
}
