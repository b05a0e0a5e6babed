//! What was checked before an import, and how it is.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Bytes, Plan, PlannedImage, Preflight};
use crate::error::{Detail, Error};

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

impl Check {
    fn new(subject: CheckSubject, result: CheckResult, says: impl Into<String>) -> Self {
        Self { subject, result, says: says.into() }
    }
}

impl Preflight {
    /// All that was checked, for people.
    pub(super) fn checks(
        &self,
        plan: &Plan,
        growth: &BTreeMap<&str, u64>,
        obstacles: &[Error],
    ) -> Vec<Check> {
        let found = |detail: Detail| {
            let is_there = obstacles.iter().any(|error| error.case() == Some(detail));
            match (is_there, plan.options.anyway) {
                (false, _) => CheckResult::Ok,
                (true, false) => CheckResult::Problem,
                (true, true) => CheckResult::Ignored,
            }
        };
        let charts = plan.charts_to.iter();
        let charts = charts
            .map(|c| Check::new(CheckSubject::Charts, CheckResult::Ok, format!("{c} answers")));
        [
            Some(Check::new(
                CheckSubject::Target,
                match self.survey.is_read_only {
                    None => CheckResult::Unknown,
                    Some(_) => found(Detail::ReadOnly),
                },
                match self.survey.is_read_only {
                    None => {
                        format!("{}; it does not say whether it takes writes", self.survey.kind)
                    }
                    Some(true) => format!("{}; it is in read-only mode", self.survey.kind),
                    Some(false) => self.survey.kind.clone(),
                },
            )),
            self.projects(plan),
            self.push_right(plan),
            Some(self.tags(plan)),
            self.quota(growth, found(Detail::Quota)),
            self.space(plan, found(Detail::NoRoom)),
        ]
        .into_iter()
        .flatten()
        .chain(charts)
        .chain(self.garbage_collection(plan))
        .collect()
    }

    fn projects(&self, plan: &Plan) -> Option<Check> {
        let projects = &self.survey.projects;
        let missing: Vec<&str> = self.survey.missing_projects().map(String::as_str).collect();
        let known = projects.values().filter(|project| project.exists == Some(true)).count();
        let missing = missing.join(", ");
        let (result, says) = match (missing.is_empty(), plan.options.create_projects) {
            _ if projects.is_empty() => return None,
            (true, _) if known == projects.len() => {
                (CheckResult::Ok, format!("all {known} are there"))
            }
            (true, _) => {
                let unknown = projects.len() - known;
                (CheckResult::Unknown, format!("the login may not ask whether {unknown} are there"))
            }
            (false, true) if self.survey.only_admins_create => (
                CheckResult::Unknown,
                format!("{missing} will be created, where the login is an administrator's"),
            ),
            (false, true) => (CheckResult::ToDo, format!("{missing} will be created")),
            (false, false) => (CheckResult::Problem, format!("{missing} are not there")),
        };
        Some(Check::new(CheckSubject::Projects, result, says))
    }

    fn push_right(&self, plan: &Plan) -> Option<Check> {
        let refused: Vec<&str> = self.rights.refused.keys().map(String::as_str).collect();
        let (result, says) = match (refused.is_empty(), self.rights.granted) {
            (false, _) => (CheckResult::Problem, format!("none in {}", refused.join(", "))),
            (true, 0) => (CheckResult::Unknown, "shown only by a write".to_owned()),
            (true, granted) => (CheckResult::Ok, format!("in {granted} repositories")),
        };
        let is_asked = !refused.is_empty() || (self.survey.free_bytes.is_none() && plan.writes());
        is_asked.then(|| Check::new(CheckSubject::PushRight, result, says))
    }

    fn tags(&self, plan: &Plan) -> Check {
        let kept = self.immutable.iter().flatten().map(ToString::to_string);
        let kept: Vec<String> = kept.collect();
        let written = plan.tags_to_write();
        let (result, says) = match (&self.immutable, kept.is_empty()) {
            (None, _) => (
                CheckResult::Unknown,
                format!("{written} will be written; the login may not ask whether rules keep some"),
            ),
            (Some(_), true) => (CheckResult::Ok, format!("{written} will be written")),
            (Some(_), false) => (CheckResult::Problem, format!("a rule keeps {}", kept.join(", "))),
        };
        Check::new(CheckSubject::Tags, result, says)
    }

    fn quota(&self, growth: &BTreeMap<&str, u64>, result: CheckResult) -> Option<Check> {
        let quotas = self.survey.projects.iter().filter_map(|(name, project)| {
            let (hard, used) = project.quota?;
            let needed = Bytes(growth.get(name.as_str()).copied().unwrap_or_default());
            Some(format!("{name}: {needed} needed, {} left", Bytes(hard.saturating_sub(used))))
        });
        let mut quotas: Vec<String> = quotas.collect();
        let hidden = self.survey.projects.values();
        let hidden = hidden.filter(|project| project.exists == Some(true) && project.hides_quota);
        let hidden = hidden.count();
        let mut result = result;
        if hidden > 0 {
            quotas.push(format!("the login may not ask for the quota of {hidden} projects"));
            result = if result == CheckResult::Ok { CheckResult::Unknown } else { result };
        }
        (!quotas.is_empty()).then(|| Check::new(CheckSubject::Quota, result, quotas.join("; ")))
    }

    fn space(&self, plan: &Plan, result: CheckResult) -> Option<Check> {
        let free = self.survey.free_bytes?;
        let says = format!("{} needed, {} left", Bytes(plan.cost.disk_bytes), Bytes(free));
        Some(Check::new(CheckSubject::Space, result, says))
    }

    fn garbage_collection(&self, plan: &Plan) -> Option<Check> {
        let is_index = |image: &PlannedImage| {
            image.document.as_ref().is_some_and(|document| document.kind().is_index())
        };
        let is_at_risk = self.survey.may_collect_children && !plan.options.keep_children_tagged;
        let says = "where it is distribution 2.x, `garbage-collect -m` deletes the images of every index that have no tag of their own";
        (is_at_risk && plan.images.iter().any(is_index))
            .then(|| Check::new(CheckSubject::GarbageCollection, CheckResult::Unknown, says))
    }
}
