//! Telling how far a run is.

use std::time::Duration;

use crate::chart::TargetName;

/// Is told how far a run is. The library never prints; whoever shows progress implements this, or
/// looks at a [`Meter`](super::Meter) now and then. Calls come from the threads that work, several at
/// once, and should return at once.
pub trait Progress: Send + Sync {
    /// A package of so many bytes is being read for what it holds. Several may be read at once.
    fn reading(&self, package: &str, bytes: u64) {
        let _ = (package, bytes);
    }

    /// So many more bytes of packages were read.
    fn read(&self, bytes: u64) {
        let _ = bytes;
    }

    /// The target is asked so many more questions: tags, manifests, blobs.
    fn asking(&self, questions: u64) {
        let _ = questions;
    }

    /// One more question is answered.
    fn answered(&self) {}

    /// Work begins.
    fn begin(&self, totals: &Totals) {
        let _ = totals;
    }

    /// So many more bytes were sent.
    fn sent(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Bytes that were counted as sent have to be sent again.
    fn unsent(&self, bytes: u64) {
        let _ = bytes;
    }

    /// So many bytes of the total need not be sent, or cannot be.
    fn spared(&self, bytes: u64) {
        let _ = bytes;
    }

    /// One more image is done, or has failed.
    fn image(&self, name: &TargetName, failed: bool) {
        let _ = (name, failed);
    }

    /// One more chart is done, or the images that belong to none; complete where all of it is there.
    fn chart(&self, name: Option<&str>, complete: bool) {
        let _ = (name, complete);
    }

    /// Nothing moves for this long, and why.
    fn waiting(&self, wait: &Wait) {
        let _ = wait;
    }
}

/// What a run has before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Bytes to send.
    pub bytes: u64,
    /// Images to look after.
    pub images: u64,
    /// Charts they belong to.
    pub charts: u64,
}

/// A pause, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// How long.
    pub time: Duration,
    /// What is waited for, to be read after "waiting for".
    pub what: String,
}

impl Wait {
    /// A pause for this.
    pub fn new(time: Duration, what: impl Into<String>) -> Self {
        Self { time, what: what.into() }
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
