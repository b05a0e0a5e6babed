//! Writing one tag: read immediately before, compare, read back after.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::run::Run;
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::ConflictPolicy,
    image::{Digest, Document},
    plan::{Options, PlannedImage, plan_image, platforms},
    report::{ImageReport, ImageState},
    target::observe_image,
};

/// How often a tag is fused again where someone else changes it meanwhile.
const MAX_ROUNDS: u32 = 8;
/// The pause before the first retry; it doubles with each one.
const PAUSE: Duration = Duration::from_millis(20);

impl Run<'_> {
    /// Does one image, and notes what became of it.
    pub(super) fn image(&self, image: &PlannedImage) {
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
        match self.write(image, &self.plan.wanted.options) {
            Ok(None) => {}
            Ok(Some(fresh)) => {
                report.state = ImageState::Written;
                if let Some(fresh) = fresh {
                    (report.before, report.after) = (fresh.before, fresh.after);
                    report.decisions = fresh.decisions;
                    report.platforms = fresh.platforms;
                }
            }
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                report.state = ImageState::NotReached;
                self.leave(&mut report);
            }
            // It is told once, not with every image.
            Err(error) if error.kind() == ErrorKind::Unreachable => {
                report.state = ImageState::NotReached;
                self.leave(&mut report);
                self.state().given_up.get_or_insert(error);
            }
            Err(error) => {
                report.state = ImageState::Failed;
                self.leave(&mut report);
                report.error = Some(error.of_image(&image.name));
            }
        }
        if report.state != ImageState::NotReached {
            self.blobs.progress.image(&image.name, report.state == ImageState::Failed);
        }
        self.state().done.insert(image.name.clone(), report);
    }

    /// The tag is as it was.
    fn leave(&self, report: &mut ImageReport) {
        report.after.clone_from(&report.before);
        let state = self.state();
        report.platforms = state.observed.tag(&report.name).map(platforms).unwrap_or_default();
    }

    /// Writes one image, fusing again where the tag has changed since it was planned. `None` where
    /// nothing had to be done; inside, the plan that took the place of the one given.
    fn write(
        &self,
        image: &PlannedImage,
        options: &Options,
    ) -> Result<Option<Option<PlannedImage>>> {
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
            match self.try_write(planned) {
                Ok(Some(true)) => return Ok(Some(fresh)),
                // Somebody wrote everything that we wanted.
                Ok(None) => return Ok(None),
                Ok(Some(false)) => {}
                Err(error) if error.kind() == ErrorKind::BlobUnknown && round == 0 => {
                    self.forget_blobs(planned);
                }
                Err(error) => return Err(error),
            }
            self.pause(round)?;
            fresh = Some(self.plan_again(&image.name, options)?);
        }
        let message = "the tag kept changing while it was written";
        Err(Error::new(ErrorKind::Contended, message))
    }

    /// One attempt; false where the tag is not as planned.
    fn try_write(&self, planned: &PlannedImage) -> Result<Option<bool>> {
        let name = &planned.name;
        let Some(document) = &planned.document else { return Ok(None) };
        self.send_parts(planned, document)?;
        let begun = Instant::now();
        let now = self.held(name)?;
        if now != planned.before {
            return Ok(Some(false));
        }
        self.store.put_tag(name, now.as_ref(), document)?;
        self.note_write(name, begun);
        if self.store.tags_are_atomic() || self.held(name)?.as_ref() == Some(document.digest()) {
            return Ok(Some(true));
        }
        self.mend(name).map(|_| Some(true))
    }

    fn note_write(&self, name: &TargetName, read_at: Instant) {
        let now = Instant::now();
        let mut state = self.state();
        state.longest_gap = state.longest_gap.max(now - read_at);
        state.written.insert(name.clone(), now);
    }

    /// Everything that must be there before the tag: blobs, then manifests by digest. What the tag
    /// itself gets is written with it.
    fn send_parts(&self, planned: &PlannedImage, document: &Document) -> Result<()> {
        let repository = planned.name.repository();
        for push in &planned.pushes {
            for blob in &push.blobs {
                self.send_blob(repository, blob)?;
            }
            if push.digest != *document.digest() {
                self.store.put_manifest(repository, &push.document)?;
            }
        }
        Ok(())
    }

    pub(super) fn held(&self, name: &TargetName) -> Result<Option<Digest>> {
        Ok(self.store.get_tag(name)?.map(|document| document.digest().clone()))
    }

    /// Somebody has written the tag after us. Where a platform of ours is missing it is fused in
    /// again; another image for one of our platforms is somebody's newer one, and stays.
    pub(super) fn mend(&self, name: &TargetName) -> Result<bool> {
        let mut options = self.plan.wanted.options.clone();
        options.fuse.on_conflict = ConflictPolicy::Existing;
        for round in 0..MAX_ROUNDS {
            self.pause(round)?;
            let again = self.plan_again(name, &options)?;
            let Some(document) = &again.document else { return Ok(round > 0) };
            let begun = Instant::now();
            if self.held(name)? == again.before {
                self.send_parts(&again, document)?;
                self.store.put_tag(name, again.before.as_ref(), document)?;
                self.note_write(name, begun);
            }
        }
        let message = "another writer keeps removing what this run writes";
        Err(Error::new(ErrorKind::Contended, message))
    }

    fn forget_blobs(&self, planned: &PlannedImage) {
        let digests = planned.pushes.iter().flat_map(|p| &p.blobs).map(|blob| &blob.digest);
        self.state().observed.forget_blobs(planned.name.repository(), digests);
    }

    /// Looks at the tag again, and plans by what it holds now.
    fn plan_again(&self, name: &TargetName, options: &Options) -> Result<PlannedImage> {
        let wants = self.plan.wanted.image(name);
        // The target is asked without holding the others up.
        let mut observed = self.state().observed.clone();
        observe_image(self.store, &mut observed, name, wants, options)?;
        let planned = plan_image(name, wants, &observed, options);
        match planned.error {
            Some(error) => Err(error),
            None => Ok(planned),
        }
    }

    fn pause(&self, round: u32) -> Result<()> {
        // Two runs that wait for each other must not wait equally long.
        let jitter = Duration::from_micros(u64::from(std::process::id() % 997) * 20);
        self.blobs.cancel.sleep(PAUSE * 2u32.pow(round.min(5)) + jitter)
    }

    /// Makes the chart's tags visible; those that someone else has changed meanwhile are fused
    /// again.
    pub(super) fn flush(&self) -> Result<()> {
        for round in 0..MAX_ROUNDS {
            let contended: BTreeSet<TargetName> = self.store.flush()?.into_iter().collect();
            if contended.is_empty() {
                return Ok(());
            }
            self.pause(round)?;
            for name in contended {
                let again = self.plan_again(&name, &self.plan.wanted.options)?;
                self.image(&again);
            }
        }
        let message = "tags kept changing while they were written";
        Err(Error::new(ErrorKind::Contended, message))
    }
}
