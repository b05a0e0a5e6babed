//! Writes one image: its blobs, its manifests and its tag, which it reads back.

use std::{collections::BTreeSet, time::Instant};

use super::{
    run::Run,
    write_tag::{Attempt, Attempts, MAX_ROUNDS, pause},
};
use crate::{
    chart::TargetName,
    error::{Detail, Error, ErrorKind, Result},
    fuse::Change,
    image::{Document, Entry, Index, Manifest, layer_is_foreign},
    observe::observe_image,
    package::Finding,
    plan::{Options, PlannedDecision, PlannedImage, Push, plan_image, platforms},
    report::{ImageReport, ImageState},
    run::backoff,
};

/// How writing one image ended.
struct Outcome {
    /// [`ImageState::Unchanged`] where the tag held everything already. Where it was written and could not
    /// be read back or repaired, it is not [`ImageState::Written`].
    state: ImageState,
    /// The plan that was followed, where the tag had changed since the first one.
    planned_again: Option<PlannedImage>,
    /// Another writer has written the tag after us: a plan of what it holds since.
    overwritten: Option<PlannedImage>,
    /// Why it could not be read back or repaired.
    error: Option<Error>,
}

/// How often the parts of an image are asked for, and sent where they are not there, after the registry
/// said that it misses one.
const MAX_SENT_AGAIN: u32 = 4;

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
            Ok(Outcome { state, planned_again, overwritten, error }) => {
                (report.state, report.error) = (state, error);
                if let Some(again) = planned_again {
                    report.before.clone_from(&again.before);
                    report.decisions.clone_from(&again.decisions);
                    report.set_now(again);
                }
                if let Some(now) = overwritten {
                    self.note_overtaken(&report, &now);
                    report.set_now(now);
                }
            }
            Err(error) => {
                let error = self.explain_lost_child(explain_foreign_layers(error, image), image);
                (report.state, report.error) = self.end_by(error, &image.name);
                self.report_as_before(&mut report);
                // The server may have written the tag without saying so.
                let was_tried = self.state().written.contains_key(&image.name);
                if was_tried && let Ok(now) = self.tags.digest(&image.name) {
                    report.after = now;
                }
            }
        }
        let (state, name) = (report.state, image.name.to_string());
        let is_first = self.state().reports.insert(image.name.clone(), report).is_none();
        if is_first && state != ImageState::NotReached {
            self.context.meter.image_done((state == ImageState::Failed).then_some(name));
        }
    }

    /// What an error makes of an image. A stopped run is no error of the image, and an unreachable target
    /// is reported once, not with every image. Another token's cancellation, such as that of a package,
    /// is an error like any other.
    pub(super) fn end_by(&self, error: Error, name: &TargetName) -> (ImageState, Option<Error>) {
        match error.kind() {
            ErrorKind::Cancelled if self.context.cancel.is_cancelled() => {
                (ImageState::NotReached, None)
            }
            _ if error.kind() == ErrorKind::Unreachable || error.concerns_whole_target() => {
                self.state().given_up.get_or_insert(error);
                (ImageState::NotReached, None)
            }
            _ => (ImageState::Failed, Some(error.of_image(name))),
        }
    }

    /// Fails once an error of the target as a whole has ended the run.
    pub(super) fn check_target(&self) -> Result<()> {
        match &self.state().given_up {
            Some(error) if error.concerns_whole_target() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// An error about a missing manifest where it is one that the tag lists already, and that this run does not bring.
    fn explain_lost_child(&self, error: Error, image: &PlannedImage) -> Error {
        let index = image.document.as_ref().filter(|document| document.kind().is_index());
        let index = index.filter(|_| error.kind() == ErrorKind::BlobUnknown);
        let Some(index) = index.and_then(|document| Index::from_document(document).ok()) else {
            return error;
        };
        let is_kept =
            |entry: &&Entry| image.pushes.iter().all(|push| push.digest != *entry.digest());
        let is_lost = |entry: &&Entry| {
            matches!(self.store.has_manifest(image.name.repository(), entry.digest()), Ok(false))
        };
        let Some(lost) = index.entries().iter().filter(is_kept).find(is_lost) else { return error };
        let platform = lost.descriptor().platform.as_ref().map(|p| format!(" for {}", p.key()));
        let message = format!(
            "the tag lists an image{} that the registry has lost, and it takes no index without it",
            platform.unwrap_or_default()
        );
        let error = Error::caused_by(ErrorKind::BlobUnknown, message, error);
        error.with_digest(lost.digest()).with_detail(Detail::LostChild)
    }

    /// Reports that the tag is as it was before the run.
    fn report_as_before(&self, report: &mut ImageReport) {
        report.after.clone_from(&report.before);
        let state = self.state();
        report.platforms = state.observed.tag(&report.name).map(platforms).unwrap_or_default();
    }

    /// Writes one image, reads its tag back, and repairs it if another writer has overwritten it.
    fn write(&self, image: &PlannedImage, options: &Options) -> Result<Outcome> {
        if let Some(error) = &image.error {
            return Err(error.clone());
        }
        self.check_target()?;
        let (state, planned_again) = self.write_planned(image, options)?;
        let planned = planned_again.as_ref().unwrap_or(image);
        let written = planned.after.as_ref().filter(|_| state == ImageState::Written);
        let (overwritten, (state, error)) = match written.map(|_| self.read_back(planned)) {
            None => (None, (state, None)),
            Some(Ok(overwritten)) => (overwritten, (state, None)),
            // What another writer may have removed was not fused in again.
            Some(Err(error)) => (None, self.end_by(error, &image.name)),
        };
        Ok(Outcome { state, planned_again, overwritten, error })
    }

    /// Writes one image as it was planned. It is planned and written again where the tag has changed
    /// meanwhile, and where the server does not say whether it wrote it. Returns the last plan, if it is
    /// not the first.
    fn write_planned(
        &self,
        first: &PlannedImage,
        options: &Options,
    ) -> Result<(ImageState, Option<PlannedImage>)> {
        let mut again: Option<PlannedImage> = None;
        let mut attempts = Attempts::new(&self.context.cancel);
        let (mut unclear, mut sent_again): (Option<PlannedImage>, u32) = (None, 0);
        loop {
            self.context.cancel.check()?;
            let planned = again.as_ref().unwrap_or(first);
            let written = match &planned.document {
                Some(document) => self.send_and_write(planned, document),
                None => self.send_parts(planned, None).map(|()| Attempt::Needless),
            };
            match written {
                Ok(Attempt::Needless) => {
                    let state = match (&unclear, planned.restores()) {
                        // What an attempt without an answer has written is there, alone or fused by another
                        // writer.
                        (Some(_), _) => ImageState::Written,
                        (None, true) => ImageState::Restored,
                        (None, false) => ImageState::Unchanged,
                    };
                    let is_alone = |unclear: &PlannedImage| unclear.after == planned.before;
                    return Ok((state, unclear.filter(is_alone).or(again)));
                }
                Ok(Attempt::Written { .. }) => return Ok((ImageState::Written, again)),
                Ok(Attempt::Stale) => attempts.after_change()?,
                Ok(Attempt::Unclear { error, .. }) => {
                    attempts.after_failure(error)?;
                    unclear = Some(planned.clone());
                }
                Err(error)
                    if error.kind() == ErrorKind::BlobUnknown && sent_again < MAX_SENT_AGAIN =>
                {
                    // A registry with replicas may not know for moments what it was sent.
                    if sent_again > 0 {
                        self.context
                            .cancel
                            .sleep(backoff::pause(sent_again, std::process::id()))?;
                    }
                    sent_again += 1;
                    self.forget_parts(planned);
                }
                Err(error) => return Err(error),
            }
            again = Some(self.plan_again(&first.name, options)?);
        }
    }

    /// Sends everything that the tag needs, then makes one attempt to write the tag.
    fn send_and_write(&self, planned: &PlannedImage, document: &Document) -> Result<Attempt> {
        self.send_parts(planned, Some(document))?;
        let attempt = self.tags.write(&planned.name, planned.before.as_ref(), document)?;
        if let Attempt::Written { gap } | Attempt::Unclear { gap, .. } = attempt {
            let mut state = self.state();
            state.observed.note_writing(&planned.name);
            state.longest_gap = state.longest_gap.max(gap);
            state.written.insert(planned.name.clone(), Instant::now());
        }
        Ok(attempt)
    }

    /// Reads a written tag back. If another writer has overwritten it, what it lacks is fused in again,
    /// and what it holds then is returned.
    fn read_back(&self, written: &PlannedImage) -> Result<Option<PlannedImage>> {
        let PlannedImage { name, before, after, .. } = written;
        let is_ours = self.store.compares_and_sets_tags()
            || self.tags.digest_after(name, before.as_ref(), after.as_ref())? == *after;
        if is_ours { Ok(None) } else { self.fuse_back_in(&written.name).map(Some) }
    }

    /// Sends blobs, then manifests by digest, except the document that is written with the tag.
    fn send_parts(&self, planned: &PlannedImage, document: Option<&Document>) -> Result<()> {
        let repository = planned.name.repository();
        let root = document.map(Document::digest);
        for Push { digest, blobs, document: child } in &planned.pushes {
            for blob in blobs {
                self.send_blob(repository, blob)?;
            }
            if let Some(child) = child.as_ref().filter(|_| Some(digest) != root) {
                self.store.put_manifest(repository, child)?;
                self.state().observed.note_manifest(repository, digest);
            }
        }
        Ok(())
    }

    /// Repairs a tag that another writer has written after us. Platforms of ours that it lacks are
    /// fused in again. The other writer's images for our platforms are newer, and stay. Returns the
    /// last plan, in which nothing is left to write.
    pub(super) fn fuse_back_in(&self, name: &TargetName) -> Result<PlannedImage> {
        let options = &self.live.inventory.options;
        let mut shown = BTreeSet::new();
        for round in 0..MAX_ROUNDS {
            pause(round, &self.context.cancel)?;
            let again = self.plan_again(name, options)?;
            if again.document.is_none() {
                return Ok(again);
            }
            shown.insert(again.before.clone());
            self.write_planned(&again, options)?;
        }
        let message = match shown.len() {
            1 => "the server keeps showing the tag as it was before it was written",
            _ => "another writer keeps removing what this run writes",
        };
        Err(Error::new(ErrorKind::Contended, message).of_image(name))
    }

    /// Notes images of other writers that took the place of ours while this run was at work.
    pub(super) fn note_overtaken(&self, report: &ImageReport, now: &PlannedImage) {
        let ours = report.decisions.iter().map(|planned| &planned.decision);
        let ours = ours.filter(|ours| !matches!(ours.change, Change::NotTaken { .. }));
        for ours in ours {
            let same = |now: &&PlannedDecision| {
                (&now.decision.platform, &now.decision.digest) == (&ours.platform, &ours.digest)
            };
            if let Some(now) = now.decisions.iter().find(same)
                && let Change::NotTaken { stays, .. } = &now.decision.change
            {
                let (image, platform) = (report.name.to_string(), ours.platform.clone());
                let by = stays.clone();
                self.state().findings.push(Finding::Overtaken { image, platform, by });
            }
        }
    }

    fn forget_parts(&self, planned: &PlannedImage) {
        let digests = planned.pushes.iter().flat_map(|p| &p.blobs).map(|blob| &blob.digest);
        let (repository, mut state) = (planned.name.repository(), self.state());
        state.observed.forget_parts(repository, digests);
        state.refused_for.insert(repository.to_owned());
    }

    /// Reads the tag again, and plans the image by what it holds now.
    fn plan_again(&self, name: &TargetName, options: &Options) -> Result<PlannedImage> {
        let named = self.live.inventory.image(name);
        // The lock is not held during requests, so that other images can proceed.
        let mut observed = self.state().observed.clone();
        let now = self.tags.read(name).map_err(|error| error.of_image(name))?;
        observe_image(self.store, &mut observed, (name, now), named, options)?;
        self.state().observed.take_over(name, &observed);
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

/// An error about a missing blob where the registry refuses the image for another reason: layers that are
/// kept elsewhere.
fn explain_foreign_layers(error: Error, image: &PlannedImage) -> Error {
    let is_foreign = |push: &Push| {
        let manifest = push.document.as_ref().and_then(|document| Manifest::parse(document).ok());
        manifest.is_some_and(|manifest| {
            manifest.layers.iter().any(|l| layer_is_foreign(&l.media_type) || !l.urls.is_empty())
        })
    };
    if error.kind() != ErrorKind::BlobUnknown || !image.pushes.iter().any(is_foreign) {
        return error;
    }
    let message = "the image has foreign layers, which other servers keep (`urls`), and the registry refuses it";
    Error::caused_by(ErrorKind::BlobUnknown, message, error).with_detail(Detail::ForeignLayers)
}
