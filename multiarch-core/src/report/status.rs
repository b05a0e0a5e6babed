//! What a target holds: the platforms of each tag and of each chart.

use std::fmt;

use serde::Serialize;

use super::Coverage;
use crate::{
    chart::TargetName,
    error::{Error, Printable},
    image::{Digest, PlatformKey},
    plan::table,
};

/// What a target holds. It serialises to JSON of the schema [`Status::SCHEMA`], and prints as a
/// table.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// Every tag.
    pub tags: Vec<TagStatus>,
    /// The charts of the packages that were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<ChartStatus>,
    /// Packages that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Error>,
    /// Errors that would keep the packages' charts from being imported.
    #[serde(skip)]
    pub(crate) blocked: Vec<Error>,
}

/// One tag.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TagStatus {
    /// The name.
    pub name: TargetName,
    /// Digest of its document; `None` where the tag does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The platforms, each with its manifest.
    pub platforms: Vec<TagPlatform>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// One platform of a tag.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TagPlatform {
    /// The platform.
    pub platform: PlatformKey,
    /// Its manifest.
    pub digest: Digest,
    /// True where the tag lists it and the target does not have it, or lacks parts of it that were asked
    /// for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

/// One chart, and the platforms for which its images are in the target.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ChartStatus {
    /// The chart, as `name-version`.
    pub chart: String,
    /// The platforms for which its images are in the target.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// What its hints render and the target lacks: missing names, and references to other registries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Status {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.status/v1";

    /// Errors of the packages: why some cannot be read, and what keeps their charts from being imported.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.blocked.iter().chain(&self.problems)
    }

    /// True where every tag and every package could be read, and the target has what the tags list.
    pub fn is_sound(&self) -> bool {
        let is_sound = |tag: &TagStatus| {
            tag.error.is_none() && tag.platforms.iter().all(|platform| !platform.missing)
        };
        self.problems.is_empty() && self.tags.iter().all(is_sound)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |listed: &TagPlatform| match listed.missing {
            true => format!("{} (listed, missing)", listed.platform),
            false => listed.platform.to_string(),
        };
        let mut rows = vec![["IMAGE", "PLATFORMS", "DIGEST"].map(String::from).to_vec()];
        let needs_attention = |tag: &&TagStatus| {
            tag.error.is_some() || tag.platforms.iter().any(|platform| platform.missing)
        };
        let (first, others): (Vec<_>, Vec<_>) = self.tags.iter().partition(needs_attention);
        for tag in first.into_iter().chain(others) {
            let platforms = match &tag.error {
                Some(error) => format!("unreadable: {error}"),
                None if tag.digest.is_none() => "absent".into(),
                None => tag.platforms.iter().map(text).collect::<Vec<_>>().join(", "),
            };
            let digest = tag.digest.as_ref().map(|d| d.to_string()[..19].to_owned());
            rows.push(vec![tag.name.to_string(), platforms, digest.unwrap_or_default()]);
        }
        table(f, &rows)?;
        writeln!(f, "\n{} tags in {}", self.tags.len(), Printable(&self.target))?;
        if self.charts.is_empty() {
            return Ok(());
        }
        let mut rows = vec![
            ["CHART", "ALL IMAGES FOR", "SOME IMAGES FOR", "NOT THERE"].map(String::from).to_vec(),
        ];
        for chart in &self.charts {
            let [all, some] = chart.coverage.texts();
            rows.push(vec![chart.chart.clone(), all, some, chart.missing.join(", ")]);
        }
        writeln!(f)?;
        table(f, &rows)
    }
}
