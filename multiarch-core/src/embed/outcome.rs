//! What a call gives.

use serde::Serialize;
use serde_json::json;

use crate::{Error, ErrorKind, Result};

/// What a call did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallOutcome {
    /// The document, as the command prints it with `--json`.
    pub json: String,
    /// True where all that was asked for is there: where the command would end with 0.
    pub complete: bool,
}

impl CallOutcome {
    /// With this document.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for what cannot be JSON. Results of this library can.
    pub fn new(document: &impl Serialize, complete: bool) -> Result<Self> {
        let json = serde_json::to_string_pretty(document);
        let json =
            json.map_err(|e| Error::caused_by(ErrorKind::Malformed, "the result is no JSON", e))?;
        Ok(Self { json, complete })
    }
}

/// The document `multiarch.error/v1` for an error: an [`Error`], or what else has its members.
pub fn error_json(error: &impl Serialize) -> String {
    let document = json!({"schema": "multiarch.error/v1", "error": error});
    format!("{document:#}")
}
