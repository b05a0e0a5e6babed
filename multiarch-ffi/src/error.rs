//! Errors.

use std::{ffi::c_char, ptr};

use crate::{code::MULTIARCH_OK, failure::Failure, panics};

/// Why a call has no result. Freed with `multiarch_error_free`; until then any thread may read it.
#[derive(Debug)]
pub struct CallError(Failure);

impl CallError {
    pub(crate) fn new(failure: Failure) -> Self {
        Self(failure)
    }
}

/// The error's code, which the call returned, too.
///
/// - `error`: borrowed; NULL gives `MULTIARCH_OK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_error_code(error: *const CallError) -> i32 {
    // SAFETY: NULL, or an error that is not freed yet, says the header.
    unsafe { error.as_ref() }.map_or(MULTIARCH_OK, |error| error.0.code)
}

/// The error as JSON in UTF-8, of the schema `multiarch.error/v1`: kind, message, and where it happened,
/// as far as that is known (package, bundle, image, digest, host, request, path). It holds no secret.
///
/// - `error`: borrowed; NULL gives NULL and the length 0.
/// - `length`: written; the number of bytes without the NUL that follows them. NULL where it is not
///   wanted.
/// - Returns: borrowed from `error`, and valid until that is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_error_json(
    error: *const CallError,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL, or an error that is not freed yet, says the header.
    let json = unsafe { error.as_ref() }.map(|error| &error.0.json);
    let (text, size) = json.map_or((ptr::null(), 0), |json| (json.as_ptr(), json.count_bytes()));
    if !length.is_null() {
        // SAFETY: not NULL; the header demands that a size can be written there.
        unsafe { length.write(size) };
    }
    text
}

/// Frees an error, and its text with it.
///
/// - `error`: taken; NULL is fine. It may not be used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_error_free(error: *mut CallError) {
    if !error.is_null() {
        let free = || {
            // SAFETY: it came from `Box::into_raw`, and the header says that it is freed once.
            drop(unsafe { Box::from_raw(error) });
            Ok(())
        };
        let _ = panics::caught(free);
    }
}
