//! What the library is.

use std::ffi::{CStr, c_char};

use multiarch_core::{
    ErrorKind,
    embed::{CallOutcome, capabilities},
};
use serde_json::{Map, Value};

use crate::{boundary::Out, code, error::CallError, result::CallResult};

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
    unsafe { Out { result, error }.of(|| Ok(CallOutcome::new(&document(), true)?)) }
}

/// The capabilities, with what the library alone has.
fn document() -> Value {
    let own = [("other", code::MULTIARCH_ERROR_OTHER), ("panic", code::MULTIARCH_ERROR_PANIC)];
    let own = own.map(|(name, code)| (name.to_owned(), Value::from(code)));
    let kinds = ErrorKind::ALL.iter().map(|kind| (name(*kind), code::of(*kind).into()));
    let codes: Map<String, Value> = own.into_iter().chain(kinds).collect();
    let mut document = capabilities();
    document["abi_version"] = MULTIARCH_ABI_VERSION.into();
    document["error_codes"] = codes.into();
    document
}

/// The kind as JSON has it.
fn name(kind: ErrorKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|name| name.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}
