//! How many requests a server bears at once: additive increase, multiplicative decrease.
//!
//! What a server refuses with 429 or 503, or drops, halves what it gets; what it answers adds a little.
//! More uploads than at the start are tried only while small requests are answered as fast as the
//! fastest ones were: where they are not, the line or the server is full already.

use std::time::{Duration, Instant};

/// What a request is, as far as the server's load goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// It sends little.
    Small,
    /// It sends a blob.
    Upload,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestOutcome {
    /// It was answered.
    Answered,
    /// The server asks for patience, perhaps for this long.
    TooMuch(Option<Duration>),
    /// The server failed.
    Failed,
    /// There was no answer.
    Silent,
}

/// What follows from a request's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    Nothing,
    /// The server wants a pause.
    Pause(Duration),
    /// It has had enough tries: for so long it gave nothing of use.
    Broken(Duration),
}

/// Requests that came to nothing, and not one answer between them.
#[derive(Debug)]
struct Streak {
    since: Instant,
    count: u32,
}

/// Uploads at the start: more are of no use to a server nearby.
const UPLOADS: usize = 4;
/// Requests at once where nobody says how many.
pub(super) const BOUND: usize = 16;

/// One more at once is tried after four rounds, each of as many answers as requests at once.
const GROWTH: f64 = 0.25;

/// A server is given up after so many requests in a row that came to nothing, and so much time: less
/// where nobody ever answered, more where the server says when to come again.
const STREAK: u32 = 10;
const UNHEARD: Duration = Duration::from_secs(5);
const USUAL: Duration = Duration::from_secs(30);
const ASKED: Duration = Duration::from_secs(120);

/// The requests under way, and how many there may be.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    bound: usize,
    /// All requests.
    limit: f64,
    /// The uploads among them.
    upload_limit: f64,
    small: usize,
    uploads: usize,
    /// Small requests that wait: uploads let them pass.
    small_waiting: usize,
    closed_until: Option<Instant>,
    /// What began before this tells nothing new.
    slowed: Option<Instant>,
    refusals: u32,
    heard: bool,
    streak: Option<Streak>,
    /// The same of uploads alone: a server whose disk is full still answers everything else.
    upload_streak: Option<Streak>,
    best: Option<Duration>,
    recent: Duration,
}

impl ConcurrencyLimit {
    /// At most so many requests at once.
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
            slowed: None,
            refusals: 0,
            heard: false,
            streak: None,
            upload_streak: None,
            best: None,
            recent: Duration::ZERO,
        }
    }

    /// Until when nothing may begin, if the server asked for that.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }

    /// Begins a request, if there is room for it.
    pub(super) fn begin(&mut self, kind: RequestKind, now: Instant) -> bool {
        let under_way = as_limit(self.small + self.uploads);
        let room = self.closed_until(now).is_none() && under_way + 1.0 <= self.limit;
        match kind {
            RequestKind::Small if room => self.small += 1,
            RequestKind::Upload
                if room
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
            (self.refusals, self.heard, self.streak) = (0, true, None);
            match kind {
                RequestKind::Small => self.time(now.saturating_duration_since(begun)),
                RequestKind::Upload => self.upload_streak = None,
            }
            self.grow(kind);
            return Consequence::Nothing;
        }
        if let Some(time) = self.is_broken(kind, outcome, begun, now) {
            return Consequence::Broken(time);
        }
        let news = self.slowed.is_none_or(|slowed| begun >= slowed);
        if news {
            self.slow_down(now);
        }
        let RequestOutcome::TooMuch(asked) = outcome else { return Consequence::Nothing };
        if !news && asked.is_none() {
            return Consequence::Nothing;
        }
        self.refusals += u32::from(news);
        // A server whose clock is behind asks for nothing.
        let own = super::backoff::pause(self.refusals.max(1));
        let pause = asked.map_or(own, |asked| asked.max(own));
        let until = Some(now + pause);
        if self.closed_until >= until {
            return Consequence::Nothing;
        }
        self.closed_until = until;
        Consequence::Pause(pause)
    }

    /// Gives the server another chance.
    pub(super) fn forgive(&mut self) {
        (self.streak, self.upload_streak) = (None, None);
    }

    /// Counts what came to nothing; gives the time of that where it is enough.
    fn is_broken(
        &mut self,
        kind: RequestKind,
        outcome: RequestOutcome,
        begun: Instant,
        now: Instant,
    ) -> Option<Duration> {
        let streak = match (kind, outcome) {
            // A line that breaks may bring a large blob across nevertheless.
            (RequestKind::Small, _) | (RequestKind::Upload, RequestOutcome::Silent) => {
                &mut self.streak
            }
            (RequestKind::Upload, _) => &mut self.upload_streak,
        };
        let streak = streak.get_or_insert(Streak { since: begun, count: 0 });
        streak.count += 1;
        let patience = match outcome {
            RequestOutcome::TooMuch(Some(asked)) if !asked.is_zero() => ASKED,
            RequestOutcome::Silent if !self.heard => UNHEARD,
            _ => USUAL,
        };
        let time = now.saturating_duration_since(streak.since);
        (streak.count >= STREAK && time >= patience).then_some(time)
    }

    fn slow_down(&mut self, now: Instant) {
        self.limit = (self.limit / 2.0).max(1.0);
        self.upload_limit = (self.upload_limit / 2.0).max(1.0);
        self.slowed = Some(now);
    }

    fn grow(&mut self, kind: RequestKind) {
        self.limit = (self.limit + GROWTH / self.limit).min(as_limit(self.bound));
        if kind == RequestKind::Small {
            return;
        }
        let start = as_limit(first_uploads(self.bound));
        // Small requests need room beside many uploads.
        let most = as_limit(self.bound - self.bound.div_ceil(4)).max(start);
        let step = GROWTH / self.upload_limit;
        let best = self.best.unwrap_or_default();
        if self.upload_limit < start || self.recent <= best * 2 {
            self.upload_limit = (self.upload_limit + step).min(most);
        } else if self.recent > best * 4 {
            self.upload_limit = (self.upload_limit - step).max(start);
        }
    }

    fn time(&mut self, time: Duration) {
        self.best = Some(self.best.map_or(time, |best| best.min(time)));
        self.recent =
            if self.recent.is_zero() { time } else { self.recent.mul_f64(0.8) + time.mul_f64(0.2) };
    }
}

/// Uploads at the start; where there can be two requests, small ones have room beside them.
fn first_uploads(bound: usize) -> usize {
    UPLOADS.min(bound - 1).max(1)
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

    /// Begins as many as there is room for.
    fn fill(pace: &mut ConcurrencyLimit, kind: RequestKind, now: Instant) -> usize {
        (0..1000).take_while(|_| pace.begin(kind, now)).count()
    }

    #[test]
    fn uploads_leave_room_and_let_small_requests_pass() {
        let now = Instant::now();
        let mut pace = ConcurrencyLimit::new(BOUND);
        assert_eq!(fill(&mut pace, RequestKind::Upload, now), UPLOADS);
        assert_eq!(fill(&mut pace, RequestKind::Small, now), BOUND - UPLOADS);
        let mut pace = ConcurrencyLimit::new(1);
        assert!(pace.begin(RequestKind::Upload, now));
        assert!(!pace.begin(RequestKind::Small, now), "one is one");
        pace.wait(true);
        pace.end(RequestKind::Upload, RequestOutcome::Answered, now, now);
        assert!(!pace.begin(RequestKind::Upload, now), "a small one waits");
        assert!(pace.begin(RequestKind::Small, now));
    }

    #[test]
    fn a_refusal_halves_once_and_closes() {
        let now = Instant::now();
        let mut pace = ConcurrencyLimit::new(8);
        fill(&mut pace, RequestKind::Small, now);
        let later = now + 10 * MILLI;
        let wait = Duration::from_secs(3);
        let end = pace.end(RequestKind::Small, RequestOutcome::TooMuch(Some(wait)), now, later);
        assert_eq!(end, Consequence::Pause(wait));
        // Seven others began before that: they are no news.
        for _ in 0..7 {
            pace.end(RequestKind::Small, RequestOutcome::TooMuch(None), now, later);
        }
        assert_eq!(fill(&mut pace, RequestKind::Small, later), 0, "closed");
        assert_eq!(fill(&mut pace, RequestKind::Small, later + wait), 4);
    }

    /// Ends requests one after the other, each of so much time; gives when the server is given up.
    fn given_up(
        pace: &mut ConcurrencyLimit,
        outcome: RequestOutcome,
        each: Duration,
    ) -> Option<Duration> {
        let begun = Instant::now();
        let mut now = begun;
        for _ in 0..10_000 {
            now = pace.closed_until(now).unwrap_or(now);
            assert!(pace.begin(RequestKind::Small, now));
            let end = pace.end(RequestKind::Small, outcome, now, now + each);
            now += each;
            if matches!(end, Consequence::Broken(_)) {
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
            // Refused from the start; gone after it was there; hanging; failing; full.
            (RequestOutcome::Silent, 500 * MILLI, false, 5, 6),
            (RequestOutcome::Silent, 500 * MILLI, true, 30, 31),
            (RequestOutcome::Silent, 60 * second, true, 600, 601),
            (RequestOutcome::Failed, 500 * MILLI, false, 30, 31),
            (RequestOutcome::TooMuch(None), MILLI, false, 30, 60),
            (RequestOutcome::TooMuch(asked), MILLI, false, 120, 131),
        ] {
            let now = Instant::now();
            let mut pace = ConcurrencyLimit::new(8);
            if heard {
                assert!(pace.begin(RequestKind::Small, now));
                pace.end(RequestKind::Small, RequestOutcome::Answered, now, now);
            }
            let after = given_up(&mut pace, outcome, each).expect("given up").as_secs();
            assert!((least..=most).contains(&after), "{outcome:?} {heard}: {after} s");
        }
        // Uploads alone, while everything else is answered.
        let begun = Instant::now();
        let mut pace = ConcurrencyLimit::new(8);
        let ended = (0..100).find(|turn| {
            let now = begun + second * *turn;
            assert!(pace.begin(RequestKind::Small, now));
            pace.end(RequestKind::Small, RequestOutcome::Answered, now, now);
            assert!(pace.begin(RequestKind::Upload, now));
            matches!(
                pace.end(RequestKind::Upload, RequestOutcome::Failed, now, now),
                Consequence::Broken(_)
            )
        });
        assert_eq!(ended, Some(30));
        // One answer in between, and it goes on.
        let now = Instant::now();
        let mut pace = ConcurrencyLimit::new(8);
        for second in 0..1000 {
            let now = now + Duration::from_secs(second);
            assert!(pace.begin(RequestKind::Small, now));
            let fails = second % 8 > 0;
            let outcome = if fails { RequestOutcome::Failed } else { RequestOutcome::Answered };
            assert!(!matches!(
                pace.end(RequestKind::Small, outcome, now, now),
                Consequence::Broken(_)
            ));
        }
    }

    #[test]
    fn a_pause_of_nothing_is_a_pause() {
        let now = Instant::now();
        let mut pace = ConcurrencyLimit::new(8);
        assert!(pace.begin(RequestKind::Small, now));
        let end =
            pace.end(RequestKind::Small, RequestOutcome::TooMuch(Some(Duration::ZERO)), now, now);
        assert!(matches!(end, Consequence::Pause(pause) if pause >= 100 * MILLI), "{end:?}");
    }

    /// Uploads after so many rounds in which small requests take this long.
    fn uploads_after(rounds: usize, best: Duration, then: Duration) -> usize {
        let begun = Instant::now();
        let mut pace = ConcurrencyLimit::new(BOUND);
        assert!(pace.begin(RequestKind::Small, begun));
        pace.end(RequestKind::Small, RequestOutcome::Answered, begun, begun + best);
        for _ in 0..rounds {
            assert!(
                pace.begin(RequestKind::Small, begun) && pace.begin(RequestKind::Upload, begun)
            );
            pace.end(RequestKind::Small, RequestOutcome::Answered, begun, begun + then);
            pace.end(RequestKind::Upload, RequestOutcome::Answered, begun, begun + then);
        }
        fill(&mut pace, RequestKind::Upload, begun)
    }

    #[test]
    fn more_uploads_only_where_answers_stay_fast() {
        assert_eq!(uploads_after(2000, 40 * MILLI, 50 * MILLI), BOUND * 3 / 4);
        assert_eq!(uploads_after(2000, MILLI, 10 * MILLI), UPLOADS);
    }

    proptest! {
        /// A server that bears so many at once is found out, whatever the bound.
        #[test]
        fn settles_below_what_the_server_bears(bears in 1usize..40, bound in 1usize..40) {
            let mut now = Instant::now();
            let mut pace = ConcurrencyLimit::new(bound);
            let (mut refused, mut answered) = (0, 0);
            for round in 0..400 {
                now = pace.closed_until(now).unwrap_or(now) + MILLI;
                let begun = fill(&mut pace, RequestKind::Small, now);
                prop_assert!((1..=bound).contains(&begun));
                for place in 0..begun {
                    let fits = place < bears;
                    let outcome = if fits { RequestOutcome::Answered } else { RequestOutcome::TooMuch(None) };
                    pace.end(RequestKind::Small, outcome, now, now + MILLI);
                    if round >= 100 {
                        answered += usize::from(fits);
                        refused += usize::from(!fits);
                    }
                }
                now += MILLI;
            }
            // At least half of what the server bears is used, and few are refused.
            prop_assert!(answered >= 300 * bears.min(bound) / 2, "{answered}");
            prop_assert!(refused * 4 <= answered, "{refused} of {answered}");
        }
    }
}
