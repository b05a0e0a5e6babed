//! The plan.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Cost, Observed, Options, PlannedBlob, PlannedImage, PlannedUpload, Wanted, plan_image,
};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind},
    image::Digest,
    package::{Finding, Identity, Package},
    target::Target,
};

/// The complete list of what will be sent, written and kept.
///
/// It serialises to JSON of the schema [`Plan::SCHEMA`], and prints as a table. It holds no
/// secrets.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// The chart repository, as the user named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charts_to: Option<String>,
    /// The options.
    pub options: Options,
    /// The packages.
    pub packages: Vec<PlannedPackage>,
    /// The charts, and the images without one.
    pub charts: Vec<PlannedChart>,
    /// Every name in the target, in order.
    pub images: Vec<PlannedImage>,
    /// What is worth knowing.
    pub findings: Vec<Finding>,
    /// What could not be read and belongs to no chart.
    pub problems: Vec<Error>,
    /// Everything that was asked for is in the plan.
    pub complete: bool,
    /// Bytes of distinct blobs that will be sent.
    pub bytes_to_send: u64,
    /// Bytes of distinct blobs that are needed, and are there already, in this repository or another.
    pub bytes_present: u64,
    /// What it costs.
    pub cost: Cost,
    #[serde(skip)]
    pub(crate) wanted: Wanted<'a>,
    #[serde(skip)]
    pub(crate) observed: Observed,
}

/// A package and what it is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedPackage {
    /// The path.
    pub path: String,
    /// What it is recognised by.
    #[serde(flatten)]
    pub identity: Identity,
}

/// A chart, or images that belong to none.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PlannedChart {
    /// `name-version`; `None` for images that belong to no chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The bundles it comes from.
    pub bundles: Vec<String>,
    /// The names of its images in the target.
    pub images: Vec<TargetName>,
    /// What becomes of the chart itself; `None` where it does not go anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<PlannedUpload>,
    /// What keeps it, or one of its bundles, from being imported.
    pub problems: Vec<Error>,
}

impl<'a> Plan<'a> {
    /// The JSON form's name and version.
    pub const SCHEMA: &'static str = "multiarch.plan/v1";

    /// Puts together what is wanted and what was observed.
    pub fn new(target: &Target, wanted: Wanted<'a>, observed: Observed) -> Self {
        let images: Vec<PlannedImage> = wanted
            .images()
            .map(|(name, wants)| plan_image(name, wants, &observed, &wanted.options))
            .collect();
        let mut findings = wanted.findings.clone();
        for image in &images {
            if let (Some(before), Some(_)) = (&image.before, &image.after) {
                let by = observed.referrers(&image.name, before);
                if !by.is_empty() {
                    let image = image.name.to_string();
                    findings.push(Finding::Referred { image, by: by.to_vec() });
                }
            }
        }
        let charts = wanted.charts.iter().map(|chart| PlannedChart {
            chart: chart.chart.clone(),
            bundles: chart.bundles.clone(),
            images: chart.images.iter().cloned().collect(),
            upload: chart.upload.clone(),
            problems: chart.problems.iter().map(Error::copy).collect(),
        });
        let problems = wanted.packages[..wanted.given]
            .iter()
            .flat_map(|p| p.problems())
            .chain(&wanted.problems);
        let mut plan = Self {
            schema: Self::SCHEMA,
            target: target.to_string(),
            charts_to: target.charts().map(ToString::to_string),
            options: wanted.options.clone(),
            packages: wanted.packages[..wanted.given].iter().map(|p| planned_package(p)).collect(),
            charts: charts.collect(),
            images,
            findings,
            problems: problems.map(Error::copy).collect(),
            complete: false,
            bytes_to_send: 0,
            bytes_present: 0,
            cost: Cost::default(),
            observed,
            wanted,
        };
        plan.block();
        plan.find_sources();
        let to_send = plan.to_send();
        plan.count_bytes(&to_send);
        plan.cost = Cost::of(&plan, &to_send, target.store().tags_are_atomic());
        plan.complete = plan.is_complete();
        plan
    }

    /// A chart with an image that cannot be written sends nothing.
    fn block(&mut self) {
        let failed: BTreeMap<&TargetName, &Error> =
            self.images.iter().filter_map(|i| Some((&i.name, i.error.as_ref()?))).collect();
        for chart in self.charts.iter_mut().filter(|chart| chart.chart.is_some()) {
            let errors: Vec<Error> = chart
                .images
                .iter()
                .filter_map(|name| failed.get(name))
                .map(|error| error.copy())
                .collect();
            if !errors.is_empty() {
                chart.images.clear();
                chart.problems.extend(errors);
            }
        }
        // A chart that came without its images names what somebody else has to have brought.
        for (chart, wanted) in self.charts.iter_mut().zip(&self.wanted.charts) {
            let is_there = |name: &TargetName| {
                self.wanted.images.contains_key(name)
                    || self.observed.tag(name).is_ok_and(|held| held.document().is_some())
            };
            let missing = wanted.needed.iter().filter(|name| !is_there(name));
            if chart.upload.is_some() {
                chart.problems.extend(missing.map(|name| {
                    let message = "the chart came without its images, and names this one, which is not in the target";
                    Error::new(ErrorKind::Missing, message).of_image(name)
                }));
            }
        }
        for chart in self.charts.iter_mut().filter(|chart| !chart.problems.is_empty()) {
            chart.upload = None;
        }
        let used: BTreeSet<TargetName> =
            self.charts.iter().flat_map(|chart| chart.images.iter().cloned()).collect();
        self.images.retain(|image| used.contains(&image.name));
    }

    /// What is at a tag that stays as it is can be mounted from there.
    fn find_sources(&mut self) {
        for image in self.images.iter().filter(|image| image.after.is_none()) {
            let parts = self.wanted.image(&image.name).iter().flat_map(|want| &want.image.parts);
            for blob in parts.flat_map(|part| &part.blobs) {
                self.observed.leads_to(image.name.repository(), &blob.descriptor.digest);
            }
        }
    }

    fn count_bytes(&mut self, to_send: &BTreeMap<Digest, u64>) {
        let all: BTreeMap<&Digest, u64> =
            self.blobs().map(|blob| (&blob.digest, blob.size)).collect();
        let present = all.into_iter().filter(|(digest, _)| !to_send.contains_key(*digest));
        self.bytes_present = present.map(|(_, size)| size).sum();
        self.bytes_to_send = to_send.values().sum();
    }

    /// Every blob of every image; one that several need comes for each.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &PlannedBlob> {
        self.images.iter().flat_map(|image| &image.pushes).flat_map(|push| &push.blobs)
    }

    /// The blobs that the target has in no repository, with their sizes.
    pub(crate) fn to_send(&self) -> BTreeMap<Digest, u64> {
        let lacking =
            |blob: &&PlannedBlob| !blob.present && !self.observed.has_source(&blob.digest);
        self.blobs().filter(lacking).map(|blob| (blob.digest.clone(), blob.size)).collect()
    }

    /// Whether everything that was asked for is or will be in the target.
    fn is_complete(&self) -> bool {
        self.problems.is_empty()
            && self.charts.iter().all(|chart| chart.problems.is_empty())
            && self.images.iter().all(|image| image.error.is_none())
    }

    /// The number of tags that will be written.
    pub fn tags_to_write(&self) -> usize {
        self.images.iter().filter(|image| image.after.is_some()).count()
    }
}

fn planned_package(package: &Package) -> PlannedPackage {
    PlannedPackage { path: package.path().into(), identity: package.identity().clone() }
}
