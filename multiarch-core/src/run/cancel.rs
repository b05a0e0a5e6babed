//! Stopping a run.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use crate::error::{Error, ErrorKind, Result};

/// How often a wait checks whether the run was cancelled.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// A token that stops a run from elsewhere: from a signal handler, another thread, a C caller.
/// Clones share its state. The run checks it before every chunk that it reads or writes.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug, Default)]
struct CancelState {
    is_cancelled: AtomicBool,
    /// Threads that no scope joins: they end by themselves, some of them soon after the run.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Cancel {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// True once [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Relaxed)
    }

    /// Waits for the threads of runs that this token was given to. Call it when the import, its plan and
    /// its packages were dropped: some threads end only then. A lookup of a host's name cannot be stopped,
    /// and is waited for, too.
    pub fn wait_for_threads(&self) {
        loop {
            let thread = self.threads().pop();
            let Some(thread) = thread else { return };
            // A thread may hold the last reference to what drops here.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }

    /// Starts a thread that no scope joins.
    pub(crate) fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = Builder::new().name(name.to_owned()).spawn(work)?;
        let mut threads = self.threads();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails once the run was cancelled.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(ErrorKind::Cancelled, "cancelled"));
        }
        Ok(())
    }

    /// Sleeps; fails as soon as the run is cancelled.
    pub(crate) fn sleep(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            self.check()?;
            match until.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Ok(()),
                left => std::thread::sleep(left.min(CHECK_INTERVAL)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_waited_for() {
        let (cancel, done) = (Cancel::new(), Arc::new(AtomicBool::new(false)));
        let (inside, is_done) = (cancel.clone(), done.clone());
        let slow = move || {
            // It starts another one, and must not wait for itself.
            let later = move || {
                std::thread::sleep(Duration::from_millis(50));
                is_done.store(true, Ordering::Relaxed);
            };
            inside.spawn("later", later).expect("a thread");
            std::thread::sleep(Duration::from_millis(20));
        };
        cancel.spawn("slow", slow).expect("a thread");
        cancel.wait_for_threads();
        assert!(done.load(Ordering::Relaxed));
        cancel.wait_for_threads();
    }
}
