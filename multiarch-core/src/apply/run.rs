//! One run of a plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Cancel, Progress, blobs::Blobs};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    plan::{Observed, Plan, PlannedBlob, PlannedChart, PlannedImage, plan_image},
    report::{ChartReport, ImageReport, ImageState, Report},
    target::{ImageStore, Target, observe_image},
};

/// How often a tag is fused again where someone else changes it meanwhile.
const MAX_ROUNDS: u32 = 8;
/// The pause before the first retry; it doubles with each one.
const PAUSE: Duration = Duration::from_millis(20);

impl Plan<'_> {
    /// Does what the plan says. Failures are in the report: one image's does not stop the others.
    ///
    /// Running it again does what is left, and nothing where all is there.
    pub fn apply(&self, target: &Target, progress: &dyn Progress, cancel: &Cancel) -> Report {
        let store = target.store();
        let blobs = Blobs {
            packages: &self.wanted.packages,
            store,
            progress,
            cancel,
            failed: BTreeMap::new(),
            count: 0,
            bytes: 0,
        };
        let observed = self.observed.clone();
        let images = self.images.iter().map(|image| (&image.name, image)).collect();
        let mut run =
            Run { plan: self, images, store, observed, blobs, done: BTreeMap::new(), written: 0 };
        progress.begin(self.bytes_to_send, self.images.len() as u64);
        let charts = self.charts.iter().map(|chart| run.chart(chart)).collect();
        run.report(target, charts)
    }
}

struct Run<'a> {
    plan: &'a Plan<'a>,
    images: BTreeMap<&'a TargetName, &'a PlannedImage>,
    store: &'a dyn ImageStore,
    observed: Observed,
    blobs: Blobs<'a>,
    done: BTreeMap<TargetName, ImageReport>,
    written: u64,
}

impl Run<'_> {
    fn chart(&mut self, chart: &PlannedChart) -> ChartReport {
        let open: Vec<TargetName> =
            chart.images.iter().filter(|name| !self.done.contains_key(name)).cloned().collect();
        let images: Vec<&PlannedImage> =
            open.iter().filter_map(|name| self.images.get(name).copied()).collect();
        self.send_blobs(&images);
        for image in images {
            let report = self.image(image);
            self.blobs.progress.image(&image.name, report.state == ImageState::Failed);
            self.done.insert(image.name.clone(), report);
        }
        let mut problems: Vec<Error> = chart.problems.iter().map(Error::copy).collect();
        if let Err(error) = self.flush() {
            for name in &open {
                self.fail(name, &error);
            }
            problems.push(error);
        }
        let reached = |state| matches!(state, ImageState::Written | ImageState::Unchanged);
        let images =
            chart.images.iter().all(|n| self.done.get(n).is_some_and(|r| reached(r.state)));
        ChartReport {
            chart: chart.chart.clone(),
            bundles: chart.bundles.clone(),
            images: chart.images.clone(),
            complete: images && problems.is_empty(),
            problems,
        }
    }

    /// All blobs of a chart, in the order of the packages: compressed ones are then unpacked once.
    fn send_blobs(&mut self, images: &[&PlannedImage]) {
        let mut blobs: Vec<(&PlannedBlob, &str)> = images
            .iter()
            .flat_map(|image| {
                let repository = image.name.repository();
                image.pushes.iter().flat_map(|p| &p.blobs).map(move |blob| (blob, repository))
            })
            .collect();
        blobs.sort_by_key(|(blob, _)| (blob.package, blob.locator));
        for (blob, repository) in blobs {
            // What fails here is found again by the images that need it.
            let _ = self.send_blob(repository, blob);
        }
    }

    fn send_blob(&mut self, repository: &str, blob: &PlannedBlob) -> Result<()> {
        if self.observed.has_blob(repository, &blob.digest) == Some(true) {
            return Ok(());
        }
        if let Some(error) = self.blobs.failed.get(&blob.digest) {
            return Err(error.copy());
        }
        self.blobs.send(repository, blob)?;
        self.observed.sent(repository, &blob.digest);
        Ok(())
    }

    fn image(&mut self, image: &PlannedImage) -> ImageReport {
        let mut report = ImageReport {
            name: image.name.clone(),
            references: image.references.clone(),
            before: image.before.clone(),
            after: image.after.clone().or_else(|| image.before.clone()),
            state: ImageState::Unchanged,
            decisions: image.decisions.clone(),
            error: image.error.as_ref().map(Error::copy),
        };
        match self.write(image) {
            Ok(None) => {}
            Ok(Some(fresh)) => {
                report.state = ImageState::Written;
                if let Some(fresh) = fresh {
                    (report.before, report.after) = (fresh.before, fresh.after);
                    report.decisions = fresh.decisions;
                }
                self.written += 1;
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                report.state = ImageState::NotReached;
                report.after = image.before.clone();
            }
            Err(error) => {
                report.state = ImageState::Failed;
                report.after = image.before.clone();
                report.error = Some(error.of_image(&image.name));
            }
        }
        report
    }

    /// Writes one image, fusing again where the tag has changed since it was planned. `None` where
    /// nothing had to be done; inside, the plan that took the place of the one given.
    fn write(&mut self, image: &PlannedImage) -> Result<Option<Option<PlannedImage>>> {
        if let Some(error) = &image.error {
            return Err(error.copy());
        }
        if image.after.is_none() {
            return Ok(None);
        }
        let mut fresh: Option<PlannedImage> = None;
        for round in 0..MAX_ROUNDS {
            self.blobs.cancel.check()?;
            let planned = fresh.as_ref().unwrap_or(image);
            let Some(document) = planned.document.clone() else { return Ok(None) };
            for push in &planned.pushes {
                for blob in &push.blobs {
                    self.send_blob(image.name.repository(), blob)?;
                }
                if push.digest != *document.digest() {
                    self.store.put_manifest(image.name.repository(), &push.document)?;
                }
            }
            let now = self.store.get_tag(&image.name)?;
            let now = now.map(|document| document.digest().clone());
            if now == planned.before {
                self.store.put_tag(&image.name, now.as_ref(), &document)?;
                return Ok(Some(fresh));
            }
            self.pause(round)?;
            self.observe(&image.name)?;
            let again = self.plan_again(&image.name);
            if let Some(error) = again.error {
                return Err(error);
            }
            fresh = Some(again);
        }
        let message = "the tag kept changing while it was written";
        Err(Error::new(ErrorKind::Contended, message))
    }

    fn plan_again(&self, name: &TargetName) -> PlannedImage {
        let wanted = &self.plan.wanted;
        plan_image(name, wanted.image(name), &self.observed, &wanted.options)
    }

    fn observe(&mut self, name: &TargetName) -> Result<()> {
        let wanted = &self.plan.wanted;
        let wants = wanted.image(name);
        observe_image(self.store, &mut self.observed, name, wants, &wanted.options)
    }

    fn pause(&self, round: u32) -> Result<()> {
        // Two runs that wait for each other must not wait equally long.
        let jitter = Duration::from_micros(u64::from(std::process::id() % 997) * 20);
        std::thread::sleep(PAUSE * 2u32.pow(round.min(5)) + jitter);
        self.blobs.cancel.check()
    }

    /// Makes the chart's tags visible; those that someone else has changed meanwhile are fused
    /// again.
    fn flush(&mut self) -> Result<()> {
        for round in 0..MAX_ROUNDS {
            let contended: BTreeSet<TargetName> = self.store.flush()?.into_iter().collect();
            if contended.is_empty() {
                return Ok(());
            }
            self.pause(round)?;
            for name in contended {
                self.observe(&name)?;
                let again = self.plan_again(&name);
                let report = self.image(&again);
                self.done.insert(name, report);
            }
        }
        let message = "tags kept changing while they were written";
        Err(Error::new(ErrorKind::Contended, message))
    }

    fn fail(&mut self, name: &TargetName, error: &Error) {
        if let Some(report) = self.done.get_mut(name)
            && report.state == ImageState::Written
        {
            report.state = ImageState::Failed;
            report.after.clone_from(&report.before);
            report.error = Some(error.copy());
        }
    }

    fn report(mut self, target: &Target, charts: Vec<ChartReport>) -> Report {
        let images: Vec<ImageReport> =
            self.plan.images.iter().filter_map(|image| self.done.remove(&image.name)).collect();
        let problems: Vec<Error> = self.plan.problems.iter().map(Error::copy).collect();
        let cancelled = self.blobs.cancel.is_cancelled()
            && images.iter().any(|image| image.state == ImageState::NotReached);
        let failed = images.iter().any(|image| image.error.is_some());
        Report {
            schema: Report::SCHEMA,
            target: target.to_string(),
            packages: self.plan.packages.iter().map(|package| package.path.clone()).collect(),
            complete: problems.is_empty()
                && !failed
                && !cancelled
                && charts.iter().all(|chart| chart.complete),
            charts,
            images,
            findings: self.plan.findings.clone(),
            problems,
            bytes_sent: self.blobs.bytes,
            blobs_sent: self.blobs.count,
            tags_written: self.written,
            cancelled,
        }
    }
}
