//! The throttle of a server: every request needs its permit, and waits while the server is at its
//! limit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::concurrency::{ConcurrencyLimit, Consequence, RequestKind, RequestOutcome};
use crate::{
    error::{Error, ErrorKind, Result},
    package::ReadOrder,
    run::{BufferPermit, Cancel, Meter},
};

/// How long requests to a server that was given up fail at once.
const GIVEN_UP_TIME: Duration = Duration::from_secs(30);

/// Allows as many concurrent requests as the server can handle, and none once it is given up.
pub(super) struct Throttle {
    limit: Mutex<ConcurrencyLimit>,
    /// When and why the server was given up.
    given_up: Mutex<Option<(Instant, String)>>,
    /// Wakes the requests that wait: a permit was returned, or the queue has changed.
    changed: Notify,
    /// Waiting uploads: where their bytes lie, and a number that makes each entry unique.
    upload_queue: Mutex<BTreeSet<(ReadOrder, u64)>>,
    next_number: AtomicU64,
    host: String,
    meter: Meter,
}

/// The right to make one request. Dropping it ends the request; without a noted outcome it counts as
/// unanswered.
pub(super) struct Permit {
    throttle: Arc<Throttle>,
    kind: RequestKind,
    begun: Instant,
    outcome: RequestOutcome,
    /// What the server did, as a predicate for messages: "answered 503".
    did: String,
}

/// The throttles of all servers that one run reaches.
#[derive(Clone, Default)]
pub(super) struct Throttles(Arc<Mutex<BTreeMap<String, Arc<Throttle>>>>);

impl std::fmt::Debug for Throttles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttles")
    }
}

impl Throttles {
    /// The throttle of a server. Images and charts may go to the same server, and then share it.
    pub(super) fn get(&self, bound: usize, host: &str, meter: Meter) -> Arc<Throttle> {
        let mut throttles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let throttle = throttles.entry(host.to_owned());
        throttle.or_insert_with(|| Throttle::new(bound, host, meter)).clone()
    }
}

impl Throttle {
    fn new(bound: usize, host: impl Into<String>, meter: Meter) -> Arc<Self> {
        let (limit, changed) = (Mutex::new(ConcurrencyLimit::new(bound)), Notify::new());
        let (given_up, upload_queue, next_number) = Default::default();
        Arc::new(Self {
            limit,
            given_up,
            changed,
            upload_queue,
            next_number,
            host: host.into(),
            meter,
        })
    }

    fn limit(&self) -> MutexGuard<'_, ConcurrencyLimit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails if the server was given up less than `GIVEN_UP_TIME` ago; after that time the server gets
    /// another chance.
    fn check(&self) -> Result<()> {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        match &*given_up {
            Some((at, why)) if at.elapsed() < GIVEN_UP_TIME => {
                Err(Error::new(ErrorKind::Unreachable, why).at_host(&self.host))
            }
            Some(_) => {
                *given_up = None;
                self.limit().reset_streaks();
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn upload_queue(&self) -> MutexGuard<'_, BTreeSet<(ReadOrder, u64)>> {
        self.upload_queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a small request may be made.
    ///
    /// # Errors
    /// If the server was given up.
    pub(super) async fn enter(self: &Arc<Self>) -> Result<Permit> {
        self.acquire(RequestKind::Small, None).await
    }

    /// Waits until a blob may be uploaded. Waiting uploads proceed in read order, so that packages are
    /// read front to back.
    ///
    /// # Errors
    /// If the server was given up.
    pub(super) async fn enter_to_upload(self: &Arc<Self>, place: ReadOrder) -> Result<Permit> {
        let queued = QueuedUpload::of(self, place);
        self.acquire(RequestKind::Upload, Some(&queued)).await
    }

    async fn acquire(
        self: &Arc<Self>,
        kind: RequestKind,
        queued: Option<&QueuedUpload<'_>>,
    ) -> Result<Permit> {
        let mut waiting = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            self.check()?;
            let closed_until = {
                let (mut limit, begun) = (self.limit(), Instant::now());
                if queued.is_none_or(QueuedUpload::is_first) && limit.begin(kind, begun) {
                    let (outcome, did) = (RequestOutcome::NoAnswer, String::new());
                    return Ok(Permit { throttle: self.clone(), kind, begun, outcome, did });
                }
                limit.closed_until(begun)
            };
            if waiting.is_none() && kind == RequestKind::Small {
                waiting = Some(WaitingRequest::of(self));
            }
            match closed_until {
                // A request in flight may end earlier and change this time, or give the server up.
                Some(until) => {
                    let _ = tokio::time::timeout_at(until.into(), changed).await;
                }
                None => changed.await,
            }
        }
    }

    /// Waits before a request is sent, where the server limits their rate. Each request of those that a
    /// permit is for waits by itself.
    pub(super) async fn pace(&self) {
        let at = self.limit().reserve(Instant::now());
        if let Some(at) = at {
            tokio::time::sleep_until(at.into()).await;
        }
    }

    /// Reports that this server makes the run wait, and why.
    pub(super) fn report_wait(&self, time: Duration, why: &str) {
        self.meter.waiting(time, format!("{}, which {why}", self.host));
    }
}

impl Permit {
    /// An upload with a permit may take buffers from the pool: it passes them on to the server.
    pub(super) fn buffer_permit(&self, cancel: &Cancel) -> BufferPermit {
        BufferPermit::new(cancel)
    }

    /// Notes how the request ended, and what the server did.
    pub(super) fn note(&mut self, outcome: RequestOutcome, did: &str) {
        self.outcome = outcome;
        did.clone_into(&mut self.did);
    }

    /// Notes the same, and ends the request.
    pub(super) fn end(mut self, outcome: RequestOutcome, did: &str) {
        self.note(outcome, did);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let after = self.throttle.limit().end(self.kind, self.outcome, self.begun, Instant::now());
        match after {
            Consequence::Nothing => {}
            Consequence::Pause(pause) => self.throttle.report_wait(pause, "asks for patience"),
            Consequence::GiveUp(time) => {
                let (did, time) = (&self.did, time.as_secs());
                let why = format!("the server {did}, and nothing else for {time} seconds");
                let given_up = Some((Instant::now(), why));
                *self.throttle.given_up.lock().unwrap_or_else(PoisonError::into_inner) = given_up;
            }
        }
        self.throttle.changed.notify_waiters();
    }
}

/// An entry of the upload queue, removed on drop.
struct QueuedUpload<'g> {
    throttle: &'g Throttle,
    place: (ReadOrder, u64),
}

impl<'g> QueuedUpload<'g> {
    fn of(throttle: &'g Throttle, place: ReadOrder) -> Self {
        let place = (place, throttle.next_number.fetch_add(1, Ordering::Relaxed));
        throttle.upload_queue().insert(place);
        Self { throttle, place }
    }

    fn is_first(&self) -> bool {
        self.throttle.upload_queue().first() == Some(&self.place)
    }
}

impl Drop for QueuedUpload<'_> {
    fn drop(&mut self) {
        self.throttle.upload_queue().remove(&self.place);
        self.throttle.changed.notify_waiters();
    }
}

/// Counts a small request as waiting until it is dropped; no upload begins meanwhile.
struct WaitingRequest<'g>(&'g Throttle);

impl<'g> WaitingRequest<'g> {
    fn of(throttle: &'g Throttle) -> Self {
        throttle.limit().wait(true);
        Self(throttle)
    }
}

impl Drop for WaitingRequest<'_> {
    fn drop(&mut self) {
        self.0.limit().wait(false);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_uploads_proceed_in_read_order() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let order = runtime.expect("a runtime").block_on(async {
            let throttle = Throttle::new(1, "host", Meter::new());
            let first = throttle.enter_to_upload([9; 3]).await.expect("free");
            let order = Arc::new(Mutex::new(Vec::new()));
            let waiting: Vec<_> = [[0, 3, 0], [0, 1, 7], [1, 0, 0], [0, 1, 5]]
                .map(|place| {
                    let (throttle, order) = (throttle.clone(), order.clone());
                    tokio::spawn(async move {
                        let permit =
                            throttle.enter_to_upload(place).await.expect("free in the end");
                        order.lock().expect("whole").push(place);
                        permit.end(RequestOutcome::Answered, "");
                    })
                })
                .into();
            while throttle.upload_queue().len() < waiting.len() {
                tokio::task::yield_now().await;
            }
            first.end(RequestOutcome::Answered, "");
            for task in waiting {
                task.await.expect("ends");
            }
            order.lock().expect("whole").clone()
        });
        assert_eq!(order, [[0, 1, 5], [0, 1, 7], [0, 3, 0], [1, 0, 0]]);
    }
}
