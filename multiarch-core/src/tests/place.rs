//! What tests of charts share: places for images and charts, packages with a few bundles, what was stored.

use std::sync::Arc;

use multiarch_core::{ChartState, Import, Options, Package, Plan, Report, Target};
use multiarch_generator::{Bundle, Entry, Image, gzip, images_tar, tar};

use super::runs::{self, Folder, memory, open};
use crate::{
    chart::{Chart, ChartFiles, parse_hints},
    chartrepo::ChartAddress,
    store::ChartRepo,
};

pub(super) const REGISTRY: &str = "r.example.com:5000";

pub(super) fn options() -> Options {
    Options { registry: Some(REGISTRY.into()), ..Options::default() }
}

/// The destinations of an import: a target for images, and a chart repository.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) images: Target,
    pub(super) charts: ChartAddress,
}

impl Place {
    pub(super) fn new(charts: ChartAddress) -> Self {
        Self { images: memory(), charts }
    }

    pub(super) fn repo(&self) -> Arc<dyn ChartRepo> {
        self.charts
            .open(&crate::registry::Connector::new(&Default::default(), &Default::default()))
            .expect("a repository")
            .repo
    }

    pub(super) fn import(&self, packages: &[Arc<Package>], options: &Options) -> Import {
        let import = runs::into(packages, &self.images).options(options.clone());
        import.charts_to_address(self.charts.clone())
    }
}

/// Memory for images, a directory for charts.
pub(super) fn target(folder: &Folder) -> Place {
    let charts = format!("dir:{}", folder.path().join("charts").display());
    Place::new(charts.parse().expect("a repository"))
}

pub(super) fn plan(packages: &[Arc<Package>], place: &Place, options: &Options) -> Plan {
    place.import(packages, options).plan().expect("planned")
}

pub(super) fn import(packages: &[Arc<Package>], place: &Place, options: &Options) -> Report {
    plan(packages, place, options).apply()
}

pub(super) fn package(folder: &Folder, name: &str, bundles: &[Bundle]) -> Arc<Package> {
    let entries: Vec<Entry> =
        bundles.iter().map(|b| Entry::file(format!("addon/{}", b.file_name()), b.tar())).collect();
    open(&folder.write(name, gzip(&tar(&entries))))
}

pub(super) fn chart(folder: &Folder, file: &str) -> Option<ChartFiles> {
    let packed = std::fs::read(folder.path().join("charts").join(file)).ok()?;
    Some(ChartFiles::unpack(&packed).expect("a chart"))
}

/// The references that a stored chart's own hints render.
pub(super) fn rendered(files: &ChartFiles) -> Vec<String> {
    let values = Chart::load(files).expect("a chart").merged_values().expect("values");
    let hints = parse_hints(files.get(".relok8s-images.yaml").expect("hints")).expect("hints");
    hints.iter().map(|hint| hint.render(&values).expect("rendered")).collect()
}

pub(super) fn state(report: &Report, chart: &str) -> Option<ChartState> {
    report.charts.iter().find(|c| c.chart.as_deref() == Some(chart)).and_then(|c| c.upload)
}

pub(super) fn bundle(chart: &str, hints: &str, values: &str, images: &[(&str, &Image)]) -> Bundle {
    Bundle {
        chart: chart.into(),
        version: "1.0.0".into(),
        hints: hints.into(),
        values: values.into(),
        files: Vec::new(),
        images: Some(images_tar(images)),
    }
}
