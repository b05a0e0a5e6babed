//! Files with logins and certificates, which the user names.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::limit;

/// The content of a file, or of what a shell gives in place of one.
///
/// # Errors
/// Where it cannot be read; beyond the limit, with the [`Error`](crate::Error) that says so inside.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(limit::USER_FILE.max + 1).read_to_end(&mut content)?;
    limit::USER_FILE.check(content.len())?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_user_file() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let of = |size: u64| {
            file.as_file().set_len(size).expect("set");
            read(file.path())
        };
        assert!(of(4 << 20).is_ok());
        assert!(of((4 << 20) + 1).is_err());
        assert!(read(Path::new("/dev/zero")).is_err());
    }
}
