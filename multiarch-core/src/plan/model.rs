//! The plan as a value, and how it is computed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicBool},
};

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Check, Cost, Inventory, Observed, Options, Origin, PlannedBlob, PlannedImage, PlannedUpload,
    Preflight,
};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind},
    image::Digest,
    package::{Finding, LeftOut, PackageIdentity},
    run::Context,
    store::OpenTarget,
};

// `apply` is in `import/run`, because it uses modules below this one; `agrees_with` is in `compare`.
/// The complete list of what will be sent, written and kept.
///
/// It serialises to JSON of the schema [`Plan::SCHEMA`], and prints as a table. It contains no secrets.
/// [`Plan::apply`] carries it out; a plan that was read from JSON is first computed again and compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    #[serde(deserialize_with = "of_our_schema")]
    schema: String,
    /// The target, as the user named it.
    pub target: String,
    /// True where the target is a store of a program's own, which no address leads to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) own_store: bool,
    /// The chart repositories, as the user named them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charts_to: Option<String>,
    /// The options that decide the result.
    pub options: Options,
    /// The packages.
    pub packages: Vec<PackageIdentity>,
    /// The charts, and entries for the images that belong to no chart.
    pub charts: Vec<PlannedChart>,
    /// Every name in the target that the import concerns, sorted.
    pub images: Vec<PlannedImage>,
    /// Findings: what is worth knowing, but not an error.
    pub findings: Vec<Finding>,
    /// What the packages hold and the selection leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Errors that belong to no chart.
    pub problems: Vec<Error>,
    /// The projects that will be created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// What was checked.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// True where the plan has everything that was asked for.
    pub complete: bool,
    /// Bytes of distinct blobs that will be sent.
    pub bytes_to_send: u64,
    /// Bytes of distinct blobs that are needed, and that some repository of the target has already.
    pub bytes_present: u64,
    /// An estimate of requests, time and space.
    pub cost: Cost,
    /// What it was computed from; `None` in a plan that was read from JSON.
    #[serde(skip)]
    pub(crate) live: Option<Arc<LivePlan>>,
}

/// What a plan was computed from, and what applying it needs.
#[derive(Debug)]
pub(crate) struct LivePlan {
    pub(crate) target: OpenTarget,
    pub(crate) context: Context,
    pub(crate) inventory: Inventory,
    pub(crate) observed: Observed,
    /// The plan was applied, so the target may hold more than was observed.
    pub(crate) is_applied: AtomicBool,
}

impl LivePlan {
    /// True for an image that the target has, or that a package brings.
    fn will_have(&self, name: &TargetName) -> bool {
        !self.inventory.image(name).is_empty()
            || self.observed.tag(name).is_ok_and(|state| state.document().is_some())
    }
}

/// A chart, or images that belong to no chart.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedChart {
    /// `name-version`; `None` for images that belong to no chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The folder of the package that it is in, where the folders have chart repositories of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The bundles it comes from.
    pub bundles: Vec<String>,
    /// The names of its images in the target.
    pub images: Vec<TargetName>,
    /// What is done with the chart itself; `None` where it is not uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<PlannedUpload>,
    /// Errors that keep it, or one of its bundles, from being imported.
    pub problems: Vec<Error>,
}

impl PlannedChart {
    /// The chart's name for people, with the folder where that matters.
    pub(crate) fn title(&self) -> Option<String> {
        titled(self.chart.as_ref(), self.folder.as_ref())
    }

    fn without_chart(images: Vec<TargetName>) -> Self {
        let (bundles, problems) = Default::default();
        Self { chart: None, folder: None, bundles, images, upload: None, problems }
    }
}

/// A chart's name for people: `folder/name-version`.
pub(crate) fn titled(chart: Option<&String>, folder: Option<&String>) -> Option<String> {
    chart.map(|chart| match folder {
        Some(folder) => format!("{folder}/{chart}"),
        None => chart.clone(),
    })
}

fn of_our_schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let schema = String::deserialize(deserializer)?;
    if schema == Plan::SCHEMA {
        return Ok(schema);
    }
    let message = format!("a plan of schema {schema}, not {}", Plan::SCHEMA);
    Err(serde::de::Error::custom(message))
}

impl Plan {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.plan/v2";

    /// Computes the plan from what an import brings and what the target holds.
    pub(crate) fn new(
        target: OpenTarget,
        context: Context,
        inventory: Inventory,
        observed: Observed,
        mut images: Vec<PlannedImage>,
        preflight: &Preflight,
    ) -> Self {
        for image in images.iter_mut().filter(|image| image.error.is_none()) {
            if let Some(error) = preflight.hindrance(image) {
                image.refuse(error);
            }
        }
        let mut findings = inventory.findings.clone();
        for image in &images {
            for (origin, digest) in &image.unplaced {
                let package = match origin {
                    Origin::Package(number) => inventory.packages[*number].path().to_owned(),
                    Origin::Target => target.name.clone(),
                };
                findings.push(Finding::NotUsed {
                    package,
                    what: format!("{digest} of {}", image.name),
                    because: "an attestation whose image is not at the tag".into(),
                });
            }
            if let (Some(before), Some(_)) = (&image.before, &image.after) {
                let by = observed.referrers(&image.name, before);
                if !by.is_empty() {
                    let image = image.name.to_string();
                    findings.push(Finding::Referred { image, by: by.to_vec() });
                }
            }
        }
        let charts = inventory.charts.iter().map(|chart| PlannedChart {
            chart: chart.chart.clone(),
            folder: chart.folder.clone(),
            bundles: chart.bundles.clone(),
            images: chart.images.iter().cloned().collect(),
            upload: chart.upload.clone(),
            problems: chart.problems.clone(),
        });
        let mut plan = Self {
            schema: Self::SCHEMA.into(),
            target: target.name.clone(),
            own_store: target.is_own_store,
            charts_to: target.charts.text().map(ToOwned::to_owned),
            options: inventory.options.of_plan(),
            packages: inventory.packages.iter().map(|p| p.identity().clone()).collect(),
            charts: charts.collect(),
            images,
            findings,
            left_out: inventory.packages.iter().flat_map(|p| p.left_out()).cloned().collect(),
            problems: inventory.problems_of_no_chart().cloned().collect(),
            projects: Vec::new(),
            checks: Vec::new(),
            complete: false,
            bytes_to_send: 0,
            bytes_present: 0,
            cost: Cost::default(),
            live: None,
        };
        let is_applied = AtomicBool::new(false);
        let mut live = LivePlan { target, context, inventory, observed, is_applied };
        plan.block(&live);
        plan.problems.extend(plan.images.iter().flat_map(|image| image.lost.clone()));
        plan.note_mount_sources(&mut live);
        let to_send = plan.to_send(&live.observed);
        plan.count_bytes(&to_send);
        let atomic = live.target.images.compares_and_sets_tags();
        plan.cost = Cost::new(&plan, &to_send, atomic);
        let growth = preflight.growth(&plan, &live.observed);
        let obstacles = preflight.obstacles(&plan, &growth);
        plan.checks = preflight.checks(&plan, &growth, &obstacles);
        if !plan.options.anyway {
            plan.problems.extend(obstacles);
        }
        plan.projects = preflight.to_create(&plan.options);
        plan.complete = plan.is_complete();
        plan.live = Some(Arc::new(live));
        plan
    }

    /// What the packages hold beside images and charts, and what is left alone: each package's path, and the
    /// folders and files. Empty for a plan that was read from JSON.
    pub fn left_alone(&self) -> impl Iterator<Item = (&str, &[String])> {
        let packages = self.live.iter().flat_map(|live| &live.inventory.packages);
        packages.map(|package| (package.path(), package.foreign()))
    }

    /// Blocks charts with an image that cannot be written or is missing: such a chart sends nothing.
    fn block(&mut self, live: &LivePlan) {
        let failed: BTreeMap<&TargetName, &Error> =
            self.images.iter().filter_map(|i| Some((&i.name, i.error.as_ref()?))).collect();
        for chart in self.charts.iter_mut().filter(|chart| chart.chart.is_some()) {
            let errors: Vec<Error> = chart
                .images
                .iter()
                .filter_map(|name| failed.get(name))
                .map(|error| (*error).clone())
                .collect();
            if !errors.is_empty() {
                chart.images.clear();
                chart.problems.extend(errors);
            }
        }
        // A chart that came without its images needs them in the target, from another import.
        for (chart, named) in self.charts.iter_mut().zip(&live.inventory.charts) {
            let missing = named.needed.iter().filter(|name| !live.will_have(name));
            if chart.upload.is_some() {
                chart.problems.extend(missing.map(|name| {
                    let message = "the chart names this image, which is not in the target, and which no package holds";
                    Error::new(ErrorKind::Missing, message).of_image(name)
                }));
                if !chart.problems.is_empty() && !live.inventory.options.images_of_blocked_charts {
                    chart.images.clear();
                }
            }
        }
        self.leave_out_charts(live);
        for chart in self.charts.iter_mut().filter(|chart| !chart.problems.is_empty()) {
            chart.upload = None;
        }
        let mut used: BTreeSet<TargetName> =
            self.charts.iter().flat_map(|chart| chart.images.iter().cloned()).collect();
        let referrers = live.inventory.referrers_of(&used);
        if !referrers.is_empty() {
            used.extend(referrers.iter().cloned());
            // They come first: a cluster may refuse an image whose signature is not there yet.
            self.charts.insert(0, PlannedChart::without_chart(referrers.into_iter().collect()));
        }
        self.images.retain(|image| used.contains(&image.name));
    }

    /// Leaves out the charts that name an image which the user left out and which the target does not have.
    fn leave_out_charts(&mut self, live: &LivePlan) {
        for (chart, named) in self.charts.iter_mut().zip(&live.inventory.charts) {
            if chart.upload.is_some() && !named.left_out.iter().all(|name| live.will_have(name)) {
                chart.upload = None;
                for package in &self.packages {
                    let (package, chart) = (package.path.clone(), chart.chart.clone());
                    let (image, platforms) = (None, Vec::new());
                    self.left_out.push(LeftOut { package, chart, image, platforms });
                }
            }
        }
        self.left_out.sort();
        self.left_out.dedup();
    }

    /// Notes the blobs of unchanged tags, because they can be mounted from there.
    fn note_mount_sources(&self, live: &mut LivePlan) {
        let LivePlan { inventory, observed, .. } = live;
        let unchanged = |image: &&PlannedImage| image.after.is_none() && !image.restores();
        for image in self.images.iter().filter(unchanged) {
            let named = inventory.image(&image.name).iter();
            for blob in named.flat_map(|named| named.image.blobs()) {
                observed.add_source(image.name.repository(), &blob.descriptor.digest);
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

    /// All blobs of all images; a blob that several images need is listed for each.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &PlannedBlob> {
        self.images.iter().flat_map(|image| &image.pushes).flat_map(|push| &push.blobs)
    }

    /// The blobs that no repository of the target is known to have, with their sizes.
    pub(crate) fn to_send(&self, observed: &Observed) -> BTreeMap<Digest, u64> {
        let incomplete = |blob: &&PlannedBlob| !blob.present && !observed.has_source(&blob.digest);
        self.blobs().filter(incomplete).map(|blob| (blob.digest.clone(), blob.size)).collect()
    }

    /// True where everything that was asked for is or will be in the target.
    fn is_complete(&self) -> bool {
        self.problems.is_empty()
            && self.charts.iter().all(|chart| chart.problems.is_empty())
            && self.images.iter().all(|image| image.error.is_none())
    }

    /// True where something is written to the target for images.
    pub(super) fn writes(&self) -> bool {
        self.images.iter().any(|image| image.after.is_some() || image.restores())
    }

    /// Why nothing can be written as long as the user does not want it nevertheless.
    pub(crate) fn obstacle(&self) -> Option<&Error> {
        self.problems.iter().find(|error| error.concerns_room())
    }

    /// All errors; an image's error once, not once for each of its charts.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let charts = self.charts.iter().flat_map(|chart| &chart.problems);
        let images = self.images.iter().filter_map(|image| image.error.as_ref());
        self.problems.iter().chain(charts).chain(images)
    }

    /// The number of tags that will be written.
    pub fn tags_to_write(&self) -> usize {
        self.images.iter().filter(|image| image.after.is_some()).count()
    }
}
