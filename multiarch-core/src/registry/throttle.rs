//! The way to a server: every request passes here, and waits where the server has enough.

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
    run::{Meter, SendPermit},
    store::ReadOrder,
};

/// So long nothing is asked of a server that was given up.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Lets so many requests pass at once as the server bears, and none once it is given up.
pub(super) struct Throttle {
    limit: Mutex<ConcurrencyLimit>,
    /// When and why the server was given up.
    broken: Mutex<Option<(Instant, String)>>,
    moved: Notify,
    /// Uploads that wait: where their bytes are, and a number that tells them apart.
    line: Mutex<BTreeSet<(ReadOrder, u64)>>,
    numbers: AtomicU64,
    host: String,
    meter: Meter,
}

/// A request that may be made; whoever drops it without saying how it ended has given it up.
pub(super) struct Permit {
    throttle: Arc<Throttle>,
    kind: RequestKind,
    begun: Instant,
    outcome: RequestOutcome,
    /// What the server did, to be read after its name.
    did: String,
}

/// The gates of all servers that are spoken to with the same options.
#[derive(Clone, Default)]
pub(super) struct Throttles(Arc<Mutex<BTreeMap<String, Arc<Throttle>>>>);

impl std::fmt::Debug for Throttles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttles")
    }
}

impl Throttles {
    /// The throttle of a server: images and charts may go to the same one.
    pub(super) fn get(&self, bound: usize, host: &str, meter: Meter) -> Arc<Throttle> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let throttle = gates.entry(host.to_owned());
        throttle.or_insert_with(|| Throttle::new(bound, host, meter)).clone()
    }
}

impl Throttle {
    fn new(bound: usize, host: impl Into<String>, meter: Meter) -> Arc<Self> {
        let (limit, moved) = (Mutex::new(ConcurrencyLimit::new(bound)), Notify::new());
        let (broken, line, numbers) = Default::default();
        Arc::new(Self { limit, broken, moved, line, numbers, host: host.into(), meter })
    }

    fn limit(&self) -> MutexGuard<'_, ConcurrencyLimit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where the server was given up a moment ago; a later run tries it again.
    fn check(&self) -> Result<()> {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match &*broken {
            Some((at, why)) if at.elapsed() < GIVEN_UP => {
                Err(Error::new(ErrorKind::Unreachable, why).at_host(&self.host))
            }
            Some(_) => {
                *broken = None;
                self.limit().forgive();
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn line(&self) -> MutexGuard<'_, BTreeSet<(ReadOrder, u64)>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a small request may be made.
    ///
    /// # Errors
    /// Where the server is given up.
    pub(super) async fn enter(self: &Arc<Self>) -> Result<Permit> {
        self.pass(RequestKind::Small, None).await
    }

    /// Waits until a blob may be sent. Of those that wait, the one whose bytes are read first is.
    ///
    /// # Errors
    /// Where the server is given up.
    pub(super) async fn enter_to_upload(self: &Arc<Self>, place: ReadOrder) -> Result<Permit> {
        let lined_up = LinedUp::of(self, place);
        self.pass(RequestKind::Upload, Some(&lined_up)).await
    }

    async fn pass(
        self: &Arc<Self>,
        kind: RequestKind,
        lined_up: Option<&LinedUp<'_>>,
    ) -> Result<Permit> {
        let mut waiting = None;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            self.check()?;
            let closed_until = {
                let (mut limit, begun) = (self.limit(), Instant::now());
                if lined_up.is_none_or(LinedUp::is_first) && limit.begin(kind, begun) {
                    let (outcome, did) = (RequestOutcome::Silent, String::new());
                    return Ok(Permit { throttle: self.clone(), kind, begun, outcome, did });
                }
                limit.closed_until(begun)
            };
            if waiting.is_none() && kind == RequestKind::Small {
                waiting = Some(Waiting::of(self));
            }
            match closed_until {
                // Whoever is under way may find out more.
                Some(until) => {
                    let _ = tokio::time::timeout_at(until.into(), moved).await;
                }
                None => moved.await,
            }
        }
    }

    /// Tells that something is waited for.
    pub(super) fn tell(&self, time: Duration, why: &str) {
        self.meter.waiting(time, format!("{}, which {why}", self.host));
    }
}

impl Permit {
    /// Who may upload passes on what it reads: the server takes it.
    pub(super) fn may_send(&self) -> SendPermit {
        SendPermit::new()
    }

    /// The request was answered, or not: what that says of the server, and what the server did.
    pub(super) fn note(&mut self, outcome: RequestOutcome, did: &str) {
        self.outcome = outcome;
        did.clone_into(&mut self.did);
    }

    /// The same, and the request has ended.
    pub(super) fn end(mut self, outcome: RequestOutcome, did: &str) {
        self.note(outcome, did);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let after = self.throttle.limit().end(self.kind, self.outcome, self.begun, Instant::now());
        match after {
            Consequence::Nothing => {}
            Consequence::Pause(pause) => self.throttle.tell(pause, "asks for patience"),
            Consequence::Broken(time) => {
                let (did, time) = (&self.did, time.as_secs());
                let why = format!("the server {did}, and nothing else for {time} seconds");
                let broken = Some((Instant::now(), why));
                *self.throttle.broken.lock().unwrap_or_else(PoisonError::into_inner) = broken;
            }
        }
        self.throttle.moved.notify_waiters();
    }
}

/// An upload that waits, or has begun just now.
struct LinedUp<'g> {
    throttle: &'g Throttle,
    place: (ReadOrder, u64),
}

impl<'g> LinedUp<'g> {
    fn of(throttle: &'g Throttle, place: ReadOrder) -> Self {
        let place = (place, throttle.numbers.fetch_add(1, Ordering::Relaxed));
        throttle.line().insert(place);
        Self { throttle, place }
    }

    fn is_first(&self) -> bool {
        self.throttle.line().first() == Some(&self.place)
    }
}

impl Drop for LinedUp<'_> {
    fn drop(&mut self) {
        self.throttle.line().remove(&self.place);
        self.throttle.moved.notify_waiters();
    }
}

/// A small request that waits; uploads let it pass.
struct Waiting<'g>(&'g Throttle);

impl<'g> Waiting<'g> {
    fn of(throttle: &'g Throttle) -> Self {
        throttle.limit().wait(true);
        Self(throttle)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.limit().wait(false);
        self.0.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_pass_in_the_order_in_which_they_are_read() {
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
            while throttle.line().len() < waiting.len() {
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
