//! The runtime that executes requests.

use std::{future::Future, sync::mpsc};

use crate::{
    error::{Error, ErrorKind, Result},
    run::{CHECK_INTERVAL, Cancel},
};

/// A small runtime of our own. A caller's thread may belong to another runtime, and must not enter
/// this one: callers hand over a future, and wait on a channel.
#[derive(Debug)]
pub(super) struct Runtime {
    /// `None` only during drop.
    inner: Option<tokio::runtime::Runtime>,
    cancel: Cancel,
}

impl Runtime {
    pub(super) fn new(cancel: Cancel) -> Result<Self> {
        let inner = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("multiarch-net")
            .enable_all()
            .build()
            .map_err(|e| Error::from_io("starting the network threads", e))?;
        Ok(Self { inner: Some(inner), cancel })
    }

    /// Starts a request; [`Pending::wait`] gives its result.
    pub(super) fn start<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let cancel = self.cancel.clone();
        if let Some(runtime) = &self.inner {
            runtime.spawn(async move {
                let result = tokio::select! {
                    result = request => result,
                    () = cancelled(&cancel) => {
                        Err(Error::new(ErrorKind::Cancelled, "cancelled"))
                    }
                };
                let _ = sender.send(result);
            });
        }
        Pending(receiver)
    }

    /// Makes a request, and waits for its result.
    pub(super) fn run<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.start(request).wait()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // A normal drop waits for the threads, and panics inside another runtime.
        if let Some(inner) = self.inner.take() {
            inner.shutdown_background();
        }
    }
}

/// A request in flight. Waiting for it ends, because every request has time limits.
pub(super) struct Pending<T>(mpsc::Receiver<Result<T>>);

impl<T> Pending<T> {
    pub(super) fn wait(self) -> Result<T> {
        self.0.recv().unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Network, "the request ended without an answer"))
        })
    }
}

async fn cancelled(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}
