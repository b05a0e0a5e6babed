//! Locks of files, which another run may hold, and may hold for ever where it is stopped.

use std::{fs::TryLockError, io, time::Duration};

use crate::run::Cancel;

/// How long to wait before a lock is tried again.
const INTERVAL: Duration = Duration::from_millis(20);

/// Tries a lock until it is free.
///
/// # Errors
/// Where it cannot be locked, or the run is cancelled.
pub(crate) fn wait_for_lock(
    cancel: &Cancel,
    lock: impl Fn() -> Result<(), TryLockError>,
) -> io::Result<()> {
    loop {
        match lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => cancel.sleep(INTERVAL)?,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
