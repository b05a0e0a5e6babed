//! Checks the tags that a run wrote once more at its end: another writer may have overwritten them.

use std::time::{Duration, Instant};

use super::run::Run;
use crate::{
    chart::TargetName,
    error::ErrorKind,
    report::{ChartReport, ImageReport, ImageState},
    run::workers,
};

/// The shortest time between writing a tag and checking it at the end.
const SETTLE: Duration = Duration::from_millis(200);
/// It waits at most this long.
const LONGEST: Duration = Duration::from_secs(120);

impl Run<'_> {
    /// Checks all written tags once more, and repairs them. Each check waits until any writer that had
    /// read the tag before this run wrote it has most likely written it, too.
    pub(super) fn final_look(&self, charts: &mut [ChartReport]) {
        if self.store.compares_and_sets_tags() || self.context.cancel.is_cancelled() {
            return;
        }
        let (mut written, settled) = {
            let state = self.state();
            let ours = |name| {
                let report: Option<&ImageReport> = state.reports.get(name);
                report.is_some_and(|report| report.state == ImageState::Written)
            };
            let written = state.written.iter().filter(|(name, _)| ours(*name));
            let written = written.map(|(name, at)| (*at, name.clone())).collect::<Vec<_>>();
            (written, settling_time(state.longest_gap))
        };
        written.sort();
        workers::for_each(self.jobs, &written, |(at, name)| {
            let rest = (*at + settled).saturating_duration_since(Instant::now());
            if self.context.cancel.sleep(rest).is_ok() {
                self.look_at(name);
            }
        });
        for chart in charts {
            self.set_complete(chart);
        }
    }

    /// Checks a tag that this run wrote, and repairs it.
    fn look_at(&self, name: &TargetName) {
        let report = |report: &ImageReport| (report.before.clone(), report.after.clone());
        let (before, expected) = self.state().reports.get(name).map(report).unwrap_or_default();
        let result = match self.tags.digest_after(name, before.as_ref(), expected.as_ref()) {
            Ok(now) if now == expected => return,
            Ok(_) => self.fuse_back_in(name),
            Err(error) => Err(error),
        };
        // The tag was written and read back before. That the target cannot be reached now does not
        // make it a failure.
        if let Err(error) = &result
            && error.kind() == ErrorKind::Unreachable
        {
            self.state().given_up.get_or_insert(error.clone());
            return;
        }
        // Read before the lock is taken, so that other tags can be looked at meanwhile.
        let result = result
            .map_err(|error| (self.end_by(error, name), self.tags.digest(name).ok().flatten()));
        let mut state = self.state();
        let Some(mut report) = state.reports.remove(name) else { return };
        drop(state);
        if let Ok(now) = &result {
            self.note_overtaken(&report, now);
        }
        match result {
            Ok(now) => report.set_now(now),
            Err((ended, after)) => {
                report.after = after;
                (report.state, report.error) = ended;
            }
        }
        self.state().reports.insert(name.clone(), report);
    }
}

/// How long to wait after writing a tag before the last check. Another writer that had read the tag
/// before will by then have overwritten it, if it needs at most four times as long between its read and its
/// write as the slowest of ours took. A request without an answer is given up after a minute, so that its write
/// comes at most two minutes after its read.
fn settling_time(longest_gap: Duration) -> Duration {
    (longest_gap * 4).clamp(SETTLE, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However slow a server is, another writer gets four times as long, and at most two minutes.
    #[test]
    fn settling_takes_four_times_the_longest_gap() {
        assert_eq!(settling_time(Duration::ZERO), Duration::from_millis(200));
        assert_eq!(settling_time(Duration::from_millis(51)), Duration::from_millis(204));
        assert_eq!(settling_time(Duration::from_secs(14)), Duration::from_secs(56));
        assert_eq!(settling_time(Duration::from_secs(40)), Duration::from_secs(120));
    }
}
