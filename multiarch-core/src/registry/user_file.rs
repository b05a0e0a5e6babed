//! Files with logins and certificates, which the user names.

use std::{fs::File, io, path::Path};

use crate::{limit, source::read_within};

/// The content of a file, or of what a shell gives in place of one.
///
/// # Errors
/// As [`read_within`].
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_within(File::open(path)?, limit::USER_FILE)
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
