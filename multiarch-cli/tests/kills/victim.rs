//! The process that a rule kills or stops at one of its requests.

use std::{
    process::Child,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use multiarch_testing::Request;
use rustix::process::{Pid, Signal, kill_process};

/// Before or after the server does what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

impl Moment {
    pub(crate) const BOTH: [Self; 2] = [Self::Before, Self::After];
}

/// A process, known to the rule once it runs.
#[derive(Default)]
pub(crate) struct Victim {
    pid: Mutex<Option<Pid>>,
    is_born: Condvar,
    /// How many requests it has made.
    came: AtomicUsize,
    /// What comes now is not its.
    pub(crate) is_over: AtomicBool,
    /// The request that it is hit at.
    pub(crate) at: Mutex<Option<Request>>,
    /// It goes on after it was stopped.
    pub(crate) goes_on: AtomicBool,
    /// The first request that it makes then.
    next: Mutex<Option<Request>>,
}

impl Victim {
    pub(crate) fn is(&self, child: &Child) {
        let mut pid = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        *pid = Some(Pid::from_child(child));
        self.is_born.notify_all();
    }

    /// True if this is its request of this number.
    pub(crate) fn is_hit(&self, request: &Request, number: usize) -> bool {
        if self.goes_on.load(Ordering::SeqCst) {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            next.get_or_insert_with(|| request.clone());
        }
        if self.is_over.load(Ordering::SeqCst) {
            return false;
        }
        let is_hit = self.came.fetch_add(1, Ordering::SeqCst) == number;
        if is_hit {
            *self.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.clone());
        }
        is_hit
    }

    /// True if it was hit after it had read a tag that it writes next, or while it writes one.
    pub(crate) fn is_between_read_and_write(&self, moment: Moment) -> bool {
        let request = |place: &Mutex<Option<Request>>| {
            place.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
        };
        let (at, next) = (request(&self.at), request(&self.next));
        let is_tag = at.path.contains("/manifests/") && !at.path.contains("sha256:");
        match moment {
            Moment::Before => is_tag && at.method == "PUT",
            Moment::After => {
                is_tag && at.method == "GET" && next.method == "PUT" && next.path == at.path
            }
        }
    }

    /// The request that it was hit at, for messages.
    pub(crate) fn place(&self) -> String {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.as_ref().map_or_else(|| "no request".into(), |at| format!("{} {}", at.method, at.path))
    }

    pub(crate) fn send(&self, signal: Signal) {
        let mut pid = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        while pid.is_none() {
            pid = self.is_born.wait(pid).unwrap_or_else(PoisonError::into_inner);
        }
        let pid = pid.expect("waited for");
        let _ = kill_process(pid, signal);
        // A signal is sent, and arrives a little later.
        let state = || {
            let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('Z')
        };
        let arrived = |state| match signal {
            Signal::KILL => matches!(state, 'Z' | 'X'),
            Signal::STOP => matches!(state, 'T' | 'Z'),
            _ => true,
        };
        while !arrived(state()) {
            std::thread::yield_now();
        }
    }
}
