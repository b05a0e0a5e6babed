//! Progress: one thread that looks at the run, and calls the host back.

use std::{
    ffi::{c_char, c_void},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread::{Builder, scope},
    time::{Duration, Instant},
};

use multiarch_core::embed::Events;

use crate::{call::Call, cancel::CancelHandle, failure::Failure};

/// Called with the progress of a call; NULL where it is not wanted.
///
/// - `user_data`: what was given with the call, untouched.
/// - `event`: borrowed until the callback returns: `event_length` bytes of JSON in UTF-8 and a NUL,
///   of the schema `multiarch.progress/v1`. Its member `log` has lines for a log, mostly none.
/// - Returns: 0 to go on; anything else cancels this call, which then calls no more.
///
/// All calls come from one thread of the library, one after the other, at most ten a second, and none once
/// the call has returned. The last one shows the end. While a callback works the run goes on, but cannot
/// return: it should be short. It may use this library, also start another call, and cancel. It must
/// return: no exception and no `longjmp` may leave it. All signals are blocked on its thread.
pub type Progress = Option<
    unsafe extern "C" fn(user_data: *mut c_void, event: *const c_char, event_length: usize) -> i32,
>;

/// The time between two events: with the last one at most ten in any second.
const PERIOD: Duration = Duration::from_millis(125);
/// How soon a cancel is seen.
const LOOK: Duration = Duration::from_millis(25);

/// A host's callback.
pub(crate) struct Listener {
    callback: unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> i32,
    user_data: *mut c_void,
}

// SAFETY: the pointer is handed back and never followed. The header says that the callback comes from a
// thread of the library.
unsafe impl Send for Listener {}

impl Listener {
    pub(crate) fn new(progress: Progress, user_data: *mut c_void) -> Option<Self> {
        progress.map(|callback| Self { callback, user_data })
    }

    /// True where the host wants to go on.
    fn tell(&self, event: &str) -> bool {
        let text = format!("{event}\0");
        // SAFETY: the header says what the callback may do; the text lives until it returns.
        unsafe { (self.callback)(self.user_data, text.as_ptr().cast(), event.len()) == 0 }
    }
}

/// What is watched while a call runs.
pub(crate) struct Watch<'a> {
    handle: Option<&'a CancelHandle>,
    listener: Option<Listener>,
}

impl<'a> Watch<'a> {
    /// `None` where there is nothing to watch.
    pub(crate) fn needed(
        handle: Option<&'a CancelHandle>,
        listener: Option<Listener>,
    ) -> Option<Self> {
        (handle.is_some() || listener.is_some()).then_some(Self { handle, listener })
    }

    /// Watches while `body` runs.
    pub(crate) fn during<T>(
        self,
        call: &Call,
        body: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // A call that is cancelled already must not begin.
        if self.handle.is_some_and(CancelHandle::is_cancelled) {
            call.cancel.cancel();
        }
        scope(|scope| {
            let (end, ended) = mpsc::channel::<()>();
            let own = Builder::new().name("multiarch-watch".into());
            let watching = own.spawn_scoped(scope, move || self.watch(call, &ended));
            let watching =
                watching.map_err(|e| multiarch_core::Error::from_io("starting a thread", e))?;
            let result = body();
            // Where `body` panics it is dropped, too, before the scope waits for the thread.
            drop(end);
            let _ = watching.join();
            result
        })
    }

    fn watch(mut self, call: &Call, ended: &Receiver<()>) {
        let (mut events, mut said, mut next) =
            (Events::default(), String::new(), Instant::now() + PERIOD);
        loop {
            let is_over = !matches!(ended.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout));
            if self.handle.is_some_and(CancelHandle::is_cancelled) {
                call.cancel.cancel();
            }
            if is_over || Instant::now() >= next {
                next = Instant::now() + PERIOD;
                let event = events.next(&call.meter);
                if event != said
                    && self.listener.as_ref().is_some_and(|listener| !listener.tell(&event))
                {
                    call.cancel.cancel();
                    self.listener = None;
                }
                said = event;
            }
            if is_over {
                return;
            }
        }
    }
}
