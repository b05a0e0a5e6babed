//! The way in and out of each function that has a result.

use multiarch_core::{Error, ErrorKind, embed::CallOutcome};

use crate::{code::MULTIARCH_OK, error::CallError, failure::Failure, panics, result::CallResult};

/// Where a function leaves what it gives.
pub(crate) struct Out {
    pub(crate) result: *mut *mut CallResult,
    pub(crate) error: *mut *mut CallError,
}

impl Out {
    /// Runs `body`, and leaves its result or its error; the other one is set to NULL.
    ///
    /// # Safety
    /// Each of both is NULL, or a pointer can be written there.
    pub(crate) unsafe fn of(self, body: impl FnOnce() -> Result<CallOutcome, Failure>) -> i32 {
        // SAFETY: the caller vouches for both.
        unsafe { (set(self.result, std::ptr::null_mut()), set(self.error, std::ptr::null_mut())) };
        let outcome = panics::caught(|| match self.result.is_null() {
            true => Err(no_place()),
            false => body().map(CallResult::new).map(Box::new),
        });
        match outcome {
            Ok(result) => {
                // SAFETY: as above.
                unsafe { set(self.result, Box::into_raw(result)) };
                MULTIARCH_OK
            }
            // SAFETY: as above.
            Err(failure) => unsafe { fail(self.error, failure) },
        }
    }
}

/// The same for a function whose only result is that there is no error.
///
/// # Safety
/// `error` is NULL, or a pointer can be written there.
pub(crate) unsafe fn check(
    error: *mut *mut CallError,
    body: impl FnOnce() -> Result<(), Failure>,
) -> i32 {
    // SAFETY: the caller vouches for it.
    unsafe { set(error, std::ptr::null_mut()) };
    match panics::caught(body) {
        Ok(()) => MULTIARCH_OK,
        // SAFETY: as above.
        Err(failure) => unsafe { fail(error, failure) },
    }
}

/// # Safety
/// `place` is NULL, or a pointer can be written there.
unsafe fn fail(place: *mut *mut CallError, failure: Failure) -> i32 {
    let code = failure.code;
    if !place.is_null() {
        let error = Box::new(CallError::new(failure));
        // SAFETY: not NULL, and the caller vouches for it.
        unsafe { place.write(Box::into_raw(error)) };
    }
    code
}

/// # Safety
/// `place` is NULL, or a pointer can be written there.
unsafe fn set<T>(place: *mut *mut T, value: *mut T) {
    if !place.is_null() {
        // SAFETY: not NULL, and the caller vouches for it.
        unsafe { place.write(value) };
    }
}

fn no_place() -> Failure {
    Error::new(ErrorKind::Usage, "result: there is no place for it, the pointer is NULL").into()
}
