//! An upload that another try may bring to its end.

use reqwest::Url;

use super::concurrency::RequestOutcome;
use crate::error::Error;

/// An upload that came to nothing, or half way.
pub(super) struct UploadFailure {
    pub(super) error: Error,
    /// What that says of the server's load.
    pub(super) outcome: RequestOutcome,
    /// What the server did, to be read after its name.
    pub(super) did: String,
    /// Where it was being sent, if it was.
    pub(super) session: Option<Url>,
}
