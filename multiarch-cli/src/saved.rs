//! Files of the user: saved plans, snapshots, configurations.

use std::{
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use multiarch_core::{Error, ErrorKind, Result};
use serde::{Serialize, de::DeserializeOwned};

/// A plan of 300 charts has some 3 MiB; all else is smaller.
const MAX: u64 = 64 << 20;

/// Reads a document; `what` is what it should be.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    serde_json::from_slice(&text(path, what)?).map_err(|e| {
        Error::caused_by(ErrorKind::Usage, format!("not {what}"), e).at_path(path.display())
    })
}

/// Reads a file that the user names; `what` is what it should be.
pub(crate) fn text(path: &Path, what: &str) -> Result<Vec<u8>> {
    let at = |error: Error| error.at_path(path.display());
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX + 1).read_to_end(&mut text))
        .map_err(|e| at(Error::from_io(format!("reading {what}"), e)))?;
    if text.len() as u64 > MAX {
        return Err(at(Error::new(ErrorKind::TooLarge, format!("{what} of more than 64 MiB"))));
    }
    Ok(text)
}

/// How the names of temporary files begin.
const TEMPORARY: &str = ".multiarch-saved-";

/// Removes what killed runs have left beside a document: temporary files that no run has locked.
pub(crate) fn tidy(document: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder_of(document))? {
        let entry = entry?;
        // A pipe of such a name belongs to another program, and would be waited for.
        let is_temporary = entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_temporary
            && std::fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folder_of(document: &Path) -> &Path {
    let folder = document.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Writes a document, so that an older one stays where this one cannot be written whole.
pub(crate) fn write(document: &impl Serialize, path: &Path, doing: &str) -> Result<()> {
    let write = || {
        let text = serde_json::to_vec_pretty(document)?;
        // A link stays a link, and a device or a pipe is written to.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if path.exists() && !path.is_file() {
            return std::fs::write(path, text);
        }
        tidy(path)?;
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder_of(path))?;
        file.as_file().lock()?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|e: std::io::Error| Error::from_io(doing, e).at_path(path.display()))
}
