//! A way to stop calls from elsewhere.

use std::{
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::panics;

/// A way to stop calls. One can be given to any number of calls, also at one time; once cancelled, it
/// stays so. Freed with `multiarch_cancel_free`, after the calls that it was given to have returned.
#[derive(Debug, Default)]
pub struct CancelHandle(AtomicBool);

impl CancelHandle {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A new one, which is not cancelled.
///
/// - Returns: owned by the caller, who frees it with `multiarch_cancel_free`. Never NULL, unless the
///   library has a fault.
#[unsafe(no_mangle)]
pub extern "C" fn multiarch_cancel_new() -> *mut CancelHandle {
    let new = || Ok(Box::into_raw(Box::<CancelHandle>::default()));
    panics::caught(new).unwrap_or(ptr::null_mut())
}

/// Stops the calls that this was given to: what is in flight is finished or given up at the next chunk.
/// Such a call returns within a second or two (a lookup of a host's name must end first); what was written
/// stays, and is whole. A call that it is given to later stops at once.
///
/// It returns at once, may be called from any thread, from the callback, and from a signal handler.
///
/// - `cancel`: borrowed; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_cancel_now(cancel: *const CancelHandle) {
    // SAFETY: NULL, or a handle that is not freed yet, says the header.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        // One atomic store, and nothing that a signal handler may not do.
        cancel.0.store(true, Ordering::Relaxed);
    }
}

/// Frees it.
///
/// - `cancel`: taken; NULL is fine. It may not be used afterwards, and no call may be using it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_cancel_free(cancel: *mut CancelHandle) {
    if !cancel.is_null() {
        let free = || {
            // SAFETY: it came from `Box::into_raw`, and the header says that it is freed once.
            drop(unsafe { Box::from_raw(cancel) });
            Ok(())
        };
        let _ = panics::caught(free);
    }
}
