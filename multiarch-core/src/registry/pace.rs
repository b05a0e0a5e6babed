//! The pace of requests to a server that limits their rate, and lets through no bursts.
//!
//! nginx does so by default (`limit_req` without `burst`). Fewer requests at once are not enough there: an
//! upload is several requests in a row, and the second one is refused each time.

use std::time::{Duration, Instant};

/// The least time between the beginnings of two requests.
#[derive(Debug, Default)]
pub(super) struct Pace {
    interval: Duration,
    next: Option<Instant>,
}

const FIRST_INTERVAL: Duration = Duration::from_millis(50);
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);
/// An interval that is not worth a wait.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);

impl Pace {
    /// A request was refused although no other one was under way.
    pub(super) fn slow_down(&mut self) {
        self.interval = (self.interval * 2).clamp(FIRST_INTERVAL, LONGEST_INTERVAL);
    }

    /// A request was answered: the pace rises by a sixty-fourth.
    pub(super) fn speed_up(&mut self) {
        self.interval -= self.interval / 64;
        if self.interval < SHORTEST_INTERVAL {
            self.interval = Duration::ZERO;
        }
    }

    /// When the next request may begin; `None` where it need not wait.
    pub(super) fn reserve(&mut self, now: Instant) -> Option<Instant> {
        if self.interval.is_zero() {
            self.next = None;
            return None;
        }
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + self.interval);
        (at > now).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that lets through one request each 100 ms: the pace falls below its rate, and the longest
    /// row of refusals is shorter than the number of attempts that a request has.
    #[test]
    fn it_falls_below_the_rate_of_a_server() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let (mut now, mut last) = (begin, None::<Instant>);
        let (mut in_a_row, mut most) = (0, 0);
        for _ in 0..1000 {
            now = pace.reserve(now).unwrap_or(now);
            if last.is_some_and(|last| now - last < Duration::from_millis(100)) {
                pace.slow_down();
                in_a_row += 1;
            } else {
                pace.speed_up();
                (last, in_a_row) = (Some(now), 0);
            }
            most = most.max(in_a_row);
            now += Duration::from_millis(1);
        }
        assert!(most <= 3, "{most} refusals in a row");
        let rate = 1000.0 / (now - begin).as_secs_f64();
        assert!((5.0..12.0).contains(&rate), "{rate} requests a second");
    }

    #[test]
    fn a_server_without_a_limit_is_not_paced() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!([pace.reserve(now), pace.reserve(now)], [None, None]);
        pace.slow_down();
        assert_eq!(pace.reserve(now), None);
        assert_eq!(pace.reserve(now), Some(now + FIRST_INTERVAL));
        for _ in 0..200 {
            pace.speed_up();
        }
        assert_eq!(pace.reserve(now), None);
    }
}
