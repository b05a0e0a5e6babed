//! A call: one run on a thread of the library, watched by a second one.
//!
//! The caller's thread may have a small stack, and the host's signals are not for us. Both threads are
//! gone when the call returns, and so are those that the run itself has started.

use std::thread::Builder;

use multiarch_core::{Cancel, Error, Meter};

use crate::{
    cancel::CancelHandle,
    failure::Failure,
    panics,
    progress::{Listener, Watch},
};

/// What the main thread of a process has by default. Documents are nested at most 128 deep.
const STACK: usize = 8 << 20;

/// What a run gets from its call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) meter: Meter,
    pub(crate) cancel: Cancel,
}

impl Call {
    /// Runs `body` on a thread of its own, and waits for its end and that of all of its threads.
    pub(crate) fn run<T: Send>(
        handle: Option<&CancelHandle>,
        listener: Option<Listener>,
        body: impl FnOnce(&Self) -> Result<T, Failure> + Send,
    ) -> Result<T, Failure> {
        let watched = || {
            block_signals();
            let call = Self::default();
            let result = match Watch::needed(handle, listener) {
                Some(watch) => watch.during(&call, || body(&call)),
                None => body(&call),
            };
            // All that the body has opened is dropped by now.
            call.cancel.wait_for_threads();
            result
        };
        // Not a scope: it would leave something of the standard library on the caller's thread, for as long
        // as that lives.
        let own = Builder::new().name("multiarch-call".into()).stack_size(STACK);
        // SAFETY: all that `watched` borrows outlives the thread, which is joined below, whatever happens.
        let own = unsafe { own.spawn_unchecked(watched) };
        let own = own.map_err(|e| Error::from_io("starting a thread", e))?;
        own.join().unwrap_or_else(|payload| Err(panics::failure(&*payload)))
    }
}

/// Blocks signals on this thread, and so on all that it starts. The host's handlers run on the host's
/// threads; a peer that closes early is an error of the write and no SIGPIPE; and a file beyond
/// `ulimit -f` is an error and no SIGXFSZ. A program that a run starts, such as helm, gets none of this.
fn block_signals() {
    // Signals of a fault of this very thread: blocked, they would end the process without a handler.
    const FAULTS: [i32; 6] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT];
    // SAFETY: a set of signals is plain data, filled before it is used; only this thread is changed.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut set);
        for fault in FAULTS {
            libc::sigdelset(&mut set, fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::MULTIARCH_ERROR_PANIC;

    #[test]
    fn a_run_has_a_stack_of_its_own() {
        /// Uses a kilobyte a level.
        fn deep(left: usize) -> usize {
            let room = std::hint::black_box([left; 128]);
            if left == 0 { room[0] } else { deep(left - 1) + room[1] - left }
        }
        let small = Builder::new().stack_size(64 << 10);
        let called = small.spawn(|| Call::run(None, None, |_| Ok(deep(3000))));
        assert_eq!(called.expect("a thread").join().expect("no panic").expect("no error"), 0);
    }

    #[test]
    fn a_panic_on_the_thread_of_the_run_is_a_failure() {
        let failure = Call::run::<()>(None, None, |_| panic!("on purpose")).expect_err("a panic");
        assert_eq!(failure.code, MULTIARCH_ERROR_PANIC);
        assert!(failure.json.to_string_lossy().contains("on purpose"));
    }
}
