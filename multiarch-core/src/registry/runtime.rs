//! The runtime that executes requests.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use tokio::sync::oneshot;

use crate::{
    error::{Error, ErrorKind, Result},
    run::{CHECK_INTERVAL, Cancel},
};

/// The runtime of a run, started when the first server is reached.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedRuntime(Arc<Mutex<Option<Arc<Runtime>>>>);

impl SharedRuntime {
    pub(super) fn get(&self, cancel: &Cancel) -> Result<Arc<Runtime>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*slot {
            return Ok(runtime.clone());
        }
        Ok(slot.insert(Arc::new(Runtime::new(cancel.clone())?)).clone())
    }
}

/// A small runtime of our own. A caller's thread may belong to another runtime, and must not enter
/// this one: callers hand over a future, and wait on a channel.
///
/// It has one thread, which is started here: the runtime's own worker threads panic where the system
/// allows no more of them.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: tokio::runtime::Handle,
    cancel: Cancel,
    /// Ends the thread when it is dropped.
    _stop: oneshot::Sender<()>,
}

impl Runtime {
    fn new(cancel: Cancel) -> Result<Self> {
        let failed = |e| Error::from_io("starting the network thread", e);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            let _ = runtime.block_on(stopped);
            // A normal drop would wait for requests whose callers have ended.
            runtime.shutdown_background();
        };
        cancel.spawn("multiarch-net", run).map_err(failed)?;
        Ok(Self { handle, cancel, _stop: stop })
    }

    /// Starts a request; [`Pending::wait`] gives its result.
    pub(super) fn start<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let cancel = self.cancel.clone();
        self.handle.spawn(async move {
            let result = tokio::select! {
                result = request => result,
                () = cancelled(&cancel) => {
                    Err(Error::new(ErrorKind::Cancelled, "cancelled"))
                }
            };
            let _ = sender.send(result);
        });
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
