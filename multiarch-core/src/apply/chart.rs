//! Uploads one chart, after all of its images.

use super::run::Run;
use crate::{
    error::{Error, ErrorKind, Result},
    plan::{ChartAction, PlannedChart, PlannedUpload},
    report::{ChartReport, ChartState},
    store::ChartRepo,
};

impl Run<'_> {
    /// Uploads the chart if all of its images were written or were there, so that the repository gets no
    /// chart without its images.
    pub(super) fn upload(&self, chart: &PlannedChart, report: &mut ChartReport) {
        let Some(planned) = &chart.upload else { return };
        let repo = planned.content.as_ref().map(|content| content.repo).unwrap_or_default();
        let Some(charts) = self.live.target.charts.repos().get(repo) else { return };
        let state = match planned.action {
            ChartAction::Present => ChartState::Present,
            ChartAction::Kept => ChartState::Kept,
            _ if !report.complete => ChartState::NotUploaded,
            action => {
                let replace = action == ChartAction::Replace || self.plan.options.overwrite_charts;
                let go = self.context.cancel.check();
                match go.and_then(|()| upload_chart(&*charts.repo, planned, replace)) {
                    Ok(()) if action == ChartAction::Replace => ChartState::Replaced,
                    Ok(()) => ChartState::Uploaded,
                    Err(error) => {
                        report.problems.push(error.at_path(&planned.file));
                        report.complete = false;
                        ChartState::NotUploaded
                    }
                }
            }
        };
        report.upload = Some(state);
    }
}

/// Stores a chart. It is not a conflict if another writer has stored the same chart meanwhile.
fn upload_chart(repo: &dyn ChartRepo, planned: &PlannedUpload, replace: bool) -> Result<()> {
    let missing = || Error::new(ErrorKind::Missing, "the plan does not hold the chart");
    let content = planned.content.as_ref().ok_or_else(missing)?;
    let chart = &content.chart;
    match repo.put(chart, replace) {
        Err(error) if error.kind() == ErrorKind::ChartConflict => {
            match repo.get(chart.name(), chart.version())? {
                Some(there) if content.is_same_chart(&there).unwrap_or(false) => Ok(()),
                _ => Err(error),
            }
        }
        done => done,
    }
}
