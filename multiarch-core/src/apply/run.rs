//! One run that carries out a plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{blobs::BlobSender, queue::Queue, write_tag::Tags};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    package::Finding,
    plan::{LivePlan, Observed, Plan, PlannedBlob, PlannedChart, PlannedImage, Presence},
    report::{ChartReport, Coverage, ImageReport, ImageState, Report},
    run::{Context, workers},
    store::ImageStore,
};

/// Carries out a plan. Failures are in the report: a failed image does not stop the others.
pub(crate) fn apply(plan: &Plan, live: &LivePlan) -> Report {
    let store = &*live.target.images;
    let run = Run {
        plan,
        live,
        images: plan.images.iter().map(|image| (&image.name, image)).collect(),
        store,
        tags: Tags::new(store, &live.context.cancel, live.observed.existing_tags()),
        context: &live.context,
        jobs: store.jobs(),
        blobs: BlobSender::new(plan, live),
        state: Mutex::new(RunState { observed: live.observed.clone(), ..RunState::default() }),
    };
    let (images, charts) = (plan.images.len() as u64, plan.charts.len() as u64);
    live.context.meter.begin_sending(plan.bytes_to_send, images, charts);
    let ready = create_projects(plan, live).and_then(|()| {
        live.target.charts.needed().iter().try_for_each(|charts| charts.repo.prepare())
    });
    let written = plan.images.iter().filter(|image| image.document.is_some());
    store.prepare(&written.map(|image| (image.name.repository(), true)).collect::<Vec<_>>());
    let mut charts = match ready {
        Ok(()) => run.write_charts(),
        Err(error) => plan.charts.iter().map(|c| ChartReport::blocked(c, &error)).collect(),
    };
    run.blobs.finish_sending();
    run.final_look(&mut charts);
    run.set_coverage(&mut charts);
    run.report(charts)
}

/// Creates the projects that the plan needs. Where that fails, nothing is sent.
fn create_projects(plan: &Plan, live: &LivePlan) -> Result<()> {
    let Some(administration) = &live.target.administration else { return Ok(()) };
    let public = live.inventory.options.public_projects;
    plan.projects.iter().try_for_each(|name| administration.create_project(name, public))
}

pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) live: &'a LivePlan,
    images: BTreeMap<&'a TargetName, &'a PlannedImage>,
    pub(super) store: &'a dyn ImageStore,
    pub(super) tags: Tags<'a>,
    pub(super) context: &'a Context,
    pub(super) jobs: usize,
    pub(super) blobs: BlobSender<'a>,
    state: Mutex<RunState>,
}

/// What the threads of a run share.
#[derive(Default)]
pub(super) struct RunState {
    pub(super) observed: Observed,
    pub(super) reports: BTreeMap<TargetName, ImageReport>,
    /// The longest time between reading a tag and writing it.
    pub(super) longest_gap: Duration,
    /// The error after which the target was given up.
    pub(super) given_up: Option<Error>,
    /// What a user should know of what happened.
    pub(super) findings: Vec<Finding>,
    /// Repositories where the registry refused a manifest because it missed a blob.
    pub(super) refused_for: BTreeSet<String>,
    /// When each tag was written last.
    pub(super) written: BTreeMap<TargetName, Instant>,
}

impl Run<'_> {
    pub(super) fn state(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all charts. Blobs are sent in the order of the charts, ahead of them: while the
    /// manifests and tags of one chart and the chart itself are written, the blobs of the next ones
    /// are in flight.
    fn write_charts(&self) -> Vec<ChartReport> {
        let queue = Queue::new(&self.plan.charts, &self.images);
        queue.work(
            self.jobs,
            |blob| {
                for repository in &blob.repositories {
                    // `BlobSender` keeps the error, and gives it to each image that needs the blob. What
                    // concerns the whole target ends the run at once.
                    if let Err(error) = self.send_blob(repository, blob.planned)
                        && error.concerns_whole_target()
                    {
                        self.state().given_up.get_or_insert(error);
                    }
                }
            },
            |chart| self.write_chart(chart),
        )
    }

    /// Writes the images of a chart whose blobs were sent, then the chart itself.
    fn write_chart(&self, chart: &PlannedChart) -> ChartReport {
        let open: Vec<&PlannedImage> = {
            let state = self.state();
            let names = chart.images.iter().filter(|name| !state.reports.contains_key(name));
            names.filter_map(|name| self.images.get(name).copied()).collect()
        };
        workers::for_each(self.jobs, &open, |image| self.write_image(image));
        let mut problems = chart.problems.clone();
        if let Err(error) = self.flush() {
            for image in &open {
                self.fail(&image.name, &error);
            }
            problems.push(error);
        }
        let mut report = ChartReport::new(chart, problems);
        self.set_complete(&mut report);
        self.upload(chart, &mut report);
        let was_tried = |name: &TargetName| {
            let state = self.state();
            state.reports.get(name).is_some_and(|image| image.state != ImageState::NotReached)
        };
        if report.images.iter().all(was_tried) {
            self.context.meter.chart_done();
        }
        report
    }

    /// A chart is complete if it has no problems and all of its images are in the target.
    pub(super) fn set_complete(&self, chart: &mut ChartReport) {
        let state = self.state();
        let is_in_place = |name: &TargetName| {
            state.reports.get(name).is_some_and(|report| report.state.is_in_place())
        };
        chart.complete = chart.problems.is_empty() && chart.images.iter().all(is_in_place);
    }

    pub(super) fn send_blob(&self, repository: &str, blob: &PlannedBlob) -> Result<()> {
        self.check_target()?;
        let mount_from = {
            let state = self.state();
            if state.observed.has_blob(repository, &blob.digest) == Presence::Present {
                return Ok(());
            }
            if state.refused_for.contains(repository) {
                drop(state);
                return self.send_surely(repository, blob);
            }
            state.observed.source_of(&blob.digest, repository).map(ToOwned::to_owned)
        };
        self.blobs.send(repository, mount_from.as_deref(), blob)?;
        self.state().observed.note_sent(repository, &blob.digest);
        Ok(())
    }

    /// Sends a blob to a repository whose registry has missed blobs that were mounted or sent there: it is
    /// asked for, and not mounted again.
    fn send_surely(&self, repository: &str, blob: &PlannedBlob) -> Result<()> {
        if !self.store.has_blob(repository, &blob.digest, blob.size)? {
            self.blobs.send(repository, None, blob)?;
        }
        self.state().observed.note_sent(repository, &blob.digest);
        Ok(())
    }

    fn fail(&self, name: &TargetName, error: &Error) {
        if let Some(report) = self.state().reports.get_mut(name)
            && report.state == ImageState::Written
        {
            report.state = ImageState::Failed;
            report.after.clone_from(&report.before);
            report.error = Some(error.clone());
        }
    }

    /// Reports for which platforms each chart has all of its images now.
    fn set_coverage(&self, charts: &mut [ChartReport]) {
        let state = self.state();
        for chart in charts {
            let none = &Vec::new();
            chart.coverage = Coverage::new(chart.images.iter().map(|name| {
                (name, state.reports.get(name).map_or(none, |report| &report.platforms).as_slice())
            }));
        }
    }

    fn report(self, charts: Vec<ChartReport>) -> Report {
        let mut state = std::mem::take(&mut *self.state());
        self.state_missing_room(&mut state);
        let images: Vec<ImageReport> =
            self.plan.images.iter().filter_map(|image| state.reports.remove(&image.name)).collect();
        let problems = self.plan.problems.iter().cloned().chain(state.given_up.take());
        let problems: Vec<Error> = problems.collect();
        let count = |wanted| images.iter().filter(|image| image.state == wanted).count() as u64;
        let cancelled = self.context.cancel.is_cancelled() && count(ImageState::NotReached) > 0;
        let failed = images.iter().any(|image| image.error.is_some());
        let done = charts.iter().all(|chart| chart.complete);
        let mut findings = self.plan.findings.clone();
        findings.append(&mut state.findings);
        Report {
            complete: problems.is_empty() && !failed && !cancelled && done,
            charts,
            problems,
            bytes_sent: self.blobs.bytes.load(Ordering::Relaxed),
            blobs_sent: self.blobs.uploaded.load(Ordering::Relaxed),
            blobs_mounted: self.blobs.mounted.load(Ordering::Relaxed),
            tags_written: count(ImageState::Written),
            images,
            cancelled,
            findings,
            ..Report::of_plan(self.plan)
        }
    }
}
