//! One run of a plan.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{Cancel, Progress, Totals, blobs::Blobs, parallel, queue::Queue};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    plan::{ChartAction, Observed, Plan, PlannedBlob, PlannedChart, PlannedImage, PlannedUpload},
    report::{ChartReport, ChartState, Coverage, ImageReport, ImageState, Report},
    target::{
        ImageStore, Target,
        charts::{ChartRepo, ChartTarget},
    },
};

impl Plan<'_> {
    /// Does what the plan says. Failures are in the report: one image's does not stop the others.
    ///
    /// Running it again does what is left, and nothing where all is there.
    pub fn apply(&self, target: &Target, progress: &dyn Progress, cancel: &Cancel) -> Report {
        let store = target.store();
        let observed = self.observed.clone();
        let run = Run {
            plan: self,
            images: self.images.iter().map(|image| (&image.name, image)).collect(),
            store,
            charts: target.charts(),
            jobs: store.jobs(),
            blobs: Blobs::new(self, store, progress, cancel),
            state: Mutex::new(State { observed, ..State::default() }),
        };
        progress.begin(&Totals {
            bytes: self.bytes_to_send,
            images: self.images.len() as u64,
            charts: self.charts.len() as u64,
        });
        let ready = target.charts().map_or(Ok(()), |charts| charts.repo().prepare());
        let mut charts = match ready {
            Ok(()) => run.charts(),
            Err(error) => self.charts.iter().map(|c| ChartReport::blocked(c, &error)).collect(),
        };
        run.blobs.end();
        run.check_again(&mut charts);
        run.cover(&mut charts);
        run.report(target, charts)
    }
}

pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan<'a>,
    images: BTreeMap<&'a TargetName, &'a PlannedImage>,
    pub(super) store: &'a dyn ImageStore,
    charts: Option<&'a ChartTarget>,
    pub(super) jobs: usize,
    pub(super) blobs: Blobs<'a>,
    state: Mutex<State>,
}

/// What the threads of a run share.
#[derive(Default)]
pub(super) struct State {
    pub(super) observed: Observed,
    pub(super) done: BTreeMap<TargetName, ImageReport>,
    /// The longest time between reading a tag and writing it.
    pub(super) longest_gap: Duration,
    /// Why the target was given up.
    pub(super) given_up: Option<Error>,
    /// When each tag was written last.
    pub(super) written: BTreeMap<TargetName, Instant>,
}

impl Run<'_> {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blobs are sent in the order of the charts, and ahead of them: while one chart gets its manifests,
    /// tags and itself, the blobs of the next ones are on their way.
    fn charts(&self) -> Vec<ChartReport> {
        let queue = Queue::new(&self.plan.charts, &self.images);
        queue.work(
            self.jobs,
            |blob| {
                for repository in &blob.repositories {
                    // What fails here is found again by the images that need it.
                    let _ = self.send_blob(repository, blob.planned);
                }
            },
            |chart| self.chart(chart),
        )
    }

    fn chart(&self, chart: &PlannedChart) -> ChartReport {
        let open: Vec<&PlannedImage> = {
            let state = self.state();
            let names = chart.images.iter().filter(|name| !state.done.contains_key(name));
            names.filter_map(|name| self.images.get(name).copied()).collect()
        };
        parallel::for_each(self.jobs, &open, |image| self.image(image));
        let mut problems: Vec<Error> = chart.problems.iter().map(Error::copy).collect();
        if let Err(error) = self.flush() {
            for image in &open {
                self.fail(&image.name, &error);
            }
            problems.push(error);
        }
        let mut report = ChartReport::new(chart, problems);
        self.settle(&mut report);
        self.upload(chart, &mut report);
        let reached = |name: &TargetName| {
            let state = self.state();
            state.done.get(name).is_some_and(|image| image.state != ImageState::NotReached)
        };
        if report.images.iter().all(reached) {
            self.blobs.progress.chart(report.chart.as_deref(), report.complete);
        }
        report
    }

    /// The chart itself comes last: whoever finds it finds its images.
    fn upload(&self, chart: &PlannedChart, report: &mut ChartReport) {
        let (Some(planned), Some(charts)) = (&chart.upload, self.charts) else { return };
        let state = match planned.action {
            ChartAction::Present => ChartState::Present,
            ChartAction::Kept => ChartState::Kept,
            _ if !report.complete => ChartState::NotUploaded,
            action => {
                let replace = action == ChartAction::Replace || self.plan.options.overwrite_charts;
                let done = self
                    .blobs
                    .cancel
                    .check()
                    .and_then(|()| upload_chart(charts.repo(), planned, replace));
                match done {
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

    /// A chart is complete where all of its images are.
    pub(super) fn settle(&self, chart: &mut ChartReport) {
        let state = self.state();
        let reached = |name: &TargetName| {
            state.done.get(name).is_some_and(|report| {
                matches!(report.state, ImageState::Written | ImageState::Unchanged)
            })
        };
        chart.complete = chart.problems.is_empty() && chart.images.iter().all(reached);
    }

    pub(super) fn send_blob(&self, repository: &str, blob: &PlannedBlob) -> Result<()> {
        let from = {
            let state = self.state();
            if state.observed.has_blob(repository, &blob.digest) == Some(true) {
                return Ok(());
            }
            state.observed.source_of(&blob.digest, repository).map(ToOwned::to_owned)
        };
        self.blobs.send(repository, from.as_deref(), blob)?;
        self.state().observed.sent(repository, &blob.digest);
        Ok(())
    }

    fn fail(&self, name: &TargetName, error: &Error) {
        if let Some(report) = self.state().done.get_mut(name)
            && report.state == ImageState::Written
        {
            report.state = ImageState::Failed;
            report.after.clone_from(&report.before);
            report.error = Some(error.copy());
        }
    }

    /// Says for which platforms each chart has its images now.
    fn cover(&self, charts: &mut [ChartReport]) {
        let state = self.state();
        for chart in charts {
            let none = &Vec::new();
            chart.coverage = Coverage::of(chart.images.iter().map(|name| {
                (name, state.done.get(name).map_or(none, |report| &report.platforms).as_slice())
            }));
        }
    }

    fn report(self, target: &Target, charts: Vec<ChartReport>) -> Report {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let images: Vec<ImageReport> =
            self.plan.images.iter().filter_map(|image| state.done.remove(&image.name)).collect();
        let problems = self.plan.problems.iter().map(Error::copy).chain(state.given_up.take());
        let problems: Vec<Error> = problems.collect();
        let count = |wanted| images.iter().filter(|image| image.state == wanted).count() as u64;
        let cancelled = self.blobs.cancel.is_cancelled() && count(ImageState::NotReached) > 0;
        let failed = images.iter().any(|image| image.error.is_some());
        Report {
            schema: Report::SCHEMA,
            target: target.to_string(),
            charts_to: target.charts().map(ToString::to_string),
            packages: self.plan.packages.iter().map(|package| package.path.clone()).collect(),
            complete: problems.is_empty()
                && !failed
                && !cancelled
                && charts.iter().all(|chart| chart.complete),
            charts,
            findings: self.plan.findings.clone(),
            problems,
            bytes_sent: self.blobs.bytes.load(Ordering::Relaxed),
            blobs_sent: self.blobs.count.load(Ordering::Relaxed),
            blobs_mounted: self.blobs.mounted.load(Ordering::Relaxed),
            tags_written: count(ImageState::Written),
            images,
            cancelled,
        }
    }
}

/// Stores a chart. One that came there meanwhile and is the same is no conflict.
fn upload_chart(repo: &dyn ChartRepo, planned: &PlannedUpload, replace: bool) -> Result<()> {
    let chart = &planned.chart;
    match repo.put(chart, replace) {
        Err(error) if error.kind() == ErrorKind::ChartConflict => {
            match repo.get(chart.name(), chart.version())? {
                Some(there) if planned.is(&there).unwrap_or(false) => Ok(()),
                _ => Err(error),
            }
        }
        done => done,
    }
}
