//! The way to a server: every request passes here, and waits where the server has enough.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::pace::{After, Kind, Outcome, Pace};
use crate::{
    apply::{Progress, Wait},
    error::{Error, ErrorKind, Result},
};

/// So long nothing is asked of a server that was given up.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Lets so many requests pass at once as the server bears, and none once it is given up.
pub(super) struct Gate {
    pace: Mutex<Pace>,
    /// When and why the server was given up.
    broken: Mutex<Option<(Instant, String)>>,
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
    /// What the server did, to be read after its name.
    did: String,
}

impl Gate {
    pub(super) fn new(
        bound: usize,
        host: impl Into<String>,
        progress: Option<Arc<dyn Progress>>,
    ) -> Arc<Self> {
        let (pace, broken, moved) = (Mutex::new(Pace::new(bound)), Mutex::default(), Notify::new());
        Arc::new(Self { pace, broken, moved, host: host.into(), progress })
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.pace().forgive();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Waits until a request may be made.
    ///
    /// # Errors
    /// Where the server is given up.
    pub(super) async fn enter(self: &Arc<Self>, kind: Kind) -> Result<Permit> {
        let mut waiting = None;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            self.check()?;
            let closed_until = {
                let (mut pace, begun) = (self.pace(), Instant::now());
                if pace.begin(kind, begun) {
                    let (outcome, did) = (Outcome::Silent, String::new());
                    return Ok(Permit { gate: self.clone(), kind, begun, outcome, did });
                }
                pace.closed_until(begun)
            };
            if waiting.is_none() && kind == Kind::Small {
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
        if let Some(progress) = &self.progress {
            progress.waiting(&Wait::new(time, format!("{}, which {why}", self.host)));
        }
    }
}

impl Permit {
    /// The request has ended: what that says of the server, and what the server did.
    pub(super) fn end(mut self, outcome: Outcome, did: &str) {
        self.outcome = outcome;
        did.clone_into(&mut self.did);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let after = self.gate.pace().end(self.kind, self.outcome, self.begun, Instant::now());
        match after {
            After::Nothing => {}
            After::Pause(pause) => self.gate.tell(pause, "asks for patience"),
            After::Broken(time) => {
                let (did, time) = (&self.did, time.as_secs());
                let why = format!("the server {did}, and nothing else for {time} seconds");
                let broken = Some((Instant::now(), why));
                *self.gate.broken.lock().unwrap_or_else(PoisonError::into_inner) = broken;
            }
        }
        self.gate.moved.notify_waiters();
    }
}

/// A small request that waits; uploads let it pass.
struct Waiting<'g>(&'g Gate);

impl<'g> Waiting<'g> {
    fn of(gate: &'g Gate) -> Self {
        gate.pace().wait(true);
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.pace().wait(false);
        self.0.moved.notify_waiters();
    }
}
