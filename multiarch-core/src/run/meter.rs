//! The progress of a run, as a value that can be read at any time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Phase, Progress};

/// Shows the progress of a run. The library never prints: give a meter to
/// [`Import::meter`](crate::Import::meter), keep a clone, and read the clone from another thread.
///
/// ```
/// use multiarch_core::{Import, Meter, Phase};
/// # fn main() -> multiarch_core::Result<()> {
/// let meter = Meter::new();
/// let import = Import::into("oci:store".parse()?).meter(&meter);
/// assert_eq!(meter.progress().phase, Phase::Starting);
/// # drop(import);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<MeterState>>);

/// The rate is the average over this time.
const WINDOW: Duration = Duration::from_secs(15);
/// Time between two samples for the rate.
const SAMPLE: Duration = Duration::from_millis(500);
/// When nothing has moved for this long, the progress says that the run waits.
const STILL: Duration = Duration::from_secs(3);
/// The same where a step has said why it waits.
const PAUSED: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct MeterState {
    now: Progress,
    /// Times, and the bytes done at each, oldest first.
    samples: VecDeque<(Instant, u64)>,
    /// When anything was done last.
    moved: Option<Instant>,
    /// Until when a step waits, and for what.
    wait: Option<(Instant, String)>,
    /// Names of failed images that the caller has not taken yet.
    failed: Vec<String>,
}

impl Meter {
    /// A meter of a run that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far the run is now.
    pub fn progress(&self) -> Progress {
        self.state().progress(Instant::now())
    }

    /// The names of the images that failed since the last call.
    pub fn take_failed(&self) -> Vec<String> {
        std::mem::take(&mut self.state().failed)
    }

    fn state(&self) -> MutexGuard<'_, MeterState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MeterState {
    fn enter(&mut self, phase: Phase, at: Instant) {
        if self.now.phase != phase {
            let now = Progress { phase, ..Progress::default() };
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

    fn progress(&self, at: Instant) -> Progress {
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
            // Even when all are answered: the answers decide which requests come next.
            Phase::Asking => (true, "the target"),
            Phase::Sending => {
                let all = now.images == now.images_total && now.charts == now.charts_total;
                (!all, "the target")
            }
        };
        (open && still >= STILL).then(|| format!("{who}, still for {} s", still.as_secs()))
    }
}

/// What the steps of a run report, from several threads at once.
impl Meter {
    /// The pass over another package, of this many bytes, begins.
    pub(crate) fn begin_reading(&self, bytes: u64) {
        let mut state = self.state();
        state.enter(Phase::Reading, Instant::now());
        state.now.bytes_total += bytes;
    }

    /// More bytes of packages were read.
    pub(crate) fn read(&self, bytes: u64) {
        let mut state = self.state();
        // A thread that reads ahead may report after the phase has ended.
        if state.now.phase == Phase::Reading {
            state.advance(bytes, Instant::now());
        }
    }

    /// This many more requests about tags, manifests or blobs go to the target.
    pub(crate) fn expect_answers(&self, questions: u64) {
        let mut state = self.state();
        state.enter(Phase::Asking, Instant::now());
        state.now.answers_total += questions;
    }

    /// The target has answered one more request.
    pub(crate) fn count_answer(&self) {
        let mut state = self.state();
        state.now.answers += 1;
        state.moved = Some(Instant::now());
    }

    /// Sending begins: these are its totals.
    pub(crate) fn begin_sending(&self, bytes: u64, images: u64, charts: u64) {
        let mut state = self.state();
        // A plan may be applied again with the same meter.
        state.now.phase = Phase::Starting;
        state.enter(Phase::Sending, Instant::now());
        state.now.bytes_total = bytes;
        state.now.images_total = images;
        state.now.charts_total = charts;
    }

    /// More bytes were sent.
    pub(crate) fn add_handed_out(&self, bytes: u64) {
        self.state().advance(bytes, Instant::now());
    }

    /// Bytes that were counted as sent have to be sent again.
    pub(crate) fn take_back_sent(&self, bytes: u64) {
        let mut state = self.state();
        state.now.bytes = state.now.bytes.saturating_sub(bytes);
        // Bytes that were sent in vain must not raise the rate.
        for (_, sample) in &mut state.samples {
            *sample = sample.saturating_sub(bytes);
        }
    }

    /// Takes bytes from the total that need not be sent, or cannot be.
    pub(crate) fn reduce_total(&self, bytes: u64) {
        let mut state = self.state();
        state.now.bytes_total = state.now.bytes_total.saturating_sub(bytes);
    }

    /// One more image is done; `failed` is its name if it failed.
    pub(crate) fn image_done(&self, failed: Option<String>) {
        let mut state = self.state();
        state.now.images += 1;
        state.now.images_failed += u64::from(failed.is_some());
        state.failed.extend(failed);
        state.moved = Some(Instant::now());
    }

    /// One more chart is done, or the images that belong to no chart.
    pub(crate) fn chart_done(&self) {
        let mut state = self.state();
        state.now.charts += 1;
        state.moved = Some(Instant::now());
    }

    /// A step waits for this long; `what` completes the sentence "waiting for …".
    #[cfg(feature = "registry")]
    pub(crate) fn waiting(&self, time: Duration, what: String) {
        let Some(until) = Instant::now().checked_add(time) else { return };
        let mut state = self.state();
        if state.wait.as_ref().is_none_or(|(before, _)| *before < until) {
            state.wait = Some((until, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A state that is to send 1000 bytes and one image.
    fn sending(at: Instant) -> MeterState {
        let mut state = MeterState::default();
        state.enter(Phase::Sending, at);
        (state.now.bytes_total, state.now.images_total) = (1000, 1);
        state
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let begun = Instant::now();
        let mut state = sending(begun);
        // 10 bytes a second for a minute: the time left follows from that rate.
        for second in 1..=60 {
            state.advance(10, begun + second * SECOND);
        }
        let now = state.progress(begun + 60 * SECOND);
        assert_eq!((now.bytes, now.bytes_per_second, now.seconds_left), (600, 10, Some(40)));
        // Twice as fast: a whole window later the old rate no longer counts.
        for second in 61..=77 {
            state.advance(20, begun + second * SECOND);
        }
        assert_eq!(state.progress(begun + 77 * SECOND).bytes_per_second, 20);
    }

    #[test]
    fn a_pause_is_named_until_it_is_over() {
        let begun = Instant::now();
        let mut state = sending(begun);
        state.wait = Some((begun + 5 * SECOND, "registry.example.com (429)".into()));
        let waiting =
            |state: &MeterState, second| state.progress(begun + second * SECOND).waiting_for;
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
        assert_eq!(state.progress(begun + SECOND).seconds_left, None, "no rate yet");
        state.advance(1000, begun + SECOND);
        state.now.images = 1;
        let now = state.progress(begun + 60 * SECOND);
        assert_eq!((now.seconds_left, now.waiting_for), (Some(0), None));
    }
}
