//! What a target holds: tag by architecture, chart by architecture.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{Coverage, stored::StoredImages};
use crate::{
    apply::{Cancel, Progress},
    chart::TargetName,
    error::{Error, Result},
    image::{Digest, PlatformKey},
    plan::{Observed, Options, Wanted, table},
    target::{Target, ask_all, observe_image},
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
}

/// One tag.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct TagStatus {
    /// The name.
    pub name: TargetName,
    /// What it holds.
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
}

/// One chart: for which platforms its images are there.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ChartStatus {
    /// The chart, as `name-version`.
    pub chart: String,
    /// For which platforms its images are there.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// Names that its hints render, and nobody has pushed; images that it has elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Status {
    /// The JSON form's name and version.
    pub const SCHEMA: &'static str = "multiarch.status/v1";

    /// Looks at every tag of a target; where packages are given, at the names and charts of those. With
    /// a chart repository, its charts are looked at, too: all of them, or those of the packages.
    ///
    /// # Errors
    /// Where the target or the chart repository as a whole cannot be read.
    pub fn of(
        target: &Target,
        wanted: Option<&Wanted<'_>>,
        options: &Options,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Self> {
        let store = target.store();
        let stored = match (target.charts(), wanted) {
            (Some(charts), None) => {
                StoredImages::of_all(target, charts, options, progress, cancel)?
            }
            _ => Vec::new(),
        };
        // Not every registry lists what it has; packages and charts say what to look for.
        let names: Vec<TargetName> = match wanted {
            Some(wanted) => wanted.images().map(|(name, _)| name.clone()).collect(),
            None => {
                let mut names = store.tags()?;
                names.extend(stored.iter().flat_map(|stored| stored.names.iter().cloned()));
                names.sort();
                names.dedup();
                names
            }
        };
        let looked_at = ask_all(store.jobs(), &names, progress, cancel, |name| {
            let mut observed = Observed::new(store.shares_blobs());
            observe_image(store, &mut observed, name, &[], options)?;
            Ok(tag(&observed, name))
        })?;
        let tags: Vec<TagStatus> = looked_at.into_iter().collect::<Result<_>>()?;
        let platforms: BTreeMap<TargetName, Vec<PlatformKey>> = tags
            .iter()
            .map(|tag| {
                (tag.name.clone(), tag.platforms.iter().map(|p| p.platform.clone()).collect())
            })
            .collect();
        let there: BTreeSet<&TargetName> =
            tags.iter().filter(|tag| tag.digest.is_some()).map(|tag| &tag.name).collect();
        let status = |chart: &str, images: &BTreeSet<TargetName>, elsewhere: &[String]| {
            let of = |name| platforms.get(name).map(Vec::as_slice).unwrap_or_default();
            let missing = images.iter().filter(|name| !there.contains(name));
            ChartStatus {
                chart: chart.into(),
                coverage: Coverage::of(images.iter().map(|name| (name, of(name)))),
                missing: missing
                    .map(ToString::to_string)
                    .chain(elsewhere.iter().cloned())
                    .collect(),
            }
        };
        let mut charts: Vec<ChartStatus> = wanted
            .iter()
            .flat_map(|w| w.charts())
            .map(|(c, names)| status(c, names, &[]))
            .collect();
        charts.extend(stored.iter().map(|s| status(&s.chart, &s.names, &s.elsewhere)));
        Ok(Self { schema: Self::SCHEMA, target: target.to_string(), tags, charts })
    }
}

fn tag(observed: &Observed, name: &TargetName) -> TagStatus {
    let read = || -> Result<_> {
        let held = observed.tag(name)?;
        let Some(document) = held.document() else { return Ok((None, Vec::new())) };
        let platforms = held.platforms()?.into_iter();
        let platforms = platforms.map(|(platform, digest)| TagPlatform { platform, digest });
        Ok((Some(document.digest().clone()), platforms.collect()))
    };
    let name = name.clone();
    match read() {
        Ok((digest, platforms)) => TagStatus { name, digest, platforms, error: None },
        Err(error) => TagStatus { name, digest: None, platforms: Vec::new(), error: Some(error) },
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |platforms: &mut dyn Iterator<Item = &PlatformKey>| {
            platforms.map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let mut rows = vec![["IMAGE", "PLATFORMS", "DIGEST"].map(String::from).to_vec()];
        for tag in &self.tags {
            let platforms = match &tag.error {
                Some(error) => format!("unreadable: {error}"),
                None if tag.digest.is_none() => "absent".into(),
                None => join(&mut tag.platforms.iter().map(|p| &p.platform)),
            };
            let digest = tag.digest.as_ref().map(|d| d.to_string()[..19].to_owned());
            rows.push(vec![tag.name.to_string(), platforms, digest.unwrap_or_default()]);
        }
        table(f, &rows)?;
        writeln!(f, "\n{} tags in {}", self.tags.len(), self.target)?;
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
