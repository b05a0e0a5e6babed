//! What a target holds: tag by architecture, chart by architecture.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::{
    apply::Cancel,
    chart::TargetName,
    error::{Error, Result},
    image::{Digest, PlatformKey},
    plan::{Observed, Options, Wanted, table},
    target::{Target, observe_image},
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

/// One chart: for which platforms all of its images are there.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ChartStatus {
    /// The chart, as `name-version`.
    pub chart: String,
    /// Platforms that every image has.
    pub complete: Vec<PlatformKey>,
    /// Platforms that only some images have, with the names of those that lack them.
    pub partial: BTreeMap<String, Vec<TargetName>>,
}

impl Status {
    /// The JSON form's name and version.
    pub const SCHEMA: &'static str = "multiarch.status/v1";

    /// Looks at every tag of a target; where packages are given, at the names and charts of those.
    ///
    /// # Errors
    /// Where the target as a whole cannot be read.
    pub fn of(target: &Target, wanted: Option<&Wanted<'_>>, cancel: &Cancel) -> Result<Self> {
        let store = target.store();
        let mut observed = Observed::new(store.shares_blobs());
        let options = Options::default();
        let mut tags = Vec::new();
        // Not every registry lists what it has; the packages say what to look for.
        let names = match wanted {
            Some(wanted) => wanted.images().map(|(name, _)| name.clone()).collect(),
            None => store.tags()?,
        };
        for name in names {
            cancel.check()?;
            observe_image(store, &mut observed, &name, &[], &options)?;
            tags.push(match tag(&observed, &name) {
                Ok(tag) => tag,
                Err(error) => {
                    TagStatus { name, digest: None, platforms: Vec::new(), error: Some(error) }
                }
            });
        }
        let charts = wanted.map(|wanted| charts(wanted, &tags)).unwrap_or_default();
        Ok(Self { schema: Self::SCHEMA, target: target.to_string(), tags, charts })
    }
}

fn tag(observed: &Observed, name: &TargetName) -> Result<TagStatus> {
    let held = observed.tag(name)?;
    if held.document().is_none() {
        return Ok(TagStatus {
            name: name.clone(),
            digest: None,
            platforms: Vec::new(),
            error: None,
        });
    }
    let platforms = held.platforms()?.into_iter();
    Ok(TagStatus {
        name: name.clone(),
        digest: held.document().map(|document| document.digest().clone()),
        platforms: platforms.map(|(platform, digest)| TagPlatform { platform, digest }).collect(),
        error: None,
    })
}

fn charts(wanted: &Wanted<'_>, tags: &[TagStatus]) -> Vec<ChartStatus> {
    let platforms: BTreeMap<&TargetName, BTreeSet<&PlatformKey>> = tags
        .iter()
        .map(|tag| (&tag.name, tag.platforms.iter().map(|p| &p.platform).collect()))
        .collect();
    let none = BTreeSet::new();
    wanted
        .charts()
        .map(|(chart, images)| {
            let of = |name: &TargetName| platforms.get(name).unwrap_or(&none);
            let all: BTreeSet<&PlatformKey> = images.iter().flat_map(of).copied().collect();
            let mut status =
                ChartStatus { chart: chart.into(), complete: Vec::new(), partial: BTreeMap::new() };
            for platform in all {
                let lacking: Vec<TargetName> =
                    images.iter().filter(|name| !of(name).contains(platform)).cloned().collect();
                if lacking.is_empty() {
                    status.complete.push(platform.clone());
                } else {
                    status.partial.insert(platform.to_string(), lacking);
                }
            }
            status
        })
        .collect()
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
        let mut rows =
            vec![["CHART", "ALL IMAGES FOR", "SOME IMAGES FOR"].map(String::from).to_vec()];
        for chart in &self.charts {
            let partial: Vec<&str> = chart.partial.keys().map(String::as_str).collect();
            rows.push(vec![
                chart.chart.clone(),
                join(&mut chart.complete.iter()),
                partial.join(", "),
            ]);
        }
        writeln!(f)?;
        table(f, &rows)
    }
}
