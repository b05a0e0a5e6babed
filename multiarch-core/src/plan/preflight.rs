//! What stands in the way of a plan, found before anything is sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

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
    /// Tags that a rule keeps as they are.
    pub(crate) immutable: BTreeSet<TargetName>,
}

/// One thing that was checked before an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Check {
    /// What was checked.
    pub subject: CheckSubject,
    /// How it is.
    pub result: CheckResult,
    /// The facts, in words.
    pub says: String,
}

/// What is checked before an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckSubject {
    /// The target answers, takes the login, and takes writes.
    Target,
    /// The projects of the images are there.
    Projects,
    /// The login may write to them.
    PushRight,
    /// The tags can be written.
    Tags,
    /// The projects have room.
    Quota,
    /// The disk has room.
    Space,
    /// The chart repository answers and takes charts.
    Charts,
    /// The registry's garbage collection keeps what an import writes.
    GarbageCollection,
}

/// How something is that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckResult {
    /// As an import needs it.
    Ok,
    /// An import will change it so that it is.
    ToDo,
    /// Not known without writing.
    Unknown,
    /// It keeps something from being imported.
    Problem,
    /// It would, and the user wants to start nevertheless.
    Ignored,
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::ToDo => "to do",
            Self::Unknown => "unknown",
            Self::Problem => "PROBLEM",
            Self::Ignored => "ignored",
        })
    }
}

impl fmt::Display for CheckSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Target => "target",
            Self::Projects => "projects",
            Self::PushRight => "push right",
            Self::Tags => "tags",
            Self::Quota => "quota",
            Self::Space => "space",
            Self::Charts => "charts",
            Self::GarbageCollection => "garbage collection",
        })
    }
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
        if image.after.is_some() && self.immutable.contains(&image.name) {
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
    fn growth(&self, plan: &Plan, observed: &Observed) -> BTreeMap<&str, u64> {
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

    /// Why the plan does not fit into the target as a whole.
    pub(super) fn obstacles(&self, plan: &Plan, observed: &Observed) -> Vec<Error> {
        let mut obstacles = Vec::new();
        if self.survey.is_read_only && plan.writes() {
            let message = "the registry is in read-only mode";
            obstacles.push(Error::new(ErrorKind::Denied, message).with_detail(Detail::ReadOnly));
        }
        for (project, bytes) in self.growth(plan, observed) {
            let of_project = self.survey.projects.get(project);
            let Some((hard, used)) = of_project.and_then(|known| known.quota) else { continue };
            let left = hard.saturating_sub(used);
            if bytes > left {
                let message = format!(
                    "the project {project} needs {} more, and its quota of {} has {} left",
                    Bytes(bytes),
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

    /// All that was checked, for people.
    pub(super) fn checks(
        &self,
        plan: &Plan,
        observed: &Observed,
        obstacles: &[Error],
    ) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut add = |subject, result, says: String| checks.push(Check { subject, result, says });
        let options = &plan.options;
        let has = |detail| obstacles.iter().any(|error| error.case() == Some(detail));
        let found = |detail: Detail| match (has(detail), options.anyway) {
            (false, _) => CheckResult::Ok,
            (true, false) => CheckResult::Problem,
            (true, true) => CheckResult::Ignored,
        };
        let survey = &self.survey;
        let says = match has(Detail::ReadOnly) {
            true => format!("{}; it is in read-only mode", survey.kind),
            false => survey.kind.clone(),
        };
        add(CheckSubject::Target, found(Detail::ReadOnly), says);
        let missing: Vec<&str> = survey.missing_projects().map(String::as_str).collect();
        if !survey.projects.is_empty() {
            let (result, says) = match (missing.is_empty(), options.create_projects) {
                (true, _) => (CheckResult::Ok, format!("all {} are there", survey.projects.len())),
                (false, true) => {
                    (CheckResult::ToDo, format!("{} will be created", missing.join(", ")))
                }
                (false, false) => {
                    (CheckResult::Problem, format!("{} are not there", missing.join(", ")))
                }
            };
            add(CheckSubject::Projects, result, says);
        }
        let refused: Vec<&str> = self.rights.refused.keys().map(String::as_str).collect();
        let (result, says) = match (refused.is_empty(), self.rights.granted) {
            (false, _) => (CheckResult::Problem, format!("none in {}", refused.join(", "))),
            (true, 0) => (CheckResult::Unknown, "shown only by a write".to_owned()),
            (true, granted) => (CheckResult::Ok, format!("in {granted} repositories")),
        };
        if survey.free_bytes.is_none() && plan.writes() {
            add(CheckSubject::PushRight, result, says);
        }
        let kept: Vec<String> = self.immutable.iter().map(ToString::to_string).collect();
        match kept.is_empty() {
            true => add(
                CheckSubject::Tags,
                CheckResult::Ok,
                format!("{} will be written", plan.tags_to_write()),
            ),
            false => add(
                CheckSubject::Tags,
                CheckResult::Problem,
                format!("a rule keeps {}", kept.join(", ")),
            ),
        }
        let growth = self.growth(plan, observed);
        let quotas: Vec<String> = survey
            .projects
            .iter()
            .filter_map(|(name, project)| {
                let (hard, used) = project.quota?;
                let needed = Bytes(growth.get(name.as_str()).copied().unwrap_or_default());
                Some(format!("{name}: {needed} needed, {} left", Bytes(hard.saturating_sub(used))))
            })
            .collect();
        if !quotas.is_empty() {
            add(CheckSubject::Quota, found(Detail::Quota), quotas.join("; "));
        }
        if let Some(free) = survey.free_bytes {
            let says = format!("{} needed, {} left", Bytes(plan.cost.disk_bytes), Bytes(free));
            add(CheckSubject::Space, found(Detail::NoRoom), says);
        }
        if let Some(charts) = &plan.charts_to {
            add(CheckSubject::Charts, CheckResult::Ok, format!("{charts} answers"));
        }
        let is_index = |image: &PlannedImage| {
            image.document.as_ref().is_some_and(|document| document.kind().is_index())
        };
        if survey.may_collect_children
            && !options.keep_children_tagged
            && plan.images.iter().any(is_index)
        {
            let says = "a registry of distribution 2.x deletes images of an index with `garbage-collect -m`: leave out -m, or import with --keep-children-tagged";
            add(CheckSubject::GarbageCollection, CheckResult::Unknown, says.into());
        }
        checks
    }

    /// The projects that are to be created.
    pub(super) fn to_create(&self, options: &Options) -> Vec<String> {
        let missing = self.survey.missing_projects().filter(|_| options.create_projects);
        missing.cloned().collect()
    }
}
