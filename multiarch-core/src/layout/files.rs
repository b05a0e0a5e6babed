//! The files of a layout.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tempfile::NamedTempFile;

use super::TagIndex;
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
    limit,
    run::Cancel,
    source::{open_regular, temporary, wait_for_lock},
};

const MARKER: &str = "oci-layout";
const MARKER_TEXT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";

#[derive(Debug)]
pub(super) struct Files {
    /// Ends the waiting for a lock.
    cancel: Cancel,
    root: PathBuf,
    /// The shared lock on the directory, held from the first write on.
    ready: OnceLock<File>,
    preparing: Mutex<()>,
    /// Names of blobs may not be on disk yet.
    is_unsynced: AtomicBool,
    /// `index.json` as it was read last, and the stamp that shows whether it has changed since.
    cached: Mutex<Option<(Stamp, Arc<TagIndex>)>>,
}

/// Identifies one version of a file: replacing it by renaming changes the inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata()?;
        Ok(Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

impl Files {
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn new(root: PathBuf, cancel: Cancel) -> Self {
        let (ready, preparing, cached) = Default::default();
        Self { root, ready, preparing, is_unsynced: AtomicBool::new(false), cached, cancel }
    }

    fn error(&self, doing: &str, path: &Path, error: io::Error) -> Error {
        Error::from_io(doing, error).at_path(path.display())
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    /// Size of a blob, if it is there.
    pub(super) fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        let path = self.blob(digest);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.error("reading the target", &path, error)),
        }
    }

    /// The content of a blob of at most `limit` bytes.
    pub(super) fn read(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let path = self.blob(digest);
        let doing = "reading the target";
        let file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(self.error(doing, &path, error)),
        };
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content).map_err(|e| self.error(doing, &path, e))?;
        if content.len() as u64 > limit {
            let message = format!("larger than {limit} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message).with_digest(digest));
        }
        Ok(Some(content))
    }

    /// Writes a blob under a temporary name, and renames it once all of it is on disk.
    /// `next` gives the content, part by part.
    pub(super) fn write<B: AsRef<[u8]>>(
        &self,
        digest: &Digest,
        mut next: impl FnMut() -> Result<Option<B>>,
    ) -> Result<()> {
        self.prepare()?;
        let path = self.blob(digest);
        let folder = path.parent().unwrap_or(&self.root);
        let failed = |e| self.error("writing the target", &path, e);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = self.temporary(folder).map_err(failed)?;
        while let Some(part) = next()? {
            file.write_all(part.as_ref()).map_err(failed)?;
        }
        self.persist(file, &path).map_err(failed)?;
        self.is_unsynced.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn temporary(&self, folder: &Path) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(temporary::PREFIX)
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
    }

    fn persist(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// `index.json` as it is now.
    pub(super) fn index(&self) -> Result<Arc<TagIndex>> {
        let path = self.root.join(INDEX);
        let failed = |e| self.error("reading the target", &path, e);
        let file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::NotADirectory => {
                return self.without_index();
            }
            Err(error) => return Err(failed(error)),
        };
        let stamp = Stamp::of(&file).map_err(failed)?;
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, index)) = &*cached
            && *known == stamp
        {
            return Ok(index.clone());
        }
        limit::LAYOUT_INDEX.check(stamp.size).map_err(|e| e.at_path(path.display()))?;
        let mut text = Vec::new();
        file.take(limit::LAYOUT_INDEX.max).read_to_end(&mut text).map_err(failed)?;
        let damaged = |e| Error::of_target(e).at_path(path.display());
        let index = Arc::new(TagIndex::parse(&text).map_err(damaged)?);
        *cached = Some((stamp, index.clone()));
        Ok(index)
    }

    /// An empty index, for a directory without `index.json`. Fails if the directory holds something
    /// else, so that it is not turned into a layout by mistake.
    fn without_index(&self) -> Result<Arc<TagIndex>> {
        let foreign = match fs::read_dir(&self.root) {
            Ok(mut items) => {
                items.next().is_some()
                    && !self.root.join(MARKER).exists()
                    && !self.root.join("blobs").is_dir()
            }
            Err(error) if is_absent(&error) => false,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => true,
            Err(error) => return Err(self.error("reading the target", &self.root, error)),
        };
        if foreign {
            let message = "what is there is not empty, and no OCI layout";
            return Err(Error::new(ErrorKind::Usage, message).at_path(self.root.display()));
        }
        Ok(Arc::new(TagIndex::empty()))
    }

    /// The exclusive lock, to be held while `index.json` is read and replaced.
    pub(super) fn lock_index(&self) -> Result<File> {
        self.prepare()?;
        let path = self.root.join(MARKER);
        let failed = |e| self.error("locking the target", &path, e);
        let file = open_regular(&path).map_err(failed)?;
        wait_for_lock(&self.cancel, || file.try_lock()).map_err(failed)?;
        Ok(file)
    }

    pub(super) fn replace_index(&self, index: &TagIndex) -> Result<()> {
        if !index.is_changed() {
            return Ok(());
        }
        let path = self.root.join(INDEX);
        let failed = |e| self.error("writing the target", &path, e);
        // After a loss of power nothing may be listed that is not there. So the names of the blobs are on
        // disk before the index is renamed, and its own name after.
        self.sync()?;
        let text = index.text();
        // What would not be read is not written: the target could not be used afterwards.
        limit::LAYOUT_INDEX.check(text.len()).map_err(|e| e.at_path(path.display()))?;
        let mut file = self.temporary(&self.root).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        self.persist(file, &path).map_err(failed)?;
        sync_folder(&self.root).map_err(failed)
    }

    /// Makes the names of all blobs that were written survive a loss of power.
    pub(super) fn sync(&self) -> Result<()> {
        if self.is_unsynced.swap(false, Ordering::Relaxed) {
            for folder in self.folders() {
                sync_folder(&folder).map_err(|e| self.error("writing the target", &folder, e))?;
            }
        }
        Ok(())
    }

    /// The folders that hold blobs, and those above them, as far as they exist.
    fn folders(&self) -> Vec<PathBuf> {
        let blobs = self.root.join("blobs");
        let mut folders: Vec<PathBuf> = ["sha256", "sha512"].map(|name| blobs.join(name)).into();
        folders.extend([blobs, self.root.clone()]);
        folders.retain(|folder| folder.is_dir());
        folders
    }

    /// Prepares for the first write: creates the directory and its marker, takes the shared lock, and
    /// removes the temporary files of killed runs.
    fn prepare(&self) -> Result<()> {
        let _one = self.preparing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ready.get().is_some() {
            return Ok(());
        }
        let failed = |e| self.error("writing the target", &self.root, e);
        self.index()?;
        fs::create_dir_all(self.root.join("blobs").join("sha256")).map_err(failed)?;
        let lock = File::open(&self.root).map_err(failed)?;
        match lock.try_lock() {
            // No other run is writing here, so its temporary files are left over.
            Ok(()) => self.sweep().map_err(failed)?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        wait_for_lock(&self.cancel, || lock.try_lock_shared()).map_err(failed)?;
        let marker = self.root.join(MARKER);
        if !marker.exists() {
            let mut file = self.temporary(&self.root).map_err(failed)?;
            file.write_all(MARKER_TEXT).map_err(failed)?;
            file.as_file().sync_all().map_err(failed)?;
            // Another run may have created the marker meanwhile. It must stay, because that run may
            // hold its lock on it.
            match file.persist_noclobber(&marker) {
                Ok(_) => {}
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error.error)),
            }
        }
        let _ = self.ready.set(lock);
        Ok(())
    }

    /// Removes all temporary files.
    fn sweep(&self) -> io::Result<()> {
        for folder in self.folders() {
            let items = match fs::read_dir(&folder) {
                Ok(items) => items,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(error),
            };
            for item in items {
                let item = item?;
                if temporary::is_temporary(&item) {
                    fs::remove_file(item.path())?;
                }
            }
        }
        Ok(())
    }
}

/// Makes the names in a folder survive a loss of power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
