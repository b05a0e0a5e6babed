//! The way to a server: every request passes here, and waits where the server has enough.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use super::pace::{Kind, Outcome, Pace};
use crate::apply::{Progress, Wait};

/// Lets so many requests pass at once as the server bears.
pub(super) struct Gate {
    pace: Mutex<Pace>,
    moved: Notify,
    host: String,
    progress: Option<Arc<dyn Progress>>,
}

/// A request that may be made; whoever drops it without saying how it ended has given it up.
pub(super) struct Permit {
    gate: Arc<Gate>,
    kind: Kind,
    begun: Instant,
    outcome: Outcome,
}

impl Gate {
    pub(super) fn new(
        bound: usize,
        host: impl Into<String>,
        progress: Option<Arc<dyn Progress>>,
    ) -> Arc<Self> {
        let (pace, moved) = (Mutex::new(Pace::new(bound)), Notify::new());
        Arc::new(Self { pace, moved, host: host.into(), progress })
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may be made.
    pub(super) async fn enter(self: &Arc<Self>, kind: Kind) -> Permit {
        let mut waiting = None;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let closed_until = {
                let (mut pace, now) = (self.pace(), Instant::now());
                if pace.begin(kind, now) {
                    let outcome = Outcome::Failed;
                    return Permit { gate: self.clone(), kind, begun: now, outcome };
                }
                pace.closed_until(now)
            };
            if waiting.is_none() && kind == Kind::Small {
                waiting = Some(Waiting::of(self));
            }
            match closed_until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => moved.await,
            }
        }
    }

    /// Tells that something is waited for.
    pub(super) fn tell(&self, time: std::time::Duration, why: &str) {
        if let Some(progress) = &self.progress {
            progress.waiting(&Wait::new(time, format!("{}, which {why}", self.host)));
        }
    }
}

impl Permit {
    /// The request has ended.
    pub(super) fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let pause = self.gate.pace().end(self.kind, self.outcome, self.begun, Instant::now());
        if let Some(pause) = pause {
            self.gate.tell(pause, "asks for patience");
        }
        self.gate.moved.notify_waiters();
    }
}

/// A small request that waits; uploads let it pass.
struct Waiting<'g>(&'g Gate);

impl<'g> Waiting<'g> {
    fn of(gate: &'g Gate) -> Self {
        gate.pace().small_waiting += 1;
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.pace().small_waiting -= 1;
        self.0.moved.notify_waiters();
    }
}
