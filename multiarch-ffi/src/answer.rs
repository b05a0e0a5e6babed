//! What a call gives: the command's JSON, or an error in it.

use std::ffi::CString;

use multiarch_core::Error;
use serde::Serialize;
use serde_json::json;

use crate::code;

/// What a call did, as the command prints it with `--json`.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) json: CString,
    /// True where the command would end with 0.
    pub(crate) complete: bool,
}

/// Why a call did nothing, as the command prints it with `--json`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: i32,
    pub(crate) json: CString,
}

impl Answer {
    pub(crate) fn new(value: &impl Serialize, complete: bool) -> Result<Self, Failure> {
        let text = serde_json::to_string_pretty(value);
        let text = text.map_err(|e| Failure::of_library(&format!("the result is no JSON: {e}")))?;
        Ok(Self { json: terminated(text), complete })
    }
}

impl Failure {
    fn new(code: i32, error: &impl Serialize) -> Self {
        let value = json!({"schema": "multiarch.error/v1", "error": error});
        Self { code, json: terminated(format!("{value:#}")) }
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
fn terminated(text: String) -> CString {
    CString::new(text).unwrap_or_default()
}
