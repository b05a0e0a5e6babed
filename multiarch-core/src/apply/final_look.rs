//! The last look at the tags that a run wrote: another writer may have come in between.

use std::time::{Duration, Instant};

use super::{run::Run, write_tag::read_tag};
use crate::{
    chart::TargetName,
    error::ErrorKind,
    report::{ChartReport, ImageReport, ImageState},
    run::workers,
};

/// The last look at the tags waits at least and at most this long.
const SETTLE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

impl Run<'_> {
    /// Looks at all written tags once more, each after a time in which any other writer that had
    /// read it before has written it.
    pub(super) fn look_again(&self, charts: &mut [ChartReport]) {
        if self.store.tags_are_atomic() || self.context.cancel.is_cancelled() {
            return;
        }
        let (mut written, settled) = {
            let state = self.state();
            let ours = |name| {
                let report: Option<&ImageReport> = state.done.get(name);
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
                self.confirm(name);
            }
        });
        for chart in charts {
            self.settle(chart);
        }
    }

    /// The last look at a tag that this run wrote.
    fn confirm(&self, name: &TargetName) {
        let expected = self.state().done.get(name).and_then(|report| report.after.clone());
        let result = match read_tag(self.store, name) {
            Ok(now) if now == expected => return,
            Ok(_) => self.mend(name),
            Err(error) => Err(error),
        };
        // It was written, and read back: what nobody can look at is not taken for lost.
        if let Err(error) = &result
            && error.kind() == ErrorKind::Unreachable
        {
            self.state().given_up.get_or_insert(error.clone());
            return;
        }
        let now = read_tag(self.store, name).ok().flatten();
        if let Some(report) = self.state().done.get_mut(name) {
            report.after = now;
            if let Err(error) = result {
                report.state = ImageState::Failed;
                report.error = Some(error.of_image(name));
            }
        }
    }
}

/// Whoever had read a tag before this run wrote it has written it by then: at least twice the longest
/// time between a read and its write.
fn settling_time(longest_gap: Duration) -> Duration {
    (longest_gap * 2).clamp(SETTLE.0, SETTLE.1)
}
