//! The functions that do something. Each reads its texts and calls `multiarch-core` once.

mod read;
mod write;

pub use read::{
    multiarch_config, multiarch_inspect, multiarch_options_check, multiarch_plan, multiarch_status,
    multiarch_verify,
};
pub use write::{multiarch_apply, multiarch_import};

use std::ffi::{c_char, c_void};

use multiarch_core::embed::{CallOutcome, Request};

use crate::{
    boundary::Out,
    call::Call,
    cancel::CancelHandle,
    error::CallError,
    failure::Failure,
    progress::{Listener, Progress},
    result::CallResult,
    text,
};

/// What the functions take that run for a while.
struct Arguments {
    options: *const c_char,
    options_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
}

impl Arguments {
    /// Reads the options, and runs `body` with them on a thread of its own.
    ///
    /// # Safety
    /// As the header says of each argument.
    unsafe fn run(
        self,
        body: impl FnOnce(Request, &Call) -> Result<CallOutcome, Failure> + Send,
    ) -> i32 {
        let out = Out { result: self.result, error: self.error };
        let body = || {
            // SAFETY: the header demands this many bytes, until the function returns.
            let options = unsafe { text::read(self.options, self.options_length, "options") }?;
            // SAFETY: NULL, or a handle that is not freed before the function returns, says the header.
            let cancel = unsafe { self.cancel.as_ref() };
            let listener = Listener::new(self.progress, self.user_data);
            Call::run(cancel, listener, |call| body(request(options)?, call))
        };
        // SAFETY: the header demands that both can be written.
        unsafe { out.of(body) }
    }
}

/// Reads the document of options.
fn request(options: &str) -> Result<Request, Failure> {
    #[cfg(feature = "faults")]
    crate::faults::act(options)?;
    Ok(Request::parse(options)?)
}
