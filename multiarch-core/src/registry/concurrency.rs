//! How many concurrent requests a server can handle: additive increase, multiplicative decrease.
//!
//! A request that the server refuses with 429 or 503, fails or drops halves the limits; an answer
//! raises them a little. The upload limit rises above its initial value only while small requests take
//! at most twice the fastest time: slower answers mean that the network or the server is saturated.

use std::time::{Duration, Instant};

use super::pace::Pace;

/// The kinds of requests that load a server differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// It has a small body, or none.
    Small,
    /// It uploads a blob.
    Upload,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestOutcome {
    /// It was answered, or it ended for a reason that says nothing about the server's load, such as a
    /// package that cannot be read.
    Answered,
    /// The server throttles (429 or 503), with the time of its `Retry-After` if it sent one.
    Throttled(Option<Duration>),
    /// The server answered with another error that may pass, such as 500.
    Failed,
    /// There was no answer: the connection failed or timed out.
    NoAnswer,
}

/// What the throttle must do after a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    Nothing,
    /// Report that requests pause for this time.
    Pause(Duration),
    /// Give the server up: for this time every request failed.
    GiveUp(Duration),
}

/// Consecutive requests that failed.
#[derive(Debug)]
struct Streak {
    since: Instant,
    count: u32,
}

/// Concurrent uploads at the start: a server nearby gains nothing from more.
const INITIAL_UPLOADS: usize = 4;
/// The most concurrent requests where the user sets no number.
pub(super) const DEFAULT_BOUND: usize = 16;

/// A limit of n rises by `GROWTH / n` for each answer: by one after 4 n answers.
const GROWTH: f64 = 0.25;

/// A server is given up after this many consecutive failures that also span one of the times below.
const MIN_FAILURES: u32 = 10;
/// For a server that never answered.
const PATIENCE_NEVER_ANSWERED: Duration = Duration::from_secs(5);
/// For any other server.
const PATIENCE: Duration = Duration::from_secs(30);
/// For a server that says with `Retry-After` when to come again.
const PATIENCE_RETRY_AFTER: Duration = Duration::from_secs(120);

/// The requests in flight, and how many there may be.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    bound: usize,
    /// For all requests.
    limit: f64,
    /// For the uploads among them.
    upload_limit: f64,
    small: usize,
    uploads: usize,
    /// Small requests that wait; no upload begins before them.
    small_waiting: usize,
    closed_until: Option<Instant>,
    /// When the limits were halved last. A failure of a request that began earlier does not halve them
    /// again: it has the same cause.
    slowed_at: Option<Instant>,
    refusals: u32,
    ever_answered: bool,
    /// Ended by any answer.
    streak: Option<Streak>,
    /// Uploads have a second streak: a server whose disk is full still answers small requests, and
    /// each of those answers ends the first one.
    upload_streak: Option<Streak>,
    /// Time of the fastest small request.
    fastest: Option<Duration>,
    /// Moving average of the times of small requests.
    recent: Duration,
    pace: Pace,
}

impl ConcurrencyLimit {
    /// Allows at most `bound` concurrent requests, and at least one.
    pub(super) fn new(bound: usize) -> Self {
        let bound = bound.max(1);
        Self {
            bound,
            limit: as_limit(bound),
            upload_limit: as_limit(first_uploads(bound)),
            small: 0,
            uploads: 0,
            small_waiting: 0,
            closed_until: None,
            slowed_at: None,
            refusals: 0,
            ever_answered: false,
            streak: None,
            upload_streak: None,
            fastest: None,
            recent: Duration::ZERO,
            pace: Pace::default(),
        }
    }

    /// When the next request of those that were let in may be sent; `None` for at once.
    pub(super) fn reserve(&mut self, now: Instant) -> Option<Instant> {
        self.pace.reserve(now)
    }

    /// Until when no request may begin, if the server throttles.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }

    /// Begins a request, if the limits allow it.
    pub(super) fn begin(&mut self, kind: RequestKind, now: Instant) -> bool {
        let in_flight = as_limit(self.small + self.uploads);
        let may_begin = self.closed_until(now).is_none() && in_flight + 1.0 <= self.limit;
        match kind {
            RequestKind::Small if may_begin => self.small += 1,
            RequestKind::Upload
                if may_begin
                    && self.small_waiting == 0
                    && as_limit(self.uploads) + 1.0 <= self.upload_limit =>
            {
                self.uploads += 1;
            }
            _ => return false,
        }
        true
    }

    /// A small request begins to wait, or ends to.
    pub(super) fn wait(&mut self, waits: bool) {
        if waits {
            self.small_waiting += 1;
        } else {
            self.small_waiting -= 1;
        }
    }

    /// A request has ended.
    pub(super) fn end(
        &mut self,
        kind: RequestKind,
        outcome: RequestOutcome,
        begun: Instant,
        now: Instant,
    ) -> Consequence {
        match kind {
            RequestKind::Small => self.small -= 1,
            RequestKind::Upload => self.uploads -= 1,
        }
        if outcome == RequestOutcome::Answered {
            (self.refusals, self.ever_answered, self.streak) = (0, true, None);
            match kind {
                RequestKind::Small => self.note_time(now.saturating_duration_since(begun)),
                RequestKind::Upload => self.upload_streak = None,
            }
            self.grow(kind);
            self.pace.speed_up();
            return Consequence::Nothing;
        }
        if let Some(time) = self.count_failure(kind, outcome, begun, now) {
            return Consequence::GiveUp(time);
        }
        if outcome == RequestOutcome::Throttled(None) && self.small + self.uploads == 0 {
            self.pace.slow_down();
        }
        let is_new = self.slowed_at.is_none_or(|at| begun >= at);
        if is_new {
            self.slow_down(now);
        }
        let RequestOutcome::Throttled(asked) = outcome else { return Consequence::Nothing };
        if !is_new && asked.is_none() {
            return Consequence::Nothing;
        }
        self.refusals += u32::from(is_new);
        // `Retry-After` is zero if it is a date that has passed by our clock, so we back off in any
        // case.
        let backoff = crate::run::backoff::pause(self.refusals.max(1), std::process::id());
        let pause = asked.map_or(backoff, |asked| asked.max(backoff));
        let until = Some(now + pause);
        if self.closed_until >= until {
            return Consequence::Nothing;
        }
        self.closed_until = until;
        Consequence::Pause(pause)
    }

    /// Gives a server that was given up another chance.
    pub(super) fn reset_streaks(&mut self) {
        (self.streak, self.upload_streak) = (None, None);
    }

    /// Counts a failure. Gives the time since the streak began if the server is to be given up.
    fn count_failure(
        &mut self,
        kind: RequestKind,
        outcome: RequestOutcome,
        begun: Instant,
        now: Instant,
    ) -> Option<Duration> {
        let streak = match (kind, outcome) {
            // An upload whose connection breaks can resume, so it does not show that the server takes
            // no blobs. It counts in the streak that any answer ends.
            (RequestKind::Small, _) | (RequestKind::Upload, RequestOutcome::NoAnswer) => {
                &mut self.streak
            }
            (RequestKind::Upload, _) => &mut self.upload_streak,
        };
        let streak = streak.get_or_insert(Streak { since: begun, count: 0 });
        streak.count += 1;
        let patience = match outcome {
            RequestOutcome::Throttled(Some(asked)) if !asked.is_zero() => PATIENCE_RETRY_AFTER,
            RequestOutcome::NoAnswer if !self.ever_answered => PATIENCE_NEVER_ANSWERED,
            _ => PATIENCE,
        };
        let time = now.saturating_duration_since(streak.since);
        (streak.count >= MIN_FAILURES && time >= patience).then_some(time)
    }

    fn slow_down(&mut self, now: Instant) {
        self.limit = (self.limit / 2.0).max(1.0);
        self.upload_limit = (self.upload_limit / 2.0).max(1.0);
        self.slowed_at = Some(now);
    }

    fn grow(&mut self, kind: RequestKind) {
        self.limit = (self.limit + GROWTH / self.limit).min(as_limit(self.bound));
        if kind == RequestKind::Small {
            return;
        }
        let start = as_limit(first_uploads(self.bound));
        // A quarter of the bound is left to small requests.
        let most = as_limit(self.bound - self.bound.div_ceil(4)).max(start);
        let step = GROWTH / self.upload_limit;
        let fastest = self.fastest.unwrap_or_default();
        if self.upload_limit < start || self.recent <= fastest * 2 {
            self.upload_limit = (self.upload_limit + step).min(most);
        } else if self.recent > fastest * 4 {
            self.upload_limit = (self.upload_limit - step).max(start);
        }
    }

    fn note_time(&mut self, time: Duration) {
        self.fastest = Some(self.fastest.map_or(time, |fastest| fastest.min(time)));
        self.recent =
            if self.recent.is_zero() { time } else { self.recent.mul_f64(0.8) + time.mul_f64(0.2) };
    }
}

/// The initial upload limit. It leaves one request to small ones, unless the bound is one.
fn first_uploads(bound: usize) -> usize {
    INITIAL_UPLOADS.min(bound - 1).max(1)
}

#[expect(clippy::cast_precision_loss, reason = "a number of connections")]
fn as_limit(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: Duration = Duration::from_millis(1);

    /// Begins as many requests as the limits allow, and counts them.
    fn fill(limit: &mut ConcurrencyLimit, kind: RequestKind, now: Instant) -> usize {
        (0..1000).take_while(|_| limit.begin(kind, now)).count()
    }

    #[test]
    fn uploads_leave_room_and_let_small_requests_pass() {
        let now = Instant::now();
        let mut limit = ConcurrencyLimit::new(DEFAULT_BOUND);
        assert_eq!(fill(&mut limit, RequestKind::Upload, now), INITIAL_UPLOADS);
        assert_eq!(fill(&mut limit, RequestKind::Small, now), DEFAULT_BOUND - INITIAL_UPLOADS);
        let mut limit = ConcurrencyLimit::new(1);
        assert!(limit.begin(RequestKind::Upload, now));
        assert!(!limit.begin(RequestKind::Small, now), "one is one");
        limit.wait(true);
        limit.end(RequestKind::Upload, RequestOutcome::Answered, now, now);
        assert!(!limit.begin(RequestKind::Upload, now), "a small one waits");
        assert!(limit.begin(RequestKind::Small, now));
    }

    #[test]
    fn a_refusal_halves_once_and_closes() {
        let now = Instant::now();
        let mut limit = ConcurrencyLimit::new(8);
        fill(&mut limit, RequestKind::Small, now);
        let later = now + 10 * MILLI;
        let wait = Duration::from_secs(3);
        let end = limit.end(RequestKind::Small, RequestOutcome::Throttled(Some(wait)), now, later);
        assert_eq!(end, Consequence::Pause(wait));
        // The seven others began before that, and do not halve the limit again.
        for _ in 0..7 {
            limit.end(RequestKind::Small, RequestOutcome::Throttled(None), now, later);
        }
        assert_eq!(fill(&mut limit, RequestKind::Small, later), 0, "closed");
        assert_eq!(fill(&mut limit, RequestKind::Small, later + wait), 4);
    }

    /// Ends requests one after the other, each after the time `each`. Gives the time after which the
    /// server is given up.
    fn given_up(
        limit: &mut ConcurrencyLimit,
        outcome: RequestOutcome,
        each: Duration,
    ) -> Option<Duration> {
        let begun = Instant::now();
        let mut now = begun;
        for _ in 0..10_000 {
            now = limit.closed_until(now).unwrap_or(now);
            assert!(limit.begin(RequestKind::Small, now));
            let end = limit.end(RequestKind::Small, outcome, now, now + each);
            now += each;
            if matches!(end, Consequence::GiveUp(_)) {
                return Some(now - begun);
            }
        }
        None
    }

    #[test]
    fn a_server_that_gives_nothing_is_given_up() {
        let second = Duration::from_secs(1);
        let asked = Some(Duration::from_secs(10));
        for (outcome, each, heard, least, most) in [
            // In turn: refusing connections; gone after an answer; hanging; failing; throttling
            // without and with `Retry-After`.
            (RequestOutcome::NoAnswer, 500 * MILLI, false, 5, 6),
            (RequestOutcome::NoAnswer, 500 * MILLI, true, 30, 31),
            (RequestOutcome::NoAnswer, 60 * second, true, 600, 601),
            (RequestOutcome::Failed, 500 * MILLI, false, 30, 31),
            (RequestOutcome::Throttled(None), MILLI, false, 30, 60),
            (RequestOutcome::Throttled(asked), MILLI, false, 120, 131),
        ] {
            let now = Instant::now();
            let mut limit = ConcurrencyLimit::new(8);
            if heard {
                assert!(limit.begin(RequestKind::Small, now));
                limit.end(RequestKind::Small, RequestOutcome::Answered, now, now);
            }
            let after = given_up(&mut limit, outcome, each).expect("given up").as_secs();
            assert!((least..=most).contains(&after), "{outcome:?} {heard}: {after} s");
        }
        // Only uploads fail; small requests are answered.
        let begun = Instant::now();
        let mut limit = ConcurrencyLimit::new(8);
        let ended = (0..100).find(|turn| {
            let now = begun + second * *turn;
            assert!(limit.begin(RequestKind::Small, now));
            limit.end(RequestKind::Small, RequestOutcome::Answered, now, now);
            assert!(limit.begin(RequestKind::Upload, now));
            matches!(
                limit.end(RequestKind::Upload, RequestOutcome::Failed, now, now),
                Consequence::GiveUp(_)
            )
        });
        assert_eq!(ended, Some(30));
        // One answer in eight is enough to go on.
        let now = Instant::now();
        let mut limit = ConcurrencyLimit::new(8);
        for second in 0..1000 {
            let now = now + Duration::from_secs(second);
            assert!(limit.begin(RequestKind::Small, now));
            let fails = second % 8 > 0;
            let outcome = if fails { RequestOutcome::Failed } else { RequestOutcome::Answered };
            assert!(!matches!(
                limit.end(RequestKind::Small, outcome, now, now),
                Consequence::GiveUp(_)
            ));
        }
    }

    #[test]
    fn a_retry_after_of_zero_still_pauses() {
        let now = Instant::now();
        let mut limit = ConcurrencyLimit::new(8);
        assert!(limit.begin(RequestKind::Small, now));
        let end = limit.end(
            RequestKind::Small,
            RequestOutcome::Throttled(Some(Duration::ZERO)),
            now,
            now,
        );
        assert!(matches!(end, Consequence::Pause(pause) if pause >= 100 * MILLI), "{end:?}");
    }

    /// How many uploads may begin after `rounds` rounds in which small requests take the time `then`,
    /// if the first one took the time `best`.
    fn uploads_after(rounds: usize, best: Duration, then: Duration) -> usize {
        let begun = Instant::now();
        let mut limit = ConcurrencyLimit::new(DEFAULT_BOUND);
        assert!(limit.begin(RequestKind::Small, begun));
        limit.end(RequestKind::Small, RequestOutcome::Answered, begun, begun + best);
        for _ in 0..rounds {
            assert!(
                limit.begin(RequestKind::Small, begun) && limit.begin(RequestKind::Upload, begun)
            );
            limit.end(RequestKind::Small, RequestOutcome::Answered, begun, begun + then);
            limit.end(RequestKind::Upload, RequestOutcome::Answered, begun, begun + then);
        }
        fill(&mut limit, RequestKind::Upload, begun)
    }

    #[test]
    fn more_uploads_only_where_answers_stay_fast() {
        assert_eq!(uploads_after(2000, 40 * MILLI, 50 * MILLI), DEFAULT_BOUND * 3 / 4);
        assert_eq!(uploads_after(2000, MILLI, 10 * MILLI), INITIAL_UPLOADS);
    }

    proptest! {
        /// The limit settles near the number of requests that the server can handle, whatever the
        /// bound.
        #[test]
        fn settles_near_the_capacity_of_the_server(capacity in 1usize..40, bound in 1usize..40) {
            let mut now = Instant::now();
            let mut limit = ConcurrencyLimit::new(bound);
            let (mut refused, mut answered) = (0, 0);
            for round in 0..400 {
                now = limit.closed_until(now).unwrap_or(now) + MILLI;
                let begun = fill(&mut limit, RequestKind::Small, now);
                prop_assert!((1..=bound).contains(&begun));
                for place in 0..begun {
                    let fits = place < capacity;
                    let outcome = if fits { RequestOutcome::Answered } else { RequestOutcome::Throttled(None) };
                    limit.end(RequestKind::Small, outcome, now, now + MILLI);
                    if round >= 100 {
                        answered += usize::from(fits);
                        refused += usize::from(!fits);
                    }
                }
                now += MILLI;
            }
            // At least half of the capacity is used, and at most one request in five is refused.
            prop_assert!(answered >= 300 * capacity.min(bound) / 2, "{answered}");
            prop_assert!(refused * 4 <= answered, "{refused} of {answered}");
        }
    }
}
