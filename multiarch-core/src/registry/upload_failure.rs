//! A failed attempt to upload, after which another one may succeed.

use reqwest::Url;

use super::concurrency::RequestOutcome;
use crate::error::Error;

/// An attempt that sent nothing, or only a part of the blob.
pub(super) struct UploadFailure {
    pub(super) error: Error,
    /// The outcome that the server's throttle counts.
    pub(super) outcome: RequestOutcome,
    /// What the server did, as a predicate for messages: "answered 503".
    pub(super) did: String,
    /// It was sent to another server than the registry, because the registry says so.
    pub(super) is_elsewhere: bool,
    /// The session that may be resumed, if one had begun.
    pub(super) session: Option<Url>,
}
