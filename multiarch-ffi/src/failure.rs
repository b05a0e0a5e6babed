//! Why a call has no result, and texts as C has them.

use std::ffi::CString;

use multiarch_core::{Error, embed::error_json};
use serde::Serialize;
use serde_json::json;

use crate::code;

/// Why a call did nothing, as the command prints it with `--json`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: i32,
    pub(crate) json: CString,
}

impl Failure {
    fn new(code: i32, error: &impl Serialize) -> Self {
        Self { code, json: terminated(error_json(error)) }
    }

    /// A fault of the library itself.
    pub(crate) fn of_library(message: &str) -> Self {
        let error = json!({"kind": "panic", "message": message});
        Self::new(code::MULTIARCH_ERROR_PANIC, &error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(code::of(error.kind()), &error)
    }
}

/// The text with a NUL at its end, for programs that print it. JSON escapes control characters, so there
/// is no other NUL.
pub(crate) fn terminated(text: String) -> CString {
    CString::new(text).unwrap_or_default()
}
