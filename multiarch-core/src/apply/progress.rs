//! Telling how far a run is.

use crate::chart::TargetName;

/// Is told how far a run is. The library never prints; whoever shows progress implements this.
/// Calls come from the threads that work, and should return at once.
pub trait Progress: Send + Sync {
    /// A package of so many bytes is being read for what it holds.
    fn reading(&self, package: &str, bytes: u64) {
        let _ = (package, bytes);
    }

    /// So many more bytes of the package were read.
    fn read(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Work begins: so many bytes and images in total.
    fn begin(&self, bytes: u64, images: u64) {
        let _ = (bytes, images);
    }

    /// So many more bytes were sent.
    fn sent(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Bytes that were counted as sent have to be sent again.
    fn unsent(&self, bytes: u64) {
        let _ = bytes;
    }

    /// One more image is done, or has failed.
    fn image(&self, name: &TargetName, failed: bool) {
        let _ = (name, failed);
    }
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
