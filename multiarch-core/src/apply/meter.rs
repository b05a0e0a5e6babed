//! How far a run is, as a value that can be looked at.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::progress::{Progress, Totals, Wait};
use crate::chart::TargetName;

/// Counts what a run tells, so that it can be shown whenever somebody looks.
///
/// ```
/// use multiarch_core::apply::{Meter, Phase, Progress};
/// let meter = Meter::new();
/// meter.reading("addon-amd64.tar.gz", 1000);
/// meter.read(250);
/// let now = meter.snapshot();
/// assert_eq!((now.phase, now.bytes, now.bytes_total), (Phase::Reading, 250, 1000));
/// ```
#[derive(Debug, Default)]
pub struct Meter(Mutex<State>);

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Nothing yet.
    #[default]
    Starting,
    /// Packages are read for what they hold.
    Reading,
    /// The target is asked what it has.
    Asking,
    /// Blobs, manifests, tags and charts are written.
    Sending,
}

/// How far a run is at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes read or sent in this phase.
    pub bytes: u64,
    /// Bytes to read or send in this phase.
    pub bytes_total: u64,
    /// Bytes a second in the last 15 seconds.
    pub bytes_per_second: u64,
    /// Seconds left in this phase, by that rate; `None` where it cannot be told.
    pub seconds_left: Option<u64>,
    /// Answers of the target in this phase.
    pub answers: u64,
    /// Questions that it was asked.
    pub answers_total: u64,
    /// Images done.
    pub images: u64,
    /// Images to do.
    pub images_total: u64,
    /// Images that could not be done.
    pub images_failed: u64,
    /// Charts done.
    pub charts: u64,
    /// Charts to do.
    pub charts_total: u64,
    /// What is waited for, where nothing moves.
    pub waiting_for: Option<String>,
}

/// The time over which the rate is taken.
const WINDOW: Duration = Duration::from_secs(15);
/// The rate's samples are so far apart.
const SAMPLE: Duration = Duration::from_millis(500);
/// Without a byte for so long, something is waited for.
const STILL: Duration = Duration::from_secs(3);
/// The same where it is known what for.
const PAUSED: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct State {
    now: Snapshot,
    /// When bytes were where, oldest first.
    samples: VecDeque<(Instant, u64)>,
    moved: Option<Instant>,
    wait: Option<(Instant, String)>,
    failed: Vec<TargetName>,
}

impl Meter {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far the run is now.
    pub fn snapshot(&self) -> Snapshot {
        self.state().snapshot(Instant::now())
    }

    /// The images that failed since this was asked last.
    pub fn take_failed(&self) -> Vec<TargetName> {
        std::mem::take(&mut self.state().failed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase, at: Instant) {
        if self.now.phase != phase {
            let now = Snapshot { phase, ..Snapshot::default() };
            self.now = now;
            self.samples = [(at, 0)].into();
            self.moved = Some(at);
        }
    }

    fn advance(&mut self, bytes: u64, at: Instant) {
        self.now.bytes += bytes;
        self.moved = Some(at);
        if self.samples.back().is_none_or(|(last, _)| at.duration_since(*last) >= SAMPLE) {
            self.samples.push_back((at, self.now.bytes));
        }
        while self.samples.len() > 2 && at.duration_since(self.samples[1].0) >= WINDOW {
            self.samples.pop_front();
        }
    }

    fn snapshot(&self, at: Instant) -> Snapshot {
        let mut now = self.now.clone();
        now.bytes_total = now.bytes_total.max(now.bytes);
        if let Some((since, bytes)) = self.samples.front() {
            let seconds = at.saturating_duration_since(*since).as_secs_f64().max(0.001);
            #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
            let rate = now.bytes.saturating_sub(*bytes) as f64 / seconds;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "likewise")]
            let rate = rate as u64;
            now.bytes_per_second = rate;
            let left = now.bytes_total.saturating_sub(now.bytes);
            now.seconds_left = match (now.bytes_total, left) {
                (0, _) => None,
                (_, 0) => Some(0),
                _ => left.checked_div(rate),
            };
        }
        now.waiting_for = self.waiting_for(at);
        now
    }

    fn waiting_for(&self, at: Instant) -> Option<String> {
        let still = at.saturating_duration_since(self.moved?);
        if let Some((until, what)) = self.wait.as_ref().filter(|(until, _)| *until > at) {
            let left = (*until - at).as_secs() + 1;
            return (still >= PAUSED).then(|| format!("{what}, {left} s more"));
        }
        let now = &self.now;
        let (open, who) = match now.phase {
            Phase::Starting => (false, ""),
            Phase::Reading => (now.bytes < now.bytes_total, "the package"),
            // The first questions tell what the next ones are.
            Phase::Asking => (true, "the target"),
            Phase::Sending => {
                let all = now.images == now.images_total && now.charts == now.charts_total;
                (!all, "the target")
            }
        };
        (open && still >= STILL).then(|| format!("{who}, still for {} s", still.as_secs()))
    }
}

impl Progress for Meter {
    fn reading(&self, _: &str, bytes: u64) {
        let mut state = self.state();
        state.enter(Phase::Reading, Instant::now());
        state.now.bytes_total += bytes;
    }

    fn read(&self, bytes: u64) {
        let mut state = self.state();
        // A thread that read ahead may tell so when its package is done with.
        if state.now.phase == Phase::Reading {
            state.advance(bytes, Instant::now());
        }
    }

    fn asking(&self, questions: u64) {
        let mut state = self.state();
        state.enter(Phase::Asking, Instant::now());
        state.now.answers_total += questions;
    }

    fn answered(&self) {
        let mut state = self.state();
        state.now.answers += 1;
        state.moved = Some(Instant::now());
    }

    fn begin(&self, totals: &Totals) {
        let mut state = self.state();
        state.enter(Phase::Sending, Instant::now());
        state.now.bytes_total = totals.bytes;
        state.now.images_total = totals.images;
        state.now.charts_total = totals.charts;
    }

    fn sent(&self, bytes: u64) {
        self.state().advance(bytes, Instant::now());
    }

    fn unsent(&self, bytes: u64) {
        let mut state = self.state();
        state.now.bytes = state.now.bytes.saturating_sub(bytes);
        // What was sent in vain is no speed.
        for (_, sample) in &mut state.samples {
            *sample = sample.saturating_sub(bytes);
        }
    }

    fn spared(&self, bytes: u64) {
        let mut state = self.state();
        state.now.bytes_total = state.now.bytes_total.saturating_sub(bytes);
    }

    fn image(&self, name: &TargetName, failed: bool) {
        let mut state = self.state();
        state.failed.extend(failed.then(|| name.clone()));
        state.now.images += 1;
        state.now.images_failed += u64::from(failed);
        state.moved = Some(Instant::now());
    }

    fn chart(&self, _: Option<&str>, _: bool) {
        let mut state = self.state();
        state.now.charts += 1;
        state.moved = Some(Instant::now());
    }

    fn waiting(&self, wait: &Wait) {
        let Some(until) = Instant::now().checked_add(wait.time) else { return };
        let mut state = self.state();
        if state.wait.as_ref().is_none_or(|(before, _)| *before < until) {
            state.wait = Some((until, wait.what.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A state that sends 1000 bytes and an image in all.
    fn sending(at: Instant) -> State {
        let mut state = State::default();
        state.enter(Phase::Sending, at);
        (state.now.bytes_total, state.now.images_total) = (1000, 1);
        state
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let begun = Instant::now();
        let mut state = sending(begun);
        // 10 bytes a second for a minute, then nothing but the time left by that rate.
        for second in 1..=60 {
            state.advance(10, begun + second * SECOND);
        }
        let now = state.snapshot(begun + 60 * SECOND);
        assert_eq!((now.bytes, now.bytes_per_second, now.seconds_left), (600, 10, Some(40)));
        // Five times as fast: a whole window later the old speed is forgotten.
        for second in 61..=77 {
            state.advance(20, begun + second * SECOND);
        }
        assert_eq!(state.snapshot(begun + 77 * SECOND).bytes_per_second, 20);
    }

    #[test]
    fn a_pause_is_named_until_it_is_over() {
        let begun = Instant::now();
        let mut state = sending(begun);
        state.wait = Some((begun + 5 * SECOND, "registry.example.com (429)".into()));
        let waiting = |state: &State, second| state.snapshot(begun + second * SECOND).waiting_for;
        let named = "registry.example.com (429), 4 s more";
        assert_eq!(waiting(&state, 2).as_deref(), Some(named));
        assert_eq!(waiting(&state, 6).as_deref(), Some("the target, still for 6 s"));
        state.advance(1, begun + 7 * SECOND);
        assert_eq!(waiting(&state, 8), None);
    }

    #[test]
    fn what_is_done_has_no_time_left() {
        let begun = Instant::now();
        let mut state = sending(begun);
        assert_eq!(state.snapshot(begun + SECOND).seconds_left, None, "no rate yet");
        state.advance(1000, begun + SECOND);
        state.now.images = 1;
        let now = state.snapshot(begun + 60 * SECOND);
        assert_eq!((now.seconds_left, now.waiting_for), (Some(0), None));
    }
}
