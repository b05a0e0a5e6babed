//! The requests that came.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::Request;

/// The requests that came, and how many of them are under way.
#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Mutex<Vec<Request>>,
    came: AtomicUsize,
    under_way: AtomicUsize,
}

/// A request that is not answered yet.
pub(crate) struct UnderWay<'l> {
    log: &'l Log,
    number: usize,
}

/// What a thread holds is whole even where another thread panicked meanwhile.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// Notes a request, and tells it what else is going on.
    pub(crate) fn begin(&self, request: &mut Request) -> UnderWay<'_> {
        let mut requests = lock(&self.requests);
        request.number = self.came.fetch_add(1, Ordering::SeqCst);
        request.at_once = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        requests.push(request.clone());
        UnderWay { log: self, number: request.number }
    }

    /// What came since the last time.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.requests))
    }
}

impl UnderWay<'_> {
    /// Notes the answer. It has ended when its last byte is sent: whoever has that may ask again.
    pub(crate) fn answered(&self, status: u16) {
        let mut requests = lock(&self.log.requests);
        // It is not there any more where the log was taken meanwhile.
        if let Some(request) = requests.iter_mut().rfind(|r| r.number == self.number) {
            request.status = Some(status);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.log.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}
