//! Runs beside an async runtime, whichever it is.

use std::{
    panic,
    thread::{Builder, JoinHandle},
};

use super::builder::Import;
use crate::{
    error::{Error, Result},
    plan::Plan,
    report::{Report, Status},
    run::Cancel,
};

/// Cancels a run whose future was dropped.
struct Dropped(Cancel);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs `work` on a thread of its own, which no runtime waits for.
async fn on_a_thread<T: Send + 'static>(
    cancel: &Cancel,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (done, is_done) = async_channel::bounded(1);
    let work = move || {
        let result = work();
        // The caller may not wait any more.
        let _ = done.try_send(result);
    };
    let thread: JoinHandle<()> = Builder::new()
        .name("multiarch-run".into())
        .spawn(work)
        .map_err(|e| Error::from_io("starting a thread", e))?;
    let dropped = Dropped(cancel.clone());
    let result = is_done.recv().await;
    std::mem::forget(dropped);
    match result {
        Ok(result) => Ok(result),
        // It sends nothing only where it panicked.
        Err(_) => {
            panic::resume_unwind(thread.join().err().unwrap_or_else(|| Box::new("no result")))
        }
    }
}

/// With the feature `async`. Each works on a thread of its own, and so with every runtime. Dropping the future
/// cancels the [`Cancel`] of the import, which stops within a second or so and leaves whole what it has written.
impl Import {
    /// [`Import::plan`], for async code.
    ///
    /// # Errors
    /// As [`Import::plan`]; [`ErrorKind::Io`](crate::ErrorKind::Io) where there is no thread.
    pub async fn plan_async(self) -> Result<Plan> {
        let cancel = self.context.cancel.clone();
        on_a_thread(&cancel, move || self.plan()).await?
    }

    /// [`Import::status`], for async code.
    ///
    /// # Errors
    /// As [`Import::plan_async`].
    pub async fn status_async(self) -> Result<Status> {
        let cancel = self.context.cancel.clone();
        on_a_thread(&cancel, move || self.status()).await?
    }
}

/// With the feature `async`.
impl Plan {
    /// [`Plan::apply`], for async code. Dropping the future cancels the [`Cancel`] of the import; what the run did
    /// until then stays, and the same import goes on from there.
    ///
    /// ```
    /// use multiarch_core::{Import, Target};
    /// # async fn fuse() -> multiarch_core::Result<()> {
    /// let import = Import::into(Target::open("oci:store")?).package("addon-arm64.tar.gz");
    /// let report = import.plan_async().await?.apply_async().await?;
    /// assert!(report.complete, "{report}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where there is no thread.
    pub async fn apply_async(&self) -> Result<Report> {
        let (plan, cancel) = (self.clone(), self.cancel_token());
        on_a_thread(&cancel, move || plan.apply()).await
    }

    /// The import's; a plan that was read from JSON has none, and does nothing.
    fn cancel_token(&self) -> Cancel {
        self.live.as_ref().map(|live| live.context.cancel.clone()).unwrap_or_default()
    }
}
