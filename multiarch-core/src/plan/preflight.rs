//! What stands in the way of a plan, found before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bytes, Observed, Options, Plan, PlannedBlob, PlannedImage};
use crate::{
    chart::TargetName,
    error::{Detail, Error, ErrorKind},
    image::{Digest, Index},
    store::{PushRights, Survey},
};

/// What a target says before anything is written to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preflight {
    pub(crate) survey: Survey,
    pub(crate) rights: PushRights,
    /// Tags that a rule keeps as they are; `None` where the login may not ask.
    pub(crate) immutable: Option<BTreeSet<TargetName>>,
}

/// The error of images whose projects are not there: the same one for all, so that it is printed once.
pub(crate) fn missing_projects(survey: &Survey) -> Error {
    let names: Vec<&str> = survey.missing_projects().map(String::as_str).collect();
    let message = match names.as_slice() {
        [one] => format!("the project {one} is not there, and a push does not create it"),
        all => format!(
            "the projects {} are not there, and a push does not create them",
            all.join(", ")
        ),
    };
    Error::new(ErrorKind::Denied, message).with_detail(Detail::ProjectUnknown)
}

impl Preflight {
    /// Why an image cannot be written, as far as that is known.
    pub(super) fn hindrance(&self, image: &PlannedImage) -> Option<Error> {
        if image.after.is_none() && image.pushes.is_empty() {
            return None;
        }
        if let Some(error) = self.rights.refused.get(image.name.repository()) {
            return Some(error.clone());
        }
        let kept = self.immutable.as_ref().is_some_and(|kept| kept.contains(&image.name));
        if image.after.is_some() && kept {
            let message = "a rule of the project keeps this tag as it is";
            return Some(Error::new(ErrorKind::Denied, message).with_detail(Detail::ImmutableTag));
        }
        let is_harbor = !self.survey.projects.is_empty();
        let twice = image.document.as_ref().filter(|_| is_harbor).and_then(|document| {
            let index = document.kind().is_index().then(|| Index::from_document(document).ok());
            let mut seen = BTreeSet::new();
            let entries = index.flatten()?.entries().to_vec();
            entries.iter().find(|e| !seen.insert(e.digest().clone())).map(|e| e.digest().clone())
        });
        twice.map(|digest| {
            let message = "the index lists this manifest twice, which a Harbor does not take";
            let error = Error::new(ErrorKind::Denied, message).with_digest(&digest);
            error.with_detail(Detail::ListedTwice)
        })
    }

    /// How many bytes each project will hold more.
    pub(super) fn growth(&self, plan: &Plan, observed: &Observed) -> BTreeMap<&str, u64> {
        let mut blobs: BTreeMap<&str, BTreeMap<&Digest, u64>> = BTreeMap::new();
        for image in &plan.images {
            let Some((project, _)) = self.survey.project(image.name.repository()) else { continue };
            let is_new = |blob: &&PlannedBlob| {
                let mut sources = observed.sources(&blob.digest);
                !blob.present
                    && !sources.any(|source| self.survey.project_of.get(source) == Some(project))
            };
            let of_image = image.pushes.iter().flat_map(|push| &push.blobs).filter(is_new);
            blobs
                .entry(project)
                .or_default()
                .extend(of_image.map(|blob| (&blob.digest, blob.size)));
        }
        blobs.into_iter().map(|(project, blobs)| (project, blobs.values().sum())).collect()
    }

    /// Why the plan does not fit into the target as a whole; `growth` is that of each project.
    pub(super) fn obstacles(&self, plan: &Plan, growth: &BTreeMap<&str, u64>) -> Vec<Error> {
        let mut obstacles = Vec::new();
        if self.survey.is_read_only == Some(true) && plan.writes() {
            let message = "the registry is in read-only mode";
            obstacles.push(Error::new(ErrorKind::Denied, message).with_detail(Detail::ReadOnly));
        }
        for (project, bytes) in growth {
            let of_project = self.survey.projects.get(*project);
            let Some((hard, used)) = of_project.and_then(|known| known.quota) else { continue };
            let left = hard.saturating_sub(used);
            if *bytes > left {
                let message = format!(
                    "the project {project} needs {} more, and its quota of {} has {} left",
                    Bytes(*bytes),
                    Bytes(hard),
                    Bytes(left),
                );
                obstacles.push(Error::new(ErrorKind::Denied, message).with_detail(Detail::Quota));
            }
        }
        let (needed, free) = (plan.cost.disk_bytes, self.survey.free_bytes);
        if let Some(free) = free.filter(|free| needed > *free) {
            let (needed, free) = (Bytes(needed), Bytes(free));
            let message = format!("the target needs {needed}, and its disk has {free} left");
            obstacles.push(Error::new(ErrorKind::Io, message).with_detail(Detail::NoRoom));
        }
        obstacles
    }

    /// The projects that are to be created.
    pub(super) fn to_create(&self, options: &Options) -> Vec<String> {
        let missing = self.survey.missing_projects().filter(|_| options.create_projects);
        missing.cloned().collect()
    }
}
