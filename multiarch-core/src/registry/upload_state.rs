//! What the attempts to upload one blob have in common.

use super::{
    concurrency::RequestOutcome, retry::Retries, session::ResumePoint,
    upload_failure::UploadFailure,
};
use crate::error::Error;

/// A blob that could not be sent in one piece this often is sent in chunks.
const MAX_WHOLE_FAILURES: u32 = 3;

/// What one attempt to upload a blob passes on to the next.
#[derive(Default)]
pub(super) struct UploadState {
    pub(super) retries: Retries,
    /// The server does not take the blob in one PUT.
    pub(super) chunked: bool,
    /// How often the whole blob was sent in vain, and what came of it at last.
    pub(super) whole_failures: u32,
    pub(super) whole_error: Option<Error>,
    /// How often the upload was redirected.
    pub(super) redirects: usize,
    /// The highest offset that the upload was resumed from; the blob's size once it must not resume.
    pub(super) furthest: u64,
    /// Where the next attempt resumes; `None` to begin anew.
    pub(super) point: Option<ResumePoint>,
}

impl UploadState {
    /// What fails in one piece again and again, and not because the server has too much to do, may work in
    /// chunks. Where it does not, the first error says more.
    pub(super) fn note_failure(&mut self, failure: &UploadFailure) {
        let is_busy = matches!(failure.outcome, RequestOutcome::Throttled(_));
        if self.chunked || is_busy || failure.is_elsewhere {
            return;
        }
        self.whole_failures += 1;
        if self.whole_failures == MAX_WHOLE_FAILURES {
            (self.chunked, self.whole_error) = (true, Some(failure.error.clone()));
        }
    }
}
