//! Writes one image: its blobs, its manifests and its tag, which it reads back.

use std::{collections::BTreeSet, time::Instant};

use super::{
    run::Run,
    write_tag::{Attempt, MAX_ROUNDS, pause, read_tag, write_tag},
};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::ConflictPolicy,
    image::Document,
    observe::observe_image,
    plan::{Options, PlannedImage, Push, plan_image, platforms},
    report::{ImageReport, ImageState},
};

/// How writing one image ended.
enum Outcome {
    /// The tag holds everything already, written by us or by another writer.
    Unchanged,
    /// The tag was written as it was planned.
    AsPlanned,
    /// The tag had changed since it was planned, and was written by this new plan.
    PlannedAgain(Box<PlannedImage>),
}

impl Run<'_> {
    /// Writes one image, and puts the result into its report.
    pub(super) fn write_image(&self, image: &PlannedImage) {
        let mut report = ImageReport {
            name: image.name.clone(),
            references: image.references.clone(),
            before: image.before.clone(),
            after: image.after.clone().or_else(|| image.before.clone()),
            state: ImageState::Unchanged,
            decisions: image.decisions.clone(),
            platforms: image.platforms.clone(),
            error: None,
        };
        match self.write(image, &self.live.inventory.options) {
            Ok(Outcome::Unchanged) => {}
            Ok(Outcome::AsPlanned) => report.state = ImageState::Written,
            Ok(Outcome::PlannedAgain(again)) => {
                report.state = ImageState::Written;
                (report.before, report.after) = (again.before, again.after);
                report.decisions = again.decisions;
                report.platforms = again.platforms;
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                report.state = ImageState::NotReached;
                self.report_as_before(&mut report);
            }
            // An unreachable target is reported once, not with every image.
            Err(error) if error.kind() == ErrorKind::Unreachable => {
                report.state = ImageState::NotReached;
                self.report_as_before(&mut report);
                self.state().given_up.get_or_insert(error);
            }
            Err(error) => {
                report.state = ImageState::Failed;
                self.report_as_before(&mut report);
                report.error = Some(error.of_image(&image.name));
            }
        }
        if report.state != ImageState::NotReached {
            let failed = report.state == ImageState::Failed;
            self.context.meter.image_done(failed.then(|| image.name.to_string()));
        }
        self.state().done.insert(image.name.clone(), report);
    }

    /// Reports that the tag is as it was before the run.
    fn report_as_before(&self, report: &mut ImageReport) {
        report.after.clone_from(&report.before);
        let state = self.state();
        report.platforms = state.observed.tag(&report.name).map(platforms).unwrap_or_default();
    }

    /// Writes one image, and fuses it again if the tag has changed since it was planned.
    fn write(&self, image: &PlannedImage, options: &Options) -> Result<Outcome> {
        if let Some(error) = &image.error {
            return Err(error.clone());
        }
        let mut again: Option<PlannedImage> = None;
        for round in 0..MAX_ROUNDS {
            self.context.cancel.check()?;
            let planned = again.as_ref().unwrap_or(image);
            let Some(document) = &planned.document else { return Ok(Outcome::Unchanged) };
            match self.send_and_write(planned, document) {
                Ok(Attempt::Written { .. }) => {
                    self.check_written(&planned.name, document)?;
                    return Ok(match again {
                        None => Outcome::AsPlanned,
                        Some(again) => Outcome::PlannedAgain(Box::new(again)),
                    });
                }
                Ok(Attempt::Stale) => {}
                Err(error) if error.kind() == ErrorKind::BlobUnknown && round == 0 => {
                    self.forget_blobs(planned);
                }
                Err(error) => return Err(error),
            }
            pause(round, &self.context.cancel)?;
            again = Some(self.plan_again(&image.name, options)?);
        }
        let message = "the tag kept changing while it was written";
        Err(Error::new(ErrorKind::Contended, message))
    }

    /// Sends everything that the tag needs, then makes one attempt to write the tag.
    fn send_and_write(&self, planned: &PlannedImage, document: &Document) -> Result<Attempt> {
        self.send_parts(planned, document)?;
        let attempt = write_tag(self.store, &planned.name, planned.before.as_ref(), document)?;
        if let Attempt::Written { gap } = attempt {
            let mut state = self.state();
            state.longest_gap = state.longest_gap.max(gap);
            state.written.insert(planned.name.clone(), Instant::now());
        }
        Ok(attempt)
    }

    /// Reads a written tag back, and repairs it if another writer has overwritten it.
    fn check_written(&self, name: &TargetName, document: &Document) -> Result<()> {
        let whole = self.store.tags_are_atomic()
            || read_tag(self.store, name)?.as_ref() == Some(document.digest());
        if whole { Ok(()) } else { self.repair(name) }
    }

    /// Sends blobs, then manifests by digest, except the document of the tag itself.
    fn send_parts(&self, planned: &PlannedImage, document: &Document) -> Result<()> {
        let repository = planned.name.repository();
        for Push { digest, blobs, document: child } in &planned.pushes {
            for blob in blobs {
                self.send_blob(repository, blob)?;
            }
            if let Some(child) = child.as_ref().filter(|_| digest != document.digest()) {
                self.store.put_manifest(repository, child)?;
            }
        }
        Ok(())
    }

    /// Repairs a tag that another writer has written after us. Platforms of ours that it lacks are
    /// fused in again. The other writer's images for our platforms are newer, and stay.
    pub(super) fn repair(&self, name: &TargetName) -> Result<()> {
        let mut options = self.live.inventory.options.clone();
        options.fuse.on_conflict = ConflictPolicy::Existing;
        for round in 0..MAX_ROUNDS {
            pause(round, &self.context.cancel)?;
            let again = self.plan_again(name, &options)?;
            let Some(document) = &again.document else { return Ok(()) };
            self.send_and_write(&again, document)?;
        }
        let message = "another writer keeps removing what this run writes";
        Err(Error::new(ErrorKind::Contended, message))
    }

    fn forget_blobs(&self, planned: &PlannedImage) {
        let digests = planned.pushes.iter().flat_map(|p| &p.blobs).map(|blob| &blob.digest);
        self.state().observed.forget_blobs(planned.name.repository(), digests);
    }

    /// Reads the tag again, and plans the image by what it holds now.
    fn plan_again(&self, name: &TargetName, options: &Options) -> Result<PlannedImage> {
        let named = self.live.inventory.image(name);
        // The lock is not held during requests, so that other images can proceed.
        let mut observed = self.state().observed.clone();
        observe_image(self.store, &mut observed, name, named, options)?;
        let planned = plan_image(name, named, &observed, options);
        match planned.error {
            Some(error) => Err(error),
            None => Ok(planned),
        }
    }

    /// Makes the chart's tags visible, and fuses those again that another writer has changed
    /// meanwhile.
    pub(super) fn flush(&self) -> Result<()> {
        for round in 0..MAX_ROUNDS {
            let contended: BTreeSet<TargetName> = self.store.flush()?.into_iter().collect();
            if contended.is_empty() {
                return Ok(());
            }
            pause(round, &self.context.cancel)?;
            for name in contended {
                let again = self.plan_again(&name, &self.live.inventory.options)?;
                self.write_image(&again);
            }
        }
        let message = "tags kept changing while they were written";
        Err(Error::new(ErrorKind::Contended, message))
    }
}
