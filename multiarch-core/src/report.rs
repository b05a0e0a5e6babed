//! Reports: what an import did, what a package contains, what a target holds.

mod check;
mod coverage;
mod diagnosis;
mod inspection;
mod rollback;
mod snapshot;
mod status;

pub use check::CheckReport;
pub use coverage::Coverage;
pub use diagnosis::{Damage, DamageKind, Diagnosis, DiagnosisOptions, Severity};
pub use inspection::Inspection;
pub use rollback::{Rollback, RollbackOptions, RollbackState, RollbackTag};
pub use snapshot::{SavedTag, Snapshot};
pub use status::{ChartStatus, Status, TagPlatform, TagStatus};

pub(crate) use rollback::Return;

use std::fmt;

use serde::Serialize;

use crate::{
    chart::TargetName,
    error::Error,
    image::{Digest, PlatformKey},
    package::{Finding, LeftOut},
    plan::{
        Bytes, Plan, PlannedChart, PlannedDecision, PlannedImage, Weight, decisions_text, titled,
        weighted, write_left_out,
    },
};

/// What an import did. It serialises to JSON of the schema [`Report::SCHEMA`], and prints as a table.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Name and version of the JSON form.
    pub schema: &'static str,
    /// The target, as the user named it.
    pub target: String,
    /// The chart repositories, as the user named them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charts_to: Option<String>,
    /// The packages, by path.
    pub packages: Vec<String>,
    /// The charts, and entries for the images that belong to no chart.
    pub charts: Vec<ChartReport>,
    /// Every name in the target that the import concerned.
    pub images: Vec<ImageReport>,
    /// Findings: what is worth knowing, but not an error.
    pub findings: Vec<Finding>,
    /// What the packages hold and the selection left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Errors that belong to no chart.
    pub problems: Vec<Error>,
    /// Bytes of blobs that were sent.
    pub bytes_sent: u64,
    /// Number of blobs that were sent.
    pub blobs_sent: u64,
    /// Number of blobs that were mounted from another repository.
    pub blobs_mounted: u64,
    /// Number of tags that were written.
    pub tags_written: u64,
    /// The file with the snapshot by which the import can be taken back, where one was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// True where the run was stopped before its end.
    pub cancelled: bool,
    /// True where everything that was asked for is in the target.
    pub complete: bool,
}

/// What happened to a chart and its images.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ChartReport {
    /// `name-version`; `None` for images that belong to no chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The folder of the package that it is in, where the folders have chart repositories of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The bundles it comes from.
    pub bundles: Vec<String>,
    /// The names of its images in the target.
    pub images: Vec<TargetName>,
    /// What happened to the chart itself; `None` where it was not to be uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<ChartState>,
    /// How many hints name its images, which were all rendered with its values; `None` where the chart was
    /// not to be uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints: Option<usize>,
    /// How many images Helm renders from it with its default values; `None` where it was not rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_images: Option<usize>,
    /// For which platforms the target now has its images.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// True where the chart, if it is to be uploaded, and all of its images are in place.
    pub complete: bool,
    /// Errors that kept it, or a part of it, from being imported.
    pub problems: Vec<Error>,
}

/// What happened to one name in the target.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ImageReport {
    /// The name in the target.
    pub name: TargetName,
    /// The references it had in the packages.
    pub references: Vec<String>,
    /// What the tag held before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// What the tag holds now, as far as this run knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// What happened to the tag.
    pub state: ImageState,
    /// One decision per incoming platform.
    pub decisions: Vec<PlannedDecision>,
    /// The platforms that the tag held when this run planned it last.
    pub platforms: Vec<PlatformKey>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// What happened to a chart in the chart repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChartState {
    /// It was uploaded.
    Uploaded,
    /// It was uploaded in place of another chart.
    Replaced,
    /// The repository had it already.
    Present,
    /// The repository had another chart of this name and version, which stays.
    Kept,
    /// It was not uploaded, because a part of it failed.
    NotUploaded,
}

/// What happened to a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ImageState {
    /// It was written.
    Written,
    /// It had every incoming platform already.
    Unchanged,
    /// It is as it was, and manifests or blobs that it lists, or that refer to it, were missing and were
    /// sent.
    Restored,
    /// Something failed. The tag is as it was, unless the failure came after it was written: then
    /// [`ImageReport::after`] says what it holds.
    Failed,
    /// The run was stopped before this tag was done.
    NotReached,
}

impl ImageState {
    /// True where the tag holds what the import brings.
    pub(crate) fn is_in_place(self) -> bool {
        matches!(self, Self::Written | Self::Unchanged | Self::Restored)
    }
}

impl ImageReport {
    /// A tag that the run did not come to.
    fn not_reached(image: &PlannedImage) -> Self {
        Self {
            name: image.name.clone(),
            references: image.references.clone(),
            before: image.before.clone(),
            after: image.before.clone(),
            state: ImageState::NotReached,
            decisions: image.decisions.clone(),
            platforms: Vec::new(),
            error: None,
        }
    }

    /// Reports what the tag holds according to the last plan for it.
    pub(crate) fn set_now(&mut self, last: PlannedImage) {
        self.after = last.after.or(last.before);
        self.platforms = last.platforms;
    }
}

impl ChartReport {
    /// A chart before anything of it is known to be in the target.
    pub(crate) fn new(chart: &PlannedChart, problems: Vec<Error>) -> Self {
        Self {
            chart: chart.chart.clone(),
            folder: chart.folder.clone(),
            bundles: chart.bundles.clone(),
            images: chart.images.clone(),
            upload: None,
            hints: chart.upload.as_ref().map(|upload| upload.hints),
            rendered_images: chart.upload.as_ref().and_then(|upload| upload.rendered_images),
            coverage: Coverage::default(),
            complete: false,
            problems,
        }
    }

    /// A chart that sends nothing because of this error.
    pub(crate) fn blocked(chart: &PlannedChart, error: &Error) -> Self {
        let problems = chart.problems.iter().chain([error]).cloned().collect();
        Self::new(chart, problems)
    }
}

impl Report {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.report/v1";

    /// The report before the plan is applied.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        Self {
            schema: Self::SCHEMA,
            target: plan.target.clone(),
            charts_to: plan.charts_to.clone(),
            packages: plan.packages.iter().map(|package| package.path.clone()).collect(),
            charts: Vec::new(),
            images: Vec::new(),
            findings: plan.findings.clone(),
            left_out: plan.left_out.clone(),
            problems: Vec::new(),
            bytes_sent: 0,
            blobs_sent: 0,
            blobs_mounted: 0,
            tags_written: 0,
            snapshot: None,
            cancelled: false,
            complete: false,
        }
    }

    /// The report of a plan that could not be applied at all.
    pub(crate) fn not_begun(plan: &Plan, error: Error) -> Self {
        let charts = plan.charts.iter().map(|chart| ChartReport::blocked(chart, &error)).collect();
        let images = plan.images.iter().map(ImageReport::not_reached).collect();
        Self { charts, images, problems: vec![error], ..Self::of_plan(plan) }
    }

    /// All errors; an image's error once, not once for each of its charts.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let charts = self.charts.iter().flat_map(|chart| &chart.problems);
        let images = self.images.iter().filter_map(|image| image.error.as_ref());
        self.problems.iter().chain(charts).chain(images)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.images.iter().map(|image| {
            let (weight, state) = match image.state {
                ImageState::Written => (Weight::Change, "written"),
                ImageState::Unchanged => (Weight::Quiet, "unchanged"),
                ImageState::Restored => (Weight::Change, "restored"),
                ImageState::Failed => (Weight::Attention, "FAILED"),
                ImageState::NotReached => (Weight::Attention, "not reached"),
            };
            let decisions = match weight {
                // What was decided did not happen.
                Weight::Attention => {
                    let platforms = image.decisions.iter().map(|d| d.decision.platform.to_string());
                    let platforms: Vec<String> = platforms.collect();
                    match platforms.is_empty() {
                        true => String::new(),
                        false => format!("{} to come", platforms.join(", ")),
                    }
                }
                _ => decisions_text(&image.decisions),
            };
            (weight, vec![state.into(), image.name.to_string(), decisions])
        });
        weighted(f, &["TAG", "IMAGE", "PLATFORMS"], rows.collect())?;
        let charts: Vec<&ChartReport> = self.charts.iter().filter(|c| c.chart.is_some()).collect();
        if !charts.is_empty() {
            let rows = charts.iter().map(|chart| {
                let is_left_out = chart.upload.is_none()
                    && self
                        .left_out
                        .iter()
                        .any(|out| out.image.is_none() && out.chart == chart.chart);
                let (weight, state) = match (chart.upload, chart.complete) {
                    (None, true) if is_left_out => (Weight::Attention, "left out"),
                    (_, false) => (Weight::Attention, "INCOMPLETE"),
                    (None, true) => (Weight::Quiet, "complete"),
                    (Some(ChartState::Uploaded), true) => (Weight::Change, "uploaded"),
                    (Some(ChartState::Replaced), true) => (Weight::Change, "replaced"),
                    (Some(ChartState::Present), true) => (Weight::Quiet, "present"),
                    (Some(ChartState::Kept), true) => (Weight::Quiet, "kept"),
                    (Some(ChartState::NotUploaded), true) => (Weight::Attention, "not uploaded"),
                };
                let name = titled(chart.chart.as_ref(), chart.folder.as_ref()).unwrap_or_default();
                let [all, some] = chart.coverage.texts();
                let proof = match (chart.rendered_images, chart.hints) {
                    (Some(_), _) => "helm".to_owned(),
                    (None, Some(0)) => "nothing".into(),
                    (None, Some(_)) => "hints".into(),
                    (None, None) => String::new(),
                };
                (weight, vec![state.into(), name, all, some, proof])
            });
            writeln!(f)?;
            let head = ["CHART", "NAME", "ALL IMAGES FOR", "SOME IMAGES FOR", "CHECKED BY"];
            weighted(f, &head, rows.collect())?;
        }
        let complete = charts.iter().filter(|chart| chart.complete).count();

        writeln!(
            f,
            "\n{complete} of {} charts complete, {} images, {} tags written, {} blobs sent ({})",
            charts.len(),
            self.images.len(),
            self.tags_written,
            self.blobs_sent,
            Bytes(self.bytes_sent),
        )?;
        write_left_out(f, &self.left_out)
    }
}
