//! Results.

use std::{
    ffi::{CString, c_char},
    ptr,
};

use multiarch_core::embed::CallOutcome;

use crate::{failure::terminated, panics};

/// What a call gave. Freed with `multiarch_result_free`; until then any thread may read it.
#[derive(Debug)]
pub struct CallResult {
    json: CString,
    complete: bool,
}

impl CallResult {
    pub(crate) fn new(outcome: CallOutcome) -> Self {
        Self { json: terminated(outcome.json), complete: outcome.complete }
    }
}

/// The result as JSON in UTF-8; which schema it has, the function that gave it says.
///
/// - `result`: borrowed; NULL gives NULL and the length 0.
/// - `length`: written; the number of bytes without the NUL that follows them. NULL where it is not
///   wanted.
/// - Returns: borrowed from `result`, and valid until that is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_result_json(
    result: *const CallResult,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: NULL, or a result that is not freed yet, says the header.
    let json = unsafe { result.as_ref() }.map(|result| &result.json);
    let (text, size) = json.map_or((ptr::null(), 0), |json| (json.as_ptr(), json.count_bytes()));
    if !length.is_null() {
        // SAFETY: not NULL; the header demands that a size can be written there.
        unsafe { length.write(size) };
    }
    text
}

/// True where all that was asked for is there: where the command would end with 0, and not with 1. A call
/// whose result is not complete has done the rest; errors stand in the result.
///
/// - `result`: borrowed; NULL gives false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_result_complete(result: *const CallResult) -> bool {
    // SAFETY: NULL, or a result that is not freed yet, says the header.
    unsafe { result.as_ref() }.is_some_and(|result| result.complete)
}

/// Frees a result, and its text with it.
///
/// - `result`: taken; NULL is fine. It may not be used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_result_free(result: *mut CallResult) {
    if !result.is_null() {
        let free = || {
            // SAFETY: it came from `Box::into_raw`, and the header says that it is freed once.
            drop(unsafe { Box::from_raw(result) });
            Ok(())
        };
        let _ = panics::caught(free);
    }
}
