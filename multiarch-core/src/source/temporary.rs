//! The names of temporary files, which a killed run leaves and the next one removes.

use std::fs::DirEntry;

pub(crate) const PREFIX: &str = ".multiarch-";

/// True for a file of such a name. A folder, a link or a pipe belongs to another program, whatever its name.
pub(crate) fn is_temporary(item: &DirEntry) -> bool {
    item.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
        && item.file_type().is_ok_and(|kind| kind.is_file())
}
