//! Text that a caller hands in: a pointer and a length.

use std::{ffi::c_char, slice};

use multiarch_core::{Error, ErrorKind, Result};

/// The text at `pointer`; `what` names it in errors. `(NULL, 0)` is the empty text: an empty slice of Go
/// has no address.
///
/// # Safety
/// Where `pointer` is not NULL, `length` bytes can be read there while the text is in use.
pub(crate) unsafe fn read<'a>(
    pointer: *const c_char,
    length: usize,
    what: &str,
) -> Result<&'a str> {
    let wrong = |why: &str| Err(Error::new(ErrorKind::Usage, format!("{what}: {why}")));
    if pointer.is_null() {
        return if length == 0 { Ok("") } else { wrong("the pointer is NULL") };
    }
    if isize::try_from(length).is_err() {
        return wrong("the length is more than a process can hold");
    }
    // SAFETY: not NULL, no longer than a slice may be; the caller vouches for the bytes.
    let bytes = unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length) };
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => wrong(&format!("not UTF-8 after {} bytes", error.valid_up_to())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(bytes: &[u8]) -> Result<&str> {
        // SAFETY: a slice's own address and length.
        unsafe { read(bytes.as_ptr().cast(), bytes.len(), "options") }
    }

    #[test]
    fn text_is_utf_8() {
        assert_eq!(given("镜像".as_bytes()).expect("text"), "镜像");
        assert_eq!(given(b"a\0b").expect("NUL is a character"), "a\0b");
        let error = given(b"ab\xff").expect_err("no text").to_string();
        assert_eq!(error, "options: not UTF-8 after 2 bytes");
    }

    #[test]
    fn no_address_is_no_text() {
        // SAFETY: NULL is not read.
        let (empty, null) =
            unsafe { (read(std::ptr::null(), 0, "x"), read(std::ptr::null(), 1, "x")) };
        assert_eq!(empty.expect("empty"), "");
        assert_eq!(null.expect_err("no text").to_string(), "x: the pointer is NULL");
    }
}
