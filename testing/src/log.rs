//! The log of requests.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::Request;

/// The requests received, and how many of them are under way.
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

/// Ignores poisoning, because the data is consistent even if another thread panicked with the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// Logs a request, and sets its number and the number of requests under way.
    pub(crate) fn begin(&self, request: &mut Request) -> UnderWay<'_> {
        let mut requests = lock(&self.requests);
        request.number = self.came.fetch_add(1, Ordering::SeqCst);
        request.at_once = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        requests.push(request.clone());
        UnderWay { log: self, number: request.number }
    }

    /// The requests since the last call.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *lock(&self.requests))
    }
}

impl UnderWay<'_> {
    /// Logs the status of the answer. `self` must be dropped before the answer's last byte is sent,
    /// because the client may send its next request as soon as it has that byte.
    pub(crate) fn answered(&self, status: u16) {
        let mut requests = lock(&self.log.requests);
        // It is not in the log any more if the log was taken in the meantime.
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
