//! Relocates the charts of an import, and settles which of several is uploaded.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{EarlierImport, Inventory, PlannedUpload, chart_upload::OriginalChart};
use crate::{
    chart::{
        ChartFiles, KnownImages, Likeness, PackedChart, TargetName, compare, compare_versions,
    },
    error::{Detail, Error, ErrorKind, Result},
    image::Reference,
    package::Finding,
};

/// What Helm makes of a relocated chart with its default values.
pub(crate) enum RenderedChart {
    /// It runs these images.
    Images(BTreeSet<String>),
    /// Helm does not render it, and neither the original.
    Not(Error),
    /// Helm renders the original only.
    Broken(Error),
    /// Helm itself failed, so that nothing is known.
    Failed(Error),
}

/// What was made of a chart.
#[derive(Default)]
pub(crate) struct RelocatedChart {
    upload: Option<Result<PlannedUpload>>,
    findings: Vec<Finding>,
    /// Errors that do not keep the chart from being uploaded.
    problems: Vec<Error>,
}

impl Inventory {
    /// The charts for the chart repositories, each with its place and the bundles that have it: first the one
    /// from the latest package, which is uploaded.
    pub(crate) fn to_relocate(&self, earlier: &EarlierImport) -> Vec<(usize, Vec<(usize, usize)>)> {
        if !earlier.relocates() {
            return Vec::new();
        }
        let version =
            |key: &(usize, usize)| self.packages[key.0].name().version.clone().unwrap_or_default();
        let listing = |key: &(usize, usize)| &self.packages[key.0].identity().listing;
        let latest = |a: &(usize, usize), b: &(usize, usize)| {
            let order = compare_versions(&version(b), &version(a)).unwrap_or(Ordering::Equal);
            order.then_with(|| listing(a).cmp(listing(b)))
        };
        let charts = self.charts.iter().enumerate();
        charts
            .filter(|(_, chart)| chart.problems.is_empty())
            .map(|(place, chart)| {
                let mut bundles = chart.relocatable.clone();
                bundles.sort_by(latest);
                (place, bundles)
            })
            .filter(|(_, bundles)| !bundles.is_empty())
            .collect()
    }

    /// The packed charts that Helm is to render, with their places.
    pub(crate) fn to_render(&self) -> Vec<(usize, &PackedChart)> {
        let charts = self.charts.iter().enumerate();
        let packed = charts.filter_map(|(place, chart)| {
            let content = chart.upload.as_ref()?.content.as_ref()?;
            Some((place, content.stored.as_ref().unwrap_or(&content.chart)))
        });
        packed.collect()
    }

    /// Takes the images that Helm renders from a chart. What is not in the target, and comes with no package,
    /// blocks the chart.
    pub(crate) fn set_rendered(&mut self, place: usize, rendered: RenderedChart, registry: &str) {
        let chart = &mut self.charts[place];
        let images = match rendered {
            RenderedChart::Images(images) => images,
            RenderedChart::Not(error) => {
                let chart = chart.chart.clone().unwrap_or_default();
                let because = error.message().to_owned();
                return self.findings.push(Finding::NotRendered { chart, because });
            }
            RenderedChart::Failed(error) => {
                chart.problems.push(error.in_bundle(chart.bundles.join(", ")));
                BTreeSet::new()
            }
            RenderedChart::Broken(error) => {
                let message = format!(
                    "helm renders the original chart, but not the relocated one: {}",
                    error.message()
                );
                let error = Error::new(ErrorKind::Hint, message);
                chart.problems.push(error.in_bundle(chart.bundles.join(", ")));
                BTreeSet::new()
            }
        };
        if let Some(upload) = &mut chart.upload {
            upload.rendered_images = Some(images.len());
        }
        for image in images {
            let reference = image.parse::<Reference>().ok();
            let is_pinned = reference.as_ref().is_some_and(|image| image.digest().is_some());
            let name = reference.and_then(|image| TargetName::below(registry, &image));
            match name.filter(|_| !is_pinned) {
                Some(name) => drop(chart.needed.insert(name)),
                None => {
                    let message = match is_pinned {
                        true => {
                            "helm renders this image with a digest, which is not that of the tag in the target"
                        }
                        false => {
                            "helm renders this image from the chart with its default values, and it is not in the target"
                        }
                    };
                    let error = Error::new(ErrorKind::Missing, message).of_image(image);
                    let error = error.with_detail(Detail::RenderedElsewhere);
                    chart.problems.push(error.in_bundle(chart.bundles.join(", ")));
                }
            }
        }
        if !chart.problems.is_empty() {
            chart.upload = None;
            if !self.options.images_of_blocked_charts {
                chart.images.clear();
                self.drop_unused();
            }
        }
    }

    /// Compares the chart of a bundle with the one that is uploaded in its place. What its images are needed
    /// for is only there if the uploaded chart renders their names, too.
    pub(crate) fn compare_charts(
        &self,
        (uploaded, files): ((usize, usize), &ChartFiles),
        (other, other_files): ((usize, usize), Result<ChartFiles>),
        earlier: &EarlierImport,
        relocated: &mut RelocatedChart,
    ) {
        let findings = &mut relocated.findings;
        let compared =
            self.compare_with((uploaded, files), (other, other_files), earlier, findings);
        relocated.problems.extend(compared.err());
    }

    fn compare_with(
        &self,
        (uploaded, files): ((usize, usize), &ChartFiles),
        (other, other_files): ((usize, usize), Result<ChartFiles>),
        earlier: &EarlierImport,
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        let bundle = |key: (usize, usize)| &self.packages[key.0].bundles()[key.1];
        let place = |key| format!("{} in {}", bundle(key).path(), self.packages[key.0].path());
        let other_files = other_files?;
        let hints = (bundle(uploaded).hints(), &bundle(uploaded).values);
        let charts = (bundle(other).read_chart()?, bundle(uploaded).read_chart()?);
        let compared = compare((&other_files, charts.0), (files, charts.1), hints, &[])?;
        let Likeness::Different(different) = compared else { return Ok(()) };
        findings.push(Finding::ChartsDiffer {
            chart: bundle(uploaded).chart(),
            package: place(uploaded),
            instead_of: place(other),
            different,
        });
        let rendered: BTreeSet<&TargetName> = earlier.solved(uploaded)?.names.iter().collect();
        let names = earlier.solved(other)?.names.iter();
        let lost: BTreeSet<String> =
            names.filter(|n| !rendered.contains(n)).map(ToString::to_string).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let lost: Vec<String> = lost.into_iter().collect();
        let message = format!(
            "another chart of this name and version, {}, is uploaded, and does not name {}",
            place(uploaded),
            lost.join(", ")
        );
        let error = Error::new(ErrorKind::ChartConflict, message).with_detail(Detail::ChartsDiffer);
        Err(error.in_package(self.packages[other.0].path()).in_bundle(bundle(other).path()))
    }

    /// Relocates a chart by its files.
    pub(crate) fn relocate(
        &self,
        place: usize,
        key: (usize, usize),
        files: Result<ChartFiles>,
        earlier: &EarlierImport,
        relocated: &mut RelocatedChart,
    ) {
        let package = &self.packages[key.0];
        let bundle = &package.bundles()[key.1];
        let mut images = KnownImages::default();
        for (reference, name) in self.charts[place].images.iter().flat_map(|name| {
            self.images.get(name).into_iter().flatten().map(move |image| (&image.reference, name))
        }) {
            images.add(reference, name);
        }
        let upload = files.and_then(|files| {
            let original =
                OriginalChart::new(files, (key, bundle), images, earlier, &self.options)?;
            original.plan_upload(&mut relocated.findings)
        });
        relocated.upload = Some(upload);
    }

    /// Takes over what was made of a chart. A chart that cannot be relocated sends nothing.
    pub(crate) fn set_relocated(
        &mut self,
        place: usize,
        key: (usize, usize),
        relocated: RelocatedChart,
    ) {
        self.findings.extend(relocated.findings);
        self.problems.extend(relocated.problems);
        let package = &self.packages[key.0];
        let chart = &mut self.charts[place];
        match relocated.upload {
            None => {}
            Some(Ok(upload)) => chart.upload = Some(upload),
            Some(Err(error)) => {
                let path = package.bundles()[key.1].path();
                chart.problems.push(error.in_package(package.path()).in_bundle(path));
                if !self.options.images_of_blocked_charts {
                    chart.images.clear();
                    self.drop_unused();
                }
            }
        }
    }
}
