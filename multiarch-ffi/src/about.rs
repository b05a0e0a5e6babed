//! What the library is.

use std::ffi::{CStr, c_char};

use crate::{boundary::Out, capabilities, error::CallError, result::CallResult};

/// The version of the binary interface that this header describes. It changes where a program that was
/// compiled with an older header could not go on.
pub const MULTIARCH_ABI_VERSION: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL in it"),
    };

/// The library's version, such as `0.1.0`.
///
/// - Returns: constant, ends with a NUL, is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn multiarch_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The version of the binary interface that the library has. Another one than `MULTIARCH_ABI_VERSION`
/// means that header and library do not fit.
#[unsafe(no_mangle)]
pub extern "C" fn multiarch_abi_version() -> u32 {
    MULTIARCH_ABI_VERSION
}

/// The same, with the version in its name: a program that calls it cannot be linked with, or started on, a
/// library of another one.
#[unsafe(no_mangle)]
pub extern "C" fn multiarch_abi_1() -> u32 {
    MULTIARCH_ABI_VERSION
}

/// What the library can do: versions, features, formats of packages, targets, chart repositories, the
/// schema of each document, and every error code with its kind.
///
/// - `result`: written; JSON of the schema `multiarch.capabilities/v1`, owned by the caller.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_capabilities(
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    // SAFETY: the header demands that both can be written.
    unsafe { Out { result, error }.of(capabilities::answer) }
}
