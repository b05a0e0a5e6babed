//! Files that are read as a whole: a pipe would be waited for, and a device has no end.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use crate::limit::Limit;

/// Opens a regular file.
///
/// # Errors
/// Where it cannot be opened, or is a pipe, a socket or a device.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a pipe waits for a writer, so the kind is asked for before.
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other(
            "neither a file nor a folder, but a pipe, a socket or a device",
        ));
    }
    File::open(path)
}

/// The content of a regular file.
///
/// # Errors
/// As [`open_regular`]; beyond the limit, with the [`Error`](crate::Error) that says so inside.
pub(crate) fn read_regular(path: &Path, limit: Limit) -> io::Result<Vec<u8>> {
    read_within(open_regular(path)?, limit)
}

/// The content of a file, of whatever kind.
///
/// # Errors
/// Where it cannot be read; beyond the limit, with the [`Error`](crate::Error) that says so inside.
pub(crate) fn read_within(file: File, limit: Limit) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(limit.max.saturating_add(1)).read_to_end(&mut content)?;
    limit.check(content.len())?;
    Ok(content)
}
